"""Letter-spaced text of a PDF page: A N N U A L  R E P O R T reads ANNUAL REPORT.

Where letters stand far apart PDFium puts a blank of its own between them, and makes each a word. Between words the gap
is wider: theirs has the blank besides.
"""

import ctypes
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from ingest.loaders.pdf.chars import direct
from ingest.loaders.pdf.raised import Lettering

_FEWEST = 4
"""Letters in a row that are a word: fewer are initials, or x y z."""
_WIDEST = 0.9
"""Of a line's height: letters further apart stand in columns."""
_WORD_GAP = 1.7
"""Times the gap between most of the letters: where a word ends."""

_is_generated = direct(raw.FPDFText_IsGenerated, ctypes.c_void_p, ctypes.c_int)


def join_spaced(words: Lettering, text_page: Any, single: NDArray[np.bool_]) -> None:
    """Joins the letters of each spaced-out word, in place; `single` says which words are one character."""
    if not (single[3:] & single[2:-1] & single[1:-2] & single[:-3]).any():
        return
    ends = np.diff(np.concatenate([[0], single & words.kept, [0]]).astype(np.int8))
    for begin, end in zip(np.flatnonzero(ends == 1).tolist(), np.flatnonzero(ends == -1).tolist(), strict=True):
        if end - begin >= _FEWEST:
            _join(words, begin, end, ctypes.cast(text_page.raw, ctypes.c_void_p).value)


def _join(words: Lettering, begin: int, end: int, page: int | None) -> None:
    row = [begin]
    for before, word in pairwise(range(begin, end)):
        gap = words.box[word, 0] - words.box[before, 2]
        near = 0 < gap < _WIDEST * 3 * (words.box[word, 3] - words.box[word, 1]) and words.line[word] == words.line[before]
        if not near or _is_generated(page, int(words.char[word]) - 1) != 1:
            _spell(words, row)
            row = []
        row.append(word)
    _spell(words, row)


def _spell(words: Lettering, row: list[int]) -> None:
    """Makes words of single letters that follow each other on a line."""
    text = [words.text[index] for index in row]
    gaps = [float(words.box[b, 0] - words.box[a, 2]) for a, b in pairwise(row)]
    height = float(words.box[row[0], 3] - words.box[row[0], 1])
    if sum(map(str.isalpha, text)) < max(_FEWEST, 0.7 * len(text)) or median(gaps) > _WIDEST * height or _is_alphabet(text):
        return
    owner = row[0]
    for index, gap in zip(row[1:], gaps, strict=True):
        if gap > _WORD_GAP * median(gaps):
            owner = index
            continue
        words.text[owner] += words.text[index]
        words.box[owner, 2] = words.box[index, 2]
        words.kept[index] = False


def _is_alphabet(text: list[str]) -> bool:
    """Whether they are the names of columns or of answers: A B C D."""
    return all(ord(b) == ord(a) + 1 for a, b in pairwise(text))
