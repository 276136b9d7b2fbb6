"""Markdown: the source is the text that people quote, so it stays as it is; only its headings are noted."""

import re
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean

_FENCE = re.compile(r"[ >]*(`{3,}(?=[^`]*$)|~{3,})(.*)")
_HASHES = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_TITLE = re.compile(r" {4}|\t| {0,3}(?:[>|]|[-*+][ \t]|\d+[.)][ \t]|[-*_]([ \t]*[-*_])+[ \t]*$)")
"""Lines that an underline doesn't make a heading of: code, quotes, tables, lists, rules."""
_ATTRIBUTES = re.compile(r"[ \t]*\{[:#.][^{}]*\}$")
_FRONT = re.compile(r"(-{3}|\+{3})[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w\"'.-]+[ \t]*[:=].*\n(?:.*\n)*?(?:\1|\.{3})[ \t]*(?:\n|\Z)")
_HIDING = re.compile(r" {0,3}(?:<!--|<(pre|script|style|textarea)\b)", re.IGNORECASE)


def load(path: Path) -> Parsed:
    text = clean(decode(path.read_bytes()))
    return Parsed(text, headings=headings(text))


def headings(text: str) -> list[tuple[int, int, str]]:
    """Headings of both Markdown styles, as (start, level, title), outside front matter, code fences, comments and raw HTML."""
    found: list[tuple[int, int, str]] = []
    front = _FRONT.match(text)
    start = front.end() if front else 0
    end = ""  # what ends the fence, comment or element that a line stands in
    before_start, before = start, ""
    for line in text[start:].splitlines(keepends=True):
        bare = line.rstrip("\n")
        kept = ""
        if end:
            fence = _FENCE.match(bare)
            if (fence and fence[1].startswith(end) and not fence[2].strip()) or (end[0] in "<-" and end in bare.lower()):
                end = ""
        elif fence := _FENCE.match(bare):
            end = fence[1]
        elif hashes := _HASHES.match(bare):
            found.append((start, len(hashes[1]), hashes[2]))
        elif before.strip() and (rule := _UNDERLINE.match(bare)):
            found.append((before_start, 1 if rule[1][0] == "=" else 2, before.strip()))
        else:
            kept = "" if _NO_TITLE.match(bare) else bare
            end = _opened(bare)
        before_start, before = start, kept
        start += len(line)
    return [(start, level, bared) for start, level, title in found if (bared := _ATTRIBUTES.sub("", title))]


def _opened(line: str) -> str:
    """What ends the comment, or the element with text of its own, that a line begins and doesn't end."""
    opening = _HIDING.match(line)
    if opening is None:
        return ""
    end = f"</{opening[1].lower()}>" if opening[1] else "-->"
    return "" if end in line.lower()[opening.end() :] else end
