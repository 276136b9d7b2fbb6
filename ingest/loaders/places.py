"""Where the words of a page stand, packed for the library: a page of prose takes less than two kilobytes.

What is kept of each run of characters are differences from the one before: which word of the page's text it is, and a box. They
stand in columns, squeezed in three parts, each with a code of its own: widths, indents, and the rest, which is mostly zeros.
"""

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]

SCALE = 1 << 14
"""Steps that a page is wide and high."""
_FINE = (48, 96)
"""Steps of letters' height above which half as many steps of a page, and again half, are fine enough."""
_COLUMNS, _INDENT, _WIDTH = 9, 5, 6
_MOST = 2 * _COLUMNS << 20
"""Bytes of a page, unpacked: what gives more was not packed here."""


class Runs(NamedTuple):
    """Characters in a row that stand in one box: a word each, or the half of one that the end of a line parts.

    Attributes:
        start, end: characters.
        page: where each stands, counted from its text's page: a table's header may be repeated from the page before.
        way: to where each is read: 0 to the right, 1 up, 2 to the left, 3 down, on the page as it is shown.
        box: left, top, right, bottom in steps of the page (`SCALE`) as it is shown, from its upper left corner.
    """

    start: Ints
    end: Ints
    page: Ints
    way: Ints
    box: NDArray[Any]


class Words(NamedTuple):
    """Where a text's words, parted by blanks, begin and end, and for each character the place of its word among them."""

    start: Ints
    end: Ints
    place: Ints


def pack(runs: Runs, words: Words, bounds: Ints) -> list[bytes]:
    """The runs of each page in turn.

    Args:
        words: those of the text into which they count, some pages' in a row.
        bounds: where each page begins in it, and where the last one ends.
    """
    pages = np.searchsorted(runs.start, bounds)
    filled = np.flatnonzero(np.diff(pages))
    if not len(filled):
        return [b""] * (len(pages) - 1)
    begin, counts = pages[filled], np.diff(pages)[filled]
    x0, y0, x1, y1 = runs.box.T.astype(np.int32)
    coarse = np.searchsorted(_FINE, np.add.reduceat(np.minimum(x1 - x0, y1 - y0), begin) / counts).astype(np.int32)
    shift = np.repeat(coarse, counts)
    half = 1 << shift >> 1
    x0, y0, x1, y1 = (side + half >> shift for side in (x0, y0, x1, y1))
    place = words.place[runs.start]
    before = _before(place, begin)
    before[begin] = np.searchsorted(words.start, bounds[filled])
    counted = np.stack([place - before, runs.start - words.start[place], runs.end - words.end[place]])
    columns = np.empty((_COLUMNS, len(place)), "<i2")
    columns[:3], columns[3], columns[4] = counted, runs.page, runs.way
    columns[_INDENT], columns[_WIDTH] = x0 - _before(x1, begin), x1 - x0
    columns[7], columns[8] = y0 - _before(y0, begin), (y1 - y0) - _before(y1 - y0, begin)
    found = [b""] * (len(pages) - 1)
    for page, first, count, steps in zip(filled.tolist(), begin.tolist(), counts.tolist(), coarse.tolist(), strict=True):
        if np.abs(counted[:, first : first + count]).max() < 1 << 15:  # else it is no page that anybody looks at
            found[page] = bytes([steps]) + _squeezed(columns[:, first : first + count])
    return found


def _before(values: NDArray[Any], begin: Ints) -> NDArray[Any]:
    """Of each the one before, 0 for the first of a page."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[begin] = 0
    return before


def _squeezed(columns: NDArray[np.int16]) -> bytes:
    low, high = columns.view(np.uint8).reshape(_COLUMNS, -1, 2).transpose(2, 0, 1)
    rest = np.concatenate([low[:_INDENT], low[_WIDTH + 1 :], high]).tobytes()
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    parts = [packer.compress(part) + packer.flush(zlib.Z_PARTIAL_FLUSH) for part in (low[_INDENT].tobytes(), low[_WIDTH].tobytes())]
    return b"".join([*parts, packer.compress(rest), packer.flush()])


def unpack(packed: bytes, text: str) -> Runs:
    """The runs of a page; they count from where its text begins.

    Raises:
        ValueError: they aren't this text's, or damaged.
    """
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    first, last, _ = words_in(codes_of(text))
    try:
        data = np.frombuffer(unpacker.decompress(packed[1:], _MOST), np.uint8).reshape(2 * _COLUMNS, -1)
        low = np.concatenate([data[2 : 2 + _INDENT], data[:2], data[2 + _INDENT : _COLUMNS]])
        columns = np.stack([low, data[_COLUMNS:]], axis=2).copy().view("<i2")[:, :, 0].astype(np.int64)
        place, skipped, longer, page, way, indent, width, drop, taller = columns
        place = np.cumsum(place)
        start, end = first[place] + skipped, last[place] + longer
    except (zlib.error, ValueError, IndexError) as error:
        raise ValueError("places that can't be read") from error
    x1, y0 = np.cumsum(indent + width), np.cumsum(drop)
    box = np.column_stack([x1 - width, y0, x1, y0 + np.cumsum(taller)]) << min(packed[0], len(_FINE))
    known = unpacker.eof and (place >= 0).all() and (end > start).all() and (start[1:] >= end[:-1]).all() and (end <= len(text)).all()
    if not (known and ((way >= 0) & (way < 4)).all()):
        raise ValueError("places of another text")
    return Runs(start, end, page, way, box.clip(0, SCALE))


def codes_of(text: str) -> Codes:
    """A text's characters as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)


def words_in(codes: Codes) -> Words:
    """The words of a text."""
    solid = np.zeros(len(codes) + 2, np.bool_)
    np.logical_and(codes != 32, codes != 10, out=solid[1:-1])
    begins, ends = solid[1:] > solid[:-1], solid[1:] < solid[:-1]
    return Words(np.flatnonzero(begins), np.flatnonzero(ends), np.cumsum(begins[:-1]) - 1)
