"""What PDFium says of single characters of a page, by the least costly calls.

A call through ctypes costs a third of a microsecond at best, and a page has thousands of characters.
"""

import ctypes
from collections import deque
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def direct(function: Any, *kinds: Any, result: Any = ctypes.c_int) -> Any:
    """A PDFium function that takes plain addresses: building typed pointers would cost more than the call itself."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address
    return ctypes.PYFUNCTYPE(result, *kinds)(address)


_page, _char, _place = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
_char_box = direct(raw.FPDFText_GetLooseCharBox, _page, _char, _place)
_char_origin = direct(raw.FPDFText_GetCharOrigin, _page, _char, _place, _place)
_char_matrix = direct(raw.FPDFText_GetMatrix, _page, _char, _place)
_char_size = direct(raw.FPDFText_GetFontSize, _page, _char, result=ctypes.c_double)
_origin, _matrix = (ctypes.c_double * 2)(), (ctypes.c_float * 6)()


def boxes_of(text_page: Any, chars: Iterable[int]) -> Floats:
    """Left, top, right, bottom (y upwards) of characters: their font's height, not the ink's, so that a line's are alike."""
    indices = np.asarray(chars).tolist()
    boxes = np.zeros((len(indices), 4), np.float32)
    base: int = boxes.ctypes.data
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    deque(map(_char_box, repeat(page), indices, range(base, base + 16 * len(indices), 16)), 0)
    if not np.isfinite(boxes.sum()):
        boxes[~np.isfinite(boxes)] = 0
    return boxes.astype(np.float64)


def origins_of(text_page: Any, chars: Ints) -> Floats:
    """Where characters stand on their base lines: x and y (upwards)."""
    origins = np.zeros((len(chars), 2))
    base: int = origins.ctypes.data
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    ends = base + 16 * len(chars)
    deque(map(_char_origin, repeat(page), chars.tolist(), range(base, ends, 16), range(base + 8, ends, 16)), 0)
    return origins


def letters_of(text_page: Any, chars: Iterable[int], turn: int) -> list[tuple[float, float]]:
    """Size and base line (y downwards, as their reader sees it) of characters: the font's size, which doesn't depend on its boxes."""
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    x, form = ctypes.addressof(_origin), ctypes.addressof(_matrix)
    letters = []
    for char in chars:
        _char_origin(page, char, x, x + 8)
        _char_matrix(page, char, form)
        size = _char_size(page, char) * (_matrix[2] ** 2 + _matrix[3] ** 2) ** 0.5
        letters.append((size, (-_origin[1], _origin[0], _origin[1], -_origin[0])[turn]))
    return letters


def median(values: Floats) -> float:
    """NumPy's own takes ten times as long for as few values as a page has words."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


_UPRIGHT = np.array([1.0, -1.0, 1.0, -1.0])


def facing(box: Floats, turn: Ints) -> Floats:
    """Boxes (left, top, right, bottom, y upwards) as the reader of their words sees them, y downwards."""
    turned: Floats = box * _UPRIGHT
    if turn.any():
        x0, y1, x1, y0 = box.T
        for quarter, columns in ((1, (y0, x0, y1, x1)), (2, (-x1, y0, -x0, y1)), (3, (-y1, -x1, -y0, -x0))):
            if (which := turn == quarter).any():
                turned[which] = np.column_stack(columns)[which]
    return turned
