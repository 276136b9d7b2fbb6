"""What is filled into a PDF's form: boxes ticked, text typed, choices made; and the values of XFA forms, which only Adobe draws."""

import ctypes
from typing import Any

import pypdfium2.raw as raw

from ingest.loaders.parsed import LoadError
from ingest.loaders.web.xmltree import local, parse

_CHOSEN, _NOT_CHOSEN = "\u2612", "\u2610"
_TICKED = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_SECRET = 1 << 13
"""Flag of a field for a password."""
_MOST_XFA = 20 << 20
"""Bytes of an XFA form that are looked at."""


def string(function: Any, *of: Any) -> str:
    """PDFium's way with strings: asked for the length first, then for the UTF-16."""
    if not of[0]:
        return ""
    size = function(*of, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*of, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\r\n", "\n").replace("\r", "\n")


def mark(form: Any, annotation: Any) -> str:
    """The sign of a box or button that is ticked or not, or what is chosen from a list; "" for other fields.

    A field that the form doesn't list (`form` is None where there is none) shows a state all the same.
    """
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else -1
    state = string(raw.FPDFAnnot_GetStringValue, annotation, b"AS")
    if kind in _TICKED or (state and kind == -1):
        drawn = state not in ("", "Off") and raw.FPDFAnnot_GetAP(annotation, raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None, 0) > 2
        return _CHOSEN if drawn or (form and _is_checked(form, annotation, kind)) else _NOT_CHOSEN
    if kind == raw.FPDF_FORMFIELD_LISTBOX:
        options = range(raw.FPDFAnnot_GetOptionCount(form, annotation))
        chosen = [option for option in options if raw.FPDFAnnot_IsOptionSelected(form, annotation, option)]
        return ", ".join(_option(form, annotation, option) for option in chosen)
    return ""


def _is_checked(form: Any, annotation: Any, kind: int) -> bool:
    """By the field's value where its file gives it no state, and PDFium made one up: forms may leave drawing to the reader."""
    if kind == raw.FPDF_FORMFIELD_CHECKBOX and raw.FPDFAnnot_GetValueType(annotation, b"AS") != raw.FPDF_OBJECT_NAME:
        return string(raw.FPDFAnnot_GetStringValue, annotation, b"V") not in ("", "Off")
    return bool(raw.FPDFAnnot_IsChecked(form, annotation))


def value(form: Any, annotation: Any) -> str:
    """What is typed into a field, or chosen in one; nothing of a password."""
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else -1
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _SECRET:
        return ""
    if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX):
        return ""
    return string(raw.FPDFAnnot_GetFormFieldValue, form, annotation).strip()


def _option(form: Any, annotation: Any, option: int) -> str:
    return string(raw.FPDFAnnot_GetOptionLabel, form, annotation, option)


def is_xfa(document: Any, fields: int) -> bool:
    """Whether only what understands XFA draws its pages, and to others they say "Please wait..."; others have fields too."""
    kind = document.get_formtype()
    return bool(kind == raw.FORMTYPE_XFA_FULL or (kind == raw.FORMTYPE_XFA_FOREGROUND and not fields))


def xfa_values(document: Any) -> list[str]:
    """What is filled into an XFA form: a line each, the field's name and its value."""
    for number in range(max(0, raw.FPDF_GetXFAPacketCount(document))):
        data = _packet(document, number)
        try:
            root = parse(data)
        except LoadError:
            continue
        sets = [root] if local(root) == "datasets" else [part for part in root.iter() if local(part) == "datasets"]
        filled = [part for one in sets for part in one if local(part) == "data"]
        leaves = [leaf for part in filled for leaf in part.iter() if not len(leaf) and local(leaf) and (leaf.text or "").strip()]
        if leaves:
            return [f"{local(leaf)}: {' '.join(leaf.text.split())}" for leaf in leaves]
    return []


def _packet(document: Any, number: int) -> bytes:
    size = ctypes.c_ulong()
    if not raw.FPDF_GetXFAPacketContent(document, number, None, 0, ctypes.byref(size)) or not 0 < size.value < _MOST_XFA:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    raw.FPDF_GetXFAPacketContent(document, number, buffer, size.value, ctypes.byref(size))
    return buffer.raw
