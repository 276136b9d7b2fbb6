"""Writes any model that can be loaded into a folder in Hugging Face's layout, or into one GGUF file.

Tensors are taken one at a time, so that no model needs room in memory for the whole of it. Nothing that is there is written over, and
what is new appears when it is whole.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.checkpoint import Checkpoint, is_finite, plain
from model.load.gguf_file import GGUFFile
from model.load.sources import find_source, read_checkpoint
from model.save.folder import write_folder, write_generated_files
from model.save.gguf import write_checkpoint

_COPIED = ("config.json", "generation_config.json", "*token*", "README*", "LICENSE*", "NOTICE*", "*USE_POLICY*")
"""What a folder's weights are accompanied by."""


def export_model(source: str | Path, out: Path) -> int:
    """Writes a model into a new .gguf file, where `out` is called so, else into a new folder in Hugging Face's layout.

    Weights keep the type that a folder has them in. A GGUF file's become bfloat16 in a folder, and stay as they are in a GGUF file.

    Args:
        source: what `load_model` takes.

    Returns:
        How many bytes were written.

    Raises:
        SourceError: there is no such model, `out` is there already, or the model can't be written in this form.
    """
    check_new(out)
    found, checkpoint = find_source(source), read_checkpoint(source)
    copied = found.is_file() and out.suffix == ".gguf"
    need = found.stat().st_size if copied else 2 * checkpoint.config.num_parameters
    if (free := shutil.disk_usage(out.parent).free) < need:
        raise SourceError(f"{out}: takes {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free there", "name a place on another disk")
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
        new = Path(beside) / out.name
        (_write_gguf if out.suffix == ".gguf" else _write_folder)(checkpoint, found, new)
        new.rename(out)
    return sum(file.stat().st_size for file in ([out] if out.is_file() else out.iterdir()))


def check_new(out: Path) -> None:
    """Raises SourceError unless a file or folder can be made at `out` without writing over another."""
    if out.exists():
        raise SourceError(f"{out}: exists already", "name a new one, or remove this one first")
    if not out.parent.is_dir():
        raise SourceError(f"{out.parent}: no such folder to write into")


def tensors_of(checkpoint: Checkpoint) -> Iterator[tuple[str, Tensor]]:
    """All of the network's, in plain numbers.

    Raises:
        SourceError: one is missing, unknown, of another shape or no number.
    """
    with torch.device("meta"):
        wanted = {name: p.shape for name, p in Gemma2(checkpoint.config).named_parameters()}
    for name, stored in checkpoint.tensors():
        tensor = plain(stored)
        if wanted.pop(name, None) != tensor.shape or not tensor.is_floating_point() or not is_finite(tensor):
            raise SourceError(f"{checkpoint.origin}: tensor {name!r:.100} is damaged, or not one of a Gemma 2 of this shape")
        yield name, tensor
    if wanted:
        raise SourceError(f"{checkpoint.origin}: {len(wanted)} tensors are missing, {min(wanted)!r} among them")


def _write_folder(checkpoint: Checkpoint, found: Path, out: Path) -> None:
    write_folder(tensors_of(checkpoint), out, None if found.is_dir() else torch.bfloat16)
    if found.is_dir():
        for file in {file for pattern in _COPIED for file in found.glob(pattern) if file.is_file()}:
            shutil.copyfile(file, out / file.name)
    else:
        write_generated_files(checkpoint, out)


def _write_gguf(checkpoint: Checkpoint, found: Path, out: Path) -> None:
    if found.is_dir():
        write_checkpoint(checkpoint, tensors_of(checkpoint), out)
    elif GGUFFile(found).parts > 1:
        raise SourceError(f"{found}: is the first of several files", "put them together with llama.cpp's `llama-gguf-split --merge`")
    else:
        shutil.copyfile(found, out)
