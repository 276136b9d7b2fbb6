"""Outlook's messages (msg), read from the OLE file's own streams: each property of a message is a stream named by its number."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import olefile

from ingest.loaders import html, rtf
from ingest.loaders.attachments import Attachments
from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, LoadError, Parsed

_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDER, _SENDER_ADDRESS, _SMTP, _TO, _CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
_SENT, _RECEIVED = 0x0039, 0x0E06
_DATA, _LONG_NAME, _SHORT_NAME, _MIME = 0x3701, 0x3707, 0x3704, 0x370E
_RTF_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial"
    b"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""What compressed RTF takes as already said."""


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

    def __init__(self, ole: olefile.OleFileIO, place: list[str]) -> None:
        self._ole = ole
        self._place = place
        self._streams = {
            entry[len(place)].lower(): entry for entry in ole.listdir() if entry[: len(place)] == place and len(entry) == len(place) + 1
        }

    def raw(self, number: int, kind: int) -> bytes:
        """A property's bytes; none where it is missing."""
        entry = self._streams.get(f"__substg1.0_{number:04x}{kind:04x}")
        return self._ole.openstream(entry).read() if entry else b""

    def text(self, number: int) -> str:
        """A property's text, kept as UTF-16 or in the writer's code page."""
        if data := self.raw(number, 0x1F):
            return data.decode("utf-16-le", errors="replace").rstrip("\0")
        return decode(data.rstrip(b"\0")) if (data := self.raw(number, 0x1E)) else ""

    def time(self, number: int) -> str:
        """A point in time out of the fixed-size properties."""
        entry = self._streams.get("__properties_version1.0")
        data = self._ole.openstream(entry).read() if entry else b""
        tag = number.to_bytes(2, "little")
        for start in range(len(data) % 16, len(data) - 15, 16):
            if data[start : start + 4] == b"\x40\x00" + tag:
                ticks = int.from_bytes(data[start + 8 : start + 16], "little")
                moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
                return moment.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return ""

    def folders(self, start: str) -> "list[_Storage]":
        """Storages below this one by the beginning of their names."""
        depth = len(self._place)
        names = {
            entry[depth]: None
            for entry in self._ole.listdir(streams=True, storages=True)
            if entry[:depth] == self._place and len(entry) > depth and entry[depth].lower().startswith(start)
        }
        return [_Storage(self._ole, [*self._place, name]) for name in sorted(names)]


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
    """The letter as plain text, which Outlook nearly always keeps; else as HTML, else as RTF."""
    page = message.raw(_HTML, 0x102) or message.text(_HTML).encode()
    if text := message.text(_BODY).strip():
        builder.block(text)
    elif page:
        builder.append(html.parse(page, titled=False), below=level)
    elif packed := message.raw(_RTF, 0x102):
        builder.append(rtf.parse(unpacked(packed)), below=level)


def unpacked(data: bytes) -> bytes:
    """Compressed RTF (MS-OXRTFCP): runs of bytes, and references into a ring of the last 4096."""
    size = int.from_bytes(data[4:8], "little")
    if data[8:12] == b"MELA":
        return data[16 : 16 + size]
    ring = bytearray(_RTF_START.ljust(4096, b"\0"))
    write, place = len(_RTF_START), 16
    out = bytearray()
    while place < len(data) and len(out) < size:
        control = data[place]
        place += 1
        for bit in range(8):
            if place >= len(data):
                break
            if control >> bit & 1:
                word = int.from_bytes(data[place : place + 2], "big")
                place += 2
                offset, length = word >> 4, (word & 15) + 2
                if offset == write:
                    return bytes(out)
                piece = bytearray()
                for step in range(length):
                    byte = ring[(offset + step) % 4096]
                    piece.append(byte)
                    ring[write] = byte
                    write = (write + 1) % 4096
                out += piece
            else:
                out.append(data[place])
                ring[write] = data[place]
                write = (write + 1) % 4096
                place += 1
    return bytes(out)
