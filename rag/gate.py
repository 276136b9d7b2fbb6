"""Answer or refuse: decided before the first word is shown, never taken back afterwards.

Three features decide. The best cosine and the best coverage (coverage.py) of the evidence set the highest refusal probability
at which a model that was trained to refuse may still answer. That probability is the model's own: of the refusal sentence as
its whole answer, read off after the prompt. Above the threshold the answer is the sentence, below it the sentence is masked out.

The weights are a logistic curve's, chosen by grid search for the starter and all-MiniLM-L6-v2: the highest F1 on the SQuAD,
ROPES and several-document questions of the development sets and the fewest refused of the samples' 40, where at least 82 % of
200 unanswerable questions and 70 % of the samples' 20 are refused. With them it refuses:

| questions | n | refused |
|---|---|---|
| unanswerable: their passages swapped for others | 200 | 84 % |
| unanswerable, on the samples | 20 | 70 % |
| SQuAD, found in one library | 500 | 2.6 % |
| over several documents | 100 | 8 % |
| on the samples | 40 | 12.5 % |
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from model import Model, grounded
from model.cache import KVCache
from rag.answer import Evidence

MIN_REFUSAL_PROBABILITY = 1e-4
"""The starter's is never lower, so evidence that allows no more can't lead to an answer."""

TYPICAL_COSINE = 0.45
"""Stands for the best cosine where vectors are missing: coverage alone decides then, and every model is asked. On the samples
without vectors 5 of the 40 and 10 of the 20 are refused so."""


def is_irrelevant(evidence: Sequence[Evidence], vectors_missing: bool = False) -> bool:
    """Whether no model need be asked: nothing is near the question in meaning, or holds half of its content words."""
    cosine, coverage = _best(evidence, vectors_missing)
    return not evidence or (cosine < 0.25 and coverage < 0.5)


def max_refusal_probability(evidence: Sequence[Evidence], vectors_missing: bool = False) -> float:
    """The refusal probability, 0 to 1, up to which the starter may answer from this evidence.

    Args:
        vectors_missing: whether some chunks have no vector yet, so that the best of them may not have been compared.
    """
    if not evidence:
        return 0.0
    cosine, coverage = _best(evidence, vectors_missing)
    return 1 / (1 + math.exp((5.7 - 5.5 * coverage - 7.0 * cosine) / 0.3))


def _best(evidence: Sequence[Evidence], vectors_missing: bool) -> tuple[float, float]:
    known = [e.dense for e in evidence if e.dense is not None]
    if vectors_missing or not known:
        known.append(TYPICAL_COSINE)
    return max(known), max((e.coverage for e in evidence), default=0.0)


class RefusalGate:
    """An engine constraint: refuses where the model's own refusal probability is above `threshold`, else keeps it answering."""

    def __init__(self, model: Model, threshold: float) -> None:
        self._model = model
        self._refusal = model.tokenizer.encode(grounded.REFUSAL)
        self._threshold = threshold
        self.refusal_probability = 0.0
        """Of the refusal as the whole answer; known once the first token was chosen."""
        self._refuses = False

    def __call__(self, generated: list[int], logits: Tensor, cache: KVCache) -> Tensor:
        first = self._refusal[0]
        if not generated:
            self.refusal_probability = math.exp(self._model.score_continuation(self._refusal, logits, cache))
            self._refuses = self.refusal_probability > self._threshold
            if not self._refuses:  # what the first token owes to the refusal is taken from it
                probability = logits.softmax(-1)[first].item()
                rest = max(1e-9, probability - self.refusal_probability) / probability
                return logits.index_add(0, _one(first, logits), logits.new_tensor([math.log(rest)]))
        if self._refuses:
            forced = self._refusal[len(generated)] if len(generated) < len(self._refusal) else self._model.tokenizer.end_of_turn_id
            return torch.full_like(logits, -torch.inf).index_fill(0, _one(forced, logits), 0.0)
        if len(generated) < len(self._refusal) and generated == self._refusal[: len(generated)]:
            return logits.index_fill(0, _one(self._refusal[len(generated)], logits), -torch.inf)
        return logits


def _one(token: int, logits: Tensor) -> Tensor:
    return torch.tensor([token], device=logits.device)
