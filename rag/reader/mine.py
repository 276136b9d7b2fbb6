"""Passages that look as if they answered a question and don't: what the chain would put before a reader in vain.

Found as the retriever finds: the nearest by the embedder, ranked again with the words of the question that stand in them.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ingest.text.bert import Shape, Weights, mean_pooled
from model.train.data import Question
from rag.reader.data import holds, own_passages
from rag.reader.windows import Pieces
from rag.retriever import DENSE, WORDS

_POOL = 40
_TOKENS = 32_768
_READS = 256
"""Word pieces that the embedder reads."""
_WORD = re.compile(r"\w+")


def embed(weights: Weights, shape: Shape, pieces: Pieces, texts: Sequence[str]) -> Tensor:
    """(texts, hidden), on the weights' device."""
    ids = [np.array([pieces.cls, *text.ids[: _READS - 2], pieces.sep]) for text in pieces.read(texts)]
    device = weights["embeddings.word_embeddings.weight"].device
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    rows: list[Tensor] = []
    while len(rows) < len(order):
        at = len(rows)
        most = max(1, _TOKENS // min(_READS, len(ids[order[at]]) + 32))
        part = [ids[i] for i in order[at : at + most] if len(ids[i]) <= len(ids[order[at]]) + 32]
        lengths = torch.tensor([len(row) for row in part])
        padded = torch.zeros(len(part), int(lengths.max()), dtype=torch.long)
        for n, row in enumerate(part):
            padded[n, : len(row)] = torch.from_numpy(row)
        with torch.inference_mode():
            rows += mean_pooled(weights, shape, padded.to(device), lengths.to(device)).unbind()
    vectors = torch.stack(rows)
    return vectors[torch.tensor(sorted(range(len(order)), key=order.__getitem__), device=device)]


def nearest(weights: Weights, shape: Shape, pieces: Pieces, rows: Sequence[Question], count: int) -> list[list[str]]:
    """For each question the `count` passages of all questions that are found first and hold no accepted answer.

    Questions that bring several passages of their own get none.
    """
    texts = list(dict.fromkeys(text for row in rows for text in own_passages(row) if text.strip()))
    passages, questions = embed(weights, shape, pieces, texts), embed(weights, shape, pieces, [row.question for row in rows])
    words = [set(map(str.lower, _WORD.findall(text))) for text in texts]
    frequency = Counter(word for held in words for word in held)
    found: list[list[str]] = []
    for at in range(0, len(rows), 1024):
        scores, places = (questions[at : at + 1024] @ passages.T).topk(min(_POOL, len(texts)))
        for row, score, place in zip(rows[at : at + 1024], scores.tolist(), places.tolist(), strict=True):
            if count == 0 or len(row.contexts) > 2:
                found.append([])
                continue
            asked = {w: math.log(1 + len(texts) / (1 + frequency[w])) for w in set(map(str.lower, _WORD.findall(row.question)))}
            said = [sum(weight for w, weight in asked.items() if w in words[p]) for p in place]
            fused = {p: DENSE * near + WORDS * w for p, near, w in zip(place, _scaled(score), _scaled(said), strict=True)}
            ranked = (texts[p] for p in sorted(fused, key=lambda p: -fused[p]))
            found.append(_first(ranked, row, count))
    return found


def _first(ranked: Iterator[str], row: Question, count: int) -> list[str]:
    out: list[str] = []
    for text in ranked:
        if len(out) == count:
            break
        if text not in own_passages(row) and not (row.answers and holds(text, row.answers)):
            out.append(text)
    return out


def _scaled(scores: list[float]) -> list[float]:
    low, high = min(scores), max(scores)
    return [(s - low) / ((high - low) or 1.0) for s in scores]
