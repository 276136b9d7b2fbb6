"""A folder in Hugging Face's layout, as transformers opens it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from model.load.checkpoint import Checkpoint

_SHARD = 2_000_000_000
"""Bytes of tensors that are held in memory, and written as one file, at a time."""
_CARD = ("name", "license", "prompt", "evidence_order", "recommended_context")
_TERMS = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "clean_up_tokenization_spaces": False,
}


def write_folder(tensors: Iterable[tuple[str, Tensor]], out: Path, dtype: torch.dtype | None) -> None:
    """Makes the folder and its weights.

    Args:
        tensors: (name as in gemma2.py, tensor), one at a time.
        dtype: what they become; None: they keep their own.
    """
    out.mkdir()
    shards: list[dict[str, int]] = []  # the tensors' names and bytes
    shard: dict[str, Tensor] = {}

    def write() -> None:
        save_file(shard, out / f"{len(shards)}.safetensors", metadata={"format": "pt"})
        shards.append({name: tensor.nbytes for name, tensor in shard.items()})
        shard.clear()

    for name, tensor in tensors:
        tensor = tensor.to(dtype or tensor.dtype).contiguous()
        if shard and sum(t.nbytes for t in shard.values()) + tensor.nbytes > _SHARD:
            write()
        shard[f"model.{name}"] = tensor
    write()
    files = [f"model-{n + 1:05}-of-{len(shards):05}.safetensors" for n in range(len(shards))] if len(shards) > 1 else ["model.safetensors"]
    for n, file in enumerate(files):
        written = (out / f"{n}.safetensors").rename(out / file)
        written.chmod(out.stat().st_mode & 0o666)  # safetensors lets nobody else read it
    if len(shards) > 1:
        total = sum(sum(sizes.values()) for sizes in shards)
        places = {name: file for file, sizes in zip(files, shards, strict=True) for name in sizes}
        _write_json(out / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


def write_generated_files(checkpoint: Checkpoint, out: Path) -> None:
    """Config, tokenizer and card of a model that came in one file."""
    tokenizer, card = checkpoint.tokenizer, checkpoint.card
    ours = {key: text for key, text in card.items() if key in _CARD}
    special = {"bos_token_id": tokenizer.bos_id, "eos_token_id": sorted(tokenizer.stop_ids)}
    _write_json(out / "config.json", {**checkpoint.config.to_dict(), **special, "torch_dtype": "bfloat16", "octavo": ours})
    _write_json(out / "generation_config.json", special)
    (out / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    _write_json(out / "tokenizer_config.json", _TOKENIZER)
    name, licence = card.get("name", "A Gemma 2"), card.get("license", "unknown")
    head = f"---\nlicense: {json.dumps(licence)}\n---\n\n# {name}\n\n"
    text = f"A Gemma 2 of {checkpoint.config.num_parameters:,} parameters, which Octavo wrote from a GGUF file. Licence: {licence}.\n"
    (out / "README.md").write_text(head + text, encoding="utf-8")
    if licence == "gemma":
        (out / "NOTICE").write_text(_TERMS, encoding="utf-8")


def _write_json(file: Path, data: dict[str, Any]) -> None:
    file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
