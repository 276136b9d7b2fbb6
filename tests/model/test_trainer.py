"""The loop that distilling and tuning share."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from model.config import SHAPES
from model.errors import TrainingError
from model.gemma2 import Gemma2
from model.train.muon import Muon
from model.train.trainer import learning_rate, load_weights, read_student, train

SMALL = dataclasses.replace(SHAPES["starter"], vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, head_dim=16)


@pytest.mark.parametrize("muon", [False, True])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, muon: bool) -> None:
    def run(out: str, stop_at: int | None = None, save_minutes: float = 0.0) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        network = Gemma2(SMALL)
        torch.nn.init.normal_(network.embed_tokens.weight)

        def loss_at(step: int) -> tuple[torch.Tensor, int]:
            if step == stop_at:
                raise KeyboardInterrupt
            ids = torch.randint(0, 50, (2, 16), generator=torch.Generator().manual_seed(step))
            return torch.nn.functional.cross_entropy(network(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()), ids.numel()

        train(network, loss_at, out=tmp_path / out, steps=8, peak=1e-2, muon=muon, save_minutes=save_minutes)
        return load_weights(tmp_path / out)

    whole = run("whole", save_minutes=60.0)
    with pytest.raises(KeyboardInterrupt):
        run("parts", stop_at=5)
    parts = run("parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    small = read_student(tmp_path / "parts").state_dict()
    assert all(torch.equal(whole[name].bfloat16().float(), small[name]) for name in whole)


def test_weights_that_are_no_numbers_are_not_saved_over_the_last_checkpoint(tmp_path: Path) -> None:
    network = Gemma2(SMALL)
    torch.nn.init.normal_(network.embed_tokens.weight)
    ids = torch.arange(20)[None]

    def loss_at(step: int) -> tuple[torch.Tensor, int]:
        return network(ids).square().mean() * (torch.nan if step == 3 else 1.0), ids.numel()

    with pytest.raises(TrainingError, match=r"no numbers any more at step 4"):
        train(network, loss_at, out=tmp_path, steps=8, peak=1e-3, save_minutes=0.0)
    assert all(weight.isfinite().all() for weight in load_weights(tmp_path).values())
    assert json.loads((tmp_path / "training.json").read_text())["step"] == 3


def test_a_run_of_some_minutes_that_was_stopped_has_those_that_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its learning rate goes on in its course as well: the weights are the same to the bit. A step takes six seconds of this clock."""
    seconds = 0.0
    monkeypatch.setattr("model.train.trainer.time", SimpleNamespace(monotonic=lambda: seconds))

    def run(out: str, stop_at: int | None = None) -> dict[str, torch.Tensor]:
        nonlocal seconds
        torch.manual_seed(0)
        network = Gemma2(SMALL)
        torch.nn.init.normal_(network.embed_tokens.weight)
        ids = torch.arange(20)[None]

        def loss_at(step: int) -> tuple[torch.Tensor, int]:
            nonlocal seconds
            if step == stop_at:
                raise KeyboardInterrupt
            seconds += 6.0
            return network(ids).square().mean(), ids.numel()

        train(network, loss_at, out=tmp_path / out, steps=0, peak=1e-2, minutes=1.0, save_minutes=0.0)
        assert json.loads((tmp_path / out / "training.json").read_text())["step"] == 10
        return load_weights(tmp_path / out)

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("parts", stop_at=8)
    seconds += 1000.0
    parts = run("parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_muon_is_torchs_muon() -> None:
    make = torch.Generator().manual_seed(0)
    ours = [torch.randn(shape, generator=make) for shape in ((8, 20), (20, 8), (8, 20), (6, 6))]
    theirs = [p.clone() for p in ours]
    pair = Muon(ours, lr=0.1), torch.optim.Muon(theirs, lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=make)
            b.grad = a.grad.clone()
        for optimizer in pair:
            optimizer.step()
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).norm() < 0.01 * b.norm()  # five rounds in bf16


def test_the_learning_rate_warms_up_holds_and_ends_where_it_should() -> None:
    rates = [learning_rate(step, step / 1000, 1.0) for step in range(1001)]
    assert rates[0] < rates[50] < rates[100] == rates[740] == 1.0 > rates[800] > rates[999] > rates[1000] == 0.0
    assert learning_rate(1000, 1.0, 1.0, end=0.1) == pytest.approx(0.1)
