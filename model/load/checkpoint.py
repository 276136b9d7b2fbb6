"""What every kind of checkpoint is read into, and how that becomes a network without a second copy in memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.config import Gemma2Config
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    config: Gemma2Config
    tokenizer: Tokenizer
    tensors: Callable[[], Iterable[tuple[str, Tensor]]]
    """Yields (name as in gemma2.py, tensor as stored), one at a time."""
    card: dict[str, str]
    """What the file says of itself: name, licence, how it wants to be prompted."""


def build_network(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> Gemma2:
    """A network on `device` whose weights, where the dtype already fits, are the mapped file itself.

    Raises:
        SourceError: a tensor is missing, unknown or of another shape.
    """
    with torch.device("meta"):
        network = Gemma2(checkpoint.config)
    wanted = {name: p.shape for name, p in network.named_parameters()}
    for name, tensor in checkpoint.tensors():
        if name not in wanted:
            raise SourceError(f"{checkpoint.origin}: tensor {name!r} is not part of a Gemma 2 network")
        if tensor.shape != wanted.pop(name):
            raise SourceError(f"{checkpoint.origin}: tensor {name!r} has shape {tuple(tensor.shape)}, not what the config says")
        owner, _, last = name.rpartition(".")
        setattr(network.get_submodule(owner), last, nn.Parameter(tensor.to(device=device, dtype=dtype), requires_grad=False))
    if wanted:
        raise SourceError(f"{checkpoint.origin}: {len(wanted)} tensors are missing, {min(wanted)!r} among them")
    return network.eval()
