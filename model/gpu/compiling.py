"""Kernels compiled side by side before they are started: each takes a second, and a first answer waits for fifteen."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from threading import Thread
from typing import Any

import torch

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


_begun: list[Thread] = []


def begin(work: Callable[[], None]) -> None:
    """Compiles beside what else is done, until somebody waits for it."""
    _begun.append(Thread(target=work, daemon=True))
    _begun[-1].start()


def wait() -> None:
    while _begun:
        _begun.pop().join()
