"""What is drawn on a PDF page besides text: the lines that rule tables, and whether there are pictures."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as raw

from ingest.loaders.pdf.chars import direct

Matrix = tuple[float, float, float, float, float, float]
Rule = tuple[float, float, float]
"""A ruling: where it lies across, and where it begins and ends along."""

THIN = 3.0
"""Points up to which a filled rectangle is a line."""
_MOST_OBJECTS = 20_000
"""Of a page's objects no more than these are looked at: a map may hold a million."""
_MOST_RULES = 3000
"""A page with more is a drawing, not a table."""
_DEEPEST = 4
_TEXT, _PATH, _IMAGE, _FORM = raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM

_address = ctypes.c_void_p
_count = direct(raw.FPDFPage_CountObjects, _address)
_object = direct(raw.FPDFPage_GetObject, _address, ctypes.c_int, result=_address)
_form_count = direct(raw.FPDFFormObj_CountObjects, _address)
_form_object = direct(raw.FPDFFormObj_GetObject, _address, ctypes.c_ulong, result=_address)
_kind = direct(raw.FPDFPageObj_GetType, _address)
_bounds = direct(raw.FPDFPageObj_GetBounds, *[_address] * 5)
_matrix = direct(raw.FPDFPageObj_GetMatrix, *[_address] * 2)
_segments = direct(raw.FPDFPath_CountSegments, _address)
_segment = direct(raw.FPDFPath_GetPathSegment, _address, ctypes.c_int, result=_address)
_segment_kind = direct(raw.FPDFPathSegment_GetType, _address)
_segment_point = direct(raw.FPDFPathSegment_GetPoint, *[_address] * 3)
_segment_closes = direct(raw.FPDFPathSegment_GetClose, _address)


@dataclass(slots=True)
class Drawn:
    """Rules in the page's own coordinates (y upwards), and what else a page draws.

    Attributes:
        across: horizontal rules: (y, from x, to x).
        down: vertical rules: (x, from y, to y).
        pictures: the area of all pictures, as part of the page's; more than 1 where they overlap.
        paths: how many shapes there are.
        corners: how many corners and curves those have that are no lines or rectangles, as letters are.
        texts: how many pieces of text its content draws, read or not.
    """

    across: list[Rule] = field(default_factory=list)
    down: list[Rule] = field(default_factory=list)
    pictures: float = 0.0
    paths: int = 0
    corners: int = 0
    texts: int = 0


def drawn_on(page: Any, width: float, height: float) -> Drawn:
    """Looks through a page's objects, and those in its forms (drawings that are placed as a whole)."""
    found = Drawn()
    buffer = (ctypes.c_float * 6)()
    for obj, kind, matrix in _objects(ctypes.cast(page.raw, _address).value, buffer, found):
        if kind == _IMAGE:
            x0, y0, x1, y1 = _box(obj, buffer, matrix)
            found.pictures += (x1 - x0) * (y1 - y0) / max(1.0, width * height)
            continue
        found.paths += 1
        if len(found.across) + len(found.down) > _MOST_RULES:
            continue
        _path(found, obj, buffer, matrix, width, height)
    if len(found.across) + len(found.down) > _MOST_RULES:
        found.across, found.down = [], []
    return found


def _objects(page: int | None, buffer: Any, found: Drawn) -> Iterator[tuple[int, int, Matrix | None]]:
    """Paths and pictures, each with the matrix that brings its coordinates to the page's; pieces of text are counted."""
    left = _MOST_OBJECTS
    for index in range(min(left, _count(page))):
        obj = _object(page, index)
        kind = _kind(obj)
        if kind == _TEXT:
            found.texts += 1
        elif kind in (_PATH, _IMAGE):
            yield obj, kind, None
        elif kind == _FORM:
            for inner in _inside(obj, buffer, None, _DEEPEST):
                left -= 1
                if left < 0:
                    return
                yield inner


def _inside(form: int, buffer: Any, outer: Matrix | None, depth: int) -> Iterator[tuple[int, int, Matrix | None]]:
    _matrix(form, ctypes.addressof(buffer))
    matrix = _times(tuple(buffer), outer)
    for index in range(min(_MOST_OBJECTS, _form_count(form))):
        obj = _form_object(form, index)
        kind = _kind(obj)
        if kind in (_PATH, _IMAGE):
            yield obj, kind, matrix
        elif kind == _FORM and depth:
            yield from _inside(obj, buffer, matrix, depth - 1)


def _times(a: Any, b: Matrix | None) -> Matrix:
    if b is None:
        return a  # type: ignore[no-any-return]
    (a0, a1, a2, a3, a4, a5), (b0, b1, b2, b3, b4, b5) = a, b
    return (
        a0 * b0 + a1 * b2, a0 * b1 + a1 * b3,
        a2 * b0 + a3 * b2, a2 * b1 + a3 * b3,
        a4 * b0 + a5 * b2 + b4, a4 * b1 + a5 * b3 + b5,
    )  # fmt: skip


def _at(x: float, y: float, m: Matrix | None) -> tuple[float, float]:
    return (x, y) if m is None else (m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5])


def _box(obj: int, buffer: Any, matrix: Matrix | None) -> tuple[float, float, float, float]:
    base = ctypes.addressof(buffer)
    if not _bounds(obj, base, base + 4, base + 8, base + 12):
        return 0.0, 0.0, 0.0, 0.0
    x0, y0, x1, y1 = buffer[:4]
    if matrix is not None:
        (ax, ay), (bx, by) = _at(x0, y0, matrix), _at(x1, y1, matrix)
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)
    return x0, y0, x1, y1


def _path(found: Drawn, obj: int, buffer: Any, matrix: Matrix | None, width: float, height: float) -> None:
    """The rules in a path: itself if it is thin, a rectangle's sides, or its straight parts."""
    x0, y0, x1, y1 = _box(obj, buffer, matrix)
    if y1 - y0 <= THIN or x1 - x0 <= THIN:
        if x1 - x0 > y1 - y0:
            found.across.append(((y0 + y1) / 2, x0, x1))
        elif y1 - y0 > 0:
            found.down.append(((x0 + x1) / 2, y0, y1))
        return
    if x1 - x0 > 0.95 * width and y1 - y0 > 0.95 * height:
        return  # the paper's colour
    parts = _segments(obj)
    found.corners += parts * (parts > 5)
    if not 0 < parts <= _MOST_RULES:
        return
    _matrix(obj, ctypes.addressof(buffer))
    whole = _times(tuple(buffer), matrix)
    here = begin = (0.0, 0.0)
    base = ctypes.addressof(buffer)
    for index in range(parts):
        segment = _segment(obj, index)
        _segment_point(segment, base, base + 4)
        there = _at(buffer[0], buffer[1], whole)
        kind = _segment_kind(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begin = there
        elif kind == raw.FPDF_SEGMENT_LINETO:
            _straight(found, here, there)
        if _segment_closes(segment):
            _straight(found, there, begin)
        here = there


def _straight(found: Drawn, a: tuple[float, float], b: tuple[float, float]) -> None:
    long_x, long_y = abs(a[0] - b[0]), abs(a[1] - b[1])
    if long_y < 0.5 < long_x:
        found.across.append(((a[1] + b[1]) / 2, min(a[0], b[0]), max(a[0], b[0])))
    elif long_x < 0.5 < long_y:
        found.down.append(((a[0] + b[0]) / 2, min(a[1], b[1]), max(a[1], b[1])))
