"""Questions over numbered passages as token rows, in the form of `model.grounded`."""

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model import grounded
from model.grounded import normal
from model.tokenizer import Tokenizer
from model.train.data import Question

BUCKETS = (512, 768, 1024, 2048, 4096)
"""Row lengths that examples are padded to: few, so that a compiled network is compiled few times."""
LONGEST_PASSAGE = 2400
ASK = "Ask about this."
"""What follows a passage where a question is wanted, and its answer before it (see model.train.ask)."""

Example = tuple[list[int], list[int]]
"""(prompt ids, answer ids)"""


def nearest_passages(questions: list[Question], passages: list[str], count: int) -> NDArray[np.int32]:
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


class Prompts:
    """Prompts over passages: those of `texts` are encoded once and named by their numbers, others are given as they are."""

    def __init__(self, texts: list[str], tokenizer: Tokenizer) -> None:
        self._bodies = [np.array(b, dtype=np.uint32) for b in tokenizer.encode_batch([_body(t) for t in texts])]
        self._tokenizer = tokenizer
        self._bracket = tokenizer.encode("[")
        self._head = [tokenizer.bos_id, *tokenizer.open_turn("user")]
        self._tail = [*tokenizer.close_turn(), *tokenizer.open_turn("assistant")]

    def question(self, question: str, chosen: Sequence[int | str]) -> list[int]:
        encode = self._tokenizer.encode
        ids = [*self._head, *encode(grounded.opening(question)), *self._sources(chosen)]
        return [*ids, *encode(grounded.closing(question)), *self._tail]

    def ask(self, passage: int) -> list[int]:
        """Asks for an answer in a passage and its question."""
        return [*self._head, *self._sources([passage]), *self._tokenizer.encode(ASK), *self._tail]

    def _sources(self, chosen: Sequence[int | str]) -> Iterator[int]:
        for n, passage in enumerate(chosen, 1):
            body = self._tokenizer.encode(_body(passage)) if isinstance(passage, str) else self._bodies[passage].tolist()
            yield from (*self._bracket, *self._tokenizer.encode(str(n)), *body)

    def said(self, text: str) -> list[int]:
        return [*self._tokenizer.encode(text), self._tokenizer.end_of_turn_id]


def _body(text: str) -> str:
    return f"] {text.strip()}\n\n"


class QuestionRows:
    """Examples in the form of `grounded`: each epoch draws anew which passages stand beside the right one, and where.

    In half of the extractive ones the answer gives its place in the passage to one of its kind, or trades names with another
    one there, so that it must be read and can't be known by heart (after NQ-Swap, arXiv 2109.05052).

    Questions made from running text (model.train.practice) bring their own wrong passages, since their right one stands
    first; the blanked sentences and a teacher's questions (model.train.ask) among them are read in the first epoch only.
    """

    def __init__(
        self,
        questions: list[Question],
        tokenizer: Tokenizer,
        unanswerable: float,
        twice: Collection[str] = (),
        ask: Collection[str] = (),
        seed: int = 0,
    ) -> None:
        self.questions = questions
        self.unanswerable = unanswerable
        self.twice = twice
        self.ask = ask
        self.seed = seed
        asked = [q for q in questions if not _made(q)]
        self._texts = sorted({c for q in asked for c in q.contexts if len(c) < LONGEST_PASSAGE})
        near = iter(nearest_passages(asked, self._texts, 32).tolist())
        self._near: list[list[int]] = [[] if _made(q) else next(near) for q in questions]
        known = set(self._texts)
        self._texts += sorted({c for q in questions if _made(q) for c in q.contexts} - known)
        self._index = {p: i for i, p in enumerate(self._texts)}
        self._normal = [normal(p) for p in self._texts[: len(known)]]
        self._prompts = Prompts(self._texts, tokenizer)
        self._kin: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        self._answers: defaultdict[str, list[str]] = defaultdict(list)
        """Answers by their kind and by their passage."""
        for q in questions:
            if _said_in_passage(q):
                self._kin[_kin(q)].append(q.answers[0])
                self._answers[_told_in(q)].append(q.answers[0])

    def example(self, number: int, epoch: int) -> Example | None:
        """One question, or None where it can't be put: a passage of it is too long."""
        q = self.questions[number]
        rng = random.Random(f"{self.seed} {epoch} {number}")
        gold = [self._index[c] for c in q.contexts if c in self._index]
        if len(gold) < len(q.contexts) or not gold:
            return None
        if _made(q):
            chosen, refuse = rng.sample(gold, len(gold)), False
        else:
            wanted = rng.randint(8, 24) if rng.random() < 0.03 else rng.choice((1, 2, 2, 2, 3, 3, 4, 6))
            others = self._others(number, gold, rng, max(wanted, len(gold)))
            refuse = not q.answers or (q.kind == "extractive" and len(others) >= 2 and rng.random() < self.unanswerable)
            chosen = others[: max(1, wanted)] if q.answers and refuse else gold + others[: max(0, wanted - len(gold))]
            rng.shuffle(chosen)
        sources: list[int | str] = [*chosen]
        if not refuse and _said_in_passage(q) and rng.random() < 0.5:
            change = self._told_otherwise if len(gold) == 1 or _made(q) else self._renamed
            if told := change(q, _told_in(q), rng):
                sources[chosen.index(self._index[_told_in(q)])], q = told
        return self._prompts.question(q.question, sources), self._answer(q, chosen, gold, refuse)

    def _told_otherwise(self, q: Question, passage: str, rng: random.Random) -> tuple[str, Question] | None:
        """The passage with another answer of the same kind, where it allows that, and the question with that answer.

        Another question's answer changes too, where there is one, so that what looks out of place need not be the answer.
        """
        if passage.startswith("|"):
            return None
        answer, other = q.answers[0], rng.choice(self._kin[_kin(q)])
        beside = self._beside(q)
        if beside:
            decoy = rng.choice(beside)
            passage = _whole(decoy).sub(lambda _: rng.choice(self._kin[_kin(replace(q, answers=[decoy]))] or [decoy]), passage, count=1)
        text, times = _whole(answer).subn(lambda _: other, passage)
        asked = q.question.lower()
        return (
            (text, replace(q, answers=[other]))
            if 1 <= times <= 2 and other not in passage and answer.lower() not in asked and other.lower() not in asked
            else None
        )

    def _renamed(self, q: Question, passage: str, rng: random.Random) -> tuple[str, Question] | None:
        """Passage and question with the names of two things traded, the answer and another one of the same passage.

        What is true of the one is then true of the other, so that nothing is learnt by knowing the names.
        """
        answer = q.answers[0]
        beside = self._beside(q)
        if not beside:
            return None
        other = rng.choice(beside)
        names = re.compile(f"{_whole(answer).pattern}|{_whole(other).pattern}")

        def trade(text: str) -> str:
            return names.sub(lambda m: other if m[0] == answer else answer, text)

        whole = f"{passage}\n{q.question}"
        found, any_case = names.findall(whole), re.findall(f"{re.escape(answer)}|{re.escape(other)}", whole, re.IGNORECASE)
        if len(found) < len(any_case) or not {answer, other} <= set(names.findall(passage)):
            return None
        return trade(passage), replace(q, question=trade(q.question), answers=[other])

    def _beside(self, q: Question) -> list[str]:
        """Answers to other questions about the same passage."""
        return [a for a in self._answers[_told_in(q)] if a not in q.answers[0] and q.answers[0] not in a]

    def _others(self, number: int, gold: list[int], rng: random.Random, count: int) -> list[int]:
        """Near passages that hold none of the accepted answers; among the nearest, but not always the very nearest."""
        accepted = [a for a in map(normal, self.questions[number].answers) if len(a) > 3]
        near = [i for i in self._near[number] if i not in gold and not any(a in self._normal[i] for a in accepted)]
        pool = near[: count * 3]
        rng.shuffle(pool)
        return pool[:count]

    def asking(self, number: int) -> Example | None:
        """The same turned round: from the passage to an answer and its question, where it is one that a passage may be asked."""
        q = self.questions[number]
        gold = self._index.get(q.contexts[0]) if len(q.contexts) == 1 and q.kind != "list" else None
        if gold is None or not q.answers or (q.kind != "yesno" and q.answers[0] not in q.contexts[0]):
            return None
        return self._prompts.ask(gold), self._prompts.said(f" {q.answers[0]}\n{q.question.strip()}")

    def _answer(self, q: Question, chosen: list[int], gold: list[int], refuse: bool) -> list[int]:
        if refuse:
            text = grounded.REFUSAL
        else:
            said = ", ".join(q.answers) if q.kind == "list" else q.answers[0]
            holder = gold[0] if _made(q) else next((g for g in gold if said in self._texts[g]), gold[-1])
            text = grounded.answer(said, chosen.index(holder) + 1)
        return self._prompts.said(text)

    def order(self, epoch: int) -> list[int]:
        """Numbers of the questions, shuffled; those of the sources in `twice` twice."""
        numbers = [i for i, q in enumerate(self.questions) if not epoch or q.kind not in ("cloze", "asked")]
        numbers += [i for i in numbers if self.questions[i].source in self.twice]
        random.Random(f"{self.seed} {epoch}").shuffle(numbers)
        return numbers

    def batches(self, tokens: int, rank: int = 0, count: int = 1) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """One process's share of (ids, labels), each (tokens / length, length), without end; labels -100 but on answers."""
        waiting: dict[int, list[Example]] = {length: [] for length in BUCKETS}
        for epoch in itertools.count():
            for number in self.order(epoch)[rank::count]:
                for pair in (self.example(number, epoch), self.asking(number) if self.questions[number].source in self.ask else None):
                    length = next((b for b in BUCKETS if pair and sum(map(len, pair)) <= b), None)
                    if pair is None or length is None:
                        continue
                    waiting[length].append(pair)
                    if len(waiting[length]) * length >= tokens:
                        yield pad(waiting[length], length)
                        waiting[length] = []


def _said_in_passage(q: Question) -> bool:
    """Whether its answer may give its place to another: longer ones are clauses, which fit nowhere else."""
    return q.kind in ("extractive", "asked") and bool(q.answers) and 1 <= len(q.answers[0].split()) <= 5


def _told_in(q: Question) -> str:
    """The passage that is likeliest to hold the answer."""
    return q.contexts[0 if _made(q) else -1]


def _kin(q: Question) -> tuple[str, ...]:
    """Where it is from and how it asks and is answered: those alike in this may have each other's answers."""
    answer, asks = q.answers[0], q.question.lower().split()
    kind = "number" if re.search(r"\d", answer) else "name" if answer[0].isupper() else "words"
    return q.source, *asks[: 2 if asks[:1] == ["how"] else 1], kind, str(len(answer.split()))


def _whole(answer: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){re.escape(answer)}(?!\w|[.,]\d)")


def _made(question: Question) -> bool:
    return question.source == "made"


def pad(pairs: list[Example], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """labels[t] is the token that should follow ids[t]."""
    ids = np.zeros((len(pairs), length), dtype=np.int64)
    labels = np.full((len(pairs), length), -100, dtype=np.int64)
    for row, (prompt, answer) in enumerate(pairs):
        whole = prompt + answer
        ids[row, : len(whole)] = whole
        labels[row, len(prompt) - 1 : len(whole) - 1] = answer
    return ids, labels
