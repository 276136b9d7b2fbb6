"""Calendars (ics) and address cards (vcf): a line `NAME: value` for each of their content lines (RFC 5545, RFC 6350).

Files cut these lines after 75 bytes and mark commas, semicolons and new lines with a backslash; cards of version 2.1 write
what isn't ASCII as quoted-printable. A reader sees none of that, nor definitions of time zones, nor pictures as base64.
"""

import quopri
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, Parsed, counted

_LINE = re.compile(r'(?:[\w-]+\.)?([A-Za-z][\w-]*)((?:;(?:"[^"]*"|[^":;])*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([^";:=]*)=?("[^"]*"|[^";]*)')
_ESCAPED = re.compile(r"\\([\\;,:nN])")
_QUOTED = re.compile(rb"[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b", re.IGNORECASE)
_CHARSET = re.compile(rb";CHARSET=([\w-]+)", re.IGNORECASE)
_PARTED = {"N", "ADR", "ORG", "GEO"}
"""Of several parts: family name and given name, street and town."""
_TIMES = {"DTSTART", "DTEND", "DTSTAMP", "DUE", "COMPLETED", "CREATED", "LAST-MODIFIED", "EXDATE", "RDATE", "RECURRENCE-ID"}
_TIMES |= {"BDAY", "ANNIVERSARY", "REV"}
_TIME = re.compile(r"\b(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(?:\d\d)?(Z?))?\b")
_UNSEEN = {"ENCODING", "CHARSET", "QUOTED-PRINTABLE", "VALUE", "ALTREP"}
"""Parameters that are about the file."""


def load(path: Path) -> Parsed:
    data = path.read_bytes()
    data = decode(data).encode() if b"\0" in data[:8192] else data  # UTF-16, whose lines can't be joined as bytes
    charset = _CHARSET.search(data)
    text = decode(b"\n".join(_unfolded(data)), charset[1].decode() if charset else "")
    builder = Builder()
    files = 0
    in_zone = in_file = False
    for line in text.split("\n"):
        if not (match := _LINE.fullmatch(line)):
            builder.line("" if in_file else line)
            continue
        name, parameters, value = match[1].upper(), dict(_PARAMETER.findall(match[2])), match[3]
        kind = next((said for key, said in parameters.items() if key.upper() == "ENCODING"), "").upper()
        in_file = kind in ("B", "BASE64") or "BASE64" in parameters or (value.startswith("data:") and ";base64," in value)
        files += in_file
        if name in ("BEGIN", "END"):
            builder.end_lines()
            in_zone = (value.strip().upper() == "VTIMEZONE" and name == "BEGIN") or (in_zone and value.strip().upper() != "VTIMEZONE")
        elif not in_zone and not in_file:
            builder.line(_shown(name, parameters, value, quoted=bool(_QUOTED.match(line.encode()))))
    builder.note(counted(files, "picture or file", "in it not read"))
    return builder.parsed()


def _unfolded(data: bytes) -> Iterator[bytes]:
    """Whole content lines: those that begin with a blank, and those after quoted-printable's "=", belong to the one before."""
    held: list[bytes] = []
    for line in data.splitlines():
        if held and held[-1].endswith(b"=") and _QUOTED.match(held[0]):
            held[-1:] = [held[-1][:-1], line]
        elif held and line[:1] in (b" ", b"\t"):
            held.append(line[1:])
        else:
            yield b"".join(held)
            held = [line]
    yield b"".join(held)


def _shown(name: str, parameters: dict[str, str], value: str, quoted: bool) -> str:
    """A content line as people write such things down."""
    if quoted:
        charset = next((said for key, said in parameters.items() if key.upper() == "CHARSET"), "")
        value = decode(quopri.decodestring(value.encode()), charset)
    if name in _PARTED:
        value = ", ".join(part.strip() for part in re.split(r"(?<!\\);", value) if part.strip())
    if name in _TIMES:
        value = _TIME.sub(_time, value)
    value = _ESCAPED.sub(lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value)
    said = ", ".join(f"{key}={worth}".strip("=").replace('"', "") for key, worth in parameters.items() if key.upper() not in _UNSEEN)
    return f"{name} ({said}): {value}" if said and value.strip() else f"{name}: {value}" if value.strip() else ""


def _time(match: re.Match[str]) -> str:
    year, month, day, hour, minute, zone = match.groups()
    return f"{year}-{month}-{day}" + (f" {hour}:{minute}" + (" UTC" if zone else "") if hour else "")
