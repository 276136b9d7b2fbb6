"""Answers changed in their passages, so that they must be read there and can't be known by heart (after NQ-Swap, arXiv 2109.05052).

A question over one passage gets another question's answer of the same type; one over several trades the names of two things,
so that what is true of the one is then true of the other.
"""

import random
import re
from collections import defaultdict
from dataclasses import replace

from model.train.data import Question


class SwapAnswers:
    """Changes half of the questions that it is called with, of those whose answer may be changed (an `Augment` of `QuestionRows`)."""

    def __init__(self, questions: list[Question]) -> None:
        self._answers_of_type: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        self._answers_in_passage: defaultdict[str, list[str]] = defaultdict(list)
        for q in questions:
            if _is_short_span(q):
                self._answers_of_type[_answer_type(q)].append(q.answers[0])
                self._answers_in_passage[_gold_passage(q)].append(q.answers[0])

    def __call__(self, q: Question, rng: random.Random) -> Question:
        if not _is_short_span(q) or rng.random() >= 0.5:
            return q
        return self._substitute_answer(q, rng) if len(q.contexts) == 1 else self._swap_entities(q, rng)

    def _substitute_answer(self, q: Question, rng: random.Random) -> Question:
        """The question with an answer of the same type in its passage, or as it was where that doesn't fit.

        Another answer in the passage, where there is one, changes too: what looks out of place need not be the answer.
        """
        passage, answer = _gold_passage(q), q.answers[0]
        if passage.startswith("|"):
            return q
        other = rng.choice(self._answers_of_type[_answer_type(q)])
        siblings = self._sibling_answers(q)
        if siblings:
            decoy = rng.choice(siblings)
            alike = self._answers_of_type[_answer_type(replace(q, answers=[decoy]))] or [decoy]
            passage = _whole_words(decoy).sub(lambda _: rng.choice(alike), passage, count=1)
        text, times = _whole_words(answer).subn(lambda _: other, passage)
        asked = q.question.lower()
        fits = 1 <= times <= 2 and other not in passage and answer.lower() not in asked and other.lower() not in asked
        return replace(q, contexts=[text], answers=[other]) if fits else q

    def _swap_entities(self, q: Question, rng: random.Random) -> Question:
        """The question with two names traded in it and its last passage, the answer and a sibling, or as it was."""
        passage, answer, siblings = _gold_passage(q), q.answers[0], self._sibling_answers(q)
        if not siblings:
            return q
        other = rng.choice(siblings)
        names = re.compile(f"{_whole_words(answer).pattern}|{_whole_words(other).pattern}")

        def swap(text: str) -> str:
            return names.sub(lambda m: other if m[0] == answer else answer, text)

        whole = f"{passage}\n{q.question}"
        any_case = re.findall(f"{re.escape(answer)}|{re.escape(other)}", whole, re.IGNORECASE)
        if len(names.findall(whole)) < len(any_case) or not {answer, other} <= set(names.findall(passage)):
            return q
        return replace(q, question=swap(q.question), contexts=[*q.contexts[:-1], swap(passage)], answers=[other])

    def _sibling_answers(self, q: Question) -> list[str]:
        """Answers to other questions about the same passage."""
        return [a for a in self._answers_in_passage[_gold_passage(q)] if a not in q.answers[0] and q.answers[0] not in a]


def _is_short_span(q: Question) -> bool:
    """Whether its answer may give its place to another: longer ones are clauses, which fit nowhere else."""
    return q.kind in ("extractive", "asked") and bool(q.answers) and 1 <= len(q.answers[0].split()) <= 5


def _gold_passage(q: Question) -> str:
    """The passage that is likeliest to hold the answer."""
    return q.contexts[-1]


def _answer_type(q: Question) -> tuple[str, ...]:
    """Source, question word, and form of the answer: questions alike in these may have each other's answers."""
    answer, asks = q.answers[0], q.question.lower().split()
    form = "number" if re.search(r"\d", answer) else "name" if answer[0].isupper() else "words"
    return q.source, *asks[: 2 if asks[:1] == ["how"] else 1], form, str(len(answer.split()))


def _whole_words(answer: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){re.escape(answer)}(?!\w|[.,]\d)")
