"""Saved web pages (MHTML): a mail whose letter is the page."""

import email
import email.policy
from pathlib import Path

from ingest.loaders import html
from ingest.loaders.encoding import decode
from ingest.loaders.parsed import LoadError, Parsed


def load(path: Path) -> Parsed:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            charset = part.get_content_charset()
            try:
                return html.parse(data.decode(charset) if charset else data)
            except (LookupError, UnicodeDecodeError):
                return html.parse(decode(data))
    raise LoadError("not a readable saved web page: there is no page in it")
