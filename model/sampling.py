"""How a token is chosen: pure functions from logits, (vocab_size,), to an id, a number in a tensor that stays where the logits lie."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Sampler = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that was chosen where the logits lie, and is on its way to us."""

    token: Tensor
    logprob: Tensor
    _copied: Tensor
    _arrived: torch.cuda.Event | None

    def id(self) -> int:
        if self._arrived is not None:
            self._arrived.synchronize()
        return int(self._copied)


def choices(tokens: Tensor, logits: Tensor, normalisers: Tensor) -> list[Choice]:
    """Of tokens (N,) chosen from logits (N, vocab_size), whose logsumexp the normalisers are: fetched together."""
    logprobs = logits.gather(1, tokens[:, None])[:, 0] - normalisers
    copied, arrived = tokens, None
    if tokens.is_cuda:
        copied, arrived = tokens.to("cpu", non_blocking=True), torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record()
    return [Choice(token, logprob, copy, arrived) for token, logprob, copy in zip(tokens, logprobs, copied, strict=True)]


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
        values, ids = logits.float().topk(min(top_k, len(logits))) if top_k else logits.float().sort(descending=True)
        probabilities = ((values - values[0]) / temperature).exp()  # a softmax, for which torch takes ten times as long on a GPU
        probabilities /= probabilities.sum()
        # a token stays while those before it hold less than top_p: the likeliest one always does
        probabilities[probabilities.cumsum(-1) - probabilities >= top_p] = 0
        probabilities[0].clamp_(min=1e-30)
        return ids[torch.multinomial(probabilities, 1, generator=generator(logits.device))][0]

    return sample
