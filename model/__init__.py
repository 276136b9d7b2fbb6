"""Gemma 2 alone: token ids in, token ids out. Nothing here knows documents, LangChain or Chroma."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.config import Gemma2Config as Gemma2Config
    from model.engine import Model as Model
    from model.errors import ModelError as ModelError
    from model.load.sources import load_model as load_model

if "OMP_WAIT_POLICY" not in os.environ:
    # How often a waiting thread of torch's looks again before it sleeps; read when torch is loaded. With libgomp's own 300,000 a
    # question takes up to 15 times the processor where others work on the machine, with 0 an idle one decodes far more slowly.
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
