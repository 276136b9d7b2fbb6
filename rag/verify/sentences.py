"""Where the sentences, list items and table rows of a text begin and end."""

import re

from rag.verify.words import ABBREVIATIONS

_ABBREVIATIONS = ABBREVIATIONS | {"no", "c"}
_END = re.compile(r"[.!?…][\"')\]]*\s+(?=[^a-z\s])|\n\s*\n|\n(?=\s*(?:[-+•|#>]|\d+[.)])\s?)|(?<=\|)\n|:\s*\n")
_LAST_WORD = re.compile(r"([\w.]+)\Z")


def sentences(text: str) -> list[tuple[int, int]]:
    """Their spans, without the white space around them."""
    cuts = [0]
    for found in _END.finditer(text):
        before = _LAST_WORD.search(text[max(0, found.start() - 12) : found.start()])
        word = before[1].casefold() if before else ""
        if found[0][0] != "." or (word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha())):
            cuts.append(found.end())
    parts = ((start, end, text[start:end]) for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True))
    return [(end - len(part.lstrip()), start + len(part.rstrip())) for start, end, part in parts if part.strip()]
