"""Training writes over nothing and deletes nothing that it did not write, whatever folder or file a command names by mistake."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.config import SHAPES
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.train import distill, export, tune
from model.train.outputs import STATE, begin_run
from model.train.trainer import load_weights, train
from tests.conftest import ROOT

SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "my-notes.safetensors", "model-30.safetensors"]
SMALL = {"vocab_size": 50, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def downloaded(tmp_path: Path) -> Path:
    """A folder as a hub's download leaves it, with a file of the user's own."""
    folder = tmp_path / "gemma-2-2b"
    folder.mkdir()
    for name in SHARDS:
        save_file({"weight": torch.zeros(4)}, folder / name)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    return folder


def network() -> Gemma2:
    config = SHAPES["starter"].to_dict() | SMALL
    return Gemma2(SHAPES["starter"].from_dict(config))


def run(out: Path, steps: int, muon: bool = False) -> None:
    torch.manual_seed(0)
    student = network()
    torch.nn.init.normal_(student.embed_tokens.weight)
    ids = torch.arange(20)[None]

    def loss_at(step: int) -> tuple[torch.Tensor, int]:
        return student(ids).square().mean(), ids.numel()

    train(student, loss_at, out=out, steps=steps, peak=1e-3, save_minutes=0.0, muon=muon)


@pytest.mark.parametrize("command", ["distill none none OUT", "distill none none OUT --dry-run", "tune none none none OUT"])
def test_a_folder_of_downloaded_weights_is_no_place_for_a_run(command: str, downloaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(downloaded)
    monkeypatch.setattr(sys, "argv", [word.replace("OUT", str(downloaded)) for word in command.split()])
    with pytest.raises(SystemExit, match=r"gemma-2-2b: isn't empty and holds no run of training") as stop:  # before `none` is missed
        {"distill": distill, "tune": tune}[command.split()[0]].main()
    assert len(str(stop.value).splitlines()) == 2  # what, and how to mend it
    assert contents(downloaded) == before


@pytest.mark.parametrize(
    "command",
    ["prune none none OUT", "export none none OUT", "practice none none OUT", "ask none none none OUT"],
)
def test_a_file_that_is_there_is_not_written_over(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, *words = command.split()
    (tmp_path / "mine.gguf").write_text("mine")
    monkeypatch.setattr(sys, "argv", [program, *(word.replace("OUT", str(tmp_path / "mine.gguf")) for word in words)])
    monkeypatch.syspath_prepend(ROOT / "data" / "starter" / "recipe")
    folder = "data/starter/recipe" if program in ("practice", "ask") else "model/train"
    with pytest.raises(SystemExit, match=r"mine\.gguf: exists already"):
        runpy.run_path(str(ROOT / folder / f"{program}.py"), run_name="__main__")
    assert contents(tmp_path) == {"mine.gguf": b"mine"}


def test_a_file_in_a_folder_that_is_not_there_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: no such folder"):
        export.export([tmp_path / "none"], tmp_path / "none", tmp_path / "nowhere" / "out.gguf")


def test_a_run_deletes_its_own_last_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    run(tmp_path / "run", 2)
    for name in SHARDS:
        save_file({"weight": torch.zeros(4)}, tmp_path / "run" / name)
    run(tmp_path / "run", 5)
    ours = {"model-5.safetensors", "optimizer-5.safetensors", "model.safetensors", "config.json", STATE}
    assert {file.name for file in (tmp_path / "run").iterdir()} == {*ours, *SHARDS}


def test_a_run_that_was_killed_before_its_first_checkpoint_goes_on(tmp_path: Path, place: Path) -> None:
    begin_run(tmp_path / "run", "distill", place / "teacher.gguf", rank=0)
    with pytest.raises(SourceError, match="no checkpoint in it"):
        load_weights(tmp_path / "run")
    sizes = {"layers": (0, 1, 2, 5), "steps": 1, "peak": 1e-3, "rows": 2, "length": 32}
    distill.distill(place / "teacher.gguf", [place / "text.txt"], tmp_path / "run", **sizes)
    state = json.loads((tmp_path / "run" / STATE).read_text())
    assert (state["run"], state["step"]) == ("distill", 1)


def test_a_run_is_not_written_into_what_it_reads_or_into_another_commands_run(place: Path, runs: Path) -> None:
    before = contents(runs / "base")
    tokenizer, sizes = place / "teacher.gguf", {"steps": 9, "peak": 1e-3, "tokens": 1024, "refuse": 0.2}
    with pytest.raises(SourceError, match="base: is read from"):
        tune.tune(runs / "base", tokenizer, [place / "q.jsonl"], runs / "base", **sizes)
    with pytest.raises(SourceError, match=r"base: holds a run of model\.train\.distill"):
        tune.tune(runs / "tuned", tokenizer, [place / "q.jsonl"], runs / "base", **sizes)
    with pytest.raises(SourceError, match=r"q\.jsonl: is a file"):
        tune.tune(runs / "base", tokenizer, [place / "text.txt"], place / "q.jsonl", **sizes)
    assert contents(runs / "base") == before


def test_a_run_of_another_network_or_optimizer_or_a_damaged_one_is_refused_in_one_line(tmp_path: Path) -> None:
    run(tmp_path / "run", 1)
    with pytest.raises(SourceError, match="run: holds a run of another optimizer"):
        run(tmp_path / "run", 3, muon=True)
    (tmp_path / "run" / "optimizer-1.safetensors").write_bytes(b"cut")
    with pytest.raises(SourceError, match="run: its checkpoint of step 1 can't be read"):
        run(tmp_path / "run", 3)
    save_file({"weight": torch.zeros(4)}, tmp_path / "run" / "model-1.safetensors")
    with pytest.raises(SourceError, match="run: holds a run of another network"):
        run(tmp_path / "run", 3)
    for damaged in ("{", "[]", '{"step": "1"}'):
        (tmp_path / "run" / STATE).write_text(damaged)
        with pytest.raises(SourceError, match=r"training\.json: damaged"):
            run(tmp_path / "run", 3)
