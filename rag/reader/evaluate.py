"""What a reader finds, where it points, and what its refusals are worth.

    python -m rag.reader.evaluate QUESTIONS.jsonl.xz [READER]

Questions with one accepted passage each are asked of one library of all the file's passages, the eight best of which are read; those
without an answer, and those whose answer's sentences were cut out, are asked of their own passage. Prints one JSON line.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import IngestError
from model.grounded import normalize_answer
from model.train.data import plain_errors
from rag.errors import RagError
from rag.evaluate import read_lines, temporary_library
from rag.reader.data import cut_out
from rag.reader.model import Reader, Reading
from rag.retriever import LibraryRetriever
from rag.scoring import f1

READ = 8
"""Passages read for a question."""
_CUT = 200
"""Questions that are asked again without their answer's sentences."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the passages read for it, and the accepted answers; none means that the passages don't answer."""

    question: str
    passages: list[str]
    answers: list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What was read for a question, one for each passage."""

    asked: Asked
    readings: list[Reading]

    @property
    def best(self) -> int:
        """The passage that most likely answers."""
        return max(range(len(self.readings)), key=lambda n: self.readings[n].answerable)

    @property
    def holds(self) -> bool:
        """Whether an accepted answer stands in that passage, as the scorer looks for it."""
        text = normalize_answer(self.asked.passages[self.best])
        return any(normalize_answer(answer) in text for answer in self.asked.answers)

    @property
    def span(self) -> str:
        reading = self.readings[self.best]
        return self.asked.passages[self.best][reading.start : reading.end]

    @property
    def answerable(self) -> float:
        return self.readings[self.best].answerable


def sets_of(rows: Sequence[dict[str, Any]], source: str = "squad") -> dict[str, list[Asked]]:
    """The three sets of a question file: `source`'s questions over the library, without an answer, and with it cut out."""
    own = [Asked(row["question"], row["contexts"], row["answers"]) for row in rows if row["source"] == source]
    with temporary_library({text for row in rows for text in row["contexts"] if text.strip()}) as (library, _):
        retriever = LibraryRetriever(library=library, k=READ)
        found = [Asked(a.question, [e.chunk.text for e in retriever.evidence(a.question)], a.answers) for a in own]
    none = [Asked(row["question"], row["contexts"], []) for row in rows if not row["answers"]]
    left = [Asked(a.question, [text], []) for a in own if (text := cut_out(a.passages[0], a.answers))]
    return {"library": found, "unanswerable": none, "cut": left[:_CUT]}


def read_all(reader: Reader, asked: Sequence[Asked]) -> list[Told]:
    return [Told(a, reader.read(a.question, a.passages)) for a in asked]


def figures(library: Sequence[Told], unanswerable: Sequence[Told], cut: Sequence[Told]) -> dict[str, Any]:
    """F1 and exact match of the best passage's span, how often that passage holds an accepted answer, and how many of the
    questions without an answer are refused where 95 and 92 % of those with one are answered."""
    scored = [(told.span, told.asked.answers) for told in library]
    sure = np.array([told.answerable for told in library])
    refused = {}
    for name, rows in (("unanswerable", unanswerable), ("cut", cut)):
        unsure = np.array([told.answerable for told in rows])
        refused[name] = {f"at {100 - q}": round(float((unsure < np.percentile(sure, q)).mean()), 3) for q in (5, 8)}
    return {
        "F1": round(sum(f1(said, accepted) for said, accepted in scored) / len(scored), 4),
        "EM": round(sum(normalize_answer(said) in map(normalize_answer, accepted) for said, accepted in scored) / len(scored), 4),
        "holds": round(sum(told.holds for told in library) / len(library), 4),
        "refused": refused,
    }


def fit(logits: NDArray[np.float64], right: NDArray[np.bool_], steps: int = 50) -> tuple[float, float]:
    """(scale, bias) of the logistic that makes these log-odds most likely, by Newton's method (Platt, 1999)."""
    x = np.stack([logits, np.ones_like(logits)], 1)
    w = np.zeros(2)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ w))
        gradient, curvature = x.T @ (p - right), (x * (p * (1 - p))[:, None]).T @ x
        w = w - np.linalg.solve(curvature + 1e-6 * np.eye(2), gradient)
    return float(w[0]), float(w[1])


def off_by(chances: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: how far a tenth's mean probability is from the share that is right, over tenths of equal size."""
    parts = np.array_split(np.argsort(chances), bins)
    return float(sum(len(part) * abs(chances[part].mean() - right[part].mean()) for part in parts) / len(chances))


def measure(questions: Path, directory: Path | None = None) -> dict[str, Any]:
    """The figures of a reader's card."""
    reader = Reader.load(directory)
    asked = sets_of(read_lines(questions, "source", "question", "contexts", "answers"))
    return figures(**{name: read_all(reader, rows) for name, rows in asked.items()})


@plain_errors(RagError, IngestError)
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rag.reader.evaluate", description="Measure a reader.")
    parser.add_argument("questions", type=Path, help="JSON lines of id, source, question, contexts, answers (.xz or plain)")
    parser.add_argument("reader", type=Path, nargs="?", help="a reader's folder, by default the one that comes with Octavo")
    a = parser.parse_args()
    print(json.dumps(measure(a.questions, a.reader)))


if __name__ == "__main__":
    main()
