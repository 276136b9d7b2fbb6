"""Mail (eml, mbox): who wrote to whom, when and about what, the letter in its best form, and what was attached."""

import email
import email.policy
import mailbox
from email.message import EmailMessage, Message
from pathlib import Path

from ingest.loaders import html
from ingest.loaders.attachments import Attachments
from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, LoadError, Parsed

_HEADERS = ("From", "To", "Cc", "Date")


def load(path: Path) -> Parsed:
    builder = Builder()
    if path.suffix.lower() == ".mbox":
        box = mailbox.mbox(path, factory=None, create=False)
        for key in box.iterkeys():
            attachments = Attachments(builder)
            _add(builder, email.message_from_bytes(box.get_bytes(key), policy=email.policy.default), attachments)
            attachments.finish()
        return builder.parsed()
    data = path.read_bytes()
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not message.keys():
        raise LoadError("not a readable mail: it has no headers")
    attachments = Attachments(builder)
    _add(builder, message, attachments)
    attachments.finish()
    return builder.parsed()


def _add(builder: Builder, message: EmailMessage, attachments: Attachments, level: int = 1) -> None:
    builder.heading(level, _header(message, "Subject") or "(no subject)")
    for name in _HEADERS:
        if value := _header(message, name):
            builder.line(f"{name}: {value}")
    leaves = list(_leaves(message))
    body = _body(leaves)
    rest = [part for part in leaves if part not in body and not (body and _is_letter(part))]
    if names := [name for part in rest if (name := _name(part))]:
        builder.line(f"Attachments: {', '.join(names)}")
    builder.end_lines()
    for part in body:
        if part.get_content_type() == "text/html":
            builder.append(html.parse(_text(part), titled=False), below=level)
        else:
            builder.block(_text(part))
    for part in rest:
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0) if part.is_multipart() else None
            if isinstance(inner, EmailMessage) and attachments.enter():
                _add(builder, inner, attachments, level + 1)
                attachments.leave()
        else:
            attachments.add(_name(part), part.get_content_type(), _bytes(part), inline="inline" in str(part.get("Content-Disposition", "")))


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # the standard library's parser of headers raises many things on those that no one should write
        return " ".join(str(dict(message.raw_items()).get(name, "")).split()) if isinstance(message, EmailMessage) else ""


def _leaves(message: Message) -> list[EmailMessage]:
    """Parts that hold something themselves; a message that is attached is one of them."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        return [message]  # type: ignore[list-item]
    parts = message.get_payload()
    return [leaf for part in parts if isinstance(part, Message) for leaf in _leaves(part)]


def _is_letter(part: EmailMessage) -> bool:
    """Whether a part is the letter, in one of its forms, rather than attached to it."""
    attached = "attachment" in str(part.get("Content-Disposition", "")).lower() or bool(_name(part))
    return part.get_content_type() in ("text/plain", "text/html") and not attached


def _body(leaves: list[EmailMessage]) -> list[EmailMessage]:
    """The letter: its plain text, or its HTML where the plain text is missing or only says that there is HTML."""
    letters = [part for part in leaves if _is_letter(part)]
    plain = [part for part in letters if part.get_content_type() == "text/plain"]
    pages = [part for part in letters if part not in plain]
    shown = sum(len(html.parse(_text(part), titled=False).text) for part in pages)
    if sum(len(_text(part).strip()) for part in plain) < 0.5 * shown:
        return pages
    return plain or pages


def _name(part: EmailMessage) -> str:
    try:
        return " ".join((part.get_filename() or "").split())
    except Exception:  # as for headers
        return ""


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: EmailMessage) -> str:
    """A part's text in its own charset, or the one that it really has."""
    data = _bytes(part)
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(data)
