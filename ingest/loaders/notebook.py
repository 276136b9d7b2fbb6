"""Jupyter notebooks: text, code and what the code printed, in order; pictures that it drew aren't read."""

import json
from pathlib import Path
from typing import Any

from ingest.loaders.encoding import decode
from ingest.loaders.markdown import headings
from ingest.loaders.parsed import Builder, LoadError, Parsed, clean, counted


def load(path: Path) -> Parsed:
    try:
        notebook = json.loads(decode(path.read_bytes()))
        found = notebook.get("cells") or [cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]]
        cells = [cell for cell in found if isinstance(cell, dict)]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise LoadError("not a readable notebook: its JSON is damaged") from error
    builder = Builder()
    pictures = 0
    for cell in cells:
        source = clean(_joined(cell.get("source", cell.get("input", "")))).strip("\n")
        kind = cell.get("cell_type")
        if kind == "markdown":
            builder.append(Parsed(source, headings=headings(source)))
        elif kind == "heading":
            level = cell.get("level")
            builder.heading(level if isinstance(level, int) else 1, source)
        else:
            builder.block(source)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            pictures += _output(builder, output) if isinstance(output, dict) else 0
    builder.note(counted(pictures, "picture", "not read"))
    return builder.parsed()


def _output(builder: Builder, output: dict[str, Any]) -> int:
    """Adds what a cell put out as text; gives the number of pictures in it."""
    if output.get("output_type") in ("error", "pyerr"):
        builder.block(f"{output.get('ename', '')}: {output.get('evalue', '')}")
        return 0
    data = output.get("data", output)
    if not isinstance(data, dict):
        return 0
    page = _joined(data.get("text/html", data.get("html", "")))
    if "<table" in page:
        from ingest.loaders import html

        builder.append(html.parse(page, titled=False))
        return 0
    text = _joined(data.get("text/plain", data.get("text", "")))
    picture = any(kind.startswith("image/") or kind in ("png", "jpeg", "svg") for kind in data)
    builder.block("" if picture else text)
    return int(picture)


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
