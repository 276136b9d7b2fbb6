"""Whom `octavo bench model` runs beside us, on the same weights."""

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from model.engine import Model
from model.errors import ModelError
from model.linear import Packed
from model.load.sources import starter_file


@dataclass(frozen=True)
class Timed:
    """Seconds of one run: to the first token, and from it to the last."""

    first: float
    rest: float


class Transformers:
    """transformers' Gemma2ForCausalLM, on the same weights in plain numbers."""

    def __init__(self, model: Model) -> None:
        from transformers import Gemma2Config as Config
        from transformers import Gemma2ForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        network = model.network
        plain = {f"{name}.weight": m.dense().to(network.dtype) for name, m in network.named_modules() if isinstance(m, Packed)}
        weights = {f"model.{name}": tensor for name, tensor in {**dict(network.named_parameters()), **plain}.items()}
        config = Config(**model.config.to_dict(), attn_implementation="eager")
        self.network: Any = Gemma2ForCausalLM.from_pretrained(None, config=config, state_dict=weights, dtype=network.dtype)
        self.network.eval().to(model.device)
        self._device = model.device

    @torch.inference_mode()
    def run(self, prompt: list[int], tokens: int) -> Timed:
        warnings.simplefilter("ignore", FutureWarning)  # of past_key_values, which versions that are still in use know alone
        began = time.perf_counter()
        out = self.network(torch.tensor([prompt], device=self._device), use_cache=True, logits_to_keep=1)
        token = int(out.logits[0, -1].argmax())
        first = time.perf_counter() - began
        for _ in range(tokens - 1):
            ids = torch.tensor([[token]], device=self._device)
            out = self.network(ids, past_key_values=out.past_key_values, use_cache=True)
            token = int(out.logits[0, -1].argmax())
        return Timed(first, time.perf_counter() - began - first)


class LlamaCpp:
    """llama.cpp on the very same file."""

    def __init__(self, source: str | Path, room: int) -> None:
        try:
            from llama_cpp import Llama
        except ModuleNotFoundError as error:
            raise ModelError("llama.cpp isn't installed", "pip install 'octavo[slow]'") from error
        file = starter_file() if source == "starter" else Path(source)
        threads = torch.get_num_threads()
        self._model: Any = Llama(str(file), n_ctx=room, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False)

    def run(self, prompt: list[int], tokens: int) -> Timed:
        self._model.reset()
        began = time.perf_counter()
        self._model.eval(prompt)
        token = self._model.sample(temp=0)
        first = time.perf_counter() - began
        for _ in range(tokens - 1):
            self._model.eval([token])
            token = self._model.sample(temp=0)
        return Timed(first, time.perf_counter() - began - first)
