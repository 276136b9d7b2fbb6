"""A library of the samples, and the chain over it with the real starter."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ingest import Library
from ingest.text.embedder import default_directory
from rag import build_chain
from rag.chain import AnswerChain
from rag.reader.windows import Pieces


@pytest.fixture(scope="session")
def library(sample_library: Path) -> Iterator[Library]:
    with Library.open(sample_library) as opened:
        yield opened


@pytest.fixture(scope="session")
def chain(library: Library) -> AnswerChain:
    return build_chain(library, "starter")


@pytest.fixture(scope="session")
def pieces() -> Pieces:
    return Pieces(default_directory() / "tokenizer.json")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers of 16 with random weights, in Hugging Face's layout, over the embedder's word pieces."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tokenizer.json").write_bytes((default_directory() / "tokenizer.json").read_bytes())
    (folder / "config.json").write_text(
        json.dumps({"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 2, "layer_norm_eps": 1e-12})
    )
    torch.manual_seed(0)
    shapes = {f"embeddings.{n}_embeddings.weight": (s, 16) for n, s in (("word", 30522), ("position", 512), ("token_type", 2))}
    for n in range(2):
        for name, (rows, columns) in {
            **{f"attention.{part}": (16, 16) for part in ("self.query", "self.key", "self.value", "output.dense")},
            "intermediate.dense": (32, 16),
            "output.dense": (16, 32),
        }.items():
            shapes |= {f"encoder.layer.{n}.{name}.weight": (rows, columns), f"encoder.layer.{n}.{name}.bias": (rows,)}
    tensors = {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    for norm in (
        "embeddings.LayerNorm",
        *(f"encoder.layer.{n}.{part}.LayerNorm" for n in range(2) for part in ("attention.output", "output")),
    ):
        tensors |= {f"{norm}.weight": torch.ones(16), f"{norm}.bias": torch.zeros(16)}
    save_file(tensors, folder / "model.safetensors")
    return folder
