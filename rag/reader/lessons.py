"""Batches of pairs, what a reader should say to them, and how wrong it is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rag.reader.data import Pair, Pairs
from rag.reader.model import Logits, logits
from rag.reader.network import Network
from rag.reader.windows import QUESTION, Batch, Pieces, batch

_STEP = 64
"""Batches are padded to multiples of so many pieces, so that few shapes are compiled."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a teacher said to every pair: logits at each allowed place, end to end, and where each pair's begin."""

    start: NDArray[np.float16]
    end: NDArray[np.float16]
    answerable: NDArray[np.float32]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """spans: (batch, places, 2), -1 where there are fewer; points, answerable: (batch,); the rest is a teacher's, or none."""

    spans: Tensor
    points: Tensor
    answerable: Tensor
    start: Tensor | None = None
    end: Tensor | None = None
    surely: Tensor | None = None

    def to(self, device: torch.device) -> "Wanted":
        tensors = (self.spans, self.points, self.answerable, self.start, self.end, self.surely)
        return Wanted(*(t if t is None else t.to(device, non_blocking=True) for t in tensors))  # type: ignore[arg-type]


def length(pairs: Pairs, pair: Pair) -> int:
    asked = min(len(pairs.questions[pair.question].ids), QUESTION)
    return asked + 3 + pair.window.header + pair.window.last - pair.window.first


def grouped(lengths: NDArray[np.int64], tokens: int, rng: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Numbers of pairs, those of about one length together, `tokens` pieces of padded rows to a batch; in a random order if `rng`.

    Every batch of one length has as many rows: the last of them is filled up with the first.
    """
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    bucket = -(-lengths[order] // _STEP)
    out = []
    for size in np.unique(bucket):
        members = order[bucket == size]
        rows = min(max(1, tokens // (size * _STEP)), len(members))
        out += list(np.resize(members, (-(-len(members) // rows), rows)))
    if rng is not None:
        rng.shuffle(out)
    return out


def batches_each(lengths: NDArray[np.int64], tokens: int) -> int:
    """Batches of an epoch."""
    return len(grouped(lengths, tokens, None))


def rows_of(pairs: Pairs, pieces: Pieces, numbers: NDArray[np.int64]) -> Batch:
    chosen = [pairs.pairs[n] for n in numbers]
    return batch(pieces, [(pairs.questions[p.question], pairs.passages[p.passage], p.window) for p in chosen], _STEP)


def wanted(pairs: Pairs, numbers: NDArray[np.int64], read: Batch, taught: Taught | None) -> Wanted:
    chosen = [pairs.pairs[n] for n in numbers]
    shifts = read.shifts.tolist()
    spans = torch.full((len(chosen), max(1, *(len(p.spans) for p in chosen)), 2), -1)
    for row, (pair, shift) in enumerate(zip(chosen, shifts, strict=True)):
        if pair.spans:
            spans[row, : len(pair.spans)] = torch.tensor(pair.spans) + shift
        elif not pair.answerable:
            spans[row, 0] = 0
    points = torch.tensor([p.points for p in chosen], dtype=torch.float32)
    answerable = torch.tensor([p.answerable for p in chosen], dtype=torch.float32)
    if taught is None:
        return Wanted(spans, points, answerable)
    start, end = np.full(read.ids.shape, -np.inf, np.float32), np.full(read.ids.shape, -np.inf, np.float32)
    allowed = read.allowed.numpy()
    for row, n in enumerate(numbers):
        said = slice(taught.offsets[n], taught.offsets[n + 1])
        start[row, allowed[row]], end[row, allowed[row]] = taught.start[said], taught.end[said]
    return Wanted(spans, points, answerable, *map(torch.from_numpy, (start, end, taught.answerable[numbers])))


def loss(out: Logits, want: Wanted, share: float) -> Tensor:
    """Mean over the rows; `share` of it is the distance from the teacher, where there is one.

    Any of the places where the answer stands will do: their probabilities are summed (Clark and Gardner, 2018).
    """
    start, end = out.start.log_softmax(-1), out.end.log_softmax(-1)
    place = want.spans.clamp(min=0)
    chance = start.gather(1, place[..., 0]) + end.gather(1, place[..., 1])
    chance = chance.masked_fill((want.spans[..., 0] < 0), -1e4)
    spans = (-chance.logsumexp(1) * want.points).mean()
    gate = F.binary_cross_entropy_with_logits(out.answerable, want.answerable)
    if want.start is None or want.end is None or want.surely is None:
        return spans + gate
    told = _distance(start, want.start) + _distance(end, want.end)
    told = told + F.binary_cross_entropy_with_logits(out.answerable, want.surely.sigmoid())
    return (1 - share) * (spans + gate) + share * told


def _distance(log_chance: Tensor, taught: Tensor) -> Tensor:
    """Cross-entropy with what a teacher's logits say, -inf where nothing may be said."""
    return -(taught.softmax(-1) * log_chance.masked_fill(taught == -torch.inf, 0.0)).sum(-1).mean()


def ask(network: Network, pairs: Pairs, pieces: Pieces, tokens: int, **options: object) -> Taught:
    """What a teacher says to every pair."""
    lengths = np.array([length(pairs, p) for p in pairs.pairs])
    said: dict[int, tuple[NDArray[np.float16], NDArray[np.float16], float]] = {}
    device = next(iter(network.parameters.values())).device
    with torch.inference_mode():
        weights = network.weights()
        for numbers in grouped(lengths, tokens, None):
            read = rows_of(pairs, pieces, numbers)
            out = logits(weights, network.shape, read.to(device), **options)  # type: ignore[arg-type]
            start, end, answerable = out.start.half().cpu().numpy(), out.end.half().cpu().numpy(), out.answerable.tolist()
            for row, (n, allowed) in enumerate(zip(numbers.tolist(), read.allowed.numpy(), strict=True)):
                said[n] = start[row, allowed], end[row, allowed], answerable[row]
    parts = [said[n] for n in range(len(lengths))]
    return Taught(
        start=np.concatenate([start for start, _, _ in parts]),
        end=np.concatenate([end for _, end, _ in parts]),
        answerable=np.array([answerable for _, _, answerable in parts], dtype=np.float32),
        offsets=np.cumsum([0, *(len(start) for start, _, _ in parts)]),
    )


def stream(count: int, lengths: NDArray[np.int64], tokens: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """`count` batches: epoch after epoch, each in an order of its own."""
    epoch, given = 0, 0
    while True:
        for numbers in grouped(lengths, tokens, np.random.default_rng((seed, epoch))):
            if given == count:
                return
            yield numbers
            given += 1
        epoch += 1
