"""What hangs on a mail: read by the loader for its own format, or said not to have been."""

import tempfile
from pathlib import Path, PurePath

from ingest.loaders.parsed import Builder, LoadError, counted

_DEEPEST = 5
"""Mails within mails that are followed."""
_LARGEST = 256 << 20
_KINDS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/csv": ".csv",
    "text/markdown": ".md",
    "text/rtf": ".rtf",
    "text/xml": ".xml",
    "text/x-patch": ".patch",
    "text/rfc822-headers": ".txt",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/json": ".json",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
"""Suffixes of files that come without a name, or with one that tells nothing."""


class Attachments:
    """Adds the attachments of one mail, and of the mails attached to it, to what is being built."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._unread: list[str] = []
        self._pictures = 0
        self._depth = 0

    def enter(self) -> bool:
        """Whether a mail within the mail may be read; `leave` afterwards."""
        if self._depth >= _DEEPEST:
            self._unread.append("a mail within too many others")
            return False
        self._depth += 1
        return True

    def leave(self) -> None:
        self._depth -= 1

    def add(self, name: str, kind: str, data: bytes, inline: bool = False) -> None:
        """Reads one file under a heading of its name; `inline` is a picture within the letter, a logo mostly."""
        from ingest.loaders import SUFFIXES, load

        suffix = PurePath(name).suffix.lower()
        suffix = suffix if suffix in SUFFIXES else _KINDS.get(kind, suffix)
        if inline and kind.startswith("image/"):
            self._pictures += 1
            return
        if suffix not in SUFFIXES or len(data) > _LARGEST or not self.enter():
            self._unread.append(name or f"one without a name ({kind})")
            return
        try:
            with tempfile.TemporaryDirectory(prefix="octavo-") as folder:
                path = Path(folder) / f"attachment{suffix}"
                path.write_bytes(data)
                parsed = load(path)
            if parsed.text.strip():
                self._builder.heading(2, name or f"Attachment{suffix}")
                self._builder.append(parsed, below=2)
            if parsed.scanned:
                self._unread.append(f"{name or suffix} (scanned: {counted(len(parsed.scanned), 'page', 'without text')})")
        except LoadError as error:
            self._unread.append(f"{name or suffix} ({error})")
        except Exception as error:  # any parser may raise anything: the letter is still worth having
            self._unread.append(f"{name or suffix} ({type(error).__name__})")
        self.leave()

    def finish(self) -> None:
        """Says what was left out."""
        if self._unread:
            more = " …" if len(self._unread) > 5 else ""
            self._builder.note(counted(len(self._unread), "attachment", f"not read: {', '.join(self._unread[:5])}{more}"))
        self._builder.note(counted(self._pictures, "picture", "in the letter not read"))
