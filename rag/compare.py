"""What two files of predictions over the same questions say of each other: figures, and which answers changed.

The marks stand in the rows, so the questions aren't needed. A row is compared where both files have it for the same question with
the same accepted answers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import EvalError
from rag.evaluate import read_lines
from rag.scoring import differences

Row = Mapping[str, Any]


def compare(before: Path, after: Path) -> dict[str, Any]:
    """
    Returns:
        compared: how many questions; only_before, only_after: ids of those that are not compared.
        parts: of what made the answers, that which differs: {name: [before, after]}.
        figures: {name: {before, after, difference, interval, changed, within_chance}}.
        changed: {"wrong -> right": ids, ...}; reworded: ids of answers in other words that are worth the same.

    Raises:
        EvalError: a file can't be read, or no question stands in both.
    """
    first, second = _rows(before), _rows(after)
    both = [key for key in first if key in second]
    if not both:
        raise EvalError(f"no question of {before} stands in {after} with the same accepted answers", "ask both of one file of questions")
    pairs = [(first[key], second[key]) for key in both]
    found = differences([a["marks"] for a, _ in pairs], [b["marks"] for _, b in pairs])
    changed: dict[str, list[Any]] = {}
    for a, b in pairs:
        if outcome(a) != outcome(b):
            changed.setdefault(f"{outcome(a)} -> {outcome(b)}", []).append(a["id"])
    return {
        "compared": len(both),
        "only_before": [row["id"] for key, row in first.items() if key not in second],
        "only_after": [row["id"] for key, row in second.items() if key not in first],
        "parts": _differing(pairs),
        "figures": {
            name: d
            and {
                "before": round(d.before, 4),
                "after": round(d.after, 4),
                "difference": round(d.after - d.before, 4),
                "interval": [round(d.low, 4), round(d.high, 4)],
                "changed": d.changed,
                "within_chance": d.within_chance,
            }
            for name, d in found.items()
        },
        "changed": dict(sorted(changed.items(), key=lambda kind: -len(kind[1]))),
        "reworded": [a["id"] for a, b in pairs if outcome(a) == outcome(b) and a["answer"] != b["answer"]],
    }


def outcome(row: Row) -> str:
    """right or wrong, refused, failed; "answered" where there is no right answer to give."""
    if row["error"]:
        return "failed"
    if row["refused"]:
        return "refused"
    if not row["marks"]["answerable"]:
        return "answered"
    return "right" if row["marks"]["right"] else "wrong"


def _rows(file: Path) -> dict[tuple[Any, str], Row]:
    """By question; of several for one question the last."""
    rows = read_lines(file, "id", "answer", "refused")
    if any("marks" not in row or "hashes" not in row or "error" not in row for row in rows):
        raise EvalError(f"{file}: predictions without marks, of an older Octavo", "ask again with `octavo eval ... --out`")
    return {(row["id"], row["hashes"]["question"]): row for row in rows}


def _differing(pairs: Sequence[tuple[Row, Row]]) -> dict[str, list[str]]:
    names = dict.fromkeys(name for pair in pairs for row in pair for name in row["hashes"] if name != "question")
    out = {}
    for name in names:
        sides = [(a["hashes"].get(name, ""), b["hashes"].get(name, "")) for a, b in pairs]
        if any(a != b for a, b in sides):
            out[name] = [values.pop() if len(values) == 1 else f"{len(values)} kinds" for values in map(set, zip(*sides, strict=True))]
    return out
