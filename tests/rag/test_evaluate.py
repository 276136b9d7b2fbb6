"""Measuring: the same path as a user's, and figures that agree with the measure they name."""

import json
import lzma
from pathlib import Path

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from rag.answer import NOT_FOUND
from rag.errors import EvalError
from rag.evaluate import _ask_all, evaluate_answers, f1, figures, read_lines, temporary_library

ROWS = [
    {
        "id": "a",
        "question": "When was the mill at Brook built?",
        "contexts": ["The mill at Brook was built in 1641 by Agnes."],
        "answers": ["1641"],
    },
    {
        "id": "b",
        "question": "Who owns the ferry?",
        "contexts": ["The ferry belongs to Tom Reed.", "Bread is baked daily."],
        "answers": ["Tom Reed"],
    },
    {"id": "c", "question": "What is the boiling point of helium?", "contexts": ["Bread is baked daily."], "answers": []},
]


def quiet(done: int, total: int) -> None:
    pass


def test_each_question_sees_only_its_own_contexts(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "q.jsonl.xz", "wt") as file:
        file.write("\n".join(json.dumps(r) for r in ROWS))
    shown = evaluate_answers(tmp_path / "q.jsonl.xz", None, "starter", tmp_path / "out.jsonl", quiet)
    predictions = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [p["id"] for p in predictions] == ["a", "b", "c"]
    assert all(len(p["retrieved"]) == len(r["contexts"]) for p, r in zip(predictions, ROWS, strict=True))
    assert set(predictions[0]) == {"id", "answer", "refused", "citations", "retrieved"}
    assert shown["questions"] == 3
    assert predictions[2]["refused"]


def test_one_empty_reply_does_not_end_the_run(tmp_path: Path) -> None:
    """Nor does a row without contexts: nothing to look in is no answer."""
    replies = GenericFakeChatModel(messages=iter([AIMessage(""), AIMessage("Tom Reed [1]")]))
    rows = [*ROWS[:2], {"id": "d", "question": "Who?", "contexts": [" "], "answers": []}]
    with temporary_library({c for row in ROWS for c in row["contexts"]}) as (library, paths):
        predictions = _ask_all(rows, library, paths, replies, None, quiet)
    assert [(p["answer"], p["refused"]) for p in predictions] == [("", False), ("Tom Reed [1]", False), (NOT_FOUND, True)]


def test_figures_count_a_refusal_as_no_answer() -> None:
    none = {"citations": [], "refused": False}
    predictions = [
        {"answer": "in 1641 [1]", "refused": False, "citations": [{"verified": True}, {"verified": False}]},
        {"answer": "Tom Reed", **none, "refused": True},
        {"answer": "no", **none, "refused": True},
    ]
    result = figures(ROWS, predictions)
    assert result["F1"] == round((2 / 3) / 2, 4)
    assert result["EM"] == 0.0
    assert (result["refusal_precision"], result["refusal_recall"], result["answerable_refused"]) == (0.5, 1.0, 0.5)
    assert result["citation_precision"] == 0.5


def test_f1_is_squads() -> None:
    assert f1("the Tom Reed", ["Tom Reed"]) == 1.0
    assert f1("Reed", ["x", "Tom Reed"]) == pytest.approx(2 / 3)
    assert f1("", ["Tom"]) == 0.0


@pytest.mark.parametrize(
    ("text", "message"), [("{", "line 1: not JSON"), ('{"id": 1}', "line 1: no 'question'"), ("[]", "no 'id'"), ("", "no questions")]
)
def test_a_bad_question_file_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(text)
    with pytest.raises(EvalError, match=message):
        read_lines(tmp_path / "q.jsonl", "id", "question")
    with pytest.raises(EvalError, match="can't be read"):
        read_lines(tmp_path / "none.jsonl", "id")
    (tmp_path / "q.xz").write_bytes(b"no xz")
    with pytest.raises(EvalError, match="can't be read"):
        read_lines(tmp_path / "q.xz", "id")
