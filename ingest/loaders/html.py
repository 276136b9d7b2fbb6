"""HTML as a reader sees it: blocks as paragraphs, tables as Markdown rows, no scripts, styles or menus."""

import re
import warnings
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString

from ingest.loaders.encoding import declared, decode
from ingest.loaders.parsed import Builder, Parsed, clean, table_rows

_UNSEEN = {"script", "style", "nav", "noscript", "template", "head", "title", "svg", "iframe", "select"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl"),
    *("dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "ol", "p"),
    *("section", "summary", "ul"),
}
_FORBIDDEN = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADING = re.compile(r"h([1-6])")


def load(path: Path) -> Parsed:
    return parse(path.read_bytes())


def parse(data: bytes | str, titled: bool = True) -> Parsed:
    """A page that lies in another file, a book or a letter, say; `titled` where its title stands for a missing heading."""
    if isinstance(data, bytes):
        data = decode(data, declared(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XHTML could be parsed as XML, which would stop at the first mistake
        try:
            soup = BeautifulSoup(data, "lxml")
        except ValueError:  # characters that XML forbids, in a page that names an encoding it isn't in
            soup = BeautifulSoup(_FORBIDDEN.sub(" ", data), "lxml")
    page = _Page()
    if titled and soup.title and not soup.find("h1"):
        page.builder.heading(1, soup.title.get_text())
    try:
        page.walk(soup)
    except RecursionError:  # hundreds of tags that nobody closed
        return Parsed(clean(soup.get_text("\n")))
    page.end_block()
    return page.builder.parsed()


class _Page:
    """Gathers inline text until a block begins or ends."""

    def __init__(self) -> None:
        self.builder = Builder()
        self._inline: list[str] = []

    def end_block(self) -> None:
        lines = [" ".join(line.split()) for line in "".join(self._inline).split("\0")]
        self._inline.clear()
        self.builder.block("\n".join(lines))

    def walk(self, node: Tag) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                self._element(child)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._inline.append(child.replace("\0", ""))

    def _element(self, tag: Tag) -> None:
        if tag.name in _UNSEEN:
            return
        if tag.name == "br":
            self._inline.append("\0")
        elif heading := _HEADING.fullmatch(tag.name):
            self.end_block()
            self.builder.heading(int(heading[1]), _line(tag))
        elif tag.name == "table":
            self._table(tag)
        elif tag.name == "li":
            self._item(tag)
        elif tag.name == "pre":
            self.end_block()
            self.builder.block(_text(tag))
        elif tag.name in _BLOCKS:
            self.end_block()
            self.walk(tag)
            self.end_block()
            if tag.name in ("ul", "ol"):
                self.builder.end_lines()
        else:
            self.walk(tag)

    def _item(self, tag: Tag) -> None:
        """A short item is one line of its list; one that holds blocks is read like any other block."""
        self.end_block()
        if tag.find(lambda inner: inner.name in _BLOCKS | {"table", "pre"} or bool(_HEADING.fullmatch(inner.name))):
            self.walk(tag)
            self.end_block()
        else:
            self.builder.line("- " + _line(tag))

    def _table(self, tag: Tag) -> None:
        """A table of data becomes rows; one that holds another is layout, and is read cell by cell."""
        self.end_block()
        if tag.find("table"):
            for cell in tag.find_all(["td", "th", "caption"]):
                if cell.find_parent("table") is tag:
                    self.walk(cell)
                    self.end_block()
            return
        if caption := tag.find("caption"):
            self.builder.block(_line(caption))
        rows = [[_line(cell) for cell in row.find_all(["td", "th"])] for row in tag.find_all("tr")]
        self.builder.block(table_rows(rows))


def _text(tag: Tag) -> str:
    """What stands in a tag: a break is a new line, and what no reader sees is left out."""
    pieces = []
    for child in tag.children:
        if isinstance(child, Tag):
            block = child.name in _BLOCKS
            pieces.append("\n" if child.name == "br" else "" if child.name in _UNSEEN else f"\n{_text(child)}\n" if block else _text(child))
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            pieces.append(child.replace("\0", ""))
    return "".join(pieces)


def _line(tag: Tag) -> str:
    return " ".join(_text(tag).split())
