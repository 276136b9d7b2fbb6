"""Generations of several threads, batched: all that wait for their next token get it from one pass over the weights.

Reading the weights is what a token costs, so sixteen tokens of sixteen texts cost little more than one. Nobody plans the batches: of the
threads that wait, one makes the pass for all, while the others queue for the next. It also finds the likeliest token of each: sixteen
threads that each ask a GPU for theirs take longer than the pass.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from model.cache import KVCache
from model.sampling import Choice, choices

Run = Callable[[Tensor, Sequence[KVCache], int], Tensor]
"""(ids (B, T), a cache for each row, logits_to_keep) -> logits (B, kept, vocab_size) in fp32, soft-capped; the caches hold T more."""

MOST = 16
_PATIENCE = 0.02
"""Seconds that a pass waits for those that were in the last one and haven't come back: their readers may be slow."""


@dataclass(frozen=True, slots=True)
class Next:
    """What may follow a token."""

    logits: Tensor
    """(vocab_size,)"""
    normaliser: Tensor
    """Their logsumexp."""
    likeliest: Choice | None
    """Where somebody asked for it."""


def nexts(logits: Tensor, greedy: bool) -> list[Next]:
    """Of each row of logits (N, vocab_size)."""
    most, tokens = logits.max(-1)
    normalisers = (logits - most[:, None]).exp().sum(-1).log() + most  # torch's logsumexp takes a GPU twice as long
    likeliest = choices(tokens, logits, normalisers) if greedy else [None] * len(tokens)
    return [Next(*one) for one in zip(logits, normalisers, likeliest, strict=True)]


class _Waiting:
    def __init__(self, ids: Tensor, cache: KVCache, greedy: bool) -> None:
        self.ids = ids  # (1, 1)
        self.cache = cache
        self.greedy = greedy
        self.next: Next | None = None
        self.error: BaseException | None = None
        self.called = threading.Event()
        """Set when it has what follows, or an error, or is the one to make the next pass."""


class Batcher:
    """`run`, one pass at a time, with rows of single tokens put together."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.together = 1
        """Rows of the last pass that was made for single tokens, and those who came meanwhile: the next pass waits for all of them."""
        self._pass = threading.Lock()
        self._arrived = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._leader: _Waiting | None = None  # who makes a pass, or is about to
        self._generating = 0

    @contextmanager
    def generating(self) -> Iterator[None]:
        """Around the passes of one generation: nobody waits for it once it has ended."""
        with self._arrived:
            self._generating += 1
        try:
            yield
        finally:
            with self._arrived:
                self._generating -= 1
                self._arrived.notify()

    def read(self, ids: Tensor, cache: KVCache, logits_to_keep: int) -> Tensor:
        """Reads ids, (1, T), into the cache; logits, (kept, vocab_size), of what follows each of the last tokens."""
        if ids.shape[1] == 1:
            return self.next(ids, cache, greedy=False).logits[None]
        with self._pass, torch.inference_mode():
            return self.run(ids, [cache], logits_to_keep)[0]

    def next(self, ids: Tensor, cache: KVCache, greedy: bool) -> Next:
        """Reads a token, ids (1, 1), into the cache: what follows it, and where it is `greedy` what follows most likely."""
        mine = _Waiting(ids, cache, greedy)
        try:
            with self._arrived:
                self._waiting.append(mine)
                if self._are_all_here():
                    self._arrived.notify()
                if self._leader is None:
                    self._leader = mine
                    mine.called.set()
            mine.called.wait()
            while mine.next is None and mine.error is None:
                with self._pass:
                    self._run_those_waiting()
        finally:
            if self._leader is mine or mine.next is None:
                self._leave(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.next is not None
        return mine.next

    def _are_all_here(self) -> bool:
        return len(self._waiting) >= min(self.together, self._generating, MOST)

    def _leave(self, mine: _Waiting) -> None:
        """Whoever waits longest makes the next pass, also where Ctrl-C ended this one."""
        with self._arrived:
            self._waiting = [one for one in self._waiting if one is not mine]
            if self._leader is mine:
                self._leader = self._waiting[0] if self._waiting else None
                if self._leader is not None:
                    self._leader.called.set()

    def _run_those_waiting(self) -> None:
        with self._arrived:
            self._arrived.wait_for(self._are_all_here, timeout=_PATIENCE)
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            with torch.inference_mode():
                logits = self.run(torch.cat([one.ids for one in batch]), [one.cache for one in batch], 1)
                found = nexts(logits[:, 0], any(one.greedy for one in batch))
        except BaseException as error:  # each of them is told
            for one in batch:
                one.error = error
                one.called.set()
            return
        with self._arrived:
            self.together = len(batch) + len(self._waiting)
        for one, following in zip(batch, found, strict=True):
            one.next = following
            one.called.set()
