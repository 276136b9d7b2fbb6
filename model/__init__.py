"""Gemma 2 alone: token ids in, token ids out. Nothing here knows documents, LangChain or Chroma."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.config import Gemma2Config as Gemma2Config
    from model.engine import Model as Model
    from model.errors import ModelError as ModelError
    from model.load.sources import load_model as load_model

if "OMP_WAIT_POLICY" not in os.environ:
    # How long a thread of torch's spins before it sleeps, read when torch is loaded. With libgomp's own 300,000 a question takes four
    # times the processor, and as much longer, where others work on the machine; without spinning an idle one decodes by half slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "12000")

_HOMES = {
    "Gemma2Config": "model.config",
    "Model": "model.engine",
    "ModelError": "model.errors",
    "load_model": "model.load.sources",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'model' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
