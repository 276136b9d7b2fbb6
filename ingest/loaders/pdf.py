"""PDF through pypdfium2: the text layer, page by page. Scanned pages have none, and that is said."""

import re
from pathlib import Path

import pypdfium2 as pdfium

from ingest.loaders.parsed import Builder, LoadError, Parsed

_SPLIT_WORD = re.compile(r"[\x02\ufffe\u00ad]\r?\n?")
"""How PDFium marks a word that was hyphenated at the end of a line."""


def load(path: Path) -> Parsed:
    builder = Builder()
    try:
        with pdfium.PdfDocument(path) as document:
            for number in range(len(document)):
                builder.page(number + 1, _page_text(document, number))
    except pdfium.PdfiumError as error:
        raise LoadError(_reason(error)) from error
    parsed = builder.parsed()
    if not parsed.text.strip():
        raise LoadError("no text layer (scanned?)")
    return parsed


def _page_text(document: pdfium.PdfDocument, number: int) -> str:
    page = document[number]
    text_page = page.get_textpage()
    text = text_page.get_text_bounded()
    text_page.close()
    page.close()
    return _SPLIT_WORD.sub("", text)


def _reason(error: Exception) -> str:
    text = str(error).lower()
    if "password" in text:
        return "encrypted: it opens only with its password"
    return "not a readable PDF: damaged, cut short, or another format"
