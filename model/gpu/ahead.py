"""A model's kernels compiled while its weights are still read, from a drawing of it: a network whose weights are shapes alone.

It lies on torch's "meta" device. The runner computes nothing there: torch's first sum on that device imports its compiler, which takes
seconds.
"""

from contextlib import suppress

import torch

from model.config import Gemma2Config
from model.gemma2 import Gemma2
from model.gpu import compiling
from model.gpu.runner import Runner
from model.gpu.step import Step
from model.linear import Dense
from model.load.checkpoint import Quantize, empty_packed


def start(config: Gemma2Config, quantize: Quantize | None, device: torch.device) -> None:
    """Begins to compile what a network of this kind needs."""

    def work() -> None:
        with suppress(Exception):  # the real network will say what is the matter
            compiling.compile_all(first_launches(config, quantize, device), device)

    compiling.begin(work)


def first_launches(config: Gemma2Config, quantize: Quantize | None, device: torch.device) -> list[compiling.Launch]:
    """What reads a prompt and writes a token."""
    runner = Runner(drawing(config, quantize), device)
    ids, table = (torch.zeros(1, width, dtype=torch.long, device="meta") for width in (32, 3))
    return [*runner.launches(lambda: runner.read(ids, table, 1)), *runner.launches(Step(runner, 1, 1).launch)]


def drawing(config: Gemma2Config, quantize: Quantize | None) -> Gemma2:
    with torch.device("meta"):
        network = Gemma2(config).bfloat16()
    for name, module in list(network.named_modules()):
        if quantize and isinstance(module, Dense):
            network.set_submodule(name, empty_packed(module.shape, module.weight.device, quantize, name == "embed_tokens"))
    return network.requires_grad_(False)
