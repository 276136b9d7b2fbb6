"""How a token is chosen: pure functions from logits, (vocab_size,), to an id, a number in a tensor that stays where the logits lie."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

Sampler = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that was chosen where the logits lie, and is on its way to us with others."""

    token: Tensor
    logprob: Tensor
    _arrive: Callable[[], list[int]]
    _row: int

    def id(self) -> int:
        return self._arrive()[self._row]


def choices(tokens: Tensor, logits: Tensor, normalisers: Tensor) -> list[Choice]:
    """Of tokens (N,) chosen from logits (N, vocab_size), whose logsumexp the normalisers are."""
    logprobs = logits.gather(1, tokens[:, None])[:, 0] - normalisers
    copied, event = tokens, None
    if tokens.is_cuda:
        copied, event = tokens.to("cpu", non_blocking=True), torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()

    @cache
    def arrive() -> list[int]:
        if event is not None:
            event.synchronize()
        ids: list[int] = copied.tolist()
        return ids

    return [Choice(token, logprob, arrive, row) for row, (token, logprob) in enumerate(zip(tokens, logprobs, strict=True))]


def greedy(logits: Tensor) -> Tensor:
    return logits.argmax()


def sampled(temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int | None = None) -> Sampler:
    """A sampler that draws from the `top_k` likeliest tokens (0: all) holding `top_p` of the probability.

    The same seed gives the same text, on the same kind of device. Temperature 0 is greedy.
    """
    if temperature <= 0:
        return greedy
    generators: dict[torch.device, torch.Generator] = {}

    def generator(device: torch.device) -> torch.Generator:
        if device not in generators:
            generators[device] = torch.Generator(device)
            generators[device].manual_seed(seed) if seed is not None else generators[device].seed()
        return generators[device]

    def sample(logits: Tensor) -> Tensor:
        if top_k and not logits.is_cuda:  # a GPU sorts all sooner than it finds some
            values, ids = logits.float().topk(min(top_k, len(logits)))
        else:
            values, ids = (t[: top_k or None] for t in logits.float().sort(descending=True))
        total = ((values - values[0]) / temperature).exp().cumsum(-1)
        last = torch.searchsorted(total, top_p * total[-1:])  # the last to stay: those before it hold less than top_p
        drawn = torch.rand(1, generator=generator(logits.device), device=logits.device) * total.gather(0, last)
        return ids.gather(0, torch.searchsorted(total, drawn))[0]

    return sample
