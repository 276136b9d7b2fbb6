"""Where a model comes from: the starter, a directory, a .gguf file, Ollama's store, or the Hugging Face hub's id."""

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from model import gpu, native
from model.batching import Run
from model.config import Gemma2Config
from model.engine import Model
from model.errors import PrecisionError, SourceError
from model.gemma2 import Gemma2
from model.load.checkpoint import Checkpoint, Quantize, build_network
from model.memory import needed

OLLAMA = "ollama:"
"""Begins the name of a model in Ollama's store."""
_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def load_model(
    source: str | Path = "starter", device: str = "auto", dtype: torch.dtype | str = torch.bfloat16, quantize: Quantize | None = None
) -> Model:
    """Loads a Gemma 2.

    Args:
        source: "starter", a directory in Hugging Face's layout, a .gguf file, what Ollama has pulled as ollama:NAME, or a hub id
            like google/gemma-2-2b-it.
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        dtype: torch.bfloat16 or torch.float32, also by name; "auto" for bfloat16, unless this processor is far slower in it.
        quantize: "int8" or "int4" packs the weights while they are loaded, in half or nearly a quarter of bfloat16's memory.

    Raises:
        SourceError: there is no such model, or it isn't Gemma 2.
        PrecisionError: float16, in which Gemma 2's residual stream overflows.
    """
    dtype = _DTYPES.get(str(dtype), dtype)
    if dtype not in (*_DTYPES.values(), "auto"):
        raise PrecisionError("Gemma 2 runs in bfloat16 or float32: its activations overflow float16", "set OCTAVO_DTYPE=auto")
    device, checkpoint = resolve_device(device), read_checkpoint(source)
    if isinstance(dtype, str):
        dtype = choose_dtype(device, checkpoint.config.num_parameters)
    packed = kept_packed(device, dtype, checkpoint.config, checkpoint.packed)
    if device.startswith("cuda"):
        require_room(checkpoint, torch.cuda.mem_get_info(device)[0], dtype, quantize, packed)
    compile_ahead(checkpoint.config, quantize, device, dtype)
    network = build_network(
        *(checkpoint.config, checkpoint.tensors(), checkpoint.origin, torch.device(device), dtype),
        quantize=quantize,
        keep_packed=lambda matrix: bool(packed) and (device.startswith("cpu") or gpu.reads(matrix)),
    )
    return model_of(network, checkpoint)


def _by_kernels(device: str, dtype: torch.dtype) -> bool:
    """Whether kernels of our own read tokens there, unless a network's sizes are odd."""
    return device.startswith("cuda") and dtype == torch.bfloat16 and gpu.usable()


def compile_ahead(config: Gemma2Config, quantize: Quantize | None, device: str, dtype: torch.dtype) -> None:
    """Begins to compile what a network of this kind will be run by, while its weights are still read."""
    if _by_kernels(device, dtype):
        from model.gpu import ahead

        ahead.start(config, quantize, torch.device(device))


def kept_packed(device: str, dtype: torch.dtype, config: Gemma2Config, packed: Mapping[str, int]) -> Mapping[str, int]:
    """Of a checkpoint's packed weights those that stay so: what runs a network there reads them as they are stored."""
    if _by_kernels(device, dtype):
        return {kind: count for kind, count in packed.items() if kind != "IQ4_NL"}
    return packed if packed and device.startswith("cpu") and native.library() is not None and native.runs(config) else {}


def require_room(
    checkpoint: Checkpoint, free: int, dtype: torch.dtype, quantize: Quantize | None, packed: Mapping[str, int] | None = None
) -> None:
    """Raises SourceError where a GPU with so many bytes free has no room for the weights and a full window."""
    name = str(dtype).removeprefix("torch.")
    kinds: tuple[Quantize | None, ...] = (None, "int8", "int4")
    sizes = {kind: needed(checkpoint.config, name, kind, packed) for kind in kinds}
    if sizes[quantize] <= free:
        return
    fitting = [f"quantize={kind} ({size / 1e9:.1f} GB)" for kind, size in sizes.items() if kind and size <= free]
    what, size = quantize or name, sizes[quantize] / 1e9
    raise SourceError(
        f"{checkpoint.origin}: in {what} it and its window take {size:.1f} GB, and the GPU has {free / 1e9:.1f} GB free",
        f"{' or '.join(fitting)} fits" if fitting else "use a smaller model, or the processor (OCTAVO_DEVICE=cpu)",
    )


def model_of(network: Gemma2, checkpoint: Checkpoint) -> Model:
    """The model, run by what is fastest on its device."""
    return Model(network, checkpoint.tokenizer, checkpoint.card, _runner(network))


def _runner(network: Gemma2) -> Run | None:
    """What reads tokens faster than plain torch on this network's device, where there is something."""
    if network.device.type == "cuda" and gpu.usable():
        from model.gpu import runner

        if runner.runs(network):
            return runner.Runner(network)
    if network.device.type == "cpu" and native.runs(network.config) and (library := native.library()) is not None:
        return native.Runner(network, library)
    return None


def resolve_device(device: str) -> str:
    """Raises SourceError where the device isn't there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SourceError(f"device {device!r} is not there", "set OCTAVO_DEVICE=auto") from error
    return device


def choose_dtype(device: str, parameters: int) -> torch.dtype:
    """bfloat16, or float32 on a processor that multiplies twice as fast in it, where that takes no more than half of the memory.

    Processors without AVX-512 took 13 times as long over a prompt in bfloat16. Measured, because their names don't tell.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if not device.startswith("cpu") or 4 * parameters > memory / 2:
        return torch.bfloat16
    seconds = dict.fromkeys((torch.bfloat16, torch.float32), float("inf"))
    for _ in range(3):
        for dtype in seconds:
            x, weight = torch.ones(64, 640, dtype=dtype), torch.ones(1024, 640, dtype=dtype)
            began = time.perf_counter()
            x @ weight.T
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - began)
    return torch.float32 if seconds[torch.bfloat16] > 2 * seconds[torch.float32] else torch.bfloat16


def read_checkpoint(source: str | Path) -> Checkpoint:
    """What `load_model` loads, its tensors not yet read.

    Raises:
        SourceError: there is no such model, or it isn't Gemma 2.
    """
    found = find_source(source)
    if found.is_dir():
        from model.load.safetensors import read_directory

        return read_directory(found, "" if found == Path(source).expanduser() else str(source))  # a snapshot is called by its commit
    from model.load.gguf import read_gguf

    return read_gguf(found, str(source) if str(source).startswith(OLLAMA) else "")


def find_source(source: str | Path) -> Path:
    """The folder or the GGUF file of a model, downloaded where a hub id is named.

    Raises:
        SourceError: there is no such model.
    """
    if isinstance(source, str) and source.startswith(OLLAMA):
        from model.load.ollama import ollama_file

        return ollama_file(source.removeprefix(OLLAMA))
    path = starter_file() if source == "starter" else Path(source).expanduser()
    try:
        if path.is_dir() or path.is_file():
            return path
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", "is the path right?") from error
    if path.suffix == ".gguf":
        raise SourceError(f"{path}: no such file", "is the path right?")
    if isinstance(source, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        return hub_directory(source)
    raise SourceError(
        f"no model called {str(source)!r}",
        "name starter, a directory with safetensors, a .gguf file, ollama:NAME, a hub id like google/gemma-2-2b-it, or openai:NAME@URL",
    )


def starter_file() -> Path:
    """The model that ships: in data/ of a checkout, beside the code where a wheel was installed."""
    here = Path(__file__).resolve().parents[1]
    for directory in (here.parent / "data" / "starter", here / "starter"):
        if (directory / "starter.gguf").is_file():
            return directory / "starter.gguf"
    raise SourceError("the starter model is missing", "reinstall Octavo, or name another model with --model")


def hub_directory(name: str) -> Path:
    """The local copy of a hub model; downloads what it lacks, of safetensors and small files.

    Another tool may have left a part of it, a tokenizer for instance, and the hub's library takes any part for the whole.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    from model.load.safetensors import missing_files

    wanted: dict[str, Any] = {"allow_patterns": ["*.safetensors", "*.json"]}
    with suppress(LocalEntryNotFoundError):
        directory = Path(snapshot_download(name, local_files_only=True, **wanted))
        if not missing_files(directory):
            return directory
    try:
        directory = Path(snapshot_download(name, **wanted))
    except GatedRepoError as error:
        hint = f"accept its licence at huggingface.co/{name}, then run `hf auth login`"
        raise SourceError(f"{name} asks for its licence to be accepted", hint) from error
    except RepositoryNotFoundError as error:
        raise SourceError(
            f"the Hugging Face hub has no model {name!r}, or you are not logged in", "check its name, or run `hf auth login`"
        ) from error
    except Exception as error:  # no network, a proxy, a full disk: the library has a class for each
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "download it where there is a network and name its directory"
        raise SourceError(f"{name} is not on this machine and the hub can't be reached ({reason})", hint) from error
    if missing := missing_files(directory):
        hint = f"connect to a network; if huggingface.co/{name} asks for its licence to be accepted, do so and run `hf auth login`"
        raise SourceError(f"{name}: {missing[0].name} is not on this machine and the hub didn't send it", hint)
    return directory
