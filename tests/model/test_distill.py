"""Distilling: the loss, what is read in which order, and where a student may come from."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from model.config import SHAPES
from model.errors import SourceError
from model.train import distill
from model.train.teacher import load_teacher
from model.train.trainer import WEIGHTS, Ranks, load_weights, read_student
from tests.model.conftest import tokenizer_json
from tests.model.tiny import a_teacher

SMALL = {"num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 32, "head_dim": 8}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_same_batches(place: Path, tmp_path: Path) -> None:
    def run(out: Path, *launch: str) -> dict[str, torch.Tensor]:
        files = [str(f) for f in (place / "teacher.gguf", place / "text.txt", out)]
        sizes = "--layers 0 1 2 5 --steps 3 --rows 4 --length 32 --lr 1e-3".split()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *launch, "-m", "model.train.distill", *files, *sizes]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("tokens/s") == 1
        return load_weights(out)

    one = run(tmp_path / "one")
    two = run(tmp_path / "two", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_batches_are_shared_out_and_every_epoch_cuts_the_text_anew() -> None:
    stream = np.arange(1000, dtype=np.uint16)
    whole = distill.rows_of(stream, 10, 7, 4, Ranks(torch.device("cpu")))
    halves = [distill.rows_of(stream, 10, 7, 4, Ranks(torch.device("cpu"), rank, 2)) for rank in (0, 1)]
    assert np.array_equal(np.stack(halves, 1).reshape(4, 11), whole)
    cuts = [
        {int(row[0]) % 10 for step in range(24) for row in distill.rows_of(stream, 10, 25 * e + step, 4, Ranks(torch.device("cpu")))}
        for e in (0, 1)
    ]
    assert cuts[0] != cuts[1]


@pytest.mark.parametrize("teacher_cap", [None, 4.0])
def test_the_chunked_loss_and_its_gradient_are_those_of_the_plain_one(monkeypatch: pytest.MonkeyPatch, teacher_cap: float | None) -> None:
    monkeypatch.setattr(distill, "_LOGITS_AT_ONCE", 5 * 40)  # a last chunk that is shorter
    make = torch.Generator().manual_seed(0)
    hidden, head, taught, teacher_head = (torch.randn(n, 8, generator=make, dtype=torch.float64) * 2 for n in (13, 40, 13, 40))
    following = torch.randint(0, 40, (13,), generator=make)
    found, wanted = [], []
    for plain, grads in ((False, found), (True, wanted)):
        x, w = (t.float().clone().requires_grad_() for t in (hidden, head))
        if plain:
            said = (torch.tanh(x @ w.T / 6.0) * 6.0).log_softmax(-1)
            meant = taught.float() @ teacher_head.float().T
            target = (meant if teacher_cap is None else torch.tanh(meant / teacher_cap) * teacher_cap).log_softmax(-1)
            loss = 0.7 * F.kl_div(said, target, log_target=True, reduction="batchmean") + 0.3 * F.nll_loss(said, following)
        else:
            loss = distill.Divergence.apply(x, w, taught.float(), teacher_head.float(), following, (6.0, teacher_cap), distill.divergence)
        (2 * loss).backward()
        grads += [loss.detach(), x.grad, w.grad]
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_distilling_starts_from_given_weights_for_some_time(place: Path, tmp_path: Path) -> None:
    sizes = {"layers": (0, 1, 2, 5), "steps": 3, "rows": 2, "length": 32}
    files = place / "teacher.gguf", [place / "text.txt"]
    distill.distill(*files, tmp_path / "a", peak=1e-2, **sizes)
    distill.distill(*files, tmp_path / "b", peak=0.0, minutes=0.003, start=tmp_path / "a", **sizes)
    a, b = load_file(tmp_path / "a" / WEIGHTS), load_file(tmp_path / "b" / WEIGHTS)
    assert all(torch.equal(a[name], b[name]) for name in a)
    (tmp_path / "bad.gguf").write_bytes(b"no weights")
    (tmp_path / "empty").mkdir()
    for start in ("none", "bad.gguf", "empty"):
        with pytest.raises(SourceError, match=start):
            distill.distill(*files, tmp_path / "c", peak=0.0, start=tmp_path / start, **sizes)


@pytest.mark.parametrize("kind", ["Gemma2", "Llama"])
def test_any_causal_model_may_teach_a_student_of_any_config(
    kind: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_teacher(kind, tmp_path / "teacher")
    frequencies = [b for name, b in load_teacher(tmp_path / "teacher").named_buffers() if "inv_freq" in name]
    assert frequencies and all(b.dtype == torch.float32 for b in frequencies)
    vocab = len(json.loads(tokenizer_json())["model"]["vocab"])
    config = {**SHAPES["starter"].to_dict(), **SMALL, "vocab_size": vocab}
    (tmp_path / "small.json").write_text(json.dumps(config))
    command = ["distill", str(tmp_path / "teacher"), str(place / "text.txt"), str(place / "q.jsonl"), str(tmp_path / "run")]
    command += ["--student", str(tmp_path / "small.json"), "--rows", "2", "--length", "16", "--steps", "2"]
    monkeypatch.setattr(sys, "argv", [*command, "--dry-run"])
    distill.main()
    assert "dry run: a student of 0.0M; loss" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(sys, "argv", command)
    distill.main()
    assert "tokens/s" in capsys.readouterr().out
    assert read_student(tmp_path / "run").config.num_hidden_layers == 2
    if kind == "Llama":
        monkeypatch.setattr(sys, "argv", [*command[:5], *command[7:]])
        with pytest.raises(SystemExit, match="can't be cut out of a 'llama' model"):
            distill.main()
    if kind == "Gemma2":  # a student is a teacher too, and a Gemma 2 of others a student to start from
        for source in (["--layers", "0", "3"], ["--weights", str(tmp_path / "teacher")]):
            monkeypatch.setattr(sys, "argv", [*command[:5], *source, *command[7:], "--dry-run"])
            distill.main()
        shutil.copy(tmp_path / "teacher" / "tokenizer.json", tmp_path / "run")
        monkeypatch.setattr(
            sys, "argv", [command[0], str(tmp_path / "run"), *command[2:4], str(tmp_path / "next"), *command[5:], "--dry-run"]
        )
        distill.main()


@pytest.mark.parametrize(
    ("bad", "given"),
    [
        ("no.gguf", {"teacher": "no.gguf"}),
        ("bad.gguf", {"teacher": "bad.gguf"}),
        ("tokenizer.json", {"teacher": "empty"}),
        ("odd: .*head_dim", {"teacher": "odd"}),
        ("none.txt", {"text": "none.txt"}),
        ("bad.txt.xz", {"text": "bad.txt.xz"}),
        ("none.json", {"student": "none.json"}),
        ("bad.json", {"student": "bad.json"}),
        ("wide.json", {"student": "wide.json"}),
        ("layer 17", {"layers": "17"}),
        ("empty", {"weights": "empty"}),
    ],
)
def test_every_bad_file_is_named_in_one_line(
    bad: str, given: dict[str, str], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("empty", "odd"):
        (tmp_path / folder).mkdir()
    (tmp_path / "odd" / "tokenizer.json").write_text(tokenizer_json())
    (tmp_path / "odd" / "config.json").write_text(json.dumps({**SHAPES["2b"].to_dict(), "head_dim": 25.6}))
    for name in ("bad.gguf", "bad.txt.xz", "bad.json"):
        (tmp_path / name).write_bytes(b"{")
    (tmp_path / "wide.json").write_text(json.dumps({**SHAPES["starter"].to_dict(), **SMALL, "vocab_size": 999}))
    files = {"teacher": place / "teacher.gguf", "text": place / "text.txt", **{k: tmp_path / v for k, v in given.items()}}
    options = [f"--{k}={given[k] if k == 'layers' else files[k]}" for k in given if k not in ("teacher", "text")]
    command = [str(files["teacher"]), str(files["text"]), str(tmp_path / "run"), *options, "--length", "32", "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["distill", *command])
    with pytest.raises(SystemExit, match=bad) as stop:
        distill.main()
    assert "\n" not in str(stop.value).partition("\n  ")[0]
