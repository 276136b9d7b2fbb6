"""The gate's threshold, fitted to a user's own questions: the rule, the halves, and agreement with the gate itself."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ingest import Chunk
from rag.answer import Evidence, Reading
from rag.calibrate import Case, at, calibrate, case, choose, fit
from rag.errors import EvalError
from rag.gate import decide
from rag.scoring import marks

MILL = "The mill at Brook was built in the year 1641 by Agnes, who had it from her father."


def cases(answerable: list[float], unanswerable: list[float]) -> list[Case]:
    return [*(Case(sure, True, True) for sure in answerable), *(Case(sure, False, False) for sure in unanswerable)]


@pytest.mark.parametrize(("current", "chosen"), [(0.1, 0.21), (0.3, 0.3), (0.5, 0.5), (0.9, 0.8)])
def test_where_a_gap_parts_the_two_kinds_the_threshold_lies_in_it_and_moves_no_further_than_it_must(current: float, chosen: float) -> None:
    assert choose(cases([0.8, 0.9, 0.95], [0.05, 0.1, 0.2]), current) == chosen


def test_no_more_than_one_answerable_question_in_twenty_is_refused() -> None:
    """Refusing two of them would catch all that have no answer."""
    some = cases([0.1, 0.2, *[0.9] * 38], [0.05, 0.15, 0.3, 0.3])
    chosen = choose(some, 0.2)
    assert chosen is not None and 0.3 < chosen <= 0.9
    assert at(some, chosen)["answerable_refused"] == 0.05
    fewer = cases([0.1, 0.2, *[0.9] * 18], [0.05, 0.15, 0.3, 0.3])
    chosen = choose(fewer, 0.2)
    assert chosen is not None and 0.15 < chosen <= 0.2, "one of 20 may go, two may not"


def test_where_no_threshold_helps_none_is_chosen() -> None:
    found = fit(cases([0.1, 0.1, 0.2, 0.2], [0.9, 0.9, 0.95, 0.95]), 0.2)
    assert found["threshold"] is None and found["setting"] == "" and found["fitted"] is None and found["judged"] is None


def test_what_the_gate_cannot_judge_is_given_at_every_threshold_and_a_models_own_refusal_at_none() -> None:
    some = [Case(math.inf, True, True), Case(-1.0, True, False), Case(0.5, False, False)]
    assert [at(some, t)["given"] for t in (0.0, 0.6, 0.99)] == [2, 1, 1]
    assert at(some, 0.0)["answerable_refused"] == 0.5


def test_risk_is_the_wrong_among_the_given_and_coverage_the_answerable_that_are_answered() -> None:
    some = [Case(0.9, True, True), Case(0.8, True, False), Case(0.3, True, True), Case(0.7, False, False), Case(0.1, False, False)]
    found = at(some, 0.5)
    assert (found["given"], found["wrong"], found["risk"], found["coverage"]) == (3, 2, 0.6667, 0.6667)
    assert found["unanswerable_refused"] == 0.5


def test_it_is_judged_on_the_questions_that_it_was_not_chosen_on() -> None:
    """Every other question of a kind: those that it is chosen on want more than 0.3, and in the others that refuses all."""
    some = cases([0.9, 0.2] * 10, [0.3, 0.1] * 10)
    found = fit(some, 0.15)
    assert found["threshold"] == 0.31
    assert found["fitted"]["answerable_refused"] == 0 and found["judged"]["answerable_refused"] == 1
    assert found["current"]["threshold"] == 0.15 and found["current"]["answerable_refused"] == 0
    assert {row["threshold"] for row in found["table"]} >= {0.0, 0.2, 0.31}
    assert found["setting"] == "", "what is set now does better"


@pytest.mark.parametrize(
    ("current", "setting"),
    [(0.02, "OCTAVO_GATE_THRESHOLD=0.11"), (0.2, ""), (0.95, "OCTAVO_GATE_THRESHOLD=0.9")],
    ids=["too many wrong", "as good as any", "too much refused"],
)
def test_a_line_is_given_where_the_other_half_gains_by_it(current: float, setting: str) -> None:
    assert fit(cases([0.9] * 20, [0.1] * 20), current)["setting"] == setting


def test_few_questions_are_warned_of_with_their_interval_and_many_are_not() -> None:
    few = fit(cases([0.9] * 10, [0.1] * 10), 0.2)["warning"]
    assert few == (
        "too few questions to be sure: the share of answerable refused may be anything from 0% to 43% "
        "and unanswerable refused may be anything from 57% to 100%"
    )
    assert fit(cases([0.9] * 100, [0.1] * 100), 0.2)["warning"] == ""


@pytest.mark.parametrize("question", ["When was the mill built by Agnes?", "Was the mill at Brook built by Agnes?"])
def test_a_threshold_does_to_a_case_what_the_gate_does_to_the_question(question: str) -> None:
    """A question for a yes or no is let pass at less."""
    rng = random.Random(0)
    for _ in range(200):
        chance, threshold = rng.random(), rng.random()
        evidence = [Evidence(Chunk("1", "/a", MILL, 0, len(MILL), None, None, ""), 1.0, reading=Reading(0, 3, 1.0, chance))]
        prediction = {"answer": "1641", "refused": False, "citations": [], "retrieved": []}
        of = case(question, prediction | {"probability": chance, "marks": marks(prediction, ["1641"])})
        assert bool(at([of], threshold)["given"]) is not decide(question, evidence, threshold).refuse


def rows(count: int, answers: list[str]) -> list[dict[str, Any]]:
    asked = "When was the mill at Brook built?" if answers else "What is the boiling point of helium?"
    return [{"id": f"{bool(answers)}{n}", "question": asked, "contexts": [MILL], "answers": answers} for n in range(count)]


def test_all_questions_are_asked_with_the_gate_open(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows(2, ["1641"]) + rows(2, []))))
    found = calibrate(tmp_path / "q.jsonl", None, "starter", lambda done, total: None)
    assert found["table"][0] == found["table"][0] | {"threshold": 0.0, "given": 4, "wrong": 2, "risk": 0.5, "coverage": 1.0}
    assert found["judged"]["unanswerable_refused"] == 1 and found["judged"]["risk"] == 0
    assert found["warning"].startswith("too few questions")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (rows(9, ["1641"]), "no questions without an answer"),
        (rows(9, []), "no questions with an answer"),
        (rows(9, []) + rows(1, ["1641"]), "1 question with an answer"),
    ],
)
def test_questions_of_one_kind_are_one_clear_line(tmp_path: Path, asked: list[dict[str, Any]], message: str) -> None:
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, asked)))
    with pytest.raises(EvalError, match=message):
        calibrate(tmp_path / "q.jsonl", None, "starter", lambda done, total: None)


def test_a_model_that_cannot_be_reached_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows(2, ["1641"]) + rows(2, []))))
    silent = GenericFakeChatModel(messages=iter([AIMessage("") for _ in range(4)]))
    with pytest.raises(EvalError, match="4 of 4 questions could not be asked: the model's reply is empty"):
        calibrate(tmp_path / "q.jsonl", None, silent, lambda done, total: None)  # type: ignore[arg-type]
