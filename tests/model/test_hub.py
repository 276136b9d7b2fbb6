"""A hub id: what lies in the hub library's cache is used when it is whole, and completed when it isn't."""

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from model import load_model
from model.errors import SourceError
from tests.model.conftest import oracle, tokenizer_json

NAME = "octavo/tiny-gemma-2"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the hub has of the model, in several shards."""
    directory = tmp_path_factory.mktemp("hub")
    oracle().save_pretrained(directory, max_shard_size="200KB")
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    assert len(list(directory.glob("*.safetensors"))) > 1
    return directory


@pytest.fixture
def snapshot(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole of it in a cache."""
    place = tmp_path / "cache" / "models--octavo--tiny-gemma-2"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0123456789abcdef")
    shutil.copytree(whole, place / "snapshots" / "0123456789abcdef")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return place / "snapshots" / "0123456789abcdef"


def test_a_whole_snapshot_is_used_without_a_network(snapshot: Path) -> None:
    model = load_model(NAME, device="cpu")
    assert model.config.vocab_size == 320 and model.card["name"] == NAME


PARTS = {
    "only the tokenizer": lambda name: name.startswith("tokenizer"),
    "no config": lambda name: name != "config.json",
    "no tokenizer": lambda name: name != "tokenizer.json",
    "no shard": lambda name: not name.endswith(".safetensors"),
    "a shard lost": lambda name: "00001-of" not in name,
    "nothing": lambda name: False,
}


def keep_only(part: str, snapshot: Path) -> None:
    for file in [f for f in snapshot.iterdir() if not PARTS[part](f.name)]:
        file.unlink()


@pytest.mark.parametrize("part", list(PARTS))
def test_a_snapshot_in_part_is_completed(part: str, snapshot: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(part, snapshot)
    asked = []

    def download(name: str, local_files_only: bool = False, **wanted: Any) -> str:
        """The hub's library with the hub's files at hand."""
        asked.append(local_files_only)
        if not local_files_only:
            shutil.copytree(whole, snapshot, dirs_exist_ok=True)
        return look_up(name, local_files_only=True, **wanted)

    look_up = huggingface_hub.snapshot_download
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert load_model(NAME, device="cpu").config.vocab_size == 320
    assert asked == [True, False]


@pytest.mark.parametrize("part", list(PARTS))
def test_a_snapshot_in_part_is_one_clear_line_without_a_network(part: str, snapshot: Path) -> None:
    keep_only(part, snapshot)
    with pytest.raises(SourceError, match=r"octavo/tiny-gemma-2: [\w.-]+ is not on this machine and the hub didn't send it") as caught:
        load_model(NAME, device="cpu")
    assert "\n" not in str(caught.value) and "network" in caught.value.hint


def test_a_model_of_which_nothing_is_there_is_one_clear_line_without_a_network(snapshot: Path) -> None:
    shutil.rmtree(snapshot.parents[1])
    with pytest.raises(SourceError, match=r"octavo/tiny-gemma-2 is not on this machine and the hub can't be reached") as caught:
        load_model(NAME, device="cpu")
    assert "\n" not in str(caught.value)
