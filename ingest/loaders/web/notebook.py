"""Jupyter notebooks: text, code and what the code put out, in order, in the form that Jupyter shows; pictures aren't read."""

import json
import re
from pathlib import Path
from typing import Any

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, LoadError, Parsed, clean, counted
from ingest.loaders.text import without_codes
from ingest.loaders.web.markdown import headings

_ERASE = re.compile(r"\x1b\[[012]?[KJ]")
_MATHEMATICS = re.compile(r"\$+\s*(?:\\displaystyle)?\s*(.*?)\s*\$+", re.DOTALL)
_OBJECT = re.compile(r"<IPython\.|<Figure |<\w[\w.]* object at 0x|Figure(?:Widget)?\(|alt\.\w+Chart\(")
"""How Python names an object that Jupyter draws."""
_PICTURES = ("image/", "application/vnd.", "application/javascript", "video/", "audio/", "png", "jpeg", "svg", "pdf")


def load(path: Path) -> Parsed:
    try:
        notebook = json.loads(decode(path.read_bytes()))
        found = notebook.get("cells") or [cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]]
        cells = [cell for cell in found if isinstance(cell, dict)]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise LoadError("not a readable notebook: its JSON is damaged") from error
    return _Notebook().read(cells)


class _Notebook:
    def __init__(self) -> None:
        from ingest.loaders.web.html import Pages

        self._builder = Builder()
        self._pages = Pages()
        self._pictures = 0

    def read(self, cells: list[dict[str, Any]]) -> Parsed:
        for cell in cells:
            source = clean(_joined(cell.get("source", cell.get("input", "")))).strip("\n")
            kind = cell.get("cell_type")
            if kind == "markdown":
                self._markdown(source)
            elif kind == "heading":
                level = cell.get("level")
                self._builder.heading(level if isinstance(level, int) else 1, source)
            else:
                self._builder.block(source)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else []:
                if isinstance(output, dict):
                    self._output(output)
        self._builder.note(counted(self._pictures, "picture", "not read"))
        for note in self._pages.notes():
            self._builder.note(note)
        return self._builder.parsed()

    def _markdown(self, source: str) -> None:
        self._builder.append(Parsed(source, headings=headings(source)))

    def _output(self, output: dict[str, Any]) -> None:
        """The richest form of a result that is text; its plain form where that is more than an object's name."""
        if output.get("output_type") in ("error", "pyerr"):
            lines = output.get("traceback")
            said = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
            self._builder.block(terminal(said or f"{output.get('ename', '')}: {output.get('evalue', '')}"))
            return
        data = output.get("data", output)
        if not isinstance(data, dict):
            return
        page = self._pages.read(_joined(data.get("text/html", data.get("html", ""))), titled=False)
        markdown, latex = (clean(_joined(data.get(kind, data.get(f"text/{kind}", "")))).strip() for kind in ("markdown", "latex"))
        plain = terminal(_joined(data.get("text/plain", data.get("text", ""))))
        if page.text:
            self._builder.append(page)
        elif markdown:
            self._markdown(markdown)
        elif latex:
            self._builder.block(_MATHEMATICS.sub(r"\1", latex))
        elif any(kind.startswith(_PICTURES) for kind in data) or _OBJECT.match(plain):
            self._pictures += 1
        else:
            self._builder.block(plain)


def terminal(text: str) -> str:
    """What a terminal shows in the end: no codes for colours, and of a line that was written over only its last state."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        shown = ""
        for written in line.split("\r"):
            erased, written = _ERASE.search(written), without_codes(written)
            shown = written if erased else written + shown[len(written) :]
        lines.append(shown)
    return "\n".join(lines)


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
