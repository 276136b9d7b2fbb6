"""Running a loaded Gemma 2: prefill, decode, score. Token ids in, token ids out.

A generation owns its cache and nothing else, so several may run at once over one network; dropping the iterator, or
setting its `cancel` event, ends it and frees the cache.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.cache import KVCache
from model.config import Gemma2Config
from model.errors import WindowError
from model.gemma2 import Gemma2
from model.sampling import Sampler, greedy
from model.tokenizer import Tokenizer

_PREFILL_STEP = 1024
"""Prompt tokens computed between two checks of `cancel`."""

LogitsProcessor = Callable[[list[int], Tensor], Tensor]
"""(ids generated so far, logits (vocab_size,)) -> the logits to choose from; a pure function, which may write into the logits."""


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    logprob: float
    """Natural logarithm of its probability, before any processor."""


class Model:
    """A network with its tokenizer, on one device."""

    def __init__(self, network: Gemma2, tokenizer: Tokenizer, card: dict[str, str]) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.card = card

    @property
    def config(self) -> Gemma2Config:
        return self.network.config

    @property
    def device(self) -> torch.device:
        device: torch.device = self.network.embed_tokens.weight.device
        return device

    @property
    def window(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        return self.config.max_position_embeddings

    def new_cache(self, capacity: int, batch: int = 1) -> KVCache:
        return KVCache(self.config, capacity, batch, self.device, self.network.embed_tokens.weight.dtype)

    @torch.inference_mode()
    def forward(self, ids: Tensor, logits_to_keep: int = 0) -> Tensor:
        """ids (B, T) -> fp32, soft-capped logits (B, T, vocab_size), or of the last `logits_to_keep` positions."""
        out: Tensor = self.network(ids.to(self.device), logits_to_keep=logits_to_keep)
        return out

    @torch.inference_mode()
    def prefill(self, ids: Sequence[int], cache: KVCache, cancel: threading.Event | None = None) -> Tensor | None:
        """Reads the prompt into the cache.

        Returns:
            Logits (vocab_size,) of the token after it, or None if `cancel` was set meanwhile.
        """
        hidden = None
        for start in range(0, len(ids), _PREFILL_STEP):
            if cancel is not None and cancel.is_set():
                return None
            block = torch.tensor([ids[start : start + _PREFILL_STEP]], device=self.device)
            hidden = self.network.hidden(block, cache)
        assert hidden is not None, "an empty prompt has no next token"
        return self.network.logits(hidden[0, -1])

    @torch.inference_mode()
    def decode(self, token: int, cache: KVCache) -> Tensor:
        """Reads one more token into the cache; logits (vocab_size,) of the token after it."""
        return self.network.logits(self.network.hidden(torch.tensor([[token]], device=self.device), cache)[0, -1])

    def generate(
        self,
        ids: Sequence[int],
        max_new_tokens: int = 256,
        *,
        stop_ids: Collection[int] | None = None,
        sampler: Sampler = greedy,
        processors: Sequence[LogitsProcessor] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[Token]:
        """Yields tokens until a stop id (not yielded), `max_new_tokens`, or `cancel` is set.

        Args:
            ids: the prompt, <bos> included.
            stop_ids: by default those of the tokenizer.
            sampler: chooses a token from the logits.
            processors: change the logits, one after the other, before a token is chosen.

        Raises:
            WindowError: prompt and answer together would not fit the window.
        """
        assert max_new_tokens > 0
        if len(ids) + max_new_tokens > self.window:
            raise WindowError(
                f"the prompt has {len(ids)} tokens; with {max_new_tokens} for the answer that is more than the model's {self.window}",
                "ask a shorter question or allow a shorter answer",
            )
        return self._generate(ids, max_new_tokens, self.tokenizer.stop_ids if stop_ids is None else stop_ids, sampler, processors, cancel)

    def _generate(
        self,
        ids: Sequence[int],
        max_new_tokens: int,
        stop_ids: Collection[int],
        sampler: Sampler,
        processors: Sequence[LogitsProcessor],
        cancel: threading.Event | None,
    ) -> Iterator[Token]:
        cache = self.new_cache(len(ids) + max_new_tokens)
        logits = self.prefill(ids, cache, cancel)
        generated: list[int] = []
        while logits is not None:
            token, logprobs = self._choose(logits, generated, sampler, processors)
            if token in stop_ids:
                return
            yield Token(token, logprobs[token].item())
            generated.append(token)
            if len(generated) == max_new_tokens or (cancel is not None and cancel.is_set()):
                return
            logits = self.decode(token, cache)

    @torch.inference_mode()
    def _choose(self, logits: Tensor, generated: list[int], sampler: Sampler, processors: Sequence[LogitsProcessor]) -> tuple[int, Tensor]:
        """The next token, and the log-probabilities before any processor."""
        logprobs = logits.log_softmax(-1)
        for process in processors:
            logits = process(generated, logits)
        return sampler(logits), logprobs

    def score(self, ids: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[float]:
        """Log-probability (natural) of each span [start, end) of ids, given all that stands before it."""
        with torch.inference_mode():
            hidden = self.network.hidden(torch.tensor([list(ids)], device=self.device))[0]  # (T, hidden_size)
            scores = []
            for start, end in spans:
                assert 0 < start < end <= len(ids)
                logprobs = self.network.logits(hidden[start - 1 : end - 1]).log_softmax(-1)  # (end - start, vocab_size)
                targets = torch.tensor(ids[start:end], device=self.device)
                scores.append(logprobs.gather(1, targets[:, None]).sum().item())
        return scores
