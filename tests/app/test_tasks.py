"""Tasks of the bookshelf: how they are worded, which are none, and their tables as CSV."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app import resources, tasks
from app.people import OWNER
from app.tasks import as_csv, worded
from app.typeset import written
from ingest import IngestError
from rag.markers import MARKER


@pytest.mark.parametrize(
    ("mode", "paths", "question"),
    [
        ("summarise", ["/a/faq.md"], "Summarise faq.md"),
        ("compare", ["/a/x.pdf", "/a/y.pdf"], "Compare x.pdf and y.pdf"),
        ("summarise", ["/x", "/y", "/z"], "Summarise x, y and z"),
        ("compare", ["/1", "/2", "/3", "/4"], "Compare these documents"),
        ("summarise", ["/fdp.\u202egpj"], "Summarise fdp.gpj"),
    ],
)
def test_a_task_is_worded_as_a_question_that_names_its_documents(mode: str, paths: list[str], question: str) -> None:
    assert worded(mode, paths) == question


@pytest.mark.parametrize(("mode", "paths", "question"), [("each", ["/a"], " "), ("summarise", [], ""), ("compute", ["/a"], "x")])
def test_what_is_no_task_is_refused(mode: str, paths: list[str], question: str) -> None:
    with pytest.raises(IngestError, match="no task"):
        tasks.begin("default", OWNER, None, mode, paths, question)


def stored(text: str, *citations: dict[str, Any]) -> dict[str, Any]:
    """An answer as it is kept."""
    blocks = written(text, ((m.start(), m.end(), tuple(map(int, m[1].split(",")))) for m in MARKER.finditer(text)))
    return {"blocks": json.loads(json.dumps(blocks)), "citations": list(citations)}


def test_a_table_is_csv_with_pages_and_without_markers_and_runs_as_no_formula() -> None:
    table = "| document | answer |\n| --- | --- |\n| a.pdf | 45p \\| mile [1] [2] |\n| =b.txt | @SUM(A1) |\n| c.md | \uff1d1 [3] |"
    cited = [
        {"marker": 1, "page": 7, "verified": True},
        {"marker": 2, "page": 8, "verified": False},
        {"marker": 3, "page": None, "verified": False},
    ]
    assert list(csv.reader(io.StringIO(as_csv(stored(table, *cited))))) == [
        ["document", "answer", "page", "verified"],
        ["a.pdf", "45p | mile", "7", "yes"],
        ["'=b.txt", "'@SUM(A1)", "", ""],
        ["c.md", "'\uff1d1", "", "no"],
    ]
    assert as_csv({}) == "document,answer,page,verified\r\n"


def test_summaries_and_comparisons_are_of_all_that_is_ticked(sample_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    shutil.copytree(sample_library, tmp_path / "libraries" / "default")
    paths = [d.path for d in resources.library("default").documents() if Path(d.path).name in ("faq.md", "visiting.html")]
    for mode in ("summarise", "compare"):
        conversation = tasks.begin("default", OWNER, None, mode, paths, "")
        (turn,) = resources.conversations("default", OWNER).turns(conversation)
        asking = resources.asking("default", turn.id)
        if asking:  # else all of it is kept already
            asking.join(120)
        (turn,) = resources.conversations("default", OWNER).turns(conversation)
        assert (turn.state, turn.answer["mode"], turn.answer["asked_as"], turn.within) == ("done", mode, mode, paths)
        assert {source["path"] for source in turn.answer["citations"]} == set(paths)
