"""A directory in Hugging Face's layout: config.json, tokenizer.json, one or several .safetensors files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.config import Gemma2Config
from model.errors import SourceError
from model.load.checkpoint import Checkpoint
from model.tokenizer import Tokenizer


def read_directory(directory: Path) -> Checkpoint:
    """Reads the small files now; the tensors are mapped when asked for.

    Raises:
        SourceError: a file is missing or isn't what its name says.
    """
    values = _read_json(directory / "config.json")
    card = values.get("octavo")
    return Checkpoint(
        origin=str(directory),
        config=Gemma2Config.from_dict(values, str(directory / "config.json")),
        tokenizer=tokenizer_in(directory),
        tensors=lambda: read_tensors(directory),
        card={"name": directory.name} | ({k: str(v) for k, v in card.items()} if isinstance(card, dict) else {}),
    )


def tokenizer_in(directory: Path) -> Tokenizer:
    """Raises SourceError where there is none."""
    return Tokenizer.from_json(_read_text(directory / "tokenizer.json"), str(directory / "tokenizer.json"))


def missing_files(directory: Path) -> list[Path]:
    """What a checkpoint must have and this directory lacks: config, tokenizer, or a shard that its index names."""
    return [f for f in (directory / "config.json", directory / "tokenizer.json", *_shards(directory)) if not f.exists()]


def _shards(directory: Path) -> list[Path]:
    index = directory / "model.safetensors.index.json"
    if index.exists():
        try:
            names = sorted(set(_read_json(index)["weight_map"].values()))
        except (KeyError, AttributeError) as error:
            raise SourceError(f"{index}: no weight_map in it") from error
        return [directory / Path(name).name for name in names]  # never outside the directory
    return [directory / "model.safetensors"]


def read_tensors(directory: Path) -> Iterator[tuple[str, Tensor]]:
    """(name as in gemma2.py, tensor as stored), one at a time.

    Raises:
        SourceError: a file is missing or damaged.
    """
    shards = _shards(directory)
    for file in shards:
        if not file.exists():
            raise SourceError(f"{file}: missing", "download the checkpoint again: a shard was lost")
    for file in shards:
        try:
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (not a dict)
                    if name != "lm_head.weight":  # the head is the embedding
                        yield name.removeprefix("model."), tensors.get_tensor(name)
        except SafetensorError as error:
            raise SourceError(f"{file}: not a readable safetensors file ({error})") from error


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        hint = "this needs a directory with config.json, tokenizer.json and .safetensors files"
        raise SourceError(f"{file}: missing", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: can't be read ({error})") from error


def _read_json(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(_read_text(file))
    except ValueError as error:
        raise SourceError(f"{file}: not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise SourceError(f"{file}: not a JSON object")
    return data
