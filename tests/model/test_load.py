"""Checkpoints of each kind, and what is said of those that won't do."""

import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

from model import ModelError, load_model
from model.config import SHAPES
from model.errors import PrecisionError, SourceError
from model.load import sources
from model.load.gguf_file import GGUFFile
from model.load.sources import read_checkpoint, require_room, starter_file
from tests.model.conftest import oracle, tokenizer_json
from tests.model.gguf_bytes import Header
from tests.model.tiny import a_gemma_2


@pytest.fixture
def header(tmp_path: Path) -> Header:
    return Header(tmp_path)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    oracle().save_pretrained(tmp_path / "m", max_shard_size="200KB")
    (tmp_path / "m" / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return tmp_path / "m"


def test_a_sharded_directory_is_mapped_not_copied(directory: Path) -> None:
    assert len(list(directory.glob("*.safetensors"))) > 1
    weights = oracle().to(torch.bfloat16)
    shutil.rmtree(directory)
    weights.save_pretrained(directory, max_shard_size="200KB")
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    model = load_model(directory, device="cpu")
    file = str(directory / "model-0000")
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if file in line]
    assert mapped, "the files stay mapped while the network lives"
    ranges = [tuple(int(x, 16) for x in line.split()[0].split("-")) for line in mapped]
    for name, p in model.network.named_parameters():
        assert any(a <= p.data_ptr() < b for a, b in ranges), f"{name} was copied"


def test_num_parameters_counts_what_is_there(directory: Path) -> None:
    model = load_model(directory, device="cpu", dtype=torch.float32)
    assert model.config.num_parameters == sum(p.numel() for p in model.network.parameters())


def test_float16_is_refused_with_the_reason(directory: Path) -> None:
    with pytest.raises(PrecisionError, match="overflow"):
        load_model(directory, dtype=torch.float16)


@pytest.mark.parametrize(
    ("slow", "pages", "chosen"),
    [(torch.bfloat16, 1000, torch.float32), (torch.bfloat16, 100, torch.bfloat16), (torch.float32, 1000, torch.bfloat16)],
)
def test_auto_is_float32_where_that_is_faster_and_there_is_memory(
    slow: torch.dtype, pages: int, chosen: torch.dtype, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Matrix:
        def __init__(self, *shape: int, dtype: torch.dtype) -> None:
            self.T, self.seconds = self, 0.05 if dtype == slow else 0.0

        def __matmul__(self, other: "Matrix") -> None:
            time.sleep(self.seconds)

    monkeypatch.setattr(sources.torch, "ones", Matrix)
    monkeypatch.setattr(sources.os, "sysconf", {"SC_PHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}.__getitem__)
    model = load_model(directory, device="cpu", dtype="auto")
    assert {p.dtype for p in model.network.parameters()} == {chosen}


def _edit(directory: Path, **changes: Any) -> None:
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | changes))


def _drop_a_tensor(directory: Path) -> None:
    file = sorted(directory.glob("*.safetensors"))[0]
    tensors = load_file(file)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, file)


BREAKS = {
    "no config": (lambda d: (d / "config.json").unlink(), r"config\.json: missing"),
    "bad json": (lambda d: (d / "config.json").write_text("{"), "not valid JSON"),
    "llama": (lambda d: _edit(d, model_type="llama"), "'llama' model"),
    "no tokenizer": (lambda d: (d / "tokenizer.json").unlink(), r"tokenizer\.json: missing"),
    "lost shard": (lambda d: sorted(d.glob("*.safetensors"))[0].unlink(), "missing"),
    "cut shard": (lambda d: sorted(d.glob("*.safetensors"))[0].write_bytes(b"\x08" * 20), "not a readable safetensors"),
    "lost tensor": (_drop_a_tensor, "missing"),
    "other shape": (lambda d: _edit(d, intermediate_size=99), "shape"),
}


@pytest.mark.parametrize("name", list(BREAKS))
def test_a_broken_directory_is_one_clear_line(directory: Path, name: str) -> None:
    damage, message = BREAKS[name]
    damage(directory)
    with pytest.raises(SourceError, match=message) as caught:
        load_model(directory, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["nothing-like-this", "/no/such/dir", "/no/such/file.gguf", "google/gemma-2-2b-it", "a" * 5000, "a\0b", ""]
)
def test_an_unknown_model_says_what_could_be_named(source: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(source)
    assert caught.value.hint and "\n" not in str(caught.value)


def test_what_a_gpu_has_no_room_for_is_said_with_what_would_fit() -> None:
    """The sizes are those of 27B: 54.5 GB of weights in bfloat16, and 3.1 GB of keys and values."""
    big = dataclasses.replace(read_checkpoint("starter"), origin="big", config=SHAPES["27b"])
    require_room(big, 60_000_000_000, torch.bfloat16, None)
    with pytest.raises(SourceError, match=r"big: in bfloat16 .* 58\.\d GB, and the GPU has 40\.0 GB free") as caught:
        require_room(big, 40_000_000_000, torch.bfloat16, None)
    assert caught.value.hint == "quantize=int8 (31.2 GB) or quantize=int4 (19.8 GB) fits"
    with pytest.raises(SourceError) as caught:
        require_room(big, 24_000_000_000, torch.bfloat16, "int8")
    assert caught.value.hint == "quantize=int4 (19.8 GB) fits"
    with pytest.raises(SourceError) as caught:
        require_room(big, 8_000_000_000, torch.bfloat16, None)
    assert "smaller model" in caught.value.hint
    require_room(big, 20_000_000_000, torch.bfloat16, None, packed={"Q4_0": SHAPES["27b"].num_parameters})


@torch.no_grad()
def test_a_gguf_file_gives_the_logits_of_transformers(tmp_path: Path) -> None:
    network = oracle()
    a_gemma_2(tmp_path / "m.gguf", network)
    ids = torch.randint(0, 320, (2, 50))
    out = load_model(tmp_path / "m.gguf", device="cpu", dtype=torch.float32).forward(ids)
    assert (out - network(ids).logits).abs().max() <= 1e-4


def test_a_gguf_file_is_known_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    a_gemma_2(tmp_path / "m.gguf", oracle())
    blob = (tmp_path / "m.gguf").rename(tmp_path / f"sha256-{'0' * 64}")
    assert load_model(blob, device="cpu").config.vocab_size == 320
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(SourceError, match=r"notes\.txt: not a readable GGUF file"):
        load_model(tmp_path / "notes.txt")


def test_what_the_first_files_left_out_is_what_llama_cpp_takes_for_granted(header: Header, tmp_path: Path) -> None:
    for key in ("attention.sliding_window", "attn_logit_softcapping", "final_logit_softcapping"):
        del header.values[f"gemma2.{key}"]
    (tmp_path / "m.gguf").write_bytes(header.bytes())
    config = load_model(tmp_path / "m.gguf", device="cpu").config
    said = (config.sliding_window, config.attn_logit_softcapping, config.final_logit_softcapping, config.rope_theta)
    assert said == (4096, 50.0, 30.0, 10000.0)


def test_a_gguf_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    a_gemma_2(tmp_path / "m.gguf", oracle(), "llama")
    with pytest.raises(SourceError, match="'llama' model"):
        load_model(tmp_path / "m.gguf")
    (tmp_path / "n.gguf").write_bytes(b"no gguf at all, but long enough to be read")
    with pytest.raises(SourceError, match="not a readable GGUF"):
        load_model(tmp_path / "n.gguf")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.9])
def test_a_gguf_file_that_was_cut_short_is_one_clear_line(tmp_path: Path, share: float) -> None:
    whole = starter_file().read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SourceError, match="not a readable GGUF") as caught:
        load_model(tmp_path / "cut.gguf")
    assert "\n" not in str(caught.value)


def test_our_reading_of_a_gguf_file_is_that_of_the_gguf_package() -> None:
    ours, theirs = GGUFFile(starter_file()), GGUFReader(starter_file())
    assert ours.values == {k: f.contents() for k, f in theirs.fields.items() if not k.startswith("GGUF.")}
    for a, b in zip(ours.tensors, theirs.tensors, strict=True):
        assert (a.name, a.kind) == (b.name, b.tensor_type)
        assert np.array_equal(a.data, b.data)
