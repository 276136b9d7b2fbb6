"""From a run to one file: the mean of runs, rounded to 4 bits; and the teacher's vocabulary, cut."""

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from torch.nn import functional as F

from model import load_model
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.train import export, prune, quantize
from model.train.data import read_texts
from model.train.trainer import load_weights, read_student


def test_a_tuned_student_is_exported_to_a_file_that_the_engine_opens(place: Path, runs: Path, tmp_path: Path) -> None:
    export.export([runs / "tuned"], place / "teacher.gguf", tmp_path / "out.gguf", calibration=place / "q.jsonl")
    model = load_model(tmp_path / "out.gguf", device="cpu", dtype=torch.float32)
    ids = torch.tensor([[model.tokenizer.bos_id, *model.tokenizer.encode("the bus at the stable")]])
    exact = Gemma2(model.config).eval()
    exact.load_state_dict(load_weights(runs / "tuned"))
    with torch.inference_mode():
        a, b = exact(ids).log_softmax(-1), model.forward(ids).log_softmax(-1)
    assert (model.card["prompt"], model.card["recommended_context"]) == ("grounded", "1000")
    assert (a.exp() * (a - b)).sum(-1).mean() < 0.1  # 4 bits cost a little
    assert (a - b).abs().max() > 0


def test_a_student_of_any_config_is_written_as_it_is_or_not_at_all(place: Path, runs: Path, tmp_path: Path) -> None:
    def exported(**changes: float) -> Path:
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        shutil.copytree(runs / "tuned", out)
        (out / "config.json").write_text(json.dumps({**json.loads((out / "config.json").read_text()), **changes}))
        export.export([out], place / "teacher.gguf", out.with_suffix(".gguf"), four_bits=False)
        return out

    other = exported(rope_theta=5e4, sliding_window=99, final_logit_softcapping=20.0, max_position_embeddings=700)
    read, written = (asdict(read_student(source).config) for source in (other.with_suffix(".gguf"), other))
    assert read == pytest.approx(written, rel=1e-6)
    with pytest.raises(SourceError, match="query_pre_attn_scalar of 64: 16 would be taken for it"):
        exported(query_pre_attn_scalar=64)
    assert len(list(tmp_path.glob("*.gguf"))) == 1


def test_the_mean_of_runs_is_exported(place: Path, runs: Path, tmp_path: Path) -> None:
    tuned, base = runs / "tuned", runs / "base"
    export.export([tuned, base], place / "teacher.gguf", tmp_path / "mean.gguf", four_bits=False)
    mean, a, b = (dict(read_student(source).named_parameters()) for source in (tmp_path / "mean.gguf", tuned, base))
    assert not torch.equal(a["embed_tokens.weight"], b["embed_tokens.weight"])
    assert all(torch.allclose(mean[name], (a[name] + b[name]) / 2, atol=1e-6) for name in mean)


def test_what_is_packed_is_what_was_rounded() -> None:
    matrix = torch.randn(64, 96, generator=torch.Generator().manual_seed(0)) * 0.05
    matrix[3, :32] = 0.0
    codes, scales = quantize.gptq(matrix, torch.eye(96))
    stored = torch.from_numpy(dequantize(quantize.pack_iq4_nl(codes, scales), GGMLQuantizationType.IQ4_NL).copy())
    assert torch.equal(stored, quantize.CODEBOOK[codes] * scales.repeat_interleave(32, 1))
    assert (stored - matrix).norm() < 0.08 * matrix.norm()
    assert stored[3, :32].abs().max() < 1e-4


def test_rounding_spares_what_the_inputs_need() -> None:
    make = torch.Generator().manual_seed(0)
    x = torch.randn(512, 8, generator=make) @ torch.randn(8, 64, generator=make) + 0.1 * torch.randn(512, 64, generator=make)
    matrix = torch.randn(48, 64, generator=make)

    def error(hessian: torch.Tensor) -> float:
        codes, scales = quantize.gptq(matrix, hessian)
        return F.mse_loss(x @ (quantize.CODEBOOK[codes] * scales.repeat_interleave(32, 1)).T, x @ matrix.T).item()

    assert error(x.T @ x) < 0.3 * error(torch.eye(64))


def test_hessians_are_those_of_what_each_matrix_reads(runs: Path) -> None:
    network = read_student(runs / "base")
    ids = torch.tensor([3, 1, 4, 1, 5, 9])
    hessians = quantize.input_hessians(network, [ids])
    with torch.inference_mode():
        hidden = network.hidden(ids[None])[0]
    read = hidden.T @ hidden
    assert torch.allclose(hessians["embed_tokens.weight"], read + read.diagonal().mean() * torch.eye(len(read)), atol=1e-4)
    assert set(hessians) == {name for name, p in network.named_parameters() if p.dim() > 1}


def test_a_cut_vocabulary_reaches_every_row_it_keeps(place: Path, tmp_path: Path) -> None:
    prune.cut_vocabulary(place / "teacher.gguf", read_texts(place / "text.txt"), 285, tmp_path / "cut.gguf")
    reader = GGUFReader(tmp_path / "cut.gguf")
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    tokenizer = read_tokenizer(GGUFFile(tmp_path / "cut.gguf").values, "cut")
    assert len(tokens) <= 285
    kept = [i for i, kind in enumerate(kinds) if kind == 1]
    assert kept
    for i in kept:
        assert tokenizer.encode(tokens[i].replace("\u2581", " ")) == [i]
    assert {t.name for t in reader.tensors} == {t.name for t in GGUFReader(place / "teacher.gguf").tensors}


@pytest.mark.parametrize(("module", "files"), [(export, ["run", "t.gguf", "out.gguf"]), (prune, ["none.gguf", "text.txt", "out.gguf"])])
def test_a_missing_file_is_one_line_in_the_other_commands_too(
    module: ModuleType, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["command", *(str(tmp_path / f) for f in files)])
    with pytest.raises(SystemExit, match=rf"{files[0]}.*(No such file|missing)") as stop:
        module.main()
    assert "\n" not in str(stop.value).partition("\n  ")[0]
