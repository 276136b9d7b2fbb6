"""What stands under boxes on the pages of a PDF, as PDFium tells by itself, in the order of the boxes."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pypdfium2

from ingest import Box

_TURNED = {
    0: lambda b: (b.x0, 1 - b.y1, b.x1, 1 - b.y0),
    90: lambda b: (b.y0, b.x0, b.y1, b.x1),
    180: lambda b: (1 - b.x1, b.y0, 1 - b.x0, b.y1),
    270: lambda b: (1 - b.y1, 1 - b.x1, 1 - b.y0, 1 - b.x0),
}
"""By a page's /Rotate: a box's left, bottom, right, top as shares of the page before it is turned."""


def under(file: Path, boxes: Iterable[Box]) -> str:
    """The letters and digits that lie in the boxes, their rims aside: PDFium takes a letter for inside that is only touched."""
    with pypdfium2.PdfDocument(file) as document:
        pages = {box.page: document[box.page - 1] for box in boxes}
        texts = {number: page.get_textpage() for number, page in pages.items()}
        return letters("".join(texts[box.page].get_text_bounded(*_place(pages[box.page], box)) for box in boxes))


def _place(page: pypdfium2.PdfPage, box: Box) -> tuple[float, float, float, float]:
    left, bottom, right, top = page.get_bbox()
    x0, y0, x1, y1 = _TURNED[page.get_rotation()](box)
    x0, x1 = left + x0 * (right - left), left + x1 * (right - left)
    y0, y1 = bottom + y0 * (top - bottom), bottom + y1 * (top - bottom)
    low = min(x1 - x0, y1 - y0)
    across, along = (0.04 * low, 0.25 * low) if x1 - x0 >= y1 - y0 else (0.25 * low, 0.04 * low)
    return x0 + across, y0 + along, x1 - across, y1 - along


def letters(text: str) -> str:
    """Letters and digits, ligatures spelt out: what blanks, signs, hyphens and the borders of cells don't change."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))
