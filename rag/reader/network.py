"""What is trained: low-rank differences to an encoder that stays as it is, or, for a teacher, all of an encoder."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ingest.text.bert import Shape, Weights
from rag.reader.model import ANSWERABLE, DOWN, SPAN, UP, merged


@dataclass
class Network:
    """Parameters, and the weights that they make; see `low_rank` and `whole`.

    Attributes:
        base: weights that stay as they are, on the parameters' device.
        parameters: what is trained, in fp32.
        dtype: what the network works in.
    """

    base: Weights
    shape: Shape
    parameters: dict[str, Tensor]
    dtype: torch.dtype

    def weights(self, parameters: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """All weights, as these parameters make them."""
        return {name: t.to(self.dtype) for name, t in merged(self.base, parameters or self.parameters).items()}


def _heads(base: Weights, generator: torch.Generator) -> dict[str, Tensor]:
    hidden = base["embeddings.LayerNorm.weight"].shape[0]
    out = {}
    for name, width in ((SPAN, 2), (ANSWERABLE, 1)):
        out[f"{name}.weight"] = torch.randn(width, hidden, generator=generator) * 0.02
        out[f"{name}.bias"] = torch.zeros(width)
    return out


def low_rank(base: Weights, shape: Shape, rank: int, seed: int, device: torch.device) -> Network:
    """Differences of this rank on every matrix of the layers; nothing at first, since each .up is zero."""
    generator = torch.Generator().manual_seed(seed)
    parameters = _heads(base, generator)
    for name in shape.linear():
        rows, columns = base[name].shape
        parameters[name + DOWN] = torch.randn(rank, columns, generator=generator) * columns**-0.5
        parameters[name + UP] = torch.zeros(rows, rank)
    return _network(base, shape, parameters, device)


def whole(base: Weights, shape: Shape, seed: int, device: torch.device) -> Network:
    """All weights of the layers; embeddings stay as they are."""
    parameters = _heads(base, torch.Generator().manual_seed(seed))
    parameters |= {name: t.clone() for name, t in base.items() if name.startswith("encoder.layer.")}
    return _network(base, shape, parameters, device)


def _network(base: Weights, shape: Shape, parameters: dict[str, Tensor], device: torch.device) -> Network:
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    moved = {name: t.to(device).requires_grad_(True) for name, t in parameters.items()}
    return Network({name: t.to(device) for name, t in base.items()}, shape, moved, dtype)
