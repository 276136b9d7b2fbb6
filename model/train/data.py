"""Training data as token rows: running text packed end to end, and questions over several numbered passages."""

import json
import lzma
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import grounded
from model.errors import SourceError
from model.grounded import normal
from model.tokenizer import Tokenizer

BUCKETS = (512, 1024, 2048)
"""Row lengths that examples are padded to: few, so that a compiled network is compiled few times."""


def _open(path: Path) -> Any:
    try:
        return lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror})") from error


def read_texts(path: Path) -> Iterator[str]:
    """Documents of a text file in which a line that is only \\x1e separates them."""
    lines: list[str] = []
    try:
        with _open(path) as file:
            for line in file:
                if line.rstrip("\n") == "\x1e":
                    yield "".join(lines)
                    lines = []
                else:
                    lines.append(line)
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: damaged ({error})") from error
    if lines:
        yield "".join(lines)


def pack_texts(path: Path, tokenizer: Tokenizer, length: int) -> NDArray[np.uint16]:
    """All documents end to end, each behind <bos>, cut into rows: (rows, length)."""
    pieces: list[NDArray[np.uint16]] = []
    batch: list[str] = []
    for text in (*read_texts(path), None):
        if text is not None:
            batch.append(text)
        if len(batch) == 256 or text is None:
            pieces += [np.array([tokenizer.bos_id, *ids], dtype=np.uint16) for ids in tokenizer.encode_batch(batch)]
            batch = []
    stream = np.concatenate(pieces)
    if len(stream) < length:
        raise SourceError(f"{path}: only {len(stream)} tokens of text, less than one row of {length}")
    return stream[: len(stream) // length * length].reshape(-1, length)


@dataclass(frozen=True)
class Question:
    question: str
    contexts: list[str]
    answers: list[str]
    kind: str


def read_questions(path: Path) -> list[Question]:
    """Lines of {"question", "contexts": [...], "answers": [...], "kind"}; no answers means that the contexts don't say."""
    rows = []
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                rows.append(Question(row["question"], row["contexts"], row["answers"], row.get("kind", "extractive")))
            except (ValueError, KeyError) as error:
                raise SourceError(f"{path}, line {number}: not a question ({error!r})") from error
    return rows


def nearest_passages(questions: list[Question], passages: list[str], count: int, seed: int = 0) -> NDArray[np.int32]:
    """For each question the `count` passages that share most words with it (tf-idf), (questions, count)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = min(count, len(passages) - 1)
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english", max_df=0.1 if len(passages) > 1000 else 1.0, dtype=np.float32)
    table = vectorizer.fit_transform(passages)
    queries = vectorizer.transform([q.question for q in questions])
    out = np.zeros((len(questions), count), dtype=np.int32)
    for start in range(0, len(questions), 512):
        scores = (queries[start : start + 512] @ table.T).toarray()
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        out[start : start + 512] = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)
    return out


class QuestionRows:
    """Examples in the form of `grounded`: each epoch draws anew which passages stand beside the right one, and where."""

    def __init__(self, questions: list[Question], tokenizer: Tokenizer, unanswerable: float, seed: int = 0) -> None:
        self.questions = questions
        self.unanswerable = unanswerable
        self.seed = seed
        passages = sorted({c for q in questions for c in q.contexts if len(c) < 2400})
        self._index = {p: i for i, p in enumerate(passages)}
        self._texts = passages
        self._normal = [normal(p) for p in passages]
        self._near = nearest_passages(questions, passages, 24)
        self._tokenizer = tokenizer
        bodies = tokenizer.encode_batch([f"] {p.strip()}\n\n" for p in passages])
        self._bodies = [np.array(b, dtype=np.int32) for b in bodies]
        self._bracket = tokenizer.encode("[")
        self._head = [tokenizer.bos_id, *tokenizer.open_turn("user")]
        self._tail = [*tokenizer.close_turn(), *tokenizer.open_turn("assistant")]

    def example(self, number: int, epoch: int) -> tuple[list[int], list[int]] | None:
        """(prompt ids, answer ids) of one question, or None where it can't be put."""
        q = self.questions[number]
        rng = random.Random(f"{self.seed} {epoch} {number}")
        gold = [self._index[c] for c in q.contexts if c in self._index]
        if len(gold) < len(q.contexts) or not gold:
            return None
        wanted = rng.choice((1, 2, 3, 4, 4, 4, 5, 6))
        others = self._others(number, gold, rng, max(wanted, len(gold)))
        refuse = not q.answers or (q.kind == "extractive" and len(others) >= 2 and rng.random() < self.unanswerable)
        if q.answers and refuse:
            chosen = others[: max(1, wanted)]
        else:
            chosen = gold + others[: max(0, wanted - len(gold))]
        if len(q.contexts) < 4:
            rng.shuffle(chosen)
        return self._prompt(q.question, chosen), self._answer(q, chosen, gold, refuse)

    def _others(self, number: int, gold: list[int], rng: random.Random, count: int) -> list[int]:
        """Near passages that hold none of the accepted answers; among the nearest, but not always the very nearest."""
        accepted = [a for a in map(normal, self.questions[number].answers) if len(a) > 3]
        near = [int(i) for i in self._near[number] if int(i) not in gold]
        near = [i for i in near if not any(a in self._normal[i] for a in accepted)]
        pool = near[: count * 3]
        rng.shuffle(pool)
        return pool[:count]

    def _prompt(self, question: str, chosen: list[int]) -> list[int]:
        encode = self._tokenizer.encode
        ids = [*self._head, *encode(grounded.opening(question))]
        for n, passage in enumerate(chosen, 1):
            ids += [*self._bracket, *encode(str(n)), *self._bodies[passage].tolist()]
        return [*ids, *encode(grounded.closing(question)), *self._tail]

    def _answer(self, q: Question, chosen: list[int], gold: list[int], refuse: bool) -> list[int]:
        if refuse:
            text = grounded.REFUSAL
        else:
            said = ", ".join(q.answers) if q.kind == "list" else q.answers[0]
            holder = next((g for g in gold if said in self._texts[g]), gold[-1])
            text = grounded.answer(said, chosen.index(holder) + 1)
        return [*self._tokenizer.encode(text), self._tokenizer.end_of_turn_id]

    def batches(self, epoch: int, tokens: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(ids, labels), each (tokens / length, length), labels -100 everywhere but on answers, shuffled."""
        order = list(range(len(self.questions)))
        random.Random(f"{self.seed} {epoch}").shuffle(order)
        waiting: dict[int, list[tuple[list[int], list[int]]]] = {length: [] for length in BUCKETS}
        for number in order:
            pair = self.example(number, epoch)
            length = next((b for b in BUCKETS if pair and sum(map(len, pair)) <= b), None)
            if pair is None or length is None:
                continue
            waiting[length].append(pair)
            if len(waiting[length]) * length >= tokens:
                yield pad(waiting[length], length)
                waiting[length] = []
        for length, pairs in waiting.items():
            if pairs:
                yield pad(pairs, length)


def pad(pairs: list[tuple[list[int], list[int]]], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """labels[t] is the token that should follow ids[t]."""
    ids = np.zeros((len(pairs), length), dtype=np.int64)
    labels = np.full((len(pairs), length), -100, dtype=np.int64)
    for row, (prompt, answer) in enumerate(pairs):
        whole = prompt + answer
        ids[row, : len(whole)] = whole
        labels[row, len(prompt) - 1 : len(whole) - 1] = answer
    return ids, labels
