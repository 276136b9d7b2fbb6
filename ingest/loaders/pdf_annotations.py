"""What is laid over a PDF page: filled fields and typed remarks, comments, attached files."""

import ctypes
from typing import Any

import pypdfium2.raw as raw

_SHOWN = {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
_SILENT = _SHOWN | {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_FILEATTACHMENT}
_MOST = 2000
"""Annotations of a page that are looked at."""


def annotations(document: Any, page: Any, index: int, attached: list[str]) -> tuple[Any, list[str]]:
    """The page with its fields and remarks drawn into it, and its comments; names of attached files go to `attached`.

    PDFium's text of a page leaves annotations out. Flattening (in memory: nothing is saved) makes what they show part
    of the page, in its place, and a page loaded afterwards has it.
    """
    count = raw.FPDFPage_GetAnnotCount(page)
    if count <= 0:
        return page, []
    comments, shown = [], False
    for number in range(min(count, _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        shown = shown or kind in _SHOWN
        if kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            _attached(annotation, attached)
        elif kind not in _SILENT and (text := _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents").strip()):
            comments.append(f"Comment: {text}")
        raw.FPDFPage_CloseAnnot(annotation)
    if shown and raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
        page.close()
        page = document[index]
    return page, comments


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
