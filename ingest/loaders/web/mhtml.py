"""Saved web pages (MHTML): a mail whose letter is the page; pages in its frames, or a workbook's sheets, follow it."""

import email
import email.policy
from pathlib import Path

from ingest.loaders.encoding import declared, decode
from ingest.loaders.parsed import Builder, LoadError, Parsed
from ingest.loaders.web.html import Pages


def load(path: Path) -> Parsed:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
    builder = Builder()
    pages = Pages()
    found: set[str] = set()
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            page = pages.read(decode(data, part.get_content_charset() or declared(data)), titled=not found)
            if page.text not in found:
                builder.append(page)
            found.add(page.text)
    if not found:
        raise LoadError("not a readable saved web page: there is no page in it")
    for note in pages.notes():
        builder.note(note)
    return builder.parsed()
