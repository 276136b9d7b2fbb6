"""How a citation marker is written, [2] or [1, 3], and a text without them. What they stand for is citations.py's."""

import re

NUMBERS = r"\d{1,3}(?: ?, ?\d{1,3})*"
MARKER = re.compile(rf"\[({NUMBERS})\]")


def strip_markers(text: str) -> str:
    """The text without its markers, and without the spaces that stood around them."""
    return re.sub(r" +(?= |[.,;:!?]|\Z)", "", MARKER.sub(" ", text)).strip()
