"""A directory in Hugging Face's layout: config.json, tokenizer.json, one or several .safetensors files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.config import Gemma2Config
from model.errors import SourceError
from model.load.checkpoint import Checkpoint
from model.tokenizer import Tokenizer


def read_directory(directory: Path, name: str = "") -> Checkpoint:
    """Reads the small files now; the tensors are mapped when asked for.

    Args:
        name: the model's, where it isn't the directory's.

    Raises:
        SourceError: a file is missing or isn't what its name says.
    """
    values = read_json(directory / "config.json")
    config = Gemma2Config.from_dict(values, str(directory / "config.json"))
    return Checkpoint(
        origin=str(directory),
        config=config,
        tokenizer=tokenizer_in(directory, config.vocab_size),
        tensors=lambda: read_tensors(directory),
        card={"name": name or directory.name, **_licence_in(directory), **card_of(values)},
    )


def card_of(values: dict[str, Any]) -> dict[str, str]:
    """What a config.json that training wrote says of its model."""
    card = values.get("octavo")
    return {k: str(v) for k, v in card.items()} if isinstance(card, dict) else {}


def _licence_in(directory: Path) -> dict[str, str]:
    """That which the head of a README.md names, as those of the hub do."""
    try:
        found = re.search(r"^license: *\"?([\w.-]+)", (directory / "README.md").read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        return {}
    return {"license": found[1]} if found else {}


def tokenizer_in(directory: Path, vocab_size: int | None = None) -> Tokenizer:
    """Raises SourceError where there is none, or one of more pieces than `vocab_size`."""
    file = directory / "tokenizer.json"
    return Tokenizer.from_json(_read_text(file), str(file), vocab_size)


def missing_files(directory: Path) -> list[Path]:
    """What a checkpoint must have and this directory lacks: config, tokenizer, or a shard that its index names."""
    return [f for f in (directory / "config.json", directory / "tokenizer.json", *_shards(directory)) if not f.exists()]


def _shards(directory: Path) -> list[Path]:
    index = directory / "model.safetensors.index.json"
    if index.exists():
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(n, str) and n.endswith(".safetensors") for n in shards.values()):
            raise SourceError(f"{index}: no weight_map in it")
        names = sorted(set(shards.values()))
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
        except (SafetensorError, OSError) as error:
            raise SourceError(f"{file}: not a readable safetensors file ({error})") from error


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        hint = "this needs a directory with config.json, tokenizer.json and .safetensors files"
        raise SourceError(f"{file}: missing", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: can't be read ({error})") from error


def read_json(file: Path) -> dict[str, Any]:
    """Raises SourceError, naming the file, where it is no JSON object."""
    try:
        data = json.loads(_read_text(file))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{file}: not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise SourceError(f"{file}: not a JSON object")
    return data
