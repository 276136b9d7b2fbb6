"""Running a loaded Gemma 2: read, generate, score. Token ids in, token ids out.

A `State` is a text that was read; a generation owns its state and nothing else, so several may run at once over one network, and
dropping the iterator, or setting its `cancel` event, ends it and frees the cache. All passes over the weights go through one function,
`run` (see batching.Run): the network itself, or what is faster on the device that it is on.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

import torch
from torch import Tensor

from model.batching import Batcher, Next, Run, nexts
from model.cache import KVCache
from model.config import Gemma2Config
from model.errors import WindowError
from model.gemma2 import Gemma2
from model.sampling import Choice, Sampler, choices, greedy
from model.tokenizer import Tokenizer

_PREFILL_STEP, _PREFILL_STEP_GPU = 1024, 4096
"""Prompt tokens computed between two checks of `cancel`."""

LogitsProcessor = Callable[[list[int], Tensor], Tensor]
"""(ids generated so far, logits (vocab_size,)) -> the logits to choose from; a pure function, which may write into the logits."""


class Draft(Protocol):
    """Guesses how a text goes on; see lookup.PromptLookup."""

    @property
    def pausing(self) -> bool:
        """Whether the next guess will be none, whatever comes."""

    def __call__(self, ids: Sequence[int]) -> list[int]:
        """All ids so far -> those that may follow, which are then read in one pass."""


@dataclass(slots=True)
class State:
    """A text that was read, and what may follow it."""

    ids: list[int]
    cache: KVCache
    logits: Tensor
    """(vocab_size,), of the token after it."""


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    _logprob: Tensor

    @property
    def logprob(self) -> float:
        """Natural logarithm of its probability, before any processor."""
        return self._logprob.item()


class Model:
    """A network with its tokenizer, on one device."""

    def __init__(self, network: Gemma2, tokenizer: Tokenizer, card: dict[str, str], run: Run | None = None) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.card = card
        self._run = Batcher(run or network)
        self._hurries = self.device.type == "cuda"
        """Whether a token is read on before it was looked at, so that a GPU need not wait for us."""

    @property
    def config(self) -> Gemma2Config:
        return self.network.config

    @property
    def device(self) -> torch.device:
        return self.network.device

    @property
    def window(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        return self.config.max_position_embeddings

    @torch.inference_mode()
    def forward(self, ids: Tensor, logits_to_keep: int = 0) -> Tensor:
        """ids (B, T) -> fp32, soft-capped logits (B, T, vocab_size), or of the last `logits_to_keep` positions."""
        out: Tensor = self.network(ids.to(self.device), logits_to_keep=logits_to_keep)
        return out

    def read(self, ids: Sequence[int], state: State | None = None, room: int = 0, cancel: threading.Event | None = None) -> State | None:
        """Reads a text, <bos> included.

        Args:
            state: an earlier text, given up for this one: what both begin with is not read again.
            room: tokens that will follow.

        Returns:
            Its state, or None if `cancel` was set meanwhile.
        """
        assert ids, "an empty text has no next token"
        kept, logits = 0, None
        if state is not None and state.cache.capacity >= len(ids) + room:
            cache = state.cache
            kept = min(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ids, state.ids, strict=False))), len(ids) - 1)
            cache.truncate(min(kept, cache.length))
        else:
            cache = KVCache(self.config, len(ids) + room, self.device, self.network.dtype)
        step = _PREFILL_STEP_GPU if self.device.type == "cuda" else _PREFILL_STEP
        for start in range(cache.length, len(ids), step):
            if cancel is not None and cancel.is_set():
                return None
            logits = self._read_on(ids[start : start + step], cache, 1)
        assert logits is not None
        return State(list(ids), cache, logits[-1])

    def _read_on(self, ids: Sequence[int], cache: KVCache, logits_to_keep: int) -> Tensor:
        """Logits (kept, vocab_size) of what follows each of the last ids."""
        return self._run.read(torch.tensor([list(ids)], device=self.device), cache, logits_to_keep)

    def score(self, state: State, ids: Sequence[int]) -> float:
        """Log-probability (natural) that the text goes on with these ids. The state stays as it was, but needs room for them."""
        assert ids
        logits = state.logits[None]
        if len(ids) > 1:
            logits = torch.cat((logits, self._read_on(ids[:-1], state.cache, len(ids) - 1)))
            state.cache.truncate(len(state.ids))
        targets = torch.tensor(list(ids), device=self.device)
        return logits.log_softmax(-1).gather(1, targets[:, None]).sum().item()

    def generate(
        self,
        text: Sequence[int] | State,
        max_new_tokens: int = 256,
        *,
        stop_ids: Collection[int] | None = None,
        sampler: Sampler = greedy,
        processors: Sequence[LogitsProcessor] = (),
        draft: Draft | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Token]:
        """Yields tokens until a stop id (not yielded), `max_new_tokens`, or `cancel` is set.

        Args:
            text: the prompt's ids, <bos> included, or its state with room for the answer, given up for it: `read` may go on from there.
            stop_ids: by default those of the tokenizer.
            sampler: chooses a token from the logits.
            processors: change the logits, one after the other, before a token is chosen.
            draft: guesses several tokens, so that those it guessed rightly come together.

        Raises:
            WindowError: prompt and answer together would not fit the window.
        """
        assert max_new_tokens > 0
        length = len(text.ids if isinstance(text, State) else text)
        if length + max_new_tokens > self.window:
            raise WindowError(
                f"the prompt has {length} tokens; with {max_new_tokens} for the answer that is more than the model's {self.window}",
                "ask a shorter question or allow a shorter answer",
            )
        stop_ids = self.tokenizer.stop_ids if stop_ids is None else stop_ids
        return self._generate(text, max_new_tokens, stop_ids, sampler, processors, draft, cancel)  # raised above, not at the first token

    def _generate(
        self,
        text: Sequence[int] | State,
        max_new_tokens: int,
        stop_ids: Collection[int],
        sampler: Sampler,
        processors: Sequence[LogitsProcessor],
        draft: Draft | None,
        cancel: threading.Event | None,
    ) -> Iterator[Token]:
        state = text if isinstance(text, State) else self.read(text, room=max_new_tokens, cancel=cancel)
        if state is None:
            return
        begin = len(state.ids)
        guess: list[int] = []
        is_greedy = sampler is greedy and not processors
        following = nexts(state.logits[None], is_greedy)  # of the last token, and of each guess
        early: Next | None = None  # behind a token that was read before it was looked at
        with self._run.generating():
            while True:
                for one, guessed in zip(following, [*guess, None], strict=True):
                    choice = (is_greedy and one.likeliest) or self._choose(one, state.ids[begin:], sampler, processors)
                    guesses = draft is not None and not draft.pausing and self._run.together == 1
                    if self._hurries and not (processors or guess or guesses) and len(state.ids) + 1 - begin < max_new_tokens:
                        early = self._run.next(choice.token.view(1, 1), state.cache, is_greedy)
                    token = choice.id()
                    if token in stop_ids:
                        return
                    state.ids.append(token)
                    yield Token(token, choice.logprob)
                    if len(state.ids) - begin == max_new_tokens or (cancel is not None and cancel.is_set()):
                        return
                    if token != guessed:
                        break
                left = max_new_tokens - (len(state.ids) - begin) - 1
                guess = draft(state.ids)[:left] if draft and self._run.together == 1 else []
                if early is not None:
                    following, early, guess = [early], None, []
                    continue
                state.cache.truncate(len(state.ids) - 1)  # what was read of a wrong guess goes
                if guess:
                    following = nexts(self._read_on([state.ids[-1], *guess], state.cache, 1 + len(guess)), is_greedy)
                else:
                    following = [self._run.next(torch.tensor([state.ids[-1:]], device=self.device), state.cache, is_greedy)]

    @torch.inference_mode()
    def _choose(self, one: Next, generated: list[int], sampler: Sampler, processors: Sequence[LogitsProcessor]) -> Choice:
        changed = one.logits.clone() if processors else one.logits
        for process in processors:
            changed = process(generated, changed)
        return choices(sampler(changed)[None], one.logits[None], one.normaliser[None])[0]
