"""What stands in a mail's headers as its reader sees it: words in an encoding of their own (RFC 2047), names of files in parts
and percent signs (RFC 2231), and bytes beyond ASCII, which are forbidden there and common.

The standard library does this too, but in the charsets' narrow forms, and it gives up on bytes that no header may have.
"""

import binascii
import re
from email.message import Message

from ingest.loaders.encoding import codec, decode_part, guessed

_FOLD = re.compile(r"[\r\n]+[ \t]*")
_WORD = re.compile(r"=\?([^?*\s]{1,50})(?:\*[^?\s]{0,50})?\?([bBqQ])\?(.{0,2000}?)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?[^?\s]{1,50}\?[bBqQ]\?)")
_QUOTED_NAME = re.compile(r'"((?:[^"\\]|\\.){0,200})"(?=\s{0,9}<)')


def mend_headers(message: Message) -> None:
    """Puts text in place of bytes beyond ASCII in the headers of a message and of its parts."""
    raw = [(part, name, value) for part in message.walk() for name, value in part.raw_items() if not str(value).isascii()]
    if not raw:
        return
    charset = _charset(message, b"\n".join(_bytes(value) for _, _, value in raw))
    for part in {id(part): part for part, _, _ in raw}.values():
        items = [(name, decode_part(_bytes(value), charset)) for name, value in part.raw_items()]
        for name, _ in items:
            del part[name]
        for name, value in items:
            part.set_raw(name, value)


def _bytes(value: object) -> bytes:
    return str(value).encode("utf-8", errors="surrogateescape")


def _charset(message: Message, headers: bytes) -> str:
    """Of bytes in headers: the letter's, unless it says nothing, or they don't go with it."""
    said = {codec(part.get_content_charset("")) for part in message.walk() if part.get_content_maintype() == "text"}
    said -= {"", "utf-8", "cp1252"}
    letters = b"\n".join(_payload(part) for part in message.walk() if part.get_content_maintype() == "text")
    return next(iter(sorted(said))) if said else guessed(headers + b"\n" + letters)


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def header(message: Message, name: str) -> str:
    """A header's text in one line; names of people without the quotes that their commas ask for."""
    text = decoded(str(message.get(name, "")))
    return _QUOTED_NAME.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), text) if name not in ("Subject", "Date") else text


def decoded(value: str) -> str:
    """A header's value in one line, its encoded words read. Neighbours in one charset are put together first: some are cut
    within a character."""
    value = _BETWEEN_WORDS.sub("", _FOLD.sub(" ", value))
    text, end = "", 0
    charset, held = "", b""
    for word in _WORD.finditer(value):
        if word.start() > end or word[1].lower() != charset:
            text += decode_part(held, charset) + value[end : word.start()]
            charset, held = word[1].lower(), b""
        held += _word(word[2], word[3])
        end = word.end()
    text += decode_part(held, charset) + value[end:]
    return " ".join((decode_part(text.encode()) if "\x1b$" in text else text).split())


def _word(kind: str, text: str) -> bytes:
    try:
        return binascii.a2b_qp(text, header=True) if kind in "qQ" else binascii.a2b_base64(text + "==")
    except (binascii.Error, ValueError):
        return text.encode()


def file_name(part: Message) -> str:
    """The name that a part's file has; empty where it has none."""
    for place, key in (("content-disposition", "filename"), ("content-type", "name")):
        try:
            found = [value for name, value in part.get_params([], place) if name.lower() == key and value]
        except (TypeError, ValueError):  # pieces of a name that are numbered in no order
            continue
        for value in found:
            if isinstance(value, tuple):  # its bytes as characters of Latin-1, and their charset
                return decoded(decode_part(value[2].encode("latin-1", errors="replace"), value[0] or ""))
        if found:
            return decoded(found[0])
    return ""
