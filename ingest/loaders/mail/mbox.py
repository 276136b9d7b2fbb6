"""Mailboxes (mbox): letters one after the other in one file, each below a line `From sender date`.

The letters' own lines may begin with "From " too, and not every program marks those with a ">". So only a line that holds
nothing but a sender and a date, after a blank line (or the end of a letter's last part) and before a header, begins a letter.
"""

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path

_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ENVELOPE = re.compile(
    rb"From \S+(?: at \S+)? +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +"
    rb"(?:" + _MONTH + rb" +\d{1,2}|\d{1,2} +" + _MONTH + rb"(?: +\d{4})?) +\d{1,2}:\d\d(?::\d\d)?"
    rb"(?: +(?:\d{4}|[+-]\d{4}|[A-Z]{1,5}))*(?: +remote from \S+)?\s*"
)
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")
_ESCAPED = re.compile(rb">+From ")


def messages(path: Path) -> Iterator[bytes]:
    """Each letter's bytes, without its envelope; a file without envelopes is one letter."""
    lines: list[bytes] = []
    blank = True
    with path.open("rb") as file:
        for line, following in pairwise(chain(file, [b""])):
            if blank and line.startswith(b"From ") and _ENVELOPE.fullmatch(line) and _HEADER.match(following):
                if any(not held.isspace() for held in lines):
                    yield b"".join(lines)
                lines.clear()
            else:
                lines.append(line[1:] if _ESCAPED.match(line) else line)
            blank = line.isspace() or (line.startswith(b"--") and line.rstrip().endswith(b"--"))
    if any(not held.isspace() for held in lines):
        yield b"".join(lines)
