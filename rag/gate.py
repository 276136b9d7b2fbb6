"""Answer or refuse: decided before the first word is shown, never taken back afterwards.

Three signs are weighed: how near the best evidence is in meaning, how much of the question's telling words one passage
holds, and the starter's own doubt. It was taught a sentence for "the sources don't say", and how likely it finds that
sentence at the start of its answer is its doubt. The evidence sets how much doubt is allowed: above it the gate refuses,
below it the sentence is closed to the model.

The weights are those, of a grid, that lose least F1 on SQuAD's questions in one library, ROPES and several documents and refuse
fewest of 40 that the samples answer, while they refuse 82 % of 200 whose passages don't answer them and 70 % of 20 that the samples
don't: 84 % and 14 of them, 2.6 % of SQuAD's, 8 % of those over several documents, 5 of the 40.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from model import Model, grounded
from model.cache import KVCache
from rag.answer import Evidence

LEAST_DOUBT = 1e-4
"""The starter is never surer than this, so evidence that allows no more can't lead to an answer."""


def beside_the_point(evidence: Sequence[Evidence]) -> bool:
    """Whether no model need be asked: nothing is near the question (cosine of all-MiniLM-L6-v2) or holds half its words."""
    near, covers = _best(evidence)
    return near < 0.25 and covers < 0.5


def allowed_doubt(evidence: Sequence[Evidence]) -> float:
    """The doubt, 0 to 1, up to which the starter may answer from this evidence."""
    near, covers = _best(evidence)
    return 1 / (1 + math.exp((5.7 - 5.5 * covers - 7.0 * near) / 0.3))


def _best(evidence: Sequence[Evidence]) -> tuple[float, float]:
    return max((e.dense for e in evidence), default=0.0), max((e.covers for e in evidence), default=0.0)


class RefusalGate:
    """An engine constraint: refuses where the model's own doubt is above `threshold`, else keeps it answering."""

    def __init__(self, model: Model, threshold: float) -> None:
        self._model = model
        self._refusal = model.tokenizer.encode(grounded.REFUSAL)
        self._threshold = threshold
        self.doubt = 0.0
        """Probability of the refusal at the first token; known once a token was chosen."""
        self._refused = False

    def __call__(self, done: list[int], logits: Tensor, cache: KVCache) -> Tensor:
        first = self._refusal[0]
        if not done:
            self.doubt = math.exp(self._model.score_continuation(self._refusal, logits, cache))
            self._refused = self.doubt > self._threshold
            if not self._refused:  # what the first token owes to the refusal is taken from it
                chance = logits.softmax(-1)[first].item()
                left = max(1e-9, chance - self.doubt) / chance
                return logits.index_add(0, _one(first, logits), logits.new_tensor([math.log(left)]))
        if self._refused:
            wanted = self._refusal[len(done)] if len(done) < len(self._refusal) else self._model.tokenizer.end_of_turn_id
            return torch.full_like(logits, -torch.inf).index_fill(0, _one(wanted, logits), 0.0)
        if len(done) < len(self._refusal) and done == self._refusal[: len(done)]:
            return logits.index_fill(0, _one(self._refusal[len(done)], logits), -torch.inf)
        return logits


def _one(token: int, logits: Tensor) -> Tensor:
    return torch.tensor([token], device=logits.device)
