"""Outlook's messages (msg), read from the OLE file's own streams: each property of a message is a stream named by its number."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import compressed_rtf
import olefile

from ingest.loaders.encoding import declared, decode_part
from ingest.loaders.mail.attachments import Attachments
from ingest.loaders.office import rtf
from ingest.loaders.parsed import Builder, LoadError, Parsed
from ingest.loaders.web import html

_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDER, _SENDER_ADDRESS, _SMTP, _TO, _CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
_SENT, _RECEIVED = 0x0039, 0x0E06
_DATA, _LONG_NAME, _SHORT_NAME, _MIME = 0x3701, 0x3707, 0x3704, 0x370E
_CODE_PAGE, _PAGE_CODE_PAGE = 0x3FFD, 0x3FDE
"""Of the message's strings, and of its HTML."""


def load(path: Path) -> Parsed:
    try:
        with olefile.OleFileIO(path) as ole:
            builder = Builder()
            attachments = Attachments(builder)
            _add(builder, _Storage(ole, []), attachments, 1)
            attachments.finish()
            return builder.parsed()
    except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError, RecursionError) as error:
        raise LoadError("not a readable Outlook message: damaged, cut short, or another format") from error


class _Storage:
    """A message, or an attachment of one: a folder of properties."""

    def __init__(self, ole: olefile.OleFileIO, place: list[str], charset: str = "") -> None:
        self._ole = ole
        self._place = place
        self._streams = {
            entry[len(place)].lower(): entry for entry in ole.listdir() if entry[: len(place)] == place and len(entry) == len(place) + 1
        }
        self._charset = self.code_page(_CODE_PAGE) or self.code_page(_PAGE_CODE_PAGE) or charset

    def raw(self, number: int, kind: int) -> bytes:
        """A property's bytes; none where it is missing."""
        entry = self._streams.get(f"__substg1.0_{number:04x}{kind:04x}")
        return self._ole.openstream(entry).read() if entry else b""

    def text(self, number: int) -> str:
        """A property's text, kept as UTF-16 or in the writer's code page."""
        if data := self.raw(number, 0x1F):
            return data.decode("utf-16-le", errors="replace").rstrip("\0")
        return decode_part(data.rstrip(b"\0"), self._charset) if (data := self.raw(number, 0x1E)) else ""

    def code_page(self, number: int) -> str:
        """A code page out of the properties; an embedded message and a file take the outer message's."""
        page = int.from_bytes(self._fixed(number, 0x03)[:4], "little")
        return f"cp{page}" if page else ""

    def time(self, number: int) -> str:
        """A point in time out of the properties."""
        if not (ticks := int.from_bytes(self._fixed(number, 0x40), "little")):
            return ""
        return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)).strftime("%a, %d %b %Y %H:%M:%S +0000")

    def _fixed(self, number: int, kind: int) -> bytes:
        """The eight bytes of a property of fixed size; none where it is missing."""
        entry = self._streams.get("__properties_version1.0")
        data = self._ole.openstream(entry).read() if entry else b""
        tag = kind.to_bytes(2, "little") + number.to_bytes(2, "little")
        starts = range(len(data) % 16, len(data) - 15, 16)
        return next((data[start + 8 : start + 16] for start in starts if data[start : start + 4] == tag), b"")

    def folders(self, start: str) -> "list[_Storage]":
        """Storages below this one by the beginning of their names."""
        depth = len(self._place)
        names = {
            entry[depth]: None
            for entry in self._ole.listdir(streams=True, storages=True)
            if entry[:depth] == self._place and len(entry) > depth and entry[depth].lower().startswith(start)
        }
        return [_Storage(self._ole, [*self._place, name], self._charset) for name in sorted(names)]


def _add(builder: Builder, message: _Storage, attachments: Attachments, level: int) -> None:
    builder.heading(level, message.text(_SUBJECT) or "(no subject)")
    sender, address = message.text(_SENDER), message.text(_SMTP) or message.text(_SENDER_ADDRESS)
    shown = f"{sender} <{address}>" if sender and "@" in address and address != sender else sender or address
    files = message.folders("__attach_version1.0_")
    names = [name for file in files if (name := file.text(_LONG_NAME) or file.text(_SHORT_NAME))]
    lines = {"From": shown, "To": message.text(_TO), "Cc": message.text(_CC), "Date": message.time(_SENT) or message.time(_RECEIVED)}
    for label, value in {**lines, "Attachments": ", ".join(names)}.items():
        builder.line(f"{label}: {value}" if value else "")
    builder.end_lines()
    _body(builder, message, level)
    for file in files:
        name = file.text(_LONG_NAME) or file.text(_SHORT_NAME)
        if inner := file.folders(f"__substg1.0_{_DATA:04x}000d"):
            if attachments.enter():
                _add(builder, inner[0], attachments, level + 1)
                attachments.leave()
        else:
            kind = file.text(_MIME)
            attachments.add(name, kind, file.raw(_DATA, 0x102), inline=bool(file.text(0x3712)) and kind.startswith("image/"))


def _body(builder: Builder, message: _Storage, level: int) -> None:
    """The letter as its page, unless that says much less than the plain text; where there is neither, as RTF."""
    data = message.raw(_HTML, 0x102)
    page = decode_part(data, declared(data) or message.code_page(_PAGE_CODE_PAGE)) if data else message.text(_HTML)
    shown = html.parse(page, titled=False)
    plain = message.text(_BODY).strip()
    if 2 * len(shown.text.strip()) >= max(1, len(plain)):
        builder.append(shown, below=level)
    elif plain:
        builder.block(plain)
    elif packed := message.raw(_RTF, 0x102):
        try:
            builder.append(rtf.parse(compressed_rtf.decompress(packed)), below=level)
        except Exception:  # the package raises nothing narrower on damaged data
            builder.note("the letter isn't read: its rich text is damaged")
