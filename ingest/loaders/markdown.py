"""Markdown: the source is the text that people quote, so it stays as it is; only its headings are noted."""

import re
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HASHES = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")


def load(path: Path) -> Parsed:
    text = clean(decode(path.read_bytes()))
    return Parsed(text, headings=headings(text))


def headings(text: str) -> list[tuple[int, int, str]]:
    """Headings of both Markdown styles outside code fences, as (start, level, title)."""
    found: list[tuple[int, int, str]] = []
    fence = ""
    start, before_start, before = 0, 0, ""
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\n")
        if mark := _FENCE.match(bare):
            if not fence:
                fence = mark[1][:3]
            elif mark[1].startswith(fence):
                fence = ""
        elif not fence:
            if hashes := _HASHES.match(bare):
                found.append((start, len(hashes[1]), hashes[2]))
            elif before.strip() and not _HASHES.match(before) and (rule := _UNDERLINE.match(bare)):
                found.append((before_start, 1 if rule[1][0] == "=" else 2, before.strip()))
        before_start, before = start, "" if fence else bare
        start += len(line)
    return [(start, level, title) for start, level, title in found if title]
