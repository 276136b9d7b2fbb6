"""What is laid over a PDF page: filled fields and typed remarks, comments, attached files."""

import ctypes
from typing import Any

import pypdfium2.raw as raw

from ingest.loaders.pdf_words import Words, words_of

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
_SHOWN = {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
_SILENT = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_FILEATTACHMENT}
_MOST = 2000
"""Annotations of a page that are looked at."""


def annotations(page: Any, attached: list[str]) -> tuple[list[Box], list[str]]:
    """Where fields and remarks show something, and the page's comments; names of attached files go to `attached`."""
    boxes: list[Box] = []
    comments: list[str] = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if kind in _SHOWN:
            place = raw.FS_RECTF()
            raw.FPDFAnnot_GetRect(annotation, ctypes.byref(place))
            boxes.append((place.left, place.bottom, place.right, place.top))
        elif kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            _attached(annotation, attached)
        elif kind not in _SILENT and (text := _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents").strip()):
            comments.append(f"Comment: {text}")
        raw.FPDFPage_CloseAnnot(annotation)
    return boxes, comments


def shown(document: Any, page: Any, index: int, boxes: list[Box]) -> list[Words]:
    """The words within fields and remarks.

    PDFium's text of a page leaves them out. Flattening (in memory: nothing is saved) draws them into the page, and the
    page loaded anew has them. The rest is not taken from there: flattening loses what some fonts say of their letters.
    """
    if raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return []
    flat = document[index]
    text_page = flat.get_textpage()
    try:
        return [words for box in boxes if len(words := words_of(text_page, box))]
    finally:
        text_page.close()
        flat.close()


def attachments(document: Any) -> list[str]:
    """Names of the files that a PDF carries."""
    names = []
    for index in range(document.count_attachments()):
        name = _string(raw.FPDFAttachment_GetName, raw.FPDFDoc_GetAttachment(document, index))
        names.append(" ".join(name.split()) or "unnamed")
    return names


def _attached(annotation: Any, attached: list[str]) -> None:
    name = _string(raw.FPDFAttachment_GetName, raw.FPDFAnnot_GetFileAttachment(annotation))
    name = " ".join(name.split()) or "unnamed"
    if name not in attached:
        attached.append(name)


def _string(function: Any, *of: Any) -> str:
    """PDFium's way with strings: asked for the length first, then for the UTF-16."""
    if not of[0]:
        return ""
    size = function(*of, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*of, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\r", "\n")
