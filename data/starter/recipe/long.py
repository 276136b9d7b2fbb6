"""Tuning on long contexts: `tune.py`, with a share of the questions put over passages that fill the window.

The passage that answers stands anywhere among the nearest to the question that hold no accepted answer: half of the time all of
these, else some of them. Half of the long rows have 5,500 tokens of evidence or more, the others 900 to that, by the logarithm. Each
row has one question, for a passage is read for the question that stands before it.
"""

import math
import random

from model.train import tune
from model.train.examples import QuestionRows
from swap import SwapAnswers

LONG = 0.3
"""Share of the questions that are put long."""
FEWEST, FAR, MOST = 900, 5_500, 7_560
"""Tokens of evidence in a long row: the fewest, half of them at least, and the most, which leave room for the question and the answer."""


class LongRows(QuestionRows):
    """Rows of `QuestionRows`, some of them long. Questions with passages of their own keep these, and get others beside them."""

    NEAR = 80

    def _passages(self, number: int, gold: list[int], rng: random.Random) -> tuple[list[int], bool]:
        if rng.random() >= LONG:
            return super()._passages(number, gold, rng)
        q = self.questions[number]
        refuse = not q.answers or (q.kind == "extractive" and rng.random() < self.unanswerable)
        chosen = [] if q.answers and refuse else list(gold)
        room = _evidence(rng) - sum(map(self._prompts.size, chosen))
        for passage in self._wrong(number, gold, rng):
            if (size := self._prompts.size(passage)) <= room:
                chosen.append(passage)
                room -= size
        return (rng.sample(chosen, len(chosen)), refuse) if chosen else super()._passages(number, gold, rng)

    def _wrong(self, number: int, gold: list[int], rng: random.Random) -> list[int]:
        """Passages that don't answer: those that came with the question, the near ones, then any."""
        given = [self._index[d] for d in self.questions[number].distractors or []]
        near = list(self._nearest[number])
        if rng.random() < 0.5:
            rng.shuffle(near)
        far = rng.sample(range(len(self._texts)), min(len(self._texts), 200))
        return list(dict.fromkeys([*given, *self._without_answer(number, gold, [*near, *far])]))


def _evidence(rng: random.Random) -> int:
    """How many tokens of evidence a long row has."""
    if rng.random() < 0.5:
        return rng.randint(FAR, MOST)
    return int(math.exp(rng.uniform(math.log(FEWEST), math.log(FAR))))


if __name__ == "__main__":
    tune.main(augment=SwapAnswers, rows_of=LongRows)
