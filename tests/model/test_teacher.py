"""A teacher in transformers' network, with our attention."""

from pathlib import Path

import pytest
import torch

from model.gemma2 import Gemma2
from model.train import distill, export
from model.train.teacher import load_teacher
from model.train.trainer import load_weights, read_student


def test_the_teacher_with_our_attention_is_transformers_teacher(place: Path) -> None:
    from transformers import Gemma3ForCausalLM

    ours = load_teacher(place / "teacher.gguf").float()
    theirs = Gemma3ForCausalLM._from_config(ours.config, attn_implementation="eager").eval()
    theirs.load_state_dict({**ours.state_dict(), "lm_head.weight": ours.head})
    assert all(b.dtype == torch.float32 for b in ours.buffers())
    ids = torch.randint(0, ours.config.vocab_size, (2, 40), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(ours.logits(ours.hidden(ids)), theirs(ids).logits, atol=1e-4)


@pytest.mark.parametrize("layers", [(0, 5), (0, 5) * 23], ids=["few", "as many as 27B has"])
def test_our_gguf_file_may_teach(layers: tuple[int, ...], place: Path, tmp_path: Path) -> None:
    distill.distill(place / "teacher.gguf", [place / "text.txt"], tmp_path / "a", layers=layers, steps=1, peak=1e-3, rows=2, length=32)
    export.export([tmp_path / "a"], place / "teacher.gguf", tmp_path / "a.gguf", four_bits=False)
    ids = torch.arange(5, 45)[None]
    exact = Gemma2(read_student(tmp_path / "a").config).eval()
    exact.load_state_dict(load_weights(tmp_path / "a"))
    teacher = load_teacher(tmp_path / "a.gguf").float()
    with torch.inference_mode():
        assert torch.allclose(teacher.logits(teacher.hidden(ids)), exact(ids), atol=0.05)
