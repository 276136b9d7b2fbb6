"""Fitting the gate's threshold (gate.py) to a user's own questions.

Every question is asked with the gate open. A threshold then says which of the answers would have been given: its risk is the share of
wrong ones among those, its coverage the share of the answerable questions that are answered (El-Yaniv and Wiener, On the
foundations of noise-free selective classification, 2010). The threshold is chosen on every other question and judged on the rest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.chain import build_chain
from rag.errors import EvalError
from rag.evaluate import Progress, ask_all, library_of, read_questions
from rag.gate import JUDGED
from rag.quote import asks_to_judge
from rag.scoring import estimate

REFUSED = 0.05
"""Share of the answerable questions that may be refused."""
RULE = (
    f"of the thresholds that refuse at most {REFUSED:.0%} of the answerable questions, the one with the least risk; "
    "of equals, the one nearest to what is set now"
)
_THRESHOLDS = [n / 100 for n in range(100)]
_SHOWN = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_WIDE = 0.2
"""Width of an interval above which the questions are too few to say much."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question as it was answered with the gate open.

    Attributes:
        sure: the highest threshold at which the gate lets it pass: infinity where the reader can't judge it, and below 0 where there
            was no answer to give at any threshold.
        right: whether the answer is; never, where there is none.
    """

    sure: float
    answerable: bool
    right: bool


def calibrate(questions: Path, library: str | None, model: str | None, progress: Progress) -> dict[str, Any]:
    """Asks every question and fits the threshold; see `fit`.

    Raises:
        EvalError: a file that can't be read, or too few questions of one kind.
    """
    rows = read_questions(questions, library is None)
    count, kind = min((count, kind) for kind, count in _kinds([bool(row["answers"]) for row in rows]).items())
    if count < 2:
        raise EvalError(
            f"{questions}: {count or 'no'} question{'s' * (count != 1)} {kind}, and a threshold is fitted to both kinds",
            'add some of that kind; one that the documents don\'t answer has "answers": []',
        )
    with library_of(rows, library) as (opened, paths):
        chain = build_chain(opened, model)
        current = chain.settings.gate_threshold
        chain.settings = chain.settings.model_copy(update={"gate_threshold": 0.0})
        predictions, _ = ask_all(chain, rows, paths, None, progress)
    asked = [(row, made) for row, made in zip(rows, predictions, strict=True) if not made["error"]]
    failed = [{"id": made["id"], "error": made["error"]} for made in predictions if made["error"]]
    cases = [case(row["question"], made) for row, made in asked]
    if min(_kinds([c.answerable for c in cases]).values()) < 2:
        raise EvalError(f"{len(failed)} of {len(rows)} questions could not be asked: {failed[0]['error']}")
    return fit(cases, current) | {"failed": failed}


def _kinds(answerable: Sequence[bool]) -> dict[str, int]:
    return {"with an answer": sum(answerable), "without an answer": len(answerable) - sum(answerable)}


def case(question: str, prediction: Mapping[str, Any]) -> Case:
    """What a prediction made with the gate open says of every threshold."""
    marks, probability = prediction["marks"], prediction["probability"]
    sure = math.inf if probability is None else probability / (JUDGED if asks_to_judge(question) else 1)
    return Case(-1.0 if prediction["refused"] else sure, bool(marks["answerable"]), bool(marks["right"]))


def fit(cases: Sequence[Case], current: float) -> dict[str, Any]:
    """
    Args:
        cases: at least two with an answer and two without.
        current: the threshold that is set now.

    Returns:
        threshold: the chosen one; None where none lowers the risk. rule: how it was chosen.
        fitted, judged: the chosen one on the questions that it was chosen on, and on the others. current: the one set now, on those.
        table: thresholds over all questions. setting: the line for .env, "" where the one set now does as well on the others.
        warning: "" or that the questions are too few.
    """
    halves = [[c for answerable in (True, False) for c in [c for c in cases if c.answerable == answerable][n::2]] for n in (0, 1)]
    chosen = choose(halves[0], current)
    set_now = at(halves[1], current)
    judged = set_now if chosen is None else at(halves[1], chosen)
    refuses_too_much = set_now["answerable_refused"] > max(REFUSED, judged["answerable_refused"])
    return {
        "threshold": chosen,
        "rule": RULE,
        "fitted": None if chosen is None else at(halves[0], chosen),
        "judged": None if chosen is None else judged,
        "current": set_now,
        "table": [at(cases, threshold) for threshold in sorted({*_SHOWN, *([] if chosen is None else [chosen])})],
        "setting": f"OCTAVO_GATE_THRESHOLD={chosen:g}" if refuses_too_much or judged["risk"] < set_now["risk"] else "",
        "warning": _warning(judged),
    }


def choose(cases: Sequence[Case], current: float) -> float | None:
    """The threshold by the rule; None where none has less risk than an open gate."""
    tried = [at(cases, threshold) for threshold in _THRESHOLDS]
    allowed = [t for t in tried if t["answerable_refused"] <= max(REFUSED, tried[0]["answerable_refused"])]
    least = min(t["risk"] for t in allowed)
    if least >= tried[0]["risk"]:
        return None
    return min((float(t["threshold"]) for t in allowed if t["risk"] == least), key=lambda threshold: abs(threshold - current))


def at(cases: Sequence[Case], threshold: float) -> dict[str, Any]:
    """What a threshold does: shares, with 95 % intervals (scoring.py) of those that are of questions."""
    given = [c for c in cases if c.sure >= max(threshold, 0)]
    refused = {kind: [float(c.sure < threshold) for c in cases if c.answerable == kind] for kind in (True, False)}
    shares = {
        "risk": estimate([float(not c.right) for c in given], [1.0] * len(given)),
        "answerable_refused": estimate(refused[True], [1.0] * len(refused[True])),
        "unanswerable_refused": estimate(refused[False], [1.0] * len(refused[False])),
    }
    values = {name: e.value if e else 0.0 for name, e in shares.items()}
    return {
        "threshold": threshold,
        "given": len(given),
        "wrong": sum(not c.right for c in given),
        "coverage": round(1 - values["answerable_refused"], 4),
        **{name: round(value, 4) for name, value in values.items()},
        "intervals": {name: [round(e.low, 4), round(e.high, 4)] for name, e in shares.items() if e},
    }


def _warning(judged: Mapping[str, Any]) -> str:
    wide = [(name, low, high) for name, (low, high) in judged["intervals"].items() if high - low > _WIDE and name != "risk"]
    told = " and ".join(f"{name.replace('_', ' ')} may be anything from {low:.0%} to {high:.0%}" for name, low, high in wide)
    return f"too few questions to be sure: the share of {told}" if wide else ""
