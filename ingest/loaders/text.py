"""Plain text: as it is, in whatever encoding. Source code and settings too: their text is what people look for."""

from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean


def load(path: Path) -> Parsed:
    return Parsed(clean(decode(path.read_bytes())))
