"""What Ollama has pulled. Its store keeps a model's GGUF file as a blob, which a manifest names by its SHA-256.

Names and manifests come from anywhere, so only what can't lead out of the store becomes a path.
"""

import os
import re
from pathlib import Path
from typing import Any

from model.errors import SourceError
from model.load.safetensors import read_json

_NAME = re.compile(r"(?:(?:([\w-][\w.-]*)/)?([\w-][\w.-]*)/)?([\w-][\w.-]*)(?::([\w-][\w.-]*))?")
"""[[host/]owner/]model[:tag], as `ollama list` shows it."""
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LAYER = "application/vnd.ollama.image."


def stores() -> list[Path]:
    """Where Ollama keeps its models: where it was told to, the user's own place, and that of its service on Linux."""
    told = os.environ.get("OLLAMA_MODELS")
    return [*([Path(told).expanduser()] if told else []), Path.home() / ".ollama/models", Path("/usr/share/ollama/.ollama/models")]


def ollama_file(name: str) -> Path:
    """The GGUF file of a model that Ollama has pulled.

    Args:
        name: as `ollama list` shows it; the tag is `latest` where none is given.

    Raises:
        SourceError: it isn't there, or is no single GGUF file.
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise SourceError(
            f"{name!r:.100} can't be the name of a model in Ollama", "write ollama:NAME or ollama:NAME:TAG, like ollama:gemma2:2b"
        )
    host, owner, model, tag = found.groups()
    path = Path(host or "registry.ollama.ai", owner or "library", model, tag or "latest")
    closed = ""
    for store in stores():
        try:
            manifest = store / "manifests" / path
            if manifest.is_file():
                return _blob(store, read_json(manifest), name, manifest)
        except PermissionError:
            closed = f", and {store} can't be read"
    looked = " or ".join(map(str, stores()))
    raise SourceError(f"Ollama has no {name} in {looked}{closed}", f"`ollama pull {name}`; OLLAMA_MODELS names another store")


def _blob(store: Path, manifest: dict[str, Any], name: str, origin: Path) -> Path:
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise SourceError(f"{origin}: no layers in it", f"`ollama pull {name}`")
    digests = {kind: [layer.get("digest") for layer in layers if layer.get("mediaType") == _LAYER + kind] for kind in ("model", "adapter")}
    if digests["adapter"]:
        raise SourceError(f"{name} has an adapter beside its model, which Octavo doesn't apply", "merge it into the model")
    if (count := len(digests["model"])) != 1:
        raise SourceError(f"{name} is no single GGUF file: {count} of its layers are a model", "pull one that is, like gemma2:2b")
    digest = _DIGEST.fullmatch(str(digests["model"][0]))
    if not digest:
        raise SourceError(f"{origin}: its model's digest is no SHA-256", f"`ollama pull {name}`")
    file = store / "blobs" / f"sha256-{digest[1]}"
    if not file.is_file():
        raise SourceError(f"{file}: missing; {name} is not whole", f"`ollama pull {name}`")
    return file
