"""PDF through pypdfium2: what a person sees on each page, in the order in which it is read.

A page costs a few bulk calls where its words already stand in reading order, and a closer look where they don't. Each
page is closed before the next is opened, and one that can't be read costs a note, not the file.
"""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ingest.loaders import spots
from ingest.loaders.ocr import NOTHING
from ingest.loaders.parsed import LoadError, Locked, Parsed, clean, counted
from ingest.loaders.pdf.annotations import annotations, attachments, shown
from ingest.loaders.pdf.direction import in_reading_direction
from ingest.loaders.pdf.fonts import told
from ingest.loaders.pdf.forms import is_xfa, xfa_values
from ingest.loaders.pdf.headings import Block, blocks, choose, outline
from ingest.loaders.pdf.layout import Line, is_plain, laid_out, plain_lines
from ingest.loaders.pdf.pages import join_pages
from ingest.loaders.pdf.recognised import note_places, placed, recognised
from ingest.loaders.pdf.rules import Drawn, drawn_on
from ingest.loaders.pdf.tables import Table, ruled_tables, turned
from ingest.loaders.pdf.unread import hide, may_hold_text, unread_share
from ingest.loaders.pdf.words import Words, words_of
from ingest.loaders.spots import Spots

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it would tell the user to build a PDFium with XFA

_AT_ONCE = 500
"""Pages after which the file is opened anew: PDFium keeps what it has read of each, 75 MB in a thousand, until then."""
_XFA = "XFA form: its pages are not read, only the values filled in; open it in Adobe Reader and print it to a PDF"
_LISTED = 10
_WHOLE = 0.95
"""Of a page's text: where more is not read, nothing is."""
_MANY_TEXTS = 50


@dataclass(slots=True)
class _Read:
    """The pages so far, each with its blocks, and what became of it; `scanned` has the part of a page's text that isn't read."""

    pages: list[tuple[int, list[Block]]] = field(default_factory=list)
    scanned: dict[int, float] = field(default_factory=dict)
    ocr: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    unmapped: list[int] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)
    spots: Spots = field(default_factory=Spots)
    fields: int = 0
    hidden: int = 0
    xfa: bool = False


def load(path: Path, ocr: bool = False, password: str | None = None) -> Parsed:
    try:
        return _document(path, ocr, password)
    except pdfium.PdfiumError as error:
        raise _refusal(error) from error


def _open(path: Path, password: str | None) -> Any:
    """PDFium opens only names that are UTF-8; a file under another name is handed to it as bytes."""
    try:
        str(path).encode()
        document = pdfium.PdfDocument(path, password)
    except UnicodeEncodeError:
        document = pdfium.PdfDocument(path.read_bytes(), password)
    if document.get_formtype() in (raw.FORMTYPE_ACRO_FORM, raw.FORMTYPE_XFA_FOREGROUND):
        document.init_forms()  # of an XFA form that has fields for other readers too, those
    return document


def _document(path: Path, ocr: bool, password: str | None) -> Parsed:
    document = _open(path, password)
    try:
        read = _Read(attached=attachments(document))
        count = len(document)
        for number in range(1, count + 1):
            try:
                found = _page(document, number, read, ocr)
            except Exception:  # whatever a damaged page sets off costs that page, and is said
                read.failed.append(number)
                found = []
                read.spots.skip_to(number)
            read.pages.append((number, found))
            if number % _AT_ONCE == 0:
                document.close()
                document = _open(path, password)
        join_pages(read.pages)
        read.xfa = is_xfa(document, read.fields)
        if read.xfa and read.pages:
            read.pages[-1][1].append(Block("\n".join(xfa_values(document))))
        titles = outline(document, read.pages) or choose(read.pages)
    finally:
        document.close()
    parsed = _parsed(read, titles)
    if not parsed.text.strip() and not parsed.scanned:
        raise LoadError(_nothing(read, count))
    return parsed


def _page(document: Any, number: int, read: _Read, ocr: bool) -> list[Block]:
    """One page's blocks; says in `read` what became of it."""
    page = document[number - 1]
    try:
        text_page = page.get_textpage()
        seen = page.get_bbox()
        words, lost = told(text_page, words_of(text_page, seen), seen)
        laid = annotations(page, read.attached)
        read.hidden += laid.hidden
        read.fields += len(laid.boxes) + len(laid.marks)
        if laid.boxes or laid.marks:
            words = shown(document, page, number - 1, laid, words)
        drawn = drawn_on(page, *page.get_size())
        own, regions, lines = replace(words, number=np.arange(len(words)) + len(read.spots)), list[Table](), NOTHING
        if drawn.texts > max(_MANY_TEXTS, 2 * len(words)) and drawn.texts > 2 * sum(map(len, words.text)):
            lost += drawn.texts
        share, words = _unread(page, text_page, own, drawn, lost), own
        if share and ocr:
            words, regions, lines = recognised(page, own, len(read.spots))
            read.ocr.append(number)
        elif share:
            read.scanned[number] = share
        if lost and not regions and len(words) == len(own):
            read.unmapped.append(number)
        found = _blocks(text_page, words, drawn, regions, page.get_rotation() // 90)
        text_page.close()
        note_places(read.spots, page, own, lines)
    finally:
        page.close()
    found += [Block(comment) for comment in laid.comments]
    if not found and number not in read.scanned:
        read.empty.append(number)
    return found


def _unread(page: Any, text_page: Any, words: Words, drawn: Drawn, lost: int) -> float:
    """How much of what a page shows its words don't tell, 0 to 1; what draws its words is hidden where that took a look."""
    if not len(words) and (lost or drawn.pictures > 0.05):
        return 1.0
    if not (lost or may_hold_text(drawn) or (not len(words) and drawn.paths > 20)):
        return 0.0
    hide(text_page, words)
    return max(unread_share(page, words, drawn), lost / max(1, lost + sum(map(len, words.text))))


def _blocks(text_page: Any, words: Words, drawn: Drawn, regions: list[Table], upright: int) -> list[Block]:
    """Words of each direction apart, those of most words first: text along a margin follows the page's."""
    found: list[Block] = []
    turns = sorted(set(words.turn.tolist()), key=lambda turn: -int((words.turn == turn).sum()))
    for turn in turns:
        some = words if len(turns) == 1 else words.pick(words.turn == turn)
        more = blocks(_lines(some, drawn, turn, regions if turn == upright else []), text_page)
        found += more if turn == turns[0] else [Block(block.text, numbers=block.numbers) for block in more]
    return found if upright in turns else found + [Block(region.text, numbers=[region.numbers]) for region in regions]


def _lines(words: Words, drawn: Drawn, turn: int, regions: list[Table]) -> list[Line]:
    across, down = turned(drawn, turn)
    if words.seen_order:
        words, across, down, regions = in_reading_direction(words, across, down, regions)
    tables = ruled_tables(words, across, down) if len(across) + len(down) > 3 else []
    if not tables and is_plain(words):
        return placed(plain_lines(words), regions)
    return laid_out(words, tables + regions)


def _parsed(read: _Read, titles: dict[int, int]) -> Parsed:
    parts: list[str] = []
    length = 0
    starts, headings = [], []
    spans: list[spots.Block] = []
    places_of = {id(block): place for place, block in enumerate(block for _, found in read.pages for block in found)}
    for number, found in read.pages:
        starts.append((length, number))
        for block in found:
            title = titles.get(id(block))
            text = clean(block.text).strip()
            if title is not None:
                text = " ".join(text.split())
                headings.append((length, title, text))
            rest = places_of.get(id(block.rest), -1)
            spans.append(spots.Block(number - 1, length, length + len(text), block.numbers, rest))
            if text:
                parts.append(text + "\n\n")
                length += len(parts[-1])
    text = "".join(parts)
    packed = read.spots.packed(text, [start for start, _ in starts], spans)
    return Parsed(text, starts or None, headings, sorted(read.scanned), read.ocr, read.empty, _notes(read), packed)


def _notes(read: _Read) -> list[str]:
    notes = []
    if read.failed:
        notes.append(f"{_numbered(read.failed)} can't be read")
    if read.unmapped:
        notes.append(f"{_numbered(read.unmapped)}: a font does not say which letters it shows; its text is not read")
    notes.append(_unread_note({page: share for page, share in read.scanned.items() if page not in read.unmapped}))
    notes.append(counted(read.hidden, "hidden field", "left out"))
    notes.append(_XFA if read.xfa else "")
    if read.attached:
        notes.append(counted(len(read.attached), "attachment", f"not read: {_listed(read.attached)}"))
    return [note for note in notes if note]


def _unread_note(shares: dict[int, float]) -> str:
    """Such as "scanned: pages 3-7, 40 % not read"."""
    whole = [page for page, share in shares.items() if share > _WHOLE]
    part = [page for page, share in shares.items() if share <= _WHOLE]
    said = [f"{_numbered(whole)} not read"] if whole else []
    if part:
        mean = sum(shares[page] for page in part) / len(part)
        said.append(f"{_numbered(part)}, {max(1, round(100 * mean))} % not read")
    return f"scanned: {'; '.join(said)}" if said else ""


def _numbered(pages: list[int]) -> str:
    """Pages by their numbers, those in a row as a range."""
    ranges: list[list[int]] = []
    for page in sorted(pages):
        if ranges and page == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], page]
        else:
            ranges.append([page])
    return f"{'pages' if len(pages) > 1 else 'page'} {_listed(['-'.join(map(str, part)) for part in ranges])}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _nothing(read: _Read, count: int) -> str:
    if read.xfa:
        return _XFA.replace("not read, only the values filled in", "not read, and it holds no values")
    if not count:
        return "it has no pages"
    if read.failed:
        return "none of its pages can be read" if len(read.failed) == count else "no text in the pages that can be read"
    return "no text found on its scanned pages" if read.ocr else "its pages are blank"


def _refusal(error: Exception) -> LoadError:
    text = str(error).lower()
    if "password" in text:
        return Locked()
    if "security" in text:
        return LoadError("encrypted in a way that can't be read")
    return LoadError("not a readable PDF: damaged, cut short, or another format")
