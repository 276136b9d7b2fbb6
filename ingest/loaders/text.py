"""Plain text in the encodings that people have: UTF-8, UTF-16 with its mark, else Windows' Western one."""

import codecs
from pathlib import Path

from ingest.loaders.parsed import LoadError, Parsed, clean


def decode(data: bytes) -> str:
    """Text of bytes in an encoding that isn't told.

    Raises:
        LoadError: the bytes aren't text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:8192]:
        raise LoadError("not text: there are zero bytes in it")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def load(path: Path) -> Parsed:
    return Parsed(clean(decode(path.read_bytes())))
