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
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".tif": "image",
    ".tiff": "image",
    ".webp": "image",
    ".bmp": "image",
    ".gif": "image",
}


WITH_OCR = {"pdf", "image"}
"""Loaders that can read pictures of text, when asked to."""


def load(path: Path, ocr: bool = False) -> Parsed:
    """Reads one file; `ocr` also reads its scanned pages, which takes seconds a page.

    Raises:
        LoadError: the file can't be read, or holds no text; its message is one line for the receipt.
    """
    name = SUFFIXES[path.suffix.lower()]
    module = import_module(f"ingest.loaders.{name}")
    parsed: Parsed = module.load(path, ocr=True) if ocr and name in WITH_OCR else module.load(path)
    if not parsed.text.strip() and not parsed.scanned:
        raise LoadError("no text in it")
    return parsed
