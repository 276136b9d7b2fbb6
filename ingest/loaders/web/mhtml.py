"""Saved web pages (MHTML): a mail whose letter is the page; pages in its frames, or a workbook's sheets, follow it."""

import email
import email.policy
from email.message import Message
from pathlib import Path
from urllib.parse import unquote

from ingest.loaders.encoding import declared, decode, decode_part
from ingest.loaders.parsed import Builder, LoadError, Parsed
from ingest.loaders.web.html import Pages


def load(path: Path) -> Parsed:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
    builder = Builder()
    pages = Pages()
    sheets = {place: part for part in message.walk() if part.get_content_type() == "text/css" for place in _places(part)}
    found: set[str] = set()

    def linked(place: str) -> str:
        part = sheets.get(unquote(place).removeprefix("cid:"))
        return decode_part(_bytes(part), part.get_content_charset("")) if part is not None else ""

    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            data = _bytes(part)
            page = pages.read(decode(data, part.get_content_charset() or declared(data)), titled=not found, linked=linked)
            if page.text not in found:
                builder.append(page)
            found.add(page.text)
    if not found:
        raise LoadError("not a readable saved web page: there is no page in it")
    for note in pages.notes():
        builder.note(note)
    return builder.parsed()


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _places(part: Message) -> list[str]:
    """What pages call a part."""
    return [name for name in (str(part.get("Content-ID", "")).strip().strip("<>"), str(part.get("Content-Location", "")).strip()) if name]
