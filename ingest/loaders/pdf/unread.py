"""What a PDF page shows and its text layer lacks: text in pictures, text drawn as curves, letters that no font tells.

The words that are read are taken out of the page, and what is left is drawn small. Lines of text look alike whatever
they are made of: short stretches of many steps from light to dark, with nothing above and below them.
"""

import ctypes
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from ingest.loaders.pdf.chars import Floats, Ints, direct
from ingest.loaders.pdf.places import seen_boxes
from ingest.loaders.pdf.rules import Drawn
from ingest.loaders.pdf.words import Words

_DOTS = 100
"""Dots an inch of the small drawing: small print is 5 high."""
_MOST_DOTS = 2000
"""Of its longer side."""
_STRIP = 50
"""Dots: the width of a piece of a line, some ten letters."""
_STEPS = 5
"""From light to dark or back, in a row of a strip: fewer are no letters."""
_RULES = 2
"""Steps of a row that is blank but for a rule across it."""
_ALL_STEPS = 70
"""In all its rows: half a strip of letters has as many, the dots of a diagram fewer."""
_LOWEST, _HIGHEST = 4, 60
"""Dots: the height of a line's letters."""
_NEAR = 3
"""Strips from a piece to another one of its line: a table's cells stand apart."""
_FEWEST, _LEAST = 6, 0.045
"""Pieces of lines from which it is text, three short lines, and of all text of the page; a logo with its name has fewer."""
_FEW_WORDS = 8
"""On a page that is all picture: its words are a stamp or a page number, and any line in the picture its text."""
_CONTRAST = (16, 40)
"""Of 256 shades: what is a step, at least and at most; between them a fifth of the drawing's range."""

_text_object = direct(raw.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_int, result=ctypes.c_void_p)


def may_hold_text(drawn: Drawn) -> bool:
    """Whether it is worth while to look: a table's lines and a letter's logo aren't."""
    return drawn.pictures > 0.02 or drawn.corners > 300 or drawn.paths > 600


def hide(text_page: Any, words: Words) -> None:
    """Takes what draws these words out of the page (in memory: nothing is saved)."""
    address = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    pieces: set[int] = set()
    for char, word in zip(words.char.tolist(), words.text, strict=True):
        if char >= 0:
            pieces.update(_text_object(address, index) or 0 for index in range(char, char + len(word)))
    for piece in pieces - {0}:
        raw.FPDFPageObj_SetIsActive(ctypes.cast(piece, raw.FPDF_PAGEOBJECT), False)


def unread_share(page: Any, words: Words, drawn: Drawn) -> float:
    """How much of a page's text is not among its words, 0 to 1; their own drawings must be hidden already."""
    stamped = drawn.pictures > 0.6 and len(words) < _FEW_WORDS
    scale = min(_DOTS / 72, _MOST_DOTS / max(1.0, *page.get_size()))
    bitmap = page.render(scale=scale, grayscale=True, draw_annots=False, may_draw_forms=False)
    try:
        shades = bitmap.to_numpy().reshape(bitmap.height, bitmap.width, -1)[:, :, 0]
        read = seen_boxes(page, words) * scale
        left, top, shades = inked(shades)
        origin = np.array([left, top, left, top])
        upright = _without(_pieces(shades, stamped) + origin, read)
        turned = _without(_pieces(shades.T, stamped)[:, [1, 0, 3, 2]] + origin, read)
    finally:
        bitmap.close()
    pieces = max(upright, turned, key=len)
    if len(pieces) < (1 if stamped else _FEWEST):
        return 0.0
    area, rest = float(_areas(pieces).sum()), float(_areas(read).sum())
    return share if (share := area / (area + rest)) > _LEAST else 0.0


def inked(shades: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
    """Where the part of a drawing begins, across and down, that isn't as blank as its corner, and that part."""
    ink = shades != shades[0, 0] if shades.ndim == 2 else (shades != shades[0, 0]).any(axis=2)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return 0, 0, shades[:0]
    return int(columns[0]), int(rows[0]), shades[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _pieces(shades: NDArray[np.uint8], alone: bool) -> Floats:
    """Left, top, right, bottom of pieces of lines of text, each with another one beside it unless they may stand alone."""
    height, count = shades.shape[0], -(-shades.shape[1] // _STRIP)
    if not shades.size:
        return np.zeros((0, 4))
    dark = np.pad(shades, ((0, 0), (0, count * _STRIP - shades.shape[1])), mode="edge").astype(np.int16)
    step = float(np.clip(0.2 * (int(dark.max()) - int(dark.min())), *_CONTRAST))
    across = (np.abs(np.diff(dark, axis=1, append=dark[:, -1:])) > step).reshape(height, count, _STRIP).sum(2)
    down = (np.abs(np.diff(dark, axis=0, append=dark[-1:])) > step).reshape(height, count, _STRIP).sum(2)
    ends = np.diff((across >= _STEPS).astype(np.int8), axis=0, prepend=np.int8(0), append=np.int8(0))
    strips, begins = np.nonzero(ends.T == 1)
    stops = np.nonzero(ends.T == -1)[1]
    tall = stops - begins
    total = _sums(across, begins, stops, strips)
    letters = (tall >= _LOWEST) & (tall <= _HIGHEST) & (total >= _ALL_STEPS)
    letters &= _sums(down, begins, stops - 1, strips) > 0.25 * total  # bars and ticks are alike from row to row
    reach = np.maximum(3, tall // 2)
    blank = across <= _RULES
    for low, high in ((begins - reach, begins), (stops, stops + reach)):  # and the squares of a QR code have no blank between
        letters &= (low < 0) | (high > height) | (_sums(blank, low.clip(0), high.clip(max=height), strips) > 0)
    strips, begins, stops = strips[letters], begins[letters], stops[letters]
    found = np.column_stack([strips * _STRIP, begins, (strips + 1) * _STRIP, stops])
    return (found if alone else found[_beside(strips, begins, stops)]).astype(np.float64)


def _sums(counts: NDArray[Any], begins: Ints, stops: Ints, strips: Ints) -> Ints:
    """The sums of strips' rows from begin to stop."""
    sums = np.vstack([np.zeros((1, counts.shape[1]), np.int64), np.cumsum(counts, axis=0, dtype=np.int64)])
    return np.asarray(sums[stops, strips] - sums[begins, strips], np.int64)


def _beside(strips: Ints, begins: Ints, stops: Ints) -> NDArray[np.bool_]:
    """Which pieces have one as high and as low as themselves near by, on their left or right."""
    beside = np.zeros(len(strips), dtype=bool)
    bounds = np.searchsorted(strips, np.arange(int(strips.max(initial=0)) + 2 + _NEAR))
    for apart in range(1, _NEAR + 1):
        for strip in range(len(bounds) - apart - 1):
            here, there = slice(bounds[strip], bounds[strip + 1]), slice(bounds[strip + apart], bounds[strip + apart + 1])
            differ = np.maximum(
                np.abs(np.subtract.outer(begins[here], begins[there])), np.abs(np.subtract.outer(stops[here], stops[there]))
            )
            near = differ <= np.maximum(2, 0.3 * (stops[here] - begins[here])[:, None])
            beside[here] |= near.any(axis=1)
            beside[there] |= near.any(axis=0)
    return beside


def _without(pieces: Floats, read: Floats) -> Floats:
    """The pieces of which words that are read cover next to nothing."""
    if not len(pieces) or not len(read):
        return pieces
    return pieces[covered(pieces, read) < 0.15]


def covered(boxes: Floats, by: Floats) -> Floats:
    """The part of each box that the others cover; they are taken not to overlap."""
    wide = np.minimum(boxes[:, None, 2], by[None, :, 2]) - np.maximum(boxes[:, None, 0], by[None, :, 0])
    tall = np.minimum(boxes[:, None, 3], by[None, :, 3]) - np.maximum(boxes[:, None, 1], by[None, :, 1])
    part: Floats = (wide.clip(0) * tall.clip(0)).sum(axis=1) / _areas(boxes).clip(1e-9)
    return part


def _areas(boxes: Floats) -> Floats:
    areas: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
