"""What every kind of checkpoint is read into, and the network made of it without a second copy in memory."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from model.config import Gemma2Config
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.linear import BLOCK, Int4, Int8, Packed
from model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    config: Gemma2Config
    tokenizer: Tokenizer
    tensors: Callable[[], Iterable[tuple[str, Tensor | Packed]]]
    """Yields (name as in gemma2.py, tensor as stored), one at a time."""
    card: dict[str, str]
    """What the file says of itself: name, licence, how it wants to be prompted."""
    packed: Mapping[str, int] = field(default_factory=dict)
    """How many weights of each kind of GGUF's are stored as linear.py packs them."""


Quantize = Literal["int8", "int4"]
_UNQUANTISED = "name a checkpoint in bfloat16 or float32, or a GGUF file"
_ROWS = 4096
"""Packed at a time: plain numbers of a whole embedding would take more memory than the model."""
_FLOATING = (torch.bfloat16, torch.float16, torch.float32, torch.float64)


def is_finite(tensor: Tensor) -> bool:
    """Whether all are numbers, by their sum: looking at each takes twenty times as long as reading them from memory."""
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


def build_network(
    config: Gemma2Config,
    tensors: Iterable[tuple[str, Tensor | Packed]],
    origin: str,
    device: torch.device,
    dtype: torch.dtype,
    quantize: Quantize | None = None,
    keep_packed: Callable[[Packed], bool] = lambda _: False,
) -> Gemma2:
    """A network on `device`. Weights that have the dtype already are the mapped file itself; packed ones are made one at a time.

    Args:
        tensors: (name as in gemma2.py, tensor), one at a time.
        origin: the file or folder, for messages.
        keep_packed: whether what runs the network reads a stored matrix of this kind as it is.

    Raises:
        SourceError: a tensor is missing, unknown, there twice, of another shape or type, or holds values that are no numbers.
    """
    with torch.device("meta"):
        network = Gemma2(config)
    shapes = {name: p.shape for name, p in network.named_parameters()}
    wanted = dict(shapes)
    for name, tensor in tensors:
        tensor_is = f"{origin}: tensor {name!r:.100} "
        if name not in shapes:
            raise SourceError(tensor_is + "is not part of a Gemma 2 network")
        if name not in wanted:
            raise SourceError(tensor_is + "is there twice")
        if tensor.shape != wanted.pop(name):
            raise SourceError(tensor_is + f"has shape {tuple(tensor.shape)}; the config says {tuple(shapes[name])}")
        owner, _, last = name.rpartition(".")
        if isinstance(tensor, Packed):
            if keep_packed(tensor) and (quantize is None or isinstance(tensor, Int4)) and is_finite(tensor.scales):
                network.set_submodule(owner, tensor.to(device))
                continue
            tensor = tensor.dense()
        if tensor.dtype not in _FLOATING:
            raise SourceError(tensor_is + f"is of type {str(tensor.dtype).removeprefix('torch.')}, not plain numbers", _UNQUANTISED)
        packed = quantize if tensor.dim() == 2 else None
        tensor = tensor.to(device=device, dtype=tensor.dtype if packed else dtype)
        if not is_finite(tensor):
            raise SourceError(tensor_is + "holds values that are no numbers", "download the checkpoint again")
        if packed:
            network.set_submodule(owner, pack(tensor, packed, is_embedding=owner == "embed_tokens"))
        else:
            setattr(network.get_submodule(owner), last, nn.Parameter(tensor, requires_grad=False))
    if wanted:
        raise SourceError(f"{origin}: {len(wanted)} tensors are missing, {min(wanted)!r} among them")
    return network.eval()


def pack(weight: Tensor, quantize: Quantize, is_embedding: bool) -> Int8 | Int4:
    packed = empty_packed(weight.shape, weight.device, quantize, is_embedding)
    for at in range(0, len(weight), _ROWS):
        part = type(packed).of(weight[at : at + _ROWS])
        packed.codes[at : at + _ROWS], packed.scales[at : at + _ROWS] = part.codes, part.scales
    return packed


def empty_packed(shape: torch.Size, device: torch.device, quantize: Quantize, is_embedding: bool) -> Int8 | Int4:
    """The embedding, which is the output head too, keeps 8 bits; so does a matrix whose rows aren't whole blocks."""
    rows, columns = shape
    return (Int8 if quantize == "int8" or is_embedding or columns % BLOCK else Int4).empty(rows, columns, device)


def plain(stored: Tensor | Packed) -> Tensor:
    return stored.dense() if isinstance(stored, Packed) else stored
