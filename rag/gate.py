"""Answer or refuse: decided before the first word is shown, never taken back afterwards.

Two signs are read. Evidence that shares neither meaning nor words with the question can't answer it. And the starter was
taught a sentence for "the sources don't say": how likely it finds that sentence is its doubt, and above a threshold the
gate refuses; below it, the sentence is closed to it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from model import Model, grounded
from model.cache import KVCache
from rag.answer import Evidence

NEAR = 0.25
"""Cosine (all-MiniLM-L6-v2) below which no chunk is about the question at all."""


def beside_the_point(evidence: Sequence[Evidence]) -> bool:
    return max((e.dense for e in evidence), default=0.0) < NEAR


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
            self.doubt = math.exp(self._model.follow(self._refusal, logits, cache))
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
