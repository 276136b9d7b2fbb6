"""Folder in, library out: documents, chunks, words and vectors, kept where a crash can't confuse them.

SQLite is the one truth; Chroma is an index derived from it. Nothing here knows questions, prompts or the model.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.errors import IngestError as IngestError
    from ingest.index.view import View as View
    from ingest.library import Library as Library
    from ingest.records import Box as Box
    from ingest.records import Chunk as Chunk
    from ingest.records import Document as Document
    from ingest.records import Folder as Folder
    from ingest.records import Hit as Hit
    from ingest.records import Removed as Removed
    from ingest.run.receipt import FileResult as FileResult
    from ingest.run.receipt import Receipt as Receipt
    from ingest.settings import Settings as Settings
    from ingest.text.embedder import Embedder as Embedder

if "OMP_WAIT_POLICY" not in os.environ:
    # How often a waiting thread of torch's looks again before it sleeps; read when torch is loaded. With libgomp's own 300,000 a
    # question takes up to 15 times the processor where others work on the machine, with 0 an idle one decodes far more slowly.
    os.environ.setdefault("GOMP_SPINCOUNT", "12000")

_HOMES = {
    "Box": "ingest.records",
    "Chunk": "ingest.records",
    "Document": "ingest.records",
    "Embedder": "ingest.text.embedder",
    "FileResult": "ingest.run.receipt",
    "Folder": "ingest.records",
    "Hit": "ingest.records",
    "IngestError": "ingest.errors",
    "Library": "ingest.library",
    "Receipt": "ingest.run.receipt",
    "Removed": "ingest.records",
    "Settings": "ingest.settings",
    "View": "ingest.index.view",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ingest' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
