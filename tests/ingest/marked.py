"""What stands under boxes on the pages of a PDF, as PDFium tells by itself, in the order of the boxes."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pypdfium2
import pypdfium2.raw as raw

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
        pages = {box.page: _flat(document, box.page - 1) for box in boxes}
        texts = {number: page.get_textpage() for number, page in pages.items()}
        return letters("".join(texts[box.page].get_text_bounded(*_place(pages[box.page], box)) for box in boxes))


def _flat(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    """A page with what is filled into its fields as part of it, where PDFium's text has it."""
    raw.FPDFPage_Flatten(document[index], raw.FLAT_NORMALDISPLAY)
    return document[index]


def _place(page: pypdfium2.PdfPage, box: Box) -> tuple[float, float, float, float]:
    left, bottom, right, top = page.get_bbox()
    x0, y0, x1, y1 = _TURNED[page.get_rotation()](box)
    x0, x1 = left + x0 * (right - left), left + x1 * (right - left)
    y0, y1 = bottom + y0 * (top - bottom), bottom + y1 * (top - bottom)
    wide, high = x1 - x0, y1 - y0
    low = min(wide, high)
    across, along = (0.1, 0.1) if max(wide, high) < 2 * low else (0.04, 0.25) if wide > high else (0.25, 0.04)
    return x0 + across * low, y0 + along * low, x1 - across * low, y1 - along * low


def letters(text: str) -> str:
    """Letters and digits, ligatures spelt out: what blanks, signs, hyphens and the borders of cells don't change."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))
