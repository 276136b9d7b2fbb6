"""Kernels compiled side by side before they are started: each takes a second, and a first answer waits for fifteen.

While a model's weights are still read, its kernels are compiled from a drawing of it, a network whose weights are shapes alone, on
torch's "meta" device. The runner computes nothing there: torch's first sum on that device imports its compiler, which takes seconds.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from threading import Thread
from typing import Any

import torch

from model.config import Gemma2Config
from model.gemma2 import Gemma2
from model.linear import Dense
from model.load.checkpoint import Quantize, empty_packed

_THREADS = 5
"""More of them wait for Python's lock."""


@dataclass(frozen=True)
class Launch:
    """A Triton kernel with what it is started with."""

    kernel: Any
    grid: tuple[int, ...]
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def compiled_as(self) -> Any:
        """The same for launches that need the same compiled kernel: their numbers are arguments to it, or options."""
        kinds = tuple(one.dtype if isinstance(one, torch.Tensor) else type(one) for one in self.arguments)
        return self.kernel, kinds, tuple(self.options.items())

    def compile(self) -> None:
        """Compiles and loads it for such arguments, unless Triton has it in memory."""
        self.kernel.warmup(*self.arguments, grid=self.grid, **self.options).run  # noqa: B018


def compile_all(launches: Sequence[Launch], device: torch.device) -> None:
    """Kernels that fail are left for their start, which says why."""
    left = iter(launches)

    def work(most: int | None = None) -> None:
        with torch.cuda.device(device), suppress(Exception):
            for launch in islice(left, most):
                launch.compile()

    work(1)  # alone: it reads all of Triton for a checksum, which every thread would do for itself
    threads = [Thread(target=work, daemon=True) for _ in range(min(_THREADS, os.cpu_count() or 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


_ahead: list[Thread] = []


def start(config: Gemma2Config, quantize: Quantize | None, device: torch.device) -> None:
    """Begins to compile what a network of this kind needs."""
    _ahead.append(Thread(target=_compile, args=(config, quantize, device), daemon=True))
    _ahead[-1].start()


def wait() -> None:
    while _ahead:
        _ahead.pop().join()


def _compile(config: Gemma2Config, quantize: Quantize | None, device: torch.device) -> None:
    from model.gpu.runner import Runner
    from model.gpu.step import Step

    with suppress(Exception):  # the real network will say what is the matter
        runner = Runner(drawing(config, quantize), device)
        ids, table = (torch.zeros(1, width, dtype=torch.long, device="meta") for width in (32, 3))
        some = runner.launches(lambda: runner.read(ids, table, 1))
        compile_all([*some, *runner.launches(Step(runner, 1, 1).launch)], device)


def drawing(config: Gemma2Config, quantize: Quantize | None) -> Gemma2:
    with torch.device("meta"):
        network = Gemma2(config).bfloat16()
    for name, module in list(network.named_modules()):
        if quantize and isinstance(module, Dense):
            network.set_submodule(name, empty_packed(module.shape, module.weight.device, quantize, name == "embed_tokens"))
    return network.requires_grad_(False)
