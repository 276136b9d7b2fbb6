"""Tasks over whole documents, begun on the bookshelf: how they are asked, and the table of an answer as CSV."""

import io
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from app import resources
from app.people import Person
from ingest.errors import IngestError
from ingest.terminal import plain
from rag.whole.each import Row, write_csv

TASKS = ("summarise", "compare", "each")
_NAMED = 3
"""Documents that a question names at the most; those that it was asked of stand below it anyway."""


def begin(name: str, person: Person, conversation: int | None, mode: str, paths: Sequence[str], question: str) -> int:
    """Begins a task on documents of a library; returns the conversation that it belongs to.

    Args:
        mode: one of TASKS.
        question: what each of the documents is asked; for the others "".

    Raises:
        IngestError: it isn't a task, or lacks its question or its documents.
    """
    if mode not in TASKS or not paths or (mode == "each" and not question.strip()):
        raise IngestError("this is no task", "tick documents, and give a question for each of them")
    return resources.ask(name, person, question.strip() if mode == "each" else worded(mode, paths), paths, conversation, mode)


def worded(mode: str, paths: Sequence[str]) -> str:
    """A task as a question: "Compare a.pdf and b.pdf"."""
    names = [plain(PurePosixPath(path).name) for path in paths]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if len(names) <= _NAMED else "these documents"
    return f"{mode.capitalize()} {listed}"


def as_csv(answer: Mapping[str, Any]) -> str:
    """The table of an answer that asked each document, as `octavo ask --each --csv` writes it; its head alone where there is none."""
    cited = {source["marker"]: source for source in answer.get("citations", ())}
    tables = (block["rows"] for block in answer.get("blocks", ()) if block["kind"] == "table")
    file = io.StringIO()
    write_csv((_row(cells[0], cells[1], cited) for cells in next(tables, [])[1:]), file)
    return file.getvalue()


def _row(document: Sequence[Any], answer: Sequence[Any], cited: Mapping[int, Mapping[str, Any]]) -> Row:
    numbers = [number for _, shown in answer if isinstance(shown, list) for number in shown]
    first = cited.get(numbers[0]) if numbers else None
    return Row(_text(document), _text(answer), first["page"] if first else None, first["verified"] if first else None)


def _text(cell: Sequence[Any]) -> str:
    """A cell without its markers."""
    return "".join(text for text, shown in cell if not isinstance(shown, list)).strip()
