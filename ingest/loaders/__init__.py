"""One registry: a file's suffix names the function that reads it. A new format is one file and one line here.

Loaders are named, not imported, so that planning an ingest imports no parser; only the worker process calls `load`.
"""

from importlib import import_module
from pathlib import Path

from ingest.loaders.parsed import LoadError, Parsed

SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".mhtml": "mhtml",
    ".mht": "mhtml",
}


def load(path: Path) -> Parsed:
    """Reads one file.

    Raises:
        LoadError: the file can't be read, or holds no text; its message is one line for the receipt.
    """
    module = import_module(f"ingest.loaders.{SUFFIXES[path.suffix.lower()]}")
    parsed: Parsed = module.load(path)
    if not parsed.text.strip():
        raise LoadError("no text in it")
    return parsed
