"""XML of any kind: each leaf a line `name: text`, running text as paragraphs. What isn't well-formed stays as it is.

Running text is what has tags among its words, in any vocabulary (TEI, DocBook, JATS, DITA): there a tag parts no word.
"""

import re
from html import unescape
from html.entities import name2codepoint
from pathlib import Path

from lxml import etree

from ingest.loaders.encoding import as_utf8, decode
from ingest.loaders.linear import lowered, raised
from ingest.loaders.parsed import Builder, LoadError, Parsed, clean, table_rows
from ingest.loaders.web.xmltree import Element, attribute, descendants, integer, local, parse

_DIVISIONS = {"section", "sec", "chapter", "appendix", "part", "topic", "preface", "abstract", "article", "body", "front", "back"}
_DIVISIONS |= {"div", *(f"{kind}{level}" for kind in ("div", "sect") for level in range(1, 8))}
_NOTES = {"note", "footnote", "fn"}
_PROSE = {"p", "para", "simpara", "ab"}
_LISTS = {"list", "itemizedlist", "orderedlist", "simplelist", "ul", "ol"}
_ITEMS = {"item", "listitem", "list-item", "li", "member"}
_BLOCKS = (
    _PROSE | _NOTES | _DIVISIONS | _LISTS | _ITEMS | {"variablelist", "dl", "table", "informaltable", "head", "title", "lg", "l", "sp"}
)
_BLOCKS |= {"sp", "figure", "fig", "example", "programlisting", "quote", "blockquote", "disp-quote", "def-list"}
_WITHIN_WORDS = {"hi", "emph", "emphasis", "italic", "bold", "b", "i", "u", "em", "strong", "c", "g", "sub", "sup", "subscript"}
_WITHIN_WORDS |= {
    "superscript",
    "span",
    "ex",
    "expan",
    "supplied",
    "unclear",
    "add",
    "tt",
    "monospace",
    "sc",
    "small",
    "ital",
    "it",
    "inf",
    "underline",
}
_BREAKS = {"lb", "br", "pb", "cb", "gb", "milestone", "break", "tab"}
_CHOICES = {"choice", "app", "subst"}
_CELLS = {"cell", "entry", "td", "th"}
_WIDEST = 100
"""Columns or rows that a cell may take."""
_VERBATIM = {"programlisting", "screen", "literallayout", "codeblock", "preformat", "pre"}
_RAISED = re.compile(r"\bsup(?:er(?:script)?)?\b")
_LOWERED = re.compile(r"\bsub(?:script)?\b")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")


def load(path: Path) -> Parsed:
    data = as_utf8(path.read_bytes())
    try:
        root = _parse(data)
    except LoadError:
        return Parsed(clean(decode(data)))
    if local(root) == "html":
        from ingest.loaders.web import html

        return html.parse(data)
    builder = Builder()
    _add(builder, root, 0)
    return builder.parsed()


def _parse(data: bytes) -> Element:
    """The root; names that only HTML knows (`&eacute;`) are no reason to give up."""
    try:
        return parse(data)
    except LoadError:
        return parse(_ENTITY.sub(_numbered, data))


def _numbered(entity: re.Match[bytes]) -> bytes:
    name = entity[1].decode()
    code = None if name in ("amp", "lt", "gt", "quot", "apos") else name2codepoint.get(name)
    return entity[0] if code is None else b"&#%d;" % code


def _add(builder: Builder, element: Element, depth: int) -> None:
    """An element and all in it; `depth` counts the divisions around it."""
    if not isinstance(element.tag, str):
        return
    name = local(element)
    inner = [child for child in element if isinstance(child.tag, str)]
    if name in ("head", "title") and local(element.getparent()) in _DIVISIONS:
        builder.heading(min(max(depth, 1), 6), _inline(element))
    elif name in ("table", "informaltable") and (rows := _rows(element)):
        builder.block(table_rows(rows))
    elif name in _ITEMS and local(element.getparent()) in _LISTS:
        _add_item(builder, element, depth)
    elif name in _VERBATIM:
        builder.block("".join(element.itertext()))
    elif name == "l":
        builder.line(_inline(element))
    elif _is_running(element):
        _add_running(builder, element, depth)
    elif name in _PROSE and not any(local(child) in _BLOCKS for child in inner):
        builder.block(_inline(element))
    elif not inner:
        label, text = _label(element), _plain("".join(element.itertext()))
        builder.line(f"{label}: {text}" if text else label if element.attrib else "")
    else:
        builder.end_lines()
        if name not in _DIVISIONS | _LISTS:
            builder.line(_label(element) if element.attrib else "")
        for child in inner:
            _add(builder, child, depth + (name in _DIVISIONS))
        builder.end_lines()


def _add_item(builder: Builder, item: Element, depth: int) -> None:
    """A line of its list, and below it the lists in it."""
    parent = item.getparent()
    ordered = local(parent) in ("orderedlist", "ol") or attribute(parent, "type", attribute(parent, "list-type")) in ("ordered", "order")
    number = 1 + sum(local(before) == local(item) for before in item.itersiblings(preceding=True)) if ordered else 0
    nested = sum(local(around) in _LISTS for around in item.iterancestors()) - 1
    inner = [child for child in item if local(child) in _LISTS]
    text = _squeezed((item.text or "") + "".join(_piece(child, "") * (child not in inner) + (child.tail or "") for child in item))
    builder.line((f"{number}. " if ordered else "- ") + text if text else "", nested)
    for child in inner:
        for nested_item in child:
            _add(builder, nested_item, depth)


def _add_running(builder: Builder, element: Element, depth: int) -> None:
    """Words with tags among them: a paragraph, or several where whole blocks stand among the words."""
    builder.end_lines()
    run = element.text or ""
    for child in element:
        if local(child) in _BLOCKS - _NOTES:
            builder.block(_squeezed(run))
            _add(builder, child, depth)
            run = child.tail or ""
        else:
            run += _piece(child, run) + (child.tail or "")
    builder.block(_squeezed(run))


def _label(element: Element) -> str:
    attributes = ", ".join(f"{name.rpartition('}')[2]}={value}" for name, value in element.items())
    return f"{local(element)} ({attributes})" if attributes else local(element)


def _is_running(element: Element) -> bool:
    """Whether words stand beside an element's children, or its children are such as stand within words."""
    tails = [child for child in element if (child.tail or "").strip()]
    inner = [child for child in element if isinstance(child.tag, str)]
    return bool(inner) and (bool((element.text or "").strip() or tails) or all(local(child) in _WITHIN_WORDS | _BREAKS for child in inner))


def _inline(element: Element) -> str:
    return _squeezed(_words(element))


def _words(element: Element) -> str:
    """What an element says: its words as they run, or its children's one after another."""
    if len(element) and not _is_running(element):
        return " ".join(_piece(child, "") for child in element)
    run = element.text or ""
    for child in element:
        run += _piece(child, run) + (child.tail or "")
    return run


def _piece(element: Element, before: str) -> str:
    """What a tag among words adds to those before it."""
    if element.tag is etree.Entity:
        return unescape(element.text or "")
    name = local(element)
    if name in _BREAKS:
        return "" if attribute(element, "break") == "no" else " "
    if name in ("sup", "superscript") or _RAISED.search(f"{attribute(element, 'rend')} {attribute(element, 'role')}"):
        return raised(_inline(element), before)
    if name in ("sub", "subscript", "inf") or _LOWERED.search(f"{attribute(element, 'rend')} {attribute(element, 'role')}"):
        return lowered(_inline(element), before)
    if name == "math":
        return _formula(element)
    if name in _NOTES:
        return f" [{_inline(element)}]"
    if name in _CHOICES:
        first, *others = [text for child in element if (text := _inline(child))] or [""]
        return first + "".join(f" [{other}]" for other in others)
    last = element.getprevious()
    parted = last is not None and not last.tail and not {name, local(last)} & (_WITHIN_WORDS | _BREAKS)  # city and postcode, say
    block = name in _BLOCKS
    return " " * (parted or block) + _words(element) + " " * block


def _formula(element: Element) -> str:
    from bs4 import BeautifulSoup

    from ingest.loaders.web.html_math import formula

    return formula(BeautifulSoup(etree.tostring(element, encoding="unicode", with_tail=False), "lxml"))


def _rows(table: Element) -> list[list[str]]:
    """Rows of a table in any vocabulary."""
    texts: list[list[str]] = []
    taken: dict[int, int] = {}
    for row in (row for kind in ("row", "tr") for row in descendants(table, kind)):
        line: list[str] = []
        for cell in (cell for cell in row if local(cell) in _CELLS):
            while taken.get(len(line), 0):
                line.append("")
            width, height = _spans(cell, table)
            taken |= dict.fromkeys(range(len(line), len(line) + width), height)
            line += [_inline(cell), *[""] * (width - 1)]
        taken = {column: left - 1 for column, left in taken.items() if left > 1}
        texts.append(line)
    return texts


def _spans(cell: Element, table: Element) -> tuple[int, int]:
    """Columns and rows that a cell takes: as in HTML, TEI, or CALS, which names the columns and counts the further rows."""
    width, height = (max((integer(cell, name, 1) for name in names), default=1) for names in (("colspan", "cols"), ("rowspan", "rows")))
    if first := attribute(cell, "namest"):
        names = [attribute(column, "colname") for column in descendants(table, "colspec")]
        last = attribute(cell, "nameend", first)
        width = names.index(last) - names.index(first) + 1 if first in names and last in names else 1
    return min(max(width, 1), _WIDEST), min(max(height, 1 + integer(cell, "morerows", 0)), _WIDEST)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    """Feeds keep whole pieces of HTML in a leaf."""
    if re.search(r"</|<br|<p>", text):
        from ingest.loaders.web import html

        text = html.parse(text, titled=False).text
    return _squeezed(text)
