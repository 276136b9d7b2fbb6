"""Office documents in one XML file: Word 2003's, and what newer versions write, which is a docx or pptx without its zip."""

import base64
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingest.loaders.linear import raised
from ingest.loaders.parsed import Builder, LoadError, Parsed, counted, table_rows
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, local, parse

_HEADING = re.compile(r"heading(?: |_20_)?([1-9])", re.IGNORECASE)


def load(path: Path) -> Parsed:
    root = parse(path.read_bytes())
    return _package(root) if local(root) == "package" else _Document(root).parsed()


def _package(root: Element) -> Parsed:
    """Zips the parts, each of which stands in the file with its name, and reads the result."""
    from ingest.loaders import load as load_any

    with tempfile.TemporaryDirectory(prefix="octavo-") as folder:
        whole = Path(folder) / "document.docx"
        with zipfile.ZipFile(whole, "w") as archive:
            for part in children(root, "part"):
                name = attribute(part, "name").lstrip("/")
                xml, binary = child(part, "xmlData"), child(part, "binaryData")
                try:
                    data = etree.tostring(xml[0]) if xml is not None and len(xml) else base64.b64decode(getattr(binary, "text", "") or "")
                except ValueError as error:
                    raise LoadError(f"not a readable Office document: its part {name} is damaged") from error
                archive.writestr(name, data)
        return load_any(whole)


class _Document:
    """Word 2003's, where numbers of lists are written down."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._builder = Builder()
        self._hidden = self._pictures = 0
        self._styles = {attribute(style, "styleId"): style for style in descendants(root, "style")}

    def parsed(self) -> Parsed:
        for body in descendants(self._root, "body"):
            self._add(body)
        self._builder.note(counted(self._hidden, "hidden run", "left out"))
        self._builder.note(counted(self._pictures, "picture", "not read"))
        return self._builder.parsed()

    def _add(self, parent: Element) -> None:
        for element in parent:
            match local(element):
                case "p":
                    self._paragraph(element)
                case "tbl":
                    rows = [[" ".join(self._cell(cell)) for cell in children(row, "tc")] for row in children(element, "tr")]
                    self._builder.block(table_rows(rows))
                case "" | "sectPr":
                    pass
                case _:
                    self._add(element)

    def _cell(self, cell: Element) -> Iterator[str]:
        return (self._text(paragraph) for paragraph in descendants(cell, "p"))

    def _paragraph(self, element: Element) -> None:
        properties = child(element, "pPr")
        style = child(properties, "pStyle")
        level = self._level(attribute(style, "val")) if style is not None else 0
        listed = child(properties, "listPr")
        text = self._text(element)
        if level:
            self._builder.heading(level, text)
        elif listed is not None and text:
            shown = child(listed, "t")
            marker = attribute(shown, "val").strip() if shown is not None else ""
            self._builder.line(f"{marker if marker[:1].isalnum() else '-'} {text}")
        else:
            self._builder.block(text)

    def _level(self, style: str) -> int:
        """A heading style's level, or that of the style that it is based on; 0 where none is a heading."""
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            name, base = child(self._styles[style], "name"), child(self._styles[style], "basedOn")
            if found := _HEADING.match(attribute(name, "val") if name is not None else ""):
                return int(found[1])
            style = attribute(base, "val") if base is not None else ""
        return 0

    def _text(self, paragraph: Element) -> str:
        text = ""
        for run in descendants(paragraph, "r"):
            words = "".join(_SIGNS.get(local(sign), sign.text or "") for sign in run if local(sign) in ("t", *_SIGNS))
            self._pictures += child(run, "pict") is not None
            vertical = child(run, "rPr", "vertAlign")
            if child(run, "rPr", "vanish") is not None:
                self._hidden += bool(words.strip())
            else:
                text += raised(words, text) if vertical is not None and attribute(vertical, "val") == "superscript" else words
        return text.strip()


_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
