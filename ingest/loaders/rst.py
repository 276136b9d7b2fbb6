"""reStructuredText: the source stays as it is; its headings are noted, by underline (and overline) in order of appearance."""

import re
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{1,}[ \t]*$")


def load(path: Path) -> Parsed:
    text = clean(decode(path.read_bytes()))
    return Parsed(text, headings=headings(text))


def headings(text: str) -> list[tuple[int, int, str]]:
    """Headings as (start, level, title)."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[tuple[int, int, str]] = []
    styles: list[tuple[str, bool]] = []
    for number in range(1, len(lines)):
        title, rule = lines[number - 1], lines[number]
        if not _RULE.match(rule) or not title.strip() or _RULE.match(title) or len(rule.rstrip()) < len(title.strip()):
            continue
        above = lines[number - 2] if number > 1 else ""
        overlined = above.rstrip() == rule.rstrip()
        if (title[0].isspace() and not overlined) or (above.strip() and not overlined):
            continue  # a title stands at the margin, after a blank line
        style = (rule[0], overlined)
        if style not in styles:
            styles.append(style)
        start = starts[number - 1] + len(title) - len(title.lstrip())
        found.append((start, styles.index(style) + 1, title.strip()))
    return found
