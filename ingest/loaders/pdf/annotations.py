"""What is laid over a PDF page: filled fields and typed remarks, comments, attached files."""

import ctypes
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from ingest.loaders.pdf import forms as pdf_forms
from ingest.loaders.pdf.forms import string
from ingest.loaders.pdf.places import page_boxes, upright
from ingest.loaders.pdf.words import Words, joined, words_of

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
_SHOWN = {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
_SILENT = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_FILEATTACHMENT}
_UNSEEN = 2 | 32
"""Flags of what is hidden, or isn't shown on a screen."""
_BESIDE = 25
"""Points from a box to tick to the label on its right."""
_MOST = 2000
"""Annotations of a page that are looked at."""


@dataclass(slots=True)
class LaidOver:
    """What stands over a page.

    Attributes:
        boxes: where fields and remarks draw words.
        values: what fields hold, and where, for those that may not draw it.
        marks: boxes to tick, ticked or not, and what is chosen from lists, and where: told instead of what is drawn.
        comments: remarks that open at a click.
        hidden: fields that hold something and aren't shown.
    """

    boxes: list[Box] = field(default_factory=list)
    values: list[tuple[str, Box]] = field(default_factory=list)
    marks: list[tuple[str, Box]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    hidden: int = 0


def annotations(page: Any, attached: list[str]) -> LaidOver:
    """What is laid over a page; names of attached files go to `attached`."""
    found = LaidOver()
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if kind in _SHOWN:
            _shown(page, annotation, kind, found)
        elif kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            _attached(annotation, attached)
        elif kind not in _SILENT and (text := string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents").strip()):
            found.comments.append(f"Comment: {text}")
        raw.FPDFPage_CloseAnnot(annotation)
    return found


def _shown(page: Any, annotation: Any, kind: int, found: LaidOver) -> None:
    place = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, ctypes.byref(place))
    box = (place.left, place.bottom, place.right, place.top)
    is_field = kind == raw.FPDF_ANNOT_WIDGET
    if raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        found.hidden += is_field and bool(pdf_forms.value(page.formenv, annotation))
    elif is_field and (mark := pdf_forms.mark(page.formenv, annotation)):
        found.marks.append((mark, box))
    else:
        found.boxes.append(box)
        if is_field and (value := pdf_forms.value(page.formenv, annotation)):
            found.values.append((value, box))


def shown(document: Any, page: Any, index: int, laid: LaidOver, own: Words) -> Words:
    """The page's words (`own`) with those of fields and remarks, a box to tick beside its label.

    PDFium's text of a page leaves them out. Flattening (in memory: nothing is saved) draws them into the page, and the
    page loaded anew has them. The rest is not taken from there: flattening loses what some fonts say of their letters.
    """
    drawn = _flattened(document, page, index, laid.boxes, own) if laid.boxes else []
    silent = [(value, box) for value, box in laid.values if not any(_inside(words, [box]).any() for words in drawn)]
    words = joined([own, *drawn, *(_typed(page, value, box) for value, box in silent)])
    return _marked(page, words, laid.marks) if laid.marks else words


def _marked(page: Any, words: Words, marks: list[tuple[str, Box]]) -> Words:
    """Marks before the word on their right, else behind the one on their left if no other mark is as near to it, else alone."""
    text, box = list(words.text), words.box.copy()
    places = upright(page, np.array([place for _, place in marks]))
    alone = []
    for (mark, place), (x0, y0, x1, y1) in zip(marks, places.tolist(), strict=True):
        level = (words.turn == page.get_rotation() // 90) & (
            np.minimum(words.box[:, 3], y1) - np.maximum(words.box[:, 1], y0) > 0.3 * (y1 - y0)
        )
        left, right = words.box[:, 2] - x0, words.box[:, 0] - x1
        others = ((places[:, 1] < y1) & (places[:, 3] > y0)).sum() > 1
        after = np.flatnonzero(level & (right > -2) & (right < _BESIDE))
        before = np.flatnonzero(level & (left < 2))
        if len(after):
            label = int(after[np.argmin(right[after])])
            text[label] = f"{mark} {text[label]}"
        elif len(before) and not others:
            label = int(before[np.argmax(left[before])])
            text[label] = f"{text[label]} {mark}"
        else:
            alone.append(_typed(page, mark, place))
            continue
        box[label] = [min(box[label, 0], x0), box[label, 1], max(box[label, 2], x1), box[label, 3]]
    return joined([replace(words, text=text, box=box), *alone])


def _flattened(document: Any, page: Any, index: int, boxes: list[Box], own: Words) -> list[Words]:
    if raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return []
    flat = document[index]
    text_page = flat.get_textpage()
    try:
        words = words_of(text_page, flat.get_bbox())
    finally:
        text_page.close()
        flat.close()
    printed = {(round(x0), round(y0)) for x0, y0, _, _ in page_boxes(own).tolist()}
    new = np.array([(round(x0), round(y0)) not in printed for x0, y0, _, _ in page_boxes(words).tolist()], dtype=bool)
    words = words.pick(_inside(words, boxes) & new)
    words.char[:] = -1
    return [words] if len(words) else []


def _inside(words: Words, boxes: list[Box]) -> NDArray[np.bool_]:
    """Which words stand in one of the boxes."""
    places = page_boxes(words)
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    inside = np.zeros(len(words), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        inside |= (x > x0) & (x < x1) & (y > y0) & (y < y1)
    return inside


def _typed(page: Any, text: str, box: Box) -> Words:
    """A field's text, line under line within its box."""
    lines = [line for line in text.split("\n") if line.strip()]
    x0, y0, x1, y1 = upright(page, np.array([box]))[0].tolist()
    step = (y1 - y0) / max(1, len(lines))
    boxes = [[x0, y0 + step * number, x1, y0 + step * (number + 1)] for number in range(len(lines))]
    turn = np.full(len(lines), page.get_rotation() // 90)
    return Words(lines, np.array(boxes).reshape(-1, 4), np.arange(len(lines)), turn, np.full(len(lines), -1))


def attachments(document: Any) -> list[str]:
    """Names of the files that a PDF carries."""
    names = []
    for index in range(document.count_attachments()):
        name = string(raw.FPDFAttachment_GetName, raw.FPDFDoc_GetAttachment(document, index))
        names.append(" ".join(name.split()) or "unnamed")
    return names


def _attached(annotation: Any, attached: list[str]) -> None:
    name = string(raw.FPDFAttachment_GetName, raw.FPDFAnnot_GetFileAttachment(annotation))
    name = " ".join(name.split()) or "unnamed"
    if name not in attached:
        attached.append(name)
