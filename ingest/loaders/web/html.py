"""HTML as a reader sees it: blocks as paragraphs, lists with their numbers, tables as Markdown rows, no scripts or hidden parts.

markdownify walks the page and joins what its blocks give; how each kind of tag is written is said here, since documents are
stored as plain words: without link, picture or emphasis marks, and without backslashes that would hide words from search.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString
from markdownify import MarkdownConverter

from ingest.loaders.encoding import declared, decode
from ingest.loaders.office.symbols import in_font
from ingest.loaders.parsed import Block, Builder, Parsed, clean, counted, table_rows
from ingest.loaders.web import html_table
from ingest.loaders.web.html_list import WORD_LIST, Markers, google_depth, indented, word_mark
from ingest.loaders.web.html_marks import BLANK, BREAK, DOWN, EDGE, END, HEADED, HEADING, ITEM, NEWLINE, UP, kept, one_line, pieces, spaced
from ingest.loaders.web.html_math import formula, is_repeated
from ingest.loaders.web.html_style import PLAIN, Look, Styles, sheet_of, symbol_font

_HIDDEN = {"noscript", "template"}
_UNSEEN = {"script", "style", "head", "title", "datalist", "iframe", "audio", "video", "canvas", "nav", *_HIDDEN}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main", "p", "search", "section", "summary"),
    *("td", "th", "tr", "thead", "tbody", "tfoot"),
}
_WRITTEN = {
    *("br", "button", "del", "dir", "h1", "h2", "h3", "h4", "h5", "h6", "img", "input", "label", "li", "listing", "menu", "ol", "output"),
    *("plaintext", "pre", "q", "rp", "rt", "s", "select", "strike", "sub", "sup", "textarea", "ul", "xmp"),
}
_VERBATIM = {"pre", "listing", "plaintext", "textarea", "xmp"}
_FONT = "_font:"
_VALUELESS = {"hidden", "password", "image", "file", "color", "range"}
_VISIBLE = re.compile(r"[^\s\u00ad\u034f\u115f\u200b-\u200f\u2060-\u2064\u3164\ufeff]")
_FORBIDDEN = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def load(path: Path) -> Parsed:
    return parse(path.read_bytes())


def parse(data: bytes | str, titled: bool = True) -> Parsed:
    """A page that lies in another file, a letter, say; `titled` where its title stands for a missing heading."""
    pages = Pages()
    return replace(pages.read(data, titled), notes=pages.notes())


class _Tag(Tag):  # type: ignore[misc]
    """markdownify looks for a `pre` around every tag, and to find it bs4 makes a filter each time: half of all its work."""

    def find_parent(self, name: Any = None, *_: Any, **__: Any) -> Any:
        return next((parent for parent in self.parents if parent.name == name), None)


class Pages(MarkdownConverter):
    """Reads the pages of one document, and counts over all of them what a reader would see and the text lacks."""

    process_tag: Any  # inherited, but left out of markdownify's own types

    def __init__(self) -> None:
        super().__init__()
        self._hidden = self._menus = self._pictures = self._embedded = self._deep = 0

    def read(self, data: bytes | str, titled: bool = True, linked: Callable[[str], str] = lambda place: "") -> Parsed:
        """A page's text and headings; what it lacks is in `notes`. `linked` gives a style sheet by the place that the page names."""
        soup = _soup(data)
        sheets = [tag for tag in soup.find_all(["style", "link"]) if tag.get("media", "all") in ("", "all", "screen")]
        self._styles = Styles([sheet_of(tag, linked) for tag in sheets])
        self._markers = Markers(self._styles)
        builder = Builder()
        title = soup.head.find("title") if soup.head and titled else None
        if title and not soup.find("h1"):
            builder.heading(1, title.get_text())
        try:
            text = self.process_tag(soup, set())
        except RecursionError:  # hundreds of tags that nobody closed
            self._deep += 1
            return Parsed(clean(soup.get_text("\n")))
        for level, piece in pieces(text):
            if level:
                builder.heading(level, piece)
            else:
                builder.block(piece)
        return builder.parsed()

    def notes(self) -> list[str]:
        found = [
            counted(self._hidden, "hidden part", "left out"),
            counted(self._menus, "menu", "left out"),
            counted(self._pictures, "picture", "not read"),
            counted(self._embedded, "embedded page or recording", "not read"),
            "tags nested too deeply: read without layout, hidden parts and all" if self._deep else "",
        ]
        return [note for note in found if note]

    def process_text(self, el: NavigableString, parent_tags: set[str]) -> str:
        if isinstance(el, PreformattedString):
            return ""
        if parent_tags & {"_invisible", "_tiny"}:
            self._hidden += _VISIBLE.search(el) is not None
            return ""
        font = next((name.removeprefix(_FONT) for name in parent_tags if name.startswith(_FONT)), "")
        text = in_font(el, font) if font else el
        return kept(text) if parent_tags & _VERBATIM else spaced(text, lines="_lines" in parent_tags)

    def process_element(self, node: Any, parent_tags: set[str]) -> str:
        if not isinstance(node, Tag):
            return self.process_text(node, parent_tags)
        look = PLAIN if node.name in ("html", "body") else self._styles.of(node)  # scripts show pages that begin hidden
        if self._is_unseen(node, look):
            return ""
        if node.name == "font" and node.has_attr("face"):
            look = replace(look, font=symbol_font(str(node["face"])))
        if look is not PLAIN:
            parent_tags = _inherited(parent_tags, look)
        if node.name == "math":
            return formula(node)
        if node.name == "svg":
            return self._block(node, "; ".join(spaced(label.get_text()) for label in node.find_all("text")), parent_tags)
        if node.name == "table":
            return self._table(node, parent_tags)
        text: str = self.process_tag(node, parent_tags)
        if word_list := WORD_LIST.search(str(node.get("style", ""))):
            return word_mark(text) if word_list[1].lower() == "ignore" else f"\n{BLANK * 2 * (int(word_list[2]) - 1)}{text.strip()}\n"
        if look.raised:
            return self.convert_sup(node, text, parent_tags)
        if look.block:
            return f"{EDGE}{text}{EDGE}"
        return f" {text} " if look.apart else text

    def get_conv_fn(self, tag_name: str) -> Any:
        if tag_name in _BLOCKS:
            return self._block
        inherited: Any = super()
        return inherited.get_conv_fn(tag_name) if tag_name in _WRITTEN else None

    def _is_unseen(self, tag: Tag, look: Look) -> bool:
        if tag.name in _UNSEEN:
            self._menus += tag.name == "nav" and _has_text(tag)
            self._hidden += tag.name in _HIDDEN and _has_text(tag)
            self._embedded += tag.name in ("audio", "video") or (tag.name == "iframe" and tag.has_attr("src"))
            self._pictures += tag.name == "canvas"
            return True
        if not tag.attrs and tag.name != "dialog" and look is PLAIN:
            return False
        if is_repeated(tag):
            return True
        if look.hidden or tag.has_attr("hidden") or (tag.name == "dialog" and not tag.has_attr("open")):
            if html_table.holds(tag, {"math"}):  # the picture beside it shows the formula
                return False
            self._hidden += _has_text(tag)
            return True
        return False

    def _block(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {text} " if "_inline" in parent_tags else f"\n\n{text}\n\n"

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: set[str]) -> str:
        title = one_line(text)
        return f" {title} " if "_inline" in parent_tags or not title else f"\n\n{HEADING}{n}{title}{HEADED}\n\n"

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return BREAK + text

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._block(el, text.strip(NEWLINE), parent_tags)

    convert_listing = convert_plaintext = convert_textarea = convert_xmp = convert_pre

    def convert_del(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        after = el.next_sibling
        return f"{text} " if isinstance(after, Tag) and after.name == "ins" else text

    convert_s = convert_strike = convert_del

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"{UP}{text}{END}" if text.strip() else text

    def convert_sub(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"{DOWN}{text}{END}" if text.strip() else text

    def convert_q(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"‘{text}’" if "q" in parent_tags else f"“{text}”"

    def convert_rt(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"({text.strip()})" if text.strip() else ""

    def convert_rp(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return ""

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        tiny = any(str(el.get(side, "")).strip("px ") in ("0", "1", "2") for side in ("width", "height"))
        self._pictures += not tiny and el.get("alt") != ""
        return ""

    def convert_button(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {text} "

    convert_label = convert_output = convert_button

    def convert_input(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        kind = str(el.get("type", "text")).lower()
        if kind in ("checkbox", "radio"):
            return " ☒ " if el.has_attr("checked") else " ☐ "
        return "" if kind in _VALUELESS else f" {spaced(str(el.get('value', '')))} "

    def convert_select(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A drop-down list shows one choice, any other list all."""
        options = el.find_all("option")
        names = [one_line(spaced(str(option.get("label") or option.get_text()))) for option in options]
        chosen = [name for name, option in zip(names, options, strict=True) if option.has_attr("selected")]
        if el.has_attr("multiple") or str(el.get("size", "1")) not in ("", "0", "1"):
            return " " + " ".join(("☒ " if name in chosen else "☐ ") + name for name in names) + " "
        return f" {(chosen or names or [''])[-1 if chosen else 0]} "

    def _list(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_inline" in parent_tags:
            return f"{ITEM if 'li' in parent_tags else ' '}{text} "
        text = text.strip()
        if depth := google_depth(el):
            text = indented(text, depth)
        if el.parent is not None and el.parent.name in ("ol", "ul"):  # a list in a list, without an item around it
            return f"\n{indented(text, 1)}\n"
        return f"\n{text}\n" if "li" in parent_tags else f"\n\n{text}\n\n"

    convert_ol = convert_ul = convert_menu = convert_dir = _list

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        marker = self._markers.of(el)
        text = text.replace(BREAK, " ").replace(EDGE, " ").strip()
        if "_inline" in parent_tags:
            return f"{marker.removeprefix('- ')}{text}{ITEM}" if text else ""
        if not text:
            return f"\n{marker}\n" if marker != "- " else ""
        if text.startswith(HEADING):
            return f"\n{text[:2]}{marker.removeprefix('- ')}{text[2:]}\n\n"
        first = next((child for child in el.children if isinstance(child, Tag) or child.strip()), None)
        if isinstance(first, Tag) and first.name in ("ol", "ul") and marker == "- ":
            return f"\n{indented(text, 1)}\n"
        return f"\n{marker}{indented(text)}\n" + "\n" * ("\n\n" in text)

    def _table(self, table: Tag, tags: set[str]) -> str:
        """A table of data becomes rows, on one line within a cell; one that lays out a page is read cell by cell."""
        found = html_table.rows(table, lambda tag: self._is_unseen(tag, self._styles.of(tag)))
        captions = ["".join(self.process_element(tag, tags) for tag in html_table.strays(table))]
        captions += [one_line(self.process_tag(tag, tags | {"_inline"})) for tag in table.find_all("caption", recursive=False)]
        inner = tags | {"table"}
        if "_inline" not in tags and html_table.lays_out(table, [cells for _, cells in found]):
            return "\n\n".join(["", *captions, *(self._laid_out(cells, inner) for _, cells in found), ""])
        if len(found) > 1 and len(found[0][1]) == 1 and max(len(cells) for _, cells in found) > 1 and found[0][1][0].has_attr("colspan"):
            captions.append(one_line(self.process_element(found.pop(0)[1][0], inner | {"_inline"})))
        rows = table_rows(html_table.grid(found, lambda cell: one_line(self.process_element(cell, inner | {"_inline"}))))
        if "_inline" in tags:
            return f" {' '.join(captions)} {Block('table', rows).flat} "
        return "\n\n".join(["", *captions, kept(rows), ""])

    def _laid_out(self, cells: list[Tag], tags: set[str]) -> str:
        """A row of a table that lays out a page: short cells side by side are one line."""
        for cell in cells:
            cell.name = "div"
        texts = [text for cell in cells if (text := self.process_element(cell, tags).strip())]
        short = all(len(text) <= html_table.SHORT and not {"\n", BREAK, HEADING, NEWLINE} & set(text) for text in texts)
        return (" " if short else "\n\n").join(texts)


def _soup(data: bytes | str) -> BeautifulSoup:
    if isinstance(data, bytes):
        data = decode(data, declared(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XHTML could be parsed as XML, which would stop at the first mistake
        try:
            return BeautifulSoup(data, "lxml", element_classes={Tag: _Tag})
        except ValueError:  # characters that XML forbids
            return BeautifulSoup(_FORBIDDEN.sub(" ", data), "lxml", element_classes={Tag: _Tag})


def _inherited(tags: set[str], look: Look) -> set[str]:
    """What holds for all that is in a tag, until an inner one says otherwise."""
    said = {"_invisible": look.invisible, "_tiny": look.tiny, "_lines": look.lines or None}
    if look.font is not None:
        said |= {tag: False for tag in tags if tag.startswith(_FONT)} | ({_FONT + look.font: True} if look.font else {})
    return (tags | {name for name, holds in said.items() if holds}) - {name for name, holds in said.items() if holds is False}


def _has_text(tag: Tag) -> bool:
    return _VISIBLE.search(tag.get_text()) is not None
