"""PDF through pypdfium2: what a person sees on each page, in the order in which it is read.

A page costs a few bulk calls where its words already stand in reading order, and a closer look where they don't. Each
page is closed before the next is opened, and one that can't be read costs a note, not the file.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ingest.loaders import ocr as recognition
from ingest.loaders.parsed import LoadError, Parsed, clean, counted
from ingest.loaders.pdf_annotations import annotations, attachments, shown
from ingest.loaders.pdf_direction import in_reading_direction
from ingest.loaders.pdf_headings import Block, blocks, choose, outline
from ingest.loaders.pdf_layout import Line, is_plain, laid_out, plain_lines
from ingest.loaders.pdf_pages import join_pages
from ingest.loaders.pdf_rules import Drawn, drawn_on
from ingest.loaders.pdf_tables import ruled_tables, turned
from ingest.loaders.pdf_words import Words, joined, words_of

_DOTS = 200
"""Dots an inch at which a page is drawn for OCR."""
_LEAST_SIDE = 1600
_MOST_PIXELS = 12_000_000
_FEW_WORDS = 8
"""On a page that is all picture: its words are a stamp or a page number, not its text."""
_AT_ONCE = 500
"""Pages after which the file is opened anew: PDFium keeps what it has read of each, 75 MB in a thousand, until then."""
_LISTED = 10
_UNTOLD = re.compile(r"[\x00\x01\x03-\x1f\ufffd\ue000-\uf8ff]")
"""What stands for a glyph whose letter isn't known."""
_MANY_TEXTS = 50


@dataclass(slots=True)
class _Read:
    """The pages so far, each with its blocks, and what became of it."""

    pages: list[tuple[int, list[Block]]] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    ocr: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    unmapped: list[int] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)


def load(path: Path, ocr: bool = False) -> Parsed:
    try:
        return _document(path, ocr)
    except pdfium.PdfiumError as error:
        raise LoadError(_reason(error)) from error


def _open(path: Path) -> Any:
    """PDFium opens only names that are UTF-8; a file under another name is handed to it as bytes."""
    try:
        str(path).encode()
        document = pdfium.PdfDocument(path)
    except UnicodeEncodeError:
        document = pdfium.PdfDocument(path.read_bytes())
    if document.get_formtype() == raw.FORMTYPE_ACRO_FORM:
        document.init_forms()
    return document


def _document(path: Path, ocr: bool) -> Parsed:
    document = _open(path)
    try:
        read = _Read(attached=attachments(document))
        count = len(document)
        for number in range(1, count + 1):
            try:
                found = _page(document, number, read, ocr)
            except Exception:  # whatever a damaged page sets off costs that page, and is said
                read.failed.append(number)
                found = []
            read.pages.append((number, found))
            if number % _AT_ONCE == 0:
                document.close()
                document = _open(path)
        join_pages(read.pages)
        titles = outline(document, read.pages) or choose(read.pages)
    finally:
        document.close()
    parsed = _parsed(read, titles)
    if not parsed.text.strip() and not parsed.scanned:
        raise LoadError(_nothing(read, count))
    return parsed


def _page(document: Any, number: int, read: _Read, ocr: bool) -> list[Block]:
    """One page's blocks; says in `read` if it is scanned or empty."""
    page = document[number - 1]
    try:
        text_page = page.get_textpage()
        words = words_of(text_page, page.get_bbox())
        boxes, comments = annotations(page, read.attached)
        if boxes:
            words = joined([words, *shown(document, page, number - 1, boxes)])
        drawn = drawn_on(page, *page.get_size())
        unreadable = _garbled(words)
        found = [] if unreadable else _blocks(text_page, words, drawn)
        if drawn.texts >= _MANY_TEXTS and 2 * sum(map(len, words.text)) < drawn.texts:
            read.unmapped.append(number)
        text_page.close()
        found += [Block(comment) for comment in comments]
        pictured = drawn.pictures > 0.05 or drawn.paths > 20
        if unreadable or (not len(words) and pictured) or (drawn.pictures > 0.6 and len(words) < _FEW_WORDS):
            return _scanned(page, number, read, ocr, found)
    finally:
        page.close()
    if not found:
        read.empty.append(number)
    return found


def _blocks(text_page: Any, words: Words, drawn: Drawn) -> list[Block]:
    """Words of each direction apart, those of most words first: text along a margin follows the page's."""
    if not len(words):
        return []
    found: list[Block] = []
    turns = sorted(set(words.turn.tolist()), key=lambda turn: -int((words.turn == turn).sum()))
    for turn in turns:
        some = words if len(turns) == 1 else words.pick(words.turn == turn)
        more = blocks(_lines(some, drawn, turn), text_page)
        found += more if turn == turns[0] else [Block(block.text) for block in more]
    return found


def _lines(words: Words, drawn: Drawn, turn: int) -> list[Line]:
    across, down = turned(drawn, turn)
    if words.seen_order:
        words, across, down = in_reading_direction(words, across, down)
    tables = ruled_tables(words, across, down) if len(across) + len(down) > 3 else []
    if not tables and is_plain(words):
        return plain_lines(words)
    return laid_out(words, tables)


def _garbled(words: Words) -> bool:
    """Whether a text layer tells only glyph numbers, as fonts without a character map do."""
    text = "".join(words.text)
    return len(_UNTOLD.findall(text)) > 0.4 * len(text) > 4


def _scanned(page: Any, number: int, read: _Read, ocr: bool, found: list[Block]) -> list[Block]:
    if not ocr:
        read.scanned.append(number)
        return found
    text = recognition.read(_drawn(page))
    read.ocr.append(number)
    if not text:
        read.empty.append(number)
        return found
    return [Block(paragraph) for paragraph in text.split("\n\n")]


def _drawn(page: Any) -> Any:
    """The page as pixels, few enough for the worker's memory however large the paper is."""
    width, height = page.get_size()
    wanted = max(_DOTS / 72, _LEAST_SIDE / max(1.0, width, height))  # a page may be as small as a stamp, and its picture fine
    scale = min(wanted, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=False, prefer_bgrx=False)
    try:
        return bitmap.to_numpy()[:, :, :3].copy()
    finally:
        bitmap.close()


def _parsed(read: _Read, titles: dict[int, int]) -> Parsed:
    parts: list[str] = []
    length = 0
    starts, headings = [], []
    for number, found in read.pages:
        starts.append((length, number))
        for block in found:
            title = titles.get(id(block))
            text = clean(block.text).strip()
            if title is not None:
                text = " ".join(text.split())
                headings.append((length, title, text))
            if text:
                parts.append(text + "\n\n")
                length += len(parts[-1])
    return Parsed("".join(parts), starts or None, headings, read.scanned, read.ocr, read.empty, _notes(read))


def _notes(read: _Read) -> list[str]:
    notes = []
    if read.failed:
        notes.append(f"{_numbered(read.failed)} can't be read")
    if read.unmapped:
        notes.append(f"{_numbered(read.unmapped)}: most of the text can't be read (its fonts don't tell which letters they draw)")
    if read.attached:
        notes.append(counted(len(read.attached), "attachment", f"not read: {_listed(read.attached)}"))
    return notes


def _numbered(pages: list[int]) -> str:
    return f"{'pages' if len(pages) > 1 else 'page'} {_listed([str(number) for number in pages])}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _nothing(read: _Read, count: int) -> str:
    if not count:
        return "it has no pages"
    if read.failed:
        return "none of its pages can be read" if len(read.failed) == count else "no text in the pages that can be read"
    return "no text found on its scanned pages" if read.ocr else "its pages are blank"


def _reason(error: Exception) -> str:
    text = str(error).lower()
    if "password" in text:
        return "encrypted: it opens only with its password"
    if "security" in text:
        return "encrypted in a way that can't be read"
    return "not a readable PDF: damaged, cut short, or another format"
