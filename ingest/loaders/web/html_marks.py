"""Marks in a page's text while it is put together: they say what only the whole line, or the whole page, can settle.

A page can't hold such characters itself: `kept` and `spaced` take them out.
"""

import re

from ingest.loaders.linear import fraction, lowered, raised

BLANK, NEWLINE, BREAK = "\x01\x02\x03"
"""A blank and a newline that stay as they are, and a line break, which is a blank where text has to be on one line."""
ITEM = "\x04"
"""Between the items of a list in a cell."""
UP, DOWN, END = "\x05\x06\x07"
"""Around a superscript or a subscript."""
HEADING, HEADED = "\x08\x0e"
"""Around a heading, the first followed by its level."""
EDGE = "\x0f"
"""Where a line begins or ends, however often that is said."""

_KEPT = {ord(" "): BLANK, ord("\n"): NEWLINE, **dict.fromkeys((*range(9), *range(11, 32)), None)}
_SPACE = re.compile(r"[\s\0-\x1f]+")
_SPACE_IN_LINE = re.compile(r"[^\S\n]+|[\0-\x08\x0e-\x1f]+")
_INNER = f"[^{UP}{DOWN}{END}]*"
_FRACTION = re.compile(f"(\\d?){UP}({_INNER}){END} ?[/\u2044] ?{DOWN}({_INNER}){END}")
_SHIFTED = re.compile(f"([{UP}{DOWN}])( *)({_INNER}?)( *){END}")
_SPLIT = re.compile(f"([{UP}{DOWN}])({_INNER}){END}\\1")
_ONE_LINE = str.maketrans(dict.fromkeys((BLANK, NEWLINE, BREAK, EDGE, HEADING, HEADED), " "))
_TITLE = re.compile(f"{HEADING}(\\d)([^{HEADED}]*){HEADED}")


def kept(text: str) -> str:
    """Text as it stands, line by line."""
    return text.translate(_KEPT).replace("\t", BLANK * 4)


def spaced(text: str, lines: bool = False) -> str:
    """Text with one blank for each run of white space; `lines` where its newlines count."""
    return _SPACE_IN_LINE.sub(" ", text).replace("\n", BREAK) if lines else _SPACE.sub(" ", text)


def one_line(text: str) -> str:
    """Text for a cell or a title: items of a list are parted by semicolons."""
    line = " ".join(settled(text).translate(_ONE_LINE).split())
    return re.sub(f"[ {ITEM}]*{ITEM}[ {ITEM}]*", "; ", line.strip(ITEM + " "))


def settled(text: str) -> str:
    """Text without its superscripts' and subscripts' marks, as `linear` writes them."""
    if UP in text or DOWN in text:
        while _SPLIT.search(text):
            text = _SPLIT.sub(r"\1\2", text)
        text = _FRACTION.sub(lambda found: f"{found[1]}{' ' * bool(found[1])}{fraction(found[2], found[3])}", text)
        while _SHIFTED.search(text):
            text = _SHIFTED.sub(_shifted, text)
    return text


def _shifted(found: re.Match[str]) -> str:
    mark, lead, text, trail = found.groups()
    before = found.string[max(found.start() - 12, 0) : found.start()]
    if mark == DOWN:
        text = lowered(text, lead or before)
    elif not (text[:1] in "[(" and text[-1:] in "])"):  # notes are called so: [1]
        text = raised(text, lead or before)
    return lead + text + trail


def pieces(text: str) -> list[tuple[int, str]]:
    """The whole page's text in pieces: a level and a heading, or 0 and what stands between headings."""
    text = settled(text).replace(ITEM, "")
    text = re.sub(f"[ {EDGE}]*{EDGE}[ {EDGE}]*({BREAK}?)[ {EDGE}]*", BREAK, text)
    text = re.sub(f" *{BREAK}(?: *{BREAK})+ *", "\n\n", text).replace(BREAK, "\n")
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)))
    before, *rest = _TITLE.split(text.replace(BLANK, " ").replace(NEWLINE, "\n"))
    found = [(0, before)]
    for level, title, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        found += [(int(level), title), (0, after)]
    return found
