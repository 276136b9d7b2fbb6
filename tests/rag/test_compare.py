"""Two runs over the same questions: what changed, by how much, and whether that says anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.compare import compare
from rag.errors import EvalError
from rag.scoring import marks


def row(name: str, answer: str = "", accepted: tuple[str, ...] = ("1641",), error: str = "", **parts: str) -> dict[str, Any]:
    prediction = {"id": name, "answer": answer, "refused": not answer and not error, "citations": [], "retrieved": [], "error": error}
    return prediction | {"marks": marks(prediction, accepted), "hashes": {"question": name, "model": "starter", "library": name} | parts}


def files(tmp_path: Path, *sides: list[dict[str, Any]]) -> list[Path]:
    out = [tmp_path / f"{name}.jsonl" for name in "ab"]
    for file, rows in zip(out, sides, strict=True):
        file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return out


def test_each_way_that_an_answer_can_change_is_told_with_its_questions(tmp_path: Path) -> None:
    none: tuple[str, ...] = ()
    before = [row("a", "1700"), row("b", "1641"), row("c"), row("d", accepted=none), row("e", "1641"), row("f", error="no reply")]
    after = [row("a", "1641"), row("b", "1700"), row("c", "in 1641"), row("d", "x", none), row("e", "in 1641"), row("f", "1641")]
    found = compare(*files(tmp_path, before, after))
    assert found["compared"] == 6 and found["parts"] == {}
    assert found["changed"] == {
        "wrong -> right": ["a"],
        "right -> wrong": ["b"],
        "refused -> right": ["c"],
        "refused -> answered": ["d"],
        "failed -> right": ["f"],
    }
    assert found["reworded"] == ["e"]
    assert found["figures"]["right"] == {
        "before": 0.4,
        "after": 0.8,
        "difference": 0.4,
        "interval": found["figures"]["right"]["interval"],
        "changed": 4,
        "within_chance": True,
    }
    assert found["figures"]["refusal_recall"]["difference"] == -1 and found["figures"]["retrieval_recall"] is None


def test_which_parts_differ_is_told(tmp_path: Path) -> None:
    before = [row("a", "1641"), row("b", "1641")]
    found = compare(*files(tmp_path, before, [row("a", "1641", model="gemma"), row("b", "1641", model="gemma", library="other")]))
    assert found["parts"] == {"model": ["starter", "gemma"], "library": ["2 kinds", "2 kinds"]}


def test_what_stands_in_one_file_only_is_told_and_not_compared(tmp_path: Path) -> None:
    """So is a question whose accepted answers are others: its marks mean something else."""
    found = compare(
        *files(tmp_path, [row("a", "1641"), row("b", "1641"), row("c")], [row("c", question="other"), row("a", "1641"), row("d")])
    )
    assert (found["compared"], found["only_before"], found["only_after"]) == (1, ["b", "c"], ["c", "d"])


def test_rows_are_matched_by_question_not_by_place(tmp_path: Path) -> None:
    found = compare(*files(tmp_path, [row("a", "1641"), row("b", "1700")], [row("b", "1700"), row("a", "1641")]))
    assert found["changed"] == {} and found["reworded"] == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ([row("a")], [row("b")], "no question of .*a.jsonl stands in .*b.jsonl"),
        ([{"id": "a", "answer": "x", "refused": False}], [row("a")], "a.jsonl: predictions without marks"),
        ([row("a")], [{"id": "a", "question": "x"}], "b.jsonl, line 1: no 'answer'"),
    ],
)
def test_files_that_cannot_be_compared_are_named(tmp_path: Path, before: list[Any], after: list[Any], message: str) -> None:
    with pytest.raises(EvalError, match=message):
        compare(*files(tmp_path, before, after))
