"""What answers are worth: the marks of each one, and the figures of many with their 95 % intervals.

A figure is a ratio of two sums over the questions. Where each question gives it 0 or 1 of 1, it is a share, and the interval is
Wilson's (1927, formula 4 of Brown, Cai and DasGupta, Interval estimation for a binomial proportion, 2001), which holds for few
questions and near 0 and 1. Otherwise it is the percentile bootstrap over questions (Efron and Tibshirani, An introduction to the
bootstrap, 1993, chapter 13), with a fixed seed. Two runs over the same questions are compared by resampling pairs.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.grounded import normalize_answer
from rag.markers import strip_markers

Marks = Mapping[str, float]
Numbers = NDArray[np.float64]

FIGURES: dict[str, Callable[[Marks], tuple[float, float]]] = {
    "F1": lambda m: (m["F1"], m["answerable"]),
    "EM": lambda m: (m["EM"], m["answerable"]),
    "right": lambda m: (m["right"], m["answerable"]),
    "refusal_precision": lambda m: (m["refused"] * (1 - m["answerable"]), m["refused"]),
    "refusal_recall": lambda m: (m["refused"] * (1 - m["answerable"]), 1 - m["answerable"]),
    "answerable_refused": lambda m: (m["refused"] * m["answerable"], m["answerable"]),
    "citation_precision": lambda m: (m["verified"] * m["answerable"], m["cited"] * m["answerable"]),
    "retrieval_recall": lambda m: (m["found"], m["supporting"]),
}
"""What a question adds to the two sums of each figure."""
_ENOUGH = 0.5
"""F1 from which an answer counts as right that holds no accepted answer as it stands."""
_SAMPLES, _AT_ONCE, _SEED = 2000, 100, 0
_Z = 1.959964
"""Standard deviations on each side of the mean that hold 95 % of a normal distribution."""
_FEWEST = 6
"""Questions that must differ before a difference counts: five that all go one way do so by chance once in 16 (the sign test)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def f1(said: str, accepted: Sequence[str]) -> float:
    """Token overlap with the best of the accepted answers (SQuAD's measure)."""
    best = 0.0
    for answer in accepted:
        a, b = normalize_answer(said).split(), normalize_answer(answer).split()
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


def is_right(said: str, accepted: Sequence[str]) -> bool:
    """Whether an answer in whatever words holds an accepted one, word for word, or shares half with it; yes and no must come first."""
    words = normalize_answer(said).split()
    for answer in map(normalize_answer, accepted):
        if answer in ("yes", "no"):
            if words[:1] == [answer]:
                return True
        elif f1(said, [answer]) >= _ENOUGH or (answer and f" {answer} " in f" {' '.join(words)} "):
            return True
    return False


def marks(prediction: Mapping[str, Any], accepted: Sequence[str], supporting: Collection[str] = ()) -> dict[str, float]:
    """What an answer is worth; a refusal says nothing.

    Args:
        prediction: "answer", "refused", "citations", "retrieved", as `octavo eval --out` writes them.
        accepted: the answers that count; none where the documents don't answer.
        supporting: paths of the documents that should be put before the model.
    """
    said = "" if prediction["refused"] else strip_markers(prediction["answer"])
    return {
        "answerable": float(bool(accepted)),
        "refused": float(prediction["refused"]),
        "F1": f1(said, accepted),
        "EM": float(normalize_answer(said) in map(normalize_answer, accepted)),
        "right": float(is_right(said, accepted)),
        "cited": float(len(prediction["citations"])),
        "verified": float(sum(c["verified"] for c in prediction["citations"])),
        "supporting": float(len(supporting)),
        "found": float(len(set(supporting) & {r["path"] for r in prediction["retrieved"]})),
    }


def figures(marked: Sequence[Marks]) -> dict[str, Estimate | None]:
    """Every figure of some answers; None where no question counts for it."""
    return {name: estimate(*_sums(marked, name)) for name in FIGURES}


def estimate(parts: Sequence[float] | Numbers, wholes: Sequence[float] | Numbers) -> Estimate | None:
    """The sum of `parts` over the sum of `wholes`, a number each for every question; None where `wholes` are all 0."""
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    part, whole = part[whole > 0], whole[whole > 0]
    if not len(whole):
        return None
    value = float(part.sum() / whole.sum())
    if bool(((part == 0) | (part == whole)).all()) and (bool((whole == 1).all()) or value in (0, 1)):
        return Estimate(value, *wilson(value, len(whole)))
    low, high = np.percentile(np.concatenate(list(_resampled(part, whole))), [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def wilson(share: float, of: int) -> tuple[float, float]:
    """Wilson's interval of a share of so many."""
    square = _Z * _Z / of
    middle = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two runs over the same questions, and by how much it rose, with the 95 % interval of that.

    Attributes:
        changed: questions for which it is another.
    """

    before: float
    after: float
    low: float
    high: float
    changed: int

    @property
    def within_chance(self) -> bool:
        return self.changed < _FEWEST or self.low <= 0 <= self.high


def differences(before: Sequence[Marks], after: Sequence[Marks]) -> dict[str, Difference | None]:
    """Every figure of two runs, question by question the same; None where no question counts for it in one of them."""
    return {name: _difference(_sums(before, name), _sums(after, name)) for name in FIGURES}


def _difference(before: tuple[Numbers, Numbers], after: tuple[Numbers, Numbers]) -> Difference | None:
    first, second = (part.sum() / whole.sum() if whole.any() else None for part, whole in (before, after))
    if first is None or second is None:
        return None
    pairs = zip(_resampled(*before), _resampled(*after), strict=True)
    low, high = np.nanpercentile(np.concatenate([b - a for a, b in pairs]), [2.5, 97.5])
    changed = int(((before[0] != after[0]) | (before[1] != after[1])).sum())
    return Difference(float(first), float(second), float(low), float(high), changed)


def _sums(marked: Sequence[Marks], name: str) -> tuple[Numbers, Numbers]:
    pairs = np.array([FIGURES[name](m) for m in marked], dtype=float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _resampled(part: Numbers, whole: Numbers) -> Iterator[Numbers]:
    """The ratio over questions drawn with replacement, some at a time; nan where none drawn counts. Equal lengths draw alike."""
    rng = np.random.default_rng(_SEED)
    for _ in range(_SAMPLES // _AT_ONCE):
        drawn = rng.integers(len(part), size=(_AT_ONCE, len(part)))
        with np.errstate(invalid="ignore"):
            yield part[drawn].sum(1) / whole[drawn].sum(1)
