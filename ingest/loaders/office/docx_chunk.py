"""Pieces in other formats that Word takes in at opening (altChunk): programs put web pages, RTF and whole documents in so."""

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ingest.loaders.office.ooxml import Package
from ingest.loaders.parsed import Block, LoadError, Parsed

_KINDS = {
    **dict.fromkeys(("text/html", "application/xhtml+xml"), ".html"),
    **dict.fromkeys(("message/rfc822", "application/x-mimearchive", "multipart/related"), ".mht"),
    **dict.fromkeys(("application/rtf", "text/rtf", "application/msword+rtf"), ".rtf"),
    "text/plain": ".txt",
}
_DEEPEST = 5
"""Documents within documents that are followed."""


def blocks(package: Package, part: str, key: str, depth: int, notes: list[str]) -> Iterator[Block]:
    """What one piece holds, read by the loader for its own format; `notes` gets what isn't read."""
    relation = package.relations(part).get(key)
    if relation is None or relation.external or relation.target not in package.zipped:
        where = relation.target if relation else "it is not in the file"
        notes.append(f"1 part put into the document not read: {where}")
        return
    name = PurePosixPath(relation.target).name
    try:
        parsed = _load(package.zipped.read(relation.target), _suffix(package, relation.target), depth)
    except Exception as error:  # any parser may raise anything: the rest of the document is still worth having
        why = str(error) if isinstance(error, LoadError) else type(error).__name__
        notes.append(f"1 part put into the document not read: {name} ({why})")
        return
    notes += parsed.notes
    yield from _blocks(parsed)


def _suffix(package: Package, target: str) -> str:
    kind = package.content_type(target)
    return ".docx" if "wordprocessingml" in kind else _KINDS.get(kind, PurePosixPath(target).suffix.lower())


def _load(data: bytes, suffix: str, depth: int) -> Parsed:
    from ingest.loaders import SUFFIXES, load
    from ingest.loaders.office import docx
    from ingest.loaders.sniff import true_suffix

    if suffix not in SUFFIXES:
        suffix = ".html" if b"<" in data[:200] else ".txt"
    with tempfile.TemporaryDirectory(prefix="octavo-") as folder:
        path = Path(folder) / f"part{suffix}"
        path.write_bytes(data)
        if true_suffix(path, suffix) != ".docx":
            return load(path)
        if depth >= _DEEPEST:
            raise LoadError("it is within too many others")
        return docx.load(path, depth + 1)


def _blocks(parsed: Parsed) -> Iterator[Block]:
    """A text in pieces again, so that its headings stay headings."""
    place = 0
    for start, level, title in parsed.headings:
        yield Block("text", parsed.text[place:start])
        yield Block("heading", title, level)
        place = start + len(title)
    yield Block("text", parsed.text[place:])
