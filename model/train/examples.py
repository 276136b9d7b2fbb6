"""Questions over numbered passages as token rows, in the form of `model.grounded`."""

import itertools
import random
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model import grounded
from model.grounded import normalize_answer
from model.tokenizer import Tokenizer
from model.train.data import Question

BUCKETS = (512, 768, 1024, 2048, 4096, 6144, 8192)
"""Row lengths that examples are padded to: few, so that the network is compiled few times."""
LONGEST_PASSAGE = 2400
ASK = "Ask about this."
"""The instruction of question generation, which follows the passage."""

Example = tuple[list[int], list[int]]
"""(prompt ids, target ids)"""

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(ids, labels), each (tokens / length, length)"""

Augment = Callable[[Question, random.Random], Question]
"""A question -> the same, or one with other texts in its contexts, as many as before."""


def nearest_passages(questions: list[Question], passages: list[str], count: int) -> NDArray[np.int32]:
    """The `count` passages nearest to each question by tf-idf, nearest first: (questions, count)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = max(0, min(count, len(passages) - 1))
    out = np.zeros((len(questions), count), dtype=np.int32)
    if not out.size:
        return out
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english", max_df=0.1 if len(passages) > 1000 else 1.0, dtype=np.float32)
    table = vectorizer.fit_transform(passages)
    queries = vectorizer.transform([q.question for q in questions])
    for start in range(0, len(questions), 512):
        scores = (queries[start : start + 512] @ table.T).toarray()
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        out[start : start + 512] = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)
    return out


class Prompts:
    """Prompts over passages. Those of `texts` are encoded once and named by their index; others are given as text."""

    def __init__(self, texts: list[str], tokenizer: Tokenizer) -> None:
        self._bodies = [np.array(b, dtype=np.uint32) for b in tokenizer.encode_batch([_body(t) for t in texts])]
        self._tokenizer = tokenizer
        self._bracket = tokenizer.encode("[")
        self._head = [tokenizer.bos_id, *tokenizer.open_turn("user")]
        self._tail = [*tokenizer.close_turn(), *tokenizer.open_turn("assistant")]

    def question(self, question: str, chosen: Sequence[int | str]) -> list[int]:
        """The prompt of a question over the chosen passages, in this order."""
        encode = self._tokenizer.encode
        ids = [*self._head, *encode(grounded.opening(question)), *self._sources(chosen)]
        return [*ids, *encode(grounded.closing(question)), *self._tail]

    def ask(self, passage: int) -> list[int]:
        """The prompt of question generation: asks for an answer in a passage, and its question."""
        return [*self._head, *self._sources([passage]), *self._tokenizer.encode(ASK), *self._tail]

    def _sources(self, chosen: Sequence[int | str]) -> Iterator[int]:
        for n, passage in enumerate(chosen, 1):
            body = self._tokenizer.encode(_body(passage)) if isinstance(passage, str) else self._bodies[passage].tolist()
            yield from (*self._bracket, *self._tokenizer.encode(str(n)), *body)

    def size(self, passage: int) -> int:
        """Tokens of a passage of `texts` as a source with its number, 1,000 of them at the most."""
        return len(self._bodies[passage]) + 4

    def target_ids(self, text: str) -> list[int]:
        """What the model shall say, the end of its turn included."""
        return [*self._tokenizer.encode(text), self._tokenizer.end_of_turn_id]


def _body(text: str) -> str:
    return f"] {text.strip()}\n\n"


class QuestionRows:
    """Questions as token rows in the form of `model.grounded`; each epoch draws other distractors, in another order.

    Args:
        questions: those without `distractors` of their own get near passages of other questions.
        unanswerable: share of the extractive questions that are put without the passage that answers them, to be refused.
        oversampled: sources whose questions come twice an epoch.
        inverted: sources whose questions are also learnt as question generation, from the passage to the question.
        augment: changes a question and its contexts each time that it is read.
        seed: of everything that is drawn.
    """

    NEAR = 32
    """Passages that are looked for near a question."""

    def __init__(
        self,
        questions: list[Question],
        tokenizer: Tokenizer,
        unanswerable: float,
        oversampled: Collection[str] = (),
        inverted: Collection[str] = (),
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.questions = questions
        self.unanswerable = unanswerable
        self.oversampled = oversampled
        self.inverted = inverted
        self.seed = seed
        self._augment = augment
        open_questions = [q for q in questions if q.distractors is None]
        self._texts = sorted({c for q in open_questions for c in q.contexts if len(c) < LONGEST_PASSAGE})
        nearest = iter(nearest_passages(open_questions, self._texts, self.NEAR).tolist())
        self._nearest: list[list[int]] = [next(nearest) if q.distractors is None else [] for q in questions]
        closed = {c for q in questions if q.distractors is not None for c in (*q.contexts, *q.distractors)}
        self._texts += sorted(closed - set(self._texts))
        self._normal = [normalize_answer(text) for text in self._texts]
        self._index = {p: i for i, p in enumerate(self._texts)}
        self._prompts = Prompts(self._texts, tokenizer)

    def example(self, number: int, epoch: int) -> Example | None:
        """One question as (prompt ids, target ids), or None where one of its passages is too long."""
        q = self.questions[number]
        rng = random.Random(f"{self.seed} {epoch} {number}")
        gold = [self._index[c] for c in q.contexts if c in self._index]
        if len(gold) < len(q.contexts) or not gold:
            return None
        chosen, refuse = self._passages(number, gold, rng)
        changed = q if refuse or self._augment is None else self._augment(q, rng)
        texts = {self._index[old]: new for old, new in zip(q.contexts, changed.contexts, strict=True) if new != old}
        prompt = self._prompts.question(changed.question, [texts.get(i, i) for i in chosen])
        return prompt, self._target_ids(changed, chosen, gold, refuse)

    def _passages(self, number: int, gold: list[int], rng: random.Random) -> tuple[list[int], bool]:
        """The indices of the passages that the question is put over, and whether none of them answers it."""
        q = self.questions[number]
        if q.distractors is not None:
            given = [*gold, *(self._index[d] for d in q.distractors)]
            return rng.sample(given, len(given)), not q.answers
        count = rng.randint(8, 24) if rng.random() < 0.03 else rng.choice((1, 2, 2, 2, 3, 3, 4, 6))
        others = self._draw_distractors(number, gold, rng, max(count, len(gold)))
        refuse = not q.answers or (q.kind == "extractive" and len(others) >= 2 and rng.random() < self.unanswerable)
        chosen = others[: max(1, count)] if q.answers and refuse else gold + others[: max(0, count - len(gold))]
        rng.shuffle(chosen)
        return chosen, refuse

    def _draw_distractors(self, number: int, gold: list[int], rng: random.Random, count: int) -> list[int]:
        """`count` passages near the question that hold none of its accepted answers, drawn from the 3 * count nearest."""
        pool = self._without_answer(number, gold, self._nearest[number])[: count * 3]
        rng.shuffle(pool)
        return pool[:count]

    def _without_answer(self, number: int, gold: list[int], passages: Sequence[int]) -> list[int]:
        """Those of the passages that are not the question's own and hold none of its accepted answers."""
        accepted = [a for a in map(normalize_answer, self.questions[number].answers) if len(a) > 3]
        return [i for i in passages if i not in gold and not any(a in self._normal[i] for a in accepted)]

    def inverse_example(self, number: int) -> Example | None:
        """Question generation: from a passage to an answer in it and its question; None where the question isn't of that kind."""
        q = self.questions[number]
        gold = self._index.get(q.contexts[0]) if len(q.contexts) == 1 and q.kind != "list" else None
        if gold is None or not q.answers or (q.kind != "yesno" and q.answers[0] not in q.contexts[0]):
            return None
        return self._prompts.ask(gold), self._prompts.target_ids(f" {q.answers[0]}\n{q.question.strip()}")

    def _target_ids(self, q: Question, chosen: list[int], gold: list[int], refuse: bool) -> list[int]:
        if refuse:
            return self._prompts.target_ids(grounded.REFUSAL)
        answer = ", ".join(q.answers) if q.kind == "list" else q.answers[0]
        source = next((g for g in gold if answer in self._texts[g]), gold[-1])
        return self._prompts.target_ids(grounded.answer(answer, chosen.index(source) + 1))

    def any_fits(self) -> bool:
        """Whether there is a question that `batches` would yield."""
        examples = (self.example(number, 0) for number in range(len(self.questions)))
        return any(example is not None and sum(map(len, example)) <= BUCKETS[-1] for example in examples)

    def order(self, epoch: int) -> list[int]:
        """The order of an epoch's questions, as indices, those of the oversampled sources twice."""
        numbers = [i for i, q in enumerate(self.questions) if not epoch or not q.once]
        numbers += [i for i in numbers if self.questions[i].source in self.oversampled]
        random.Random(f"{self.seed} {epoch}").shuffle(numbers)
        return numbers

    def batches(self, tokens: int, rank: int = 0, count: int = 1) -> Iterator[Batch]:
        """Yields one process's share of batches, without end.

        Labels are -100 (ignored by the loss) everywhere but on the targets.
        """
        waiting: dict[int, list[Example]] = {length: [] for length in BUCKETS}
        for epoch in itertools.count():
            for number in self.order(epoch)[rank::count]:
                inverse = self.inverse_example(number) if self.questions[number].source in self.inverted else None
                for pair in (self.example(number, epoch), inverse):
                    length = next((b for b in BUCKETS if pair and sum(map(len, pair)) <= b), None)
                    if pair is None or length is None:
                        continue
                    waiting[length].append(pair)
                    if len(waiting[length]) * length >= tokens:
                        yield pad(waiting[length], length)
                        waiting[length] = []


def pad(pairs: list[Example], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(ids, labels), each (pairs, length): labels[t] is the token that should follow ids[t], -100 outside the targets."""
    ids = np.zeros((len(pairs), length), dtype=np.int64)
    labels = np.full((len(pairs), length), -100, dtype=np.int64)
    for row, (prompt, answer) in enumerate(pairs):
        whole = prompt + answer
        ids[row, : len(whole)] = whole
        labels[row, len(prompt) - 1 : len(whole) - 1] = answer
    return ids, labels
