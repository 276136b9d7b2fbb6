"""Places on a PDF page: its own, which count upwards and know no turning; those of words, by their turn; and those that are seen."""

from typing import Any

import numpy as np

from ingest.loaders.pdf.chars import Floats, Ints
from ingest.loaders.pdf.words import Words

_TURNS = {
    0: (np.array([0, 3, 2, 1]), np.array([1, -1, 1, -1])),
    1: (np.array([1, 0, 3, 2]), np.array([1, 1, 1, 1])),
    2: (np.array([2, 1, 0, 3]), np.array([-1, 1, -1, 1])),
    3: (np.array([3, 2, 1, 0]), np.array([-1, -1, -1, -1])),
}
"""For each turn of words, how their boxes are made of the page's own left, bottom, right, top."""


def page_boxes(words: Words) -> Floats:
    """Where words stand in the page's own coordinates: left, bottom, right, top."""
    found = np.zeros((len(words), 4))
    for turn in set(words.turn.tolist()):
        which = words.turn == turn
        order, sign = _TURNS[turn]
        found[np.ix_(which, order)] = sign * words.box[which]
    return found


def upright(page: Any, boxes: Floats) -> Floats:
    """Boxes of the page's own coordinates as those of words that stand upright on the page as it is shown."""
    order, sign = _TURNS[page.get_rotation() // 90]
    return np.asarray(sign * boxes[:, order], np.float64)


def corner(page: Any) -> Floats:
    """Where the shown page's upper left corner is among words that stand upright on it, twice: for a box's two corners."""
    return np.tile(upright(page, np.array([page.get_bbox()]))[0, :2], 2)


def ways(page: Any, words: Words) -> Ints:
    """To where words are read on the page as it is shown: 0 to the right, 1 up, 2 to the left, 3 down."""
    return np.asarray((words.turn - page.get_rotation() // 90) % 4, np.int64)


def seen_boxes(page: Any, words: Words) -> Floats:
    """Where words stand on the page as it is shown: left, top, right, bottom in points."""
    if (words.turn == page.get_rotation() // 90).all():
        return np.asarray(words.box - corner(page), np.float64)
    return np.asarray(upright(page, page_boxes(words)) - corner(page), np.float64)
