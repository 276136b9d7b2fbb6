"""Folder in, library out: documents, chunks, words and vectors, kept where a crash can't confuse them.

SQLite is the one truth; Chroma is an index derived from it. Nothing here knows questions, prompts or the model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.embedder import Embedder as Embedder
    from ingest.errors import IngestError as IngestError
    from ingest.library import Library as Library
    from ingest.receipt import FileResult as FileResult
    from ingest.receipt import Receipt as Receipt
    from ingest.records import Chunk as Chunk
    from ingest.records import Document as Document
    from ingest.records import Hit as Hit
    from ingest.settings import Settings as Settings
    from ingest.view import View as View

_HOMES = {
    "Chunk": "ingest.records",
    "Document": "ingest.records",
    "Embedder": "ingest.embedder",
    "FileResult": "ingest.receipt",
    "Hit": "ingest.records",
    "IngestError": "ingest.errors",
    "Library": "ingest.library",
    "Receipt": "ingest.receipt",
    "Settings": "ingest.settings",
    "View": "ingest.view",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ingest' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
