"""Pairs of a question and a passage window to learn from: where the answer stands, or that it doesn't.

A question's own passage gives the pairs that hold the answer. Those that don't are as they come in use: the question's other
passages, passages that the embedder and the words find for it and that hold no accepted answer, and its own passage
with the sentences cut out that hold one. Where the answer is a judgement (yes or no, a count of rows), the pair says only that the
passage answers; where it is in the asker's own words, it points at the sentence that says as much, if one does.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from model.grounded import normalize_answer
from model.train.data import SENTENCE_END, Question
from rag.reader.asked import Asked
from rag.reader.tables import counts
from rag.reader.windows import Pieces, Text, Window, windows

_MOST_PLACES = 8
"""Places of an answer in one window that count: a word that stands oftener tells nothing of where it was meant."""


_SHARE = 0.5
"""Of the passages that hold an answer are read cut, too, and as many joined."""
_JOINED = 1000
"""Characters of a passage that may be joined with half of another."""
_SAYS = 0.6
"""Of an answer's words stand in the sentence that says as much."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Question and passage are numbers into Pairs; spans are first and last piece of the passage, both counted in."""

    question: int
    passage: int
    window: Window
    spans: tuple[tuple[int, int], ...]
    answerable: bool

    @property
    def points(self) -> bool:
        """Whether it is known where to point: at the answer, or nowhere."""
        return bool(self.spans) or not self.answerable


@dataclass
class Pairs:
    questions: list[Text] = field(default_factory=list)
    passages: list[Text] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)


def places(passage: str, answer: str) -> list[tuple[int, int]]:
    """Where an answer stands in a passage as whole words: first as it is written, else whatever its case."""
    pattern = r"\s+".join(map(re.escape, answer.split()))
    if not pattern:
        return []
    pattern = (r"(?<!\w)" if answer.strip()[0].isalnum() else "") + pattern + (r"(?!\w)" if answer.strip()[-1].isalnum() else "")
    for flags in (re.NOFLAG, re.IGNORECASE):
        if found := [match.span() for match in re.finditer(pattern, passage, flags)]:
            return found
    return []


def holds(passage: str, answers: Sequence[str]) -> bool:
    """Whether an accepted answer stands in a passage, by the measure of the scorer."""
    words = f" {normalize_answer(passage)} "
    return any(f" {normalize_answer(answer)} " in words for answer in answers if normalize_answer(answer))


def cut_out(passage: str, answers: Sequence[str]) -> str | None:
    """A passage without the sentences that hold an accepted answer; None where none do, or little would be left."""
    sentences = SENTENCE_END.split(passage)
    kept = [s for s in sentences if not holds(s, answers)]
    left = " ".join(kept)
    if len(kept) == len(sentences) or len(left) < max(60, 0.3 * len(passage)) or holds(left, answers):
        return None
    return left


def sentence_of(passage: str, answer: str) -> tuple[int, int] | None:
    """Where the one sentence of a passage stands that says what an answer in other words says; None where none does."""
    words = set(normalize_answer(answer).split())
    start, best = 0, (0.0, (0, 0))
    for sentence in SENTENCE_END.split(passage):
        start = passage.index(sentence, start)
        shared = len(words & set(normalize_answer(sentence).split())) / max(1, len(words))
        best = max(best, (shared, (start, start + len(sentence))))
        start += len(sentence)
    return best[1] if len(words) > 2 and best[0] >= _SAYS else None


def spans_in(text: Text, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in characters as first and last piece."""
    spans = []
    for start, end in places:
        first, last = int(text.ends.searchsorted(start, "right")), int(text.starts.searchsorted(end, "left")) - 1
        if first <= last:
            spans.append((first, last))
    return spans


def joined(passage: str, other: str, rng: random.Random) -> tuple[str, int]:
    """A passage with about half of another before or behind it, as chunks of a document lie together, and where it begins there."""
    sentences = SENTENCE_END.split(other)
    if rng.random() < 0.5:
        before = " ".join(sentences[len(sentences) // 2 :])
        return f"{before}\n\n{passage}", len(before) + 2
    return f"{passage}\n\n{' '.join(sentences[: (len(sentences) + 1) // 2])}", 0


def build(
    rows: Sequence[Question],
    pieces: Pieces,
    near: Sequence[Sequence[str]],
    seed: int = 0,
    more: Sequence[Asked] = (),
) -> Pairs:
    """All pairs of some questions, and of what is asked besides; `near` gives each question's passages from elsewhere."""
    rng = random.Random(seed)
    every = [asked for row, others in zip(rows, near, strict=True) for asked in _passages(row, others, rng)] + list(more)
    questions, passages = list(dict.fromkeys(a.question for a in every)), list(dict.fromkeys(a.passage for a in every))
    question_at, passage_at = ({text: n for n, text in enumerate(texts)} for texts in (questions, passages))
    out = Pairs(questions=pieces.read(questions), passages=pieces.read(passages))
    for asked in every:
        question, passage = question_at[asked.question], passage_at[asked.passage]
        spans = spans_in(out.passages[passage], asked.places)
        if asked.places and not spans:
            continue
        for window in windows(out.questions[question], out.passages[passage]):
            whole = tuple(s for s in spans if window.first <= s[0] and s[1] < window.last)
            if asked.answers and not whole and any(window.first <= s[1] and s[0] < window.last for s in spans):
                continue  # only a part of the answer is in it
            here = bool(whole) if asked.places else asked.answers
            out.pairs.append(Pair(question, passage, window, whole[:_MOST_PLACES], here))
    return out


def own_passages(row: Question) -> list[str]:
    """What a question brings: its contexts, and of its distractors the first."""
    return [*row.contexts, *(row.distractors or [])[:1]]


def found_in(row: Question, text: str) -> list[tuple[int, int]]:
    """Where a question's answer stands in one of its contexts; nowhere where it is a judgement, or stands there by chance."""
    if row.kind == "yesno":
        return []
    if row.kind == "abstractive":
        said = next((place for answer in row.answers if (place := sentence_of(text, answer))), None)
        return [said] if said and not text.startswith("|") else []
    found = sorted({place for answer in row.answers for place in places(text, answer)})
    by_chance = text.startswith("|") and (len(found) > 1 or counts(row.question))
    return [] if by_chance else found


def _passages(row: Question, near: Sequence[str], rng: random.Random) -> Iterator[Asked]:
    """What a question asks of its own passages, of those cut and joined, and of those from elsewhere."""
    judged = row.kind in ("yesno", "abstractive")
    for text in row.contexts:
        if not text.strip():
            continue
        found = found_in(row, text)
        if found:
            yield Asked(row.question, text, found, True)
        elif judged or holds(text, row.answers):
            if len(row.contexts) == 1 and (judged or text.startswith("|")):
                yield Asked(row.question, text, [], True)
        else:
            yield Asked(row.question, text, [], False)
        if judged:
            continue
        if found and rng.random() < _SHARE and (left := cut_out(text, row.answers)):
            yield Asked(row.question, left, [], False)
        if found and near and len(text) < _JOINED and rng.random() < _SHARE:
            whole, shift = joined(text, near[0], rng)
            yield Asked(row.question, whole, [(start + shift, end + shift) for start, end in found], True)
    for text in own_passages(row)[len(row.contexts) :]:
        if judged or not holds(text, row.answers):
            yield Asked(row.question, text, [], False)
    for text in near:
        yield Asked(row.question, text, [], False)
