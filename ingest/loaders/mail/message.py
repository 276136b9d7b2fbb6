"""Mail (eml, mbox): who wrote to whom, when and about what, the letter as its reader sees it, and what was attached.

A letter is a tree of parts. What to show is chosen where the tree says that there is a choice (multipart/alternative) and
nowhere else: all other parts are shown one after the other, a list's footer below the letter too.
"""

import email
import email.policy
import re
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from ingest.loaders.encoding import declared, decode_part
from ingest.loaders.mail.attachments import Attachments
from ingest.loaders.mail.headers import decoded, file_name, header, mend_headers
from ingest.loaders.mail.mbox import messages
from ingest.loaders.parsed import Builder, LoadError, Parsed, clean
from ingest.loaders.text import without_codes
from ingest.loaders.web import html

_HEADERS = ("From", "To", "Cc", "Date")
_MAILS = {"message/rfc822", "message/global", "message/news", "message/partial"}
_PAGES = {"text/html", "application/xhtml+xml"}
_UUENCODED = re.compile(r"^begin [0-7]{3,4} (.+)\n(?:[ -`]{1,61}\n)+?(?:`?\n)?end$", re.MULTILINE)
"""A file within the text, as mails had them before there were parts."""
_OTHER_FORMS = {"text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html", "text/rtf", "application/rtf", "text/markdown"}
"""Of a letter, beside the plain text and the page."""


def load(path: Path) -> Parsed:
    builder = Builder()
    box = messages(path) if path.suffix.lower() == ".mbox" else [path.read_bytes()]
    for data in box:
        message = _parse(data)
        if not message.keys() and path.suffix.lower() != ".mbox":
            raise LoadError("not a readable mail: it has no headers")
        attachments = Attachments(builder)
        _add(builder, message, attachments)
        attachments.finish()
    return builder.parsed()


def _parse(data: bytes) -> Message:
    message = email.message_from_bytes(data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"), policy=email.policy.compat32)
    mend_headers(message)
    return message


def _add(builder: Builder, message: Message, attachments: Attachments, level: int = 1) -> None:
    builder.heading(level, header(message, "Subject") or "(no subject)")
    for name in _HEADERS:
        if value := header(message, name):
            builder.line(f"{name}: {value}")
    letter = _read(message)
    if names := [name for part in letter.attached if (name := file_name(part))]:
        builder.line(f"Attachments: {', '.join(names)}")
    builder.end_lines()
    for text in letter.texts:
        builder.append(text, below=level)
    for part in letter.attached:
        if part.get_content_type() in _MAILS:
            if attachments.enter():
                _add(builder, _inner(part), attachments, level + 1)
                attachments.leave()
        else:
            attachments.add(file_name(part), part.get_content_type(), _bytes(part), inline=_is_inline(part))


@dataclass(frozen=True, slots=True)
class _Letter:
    """What a part of a mail says, piece by piece, whether a page is among that, and which parts are attached to it."""

    texts: list[Parsed] = field(default_factory=list)
    is_page: bool = False
    attached: list[Message] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(text.text.strip()) for text in self.texts)

    def says_enough(self, longest: int) -> bool:
        """Beside another form of so many characters, of which a page in pictures can be a mere remainder."""
        pictures = any("picture" in note for text in self.texts for note in text.notes)
        return 2 * len(self) >= longest or (self.is_page and len(self) > 0 and not pictures)


def _read(part: Message) -> _Letter:
    kind = part.get_content_type()
    if part.is_multipart() and kind not in _MAILS:
        if kind == "message/external-body":
            return _Letter(attached=[part])
        if kind.startswith("message/"):  # a report on a delivery: groups of fields
            return _Letter([_fields(part)])
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        return _chosen(children) if kind == "multipart/alternative" else _together([_read(child) for child in children])
    attached = "attachment" in str(part.get("Content-Disposition", "")).lower() or file_name(part)
    if attached or not (kind == "text/plain" or kind in _PAGES or kind.startswith("multipart/")):
        return _Letter(attached=[part])
    return _Letter([_page(part)], is_page=True) if kind in _PAGES else _Letter([_plain(part)])


def _together(letters: list[_Letter]) -> _Letter:
    texts = [text for letter in letters for text in letter.texts]
    return _Letter(texts, any(letter.is_page for letter in letters), [part for letter in letters for part in letter.attached])


def _chosen(children: list[Message]) -> _Letter:
    """One of several forms of a letter: the page, as mail programs do, unless that is pictures and says much less than the plain text.

    Whatever hangs on any of them stays.
    """
    letters = [_read(child) for child in children]
    longest = max(map(len, letters), default=0)
    best = max(letters, key=lambda letter: (letter.says_enough(longest), letter.is_page, len(letter)), default=_Letter())
    notes = ["a longer form of the letter, for programs that show no pages, left out"] if 2 * len(best) < longest else []
    attached = [part for letter in letters for part in letter.attached]
    if len(best):  # else one of the forms that are no plain text and no page may say something
        attached = [part for part in attached if part not in children or part.get_content_type() not in _OTHER_FORMS]
    return _Letter([*best.texts, Parsed("", notes=notes)], best.is_page, attached)


def _inner(part: Message) -> Message:
    """The mail that a part holds; some programs pack it as they would a file."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else email.message_from_string(str(payload or ""))
    assert isinstance(inner, Message)
    if not inner.keys() and str(part.get("Content-Transfer-Encoding", "")).lower().strip() in ("base64", "quoted-printable"):
        inner["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
        return _parse(_bytes(inner))
    return inner


def _fields(report: Message) -> Parsed:
    groups = [group for group in report.get_payload() if isinstance(group, Message)]
    lines = ("\n".join(f"{name}: {decoded(str(value))}" for name, value in group.items()) for group in groups)
    return Parsed(clean("\n\n".join(filter(None, lines))))


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _is_inline(part: Message) -> bool:
    place = str(part.get("Content-Disposition", "")).lower()
    return "inline" in place or ("Content-ID" in part and "attachment" not in place)


def _page(part: Message) -> Parsed:
    data = _bytes(part)
    return html.parse(decode_part(data, part.get_content_charset() or declared(data)), titled=False)


def _plain(part: Message) -> Parsed:
    text = clean(decode_part(_bytes(part), part.get_content_charset("")))
    if str(part.get_param("format", "")).lower() == "flowed":
        text = unflowed(text, str(part.get_param("delsp", "")).lower() == "yes")
    packed = [match[1] for match in _UUENCODED.finditer(text)]
    return Parsed(without_codes(_UUENCODED.sub("", text)), notes=[f"1 attachment not read: {name}" for name in packed])


def unflowed(text: str, joined: bool = False) -> str:
    """Paragraphs out of lines that end with a blank where the paragraph goes on (RFC 3676); `joined` drops that blank."""
    lines: list[str] = []
    open_at = -1
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        goes_on = content.endswith(" ") and content != "-- "
        content = content[:-1] if joined and goes_on else content
        if open_at == depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append(">" * depth + " " * (depth > 0) + content)
        open_at = depth if goes_on else -1
    return "\n".join(lines)
