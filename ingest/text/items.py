"""Where the items of a list begin. A line of running text may begin with a number too: "up to the age of", and then "85." below it."""

import re
from collections.abc import Iterator

from ingest.text.chunking import NUMBER

_ITEM = re.compile(rf"^([ \t>]*)([-*+•]|{NUMBER})[ \t]+", re.MULTILINE)
_GOES_ON = re.compile(r"[a-z,]\n\Z")
"""Behind such a line the sentence goes on."""


def items(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The heads of items in text[start:end], their indent (1) and bullet or number (2) as groups.

    A number is an item's where no sentence goes on from the line above, or where it counts on from the item before.
    """
    last = ""
    for head in _ITEM.finditer(text, start, end):
        if (
            head[2] in "-*+•"
            or head.start() == start
            or not _GOES_ON.search(text, head.start() - 2, head.start())
            or _follows(last, head[2])
        ):
            last = head[2]
            yield head


def _follows(last: str, number: str) -> bool:
    before, here = last.strip("().").rpartition(".")[2], number.strip("().").rpartition(".")[2]
    if before.isdecimal() and here.isdecimal():
        return int(here) == int(before) + 1
    return len(before) == len(here) == 1 and ord(here) == ord(before) + 1
