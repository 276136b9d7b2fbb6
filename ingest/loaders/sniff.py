"""What a file really is, where its first bytes leave no doubt: people rename files, and programs name them wrongly."""

from pathlib import Path

import olefile

from ingest.loaders.parsed import LoadError, Locked
from ingest.loaders.zipped import Zipped

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How Microsoft's containers begin: Office files from before 2007, Outlook's messages, and encrypted newer ones."""
_PARTS = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "ppt/presentation.xml": ".pptx"}
_MIMES = {
    "application/epub+zip": ".epub",
    **{f"application/vnd.oasis.opendocument.{kind}": f".od{kind[0]}" for kind in ("text", "spreadsheet", "presentation", "graphics")},
    **{f"application/vnd.oasis.opendocument.{kind}-template": f".od{kind[0]}" for kind in ("text", "spreadsheet", "presentation")},
}
_STREAMS = {"worddocument": ".doc", "workbook": ".xls", "book": ".xls", "powerpoint document": ".ppt", "__properties_version1.0": ".msg"}


def true_suffix(path: Path, suffix: str) -> str:
    """The suffix that a file should have; the one given where its bytes don't say otherwise.

    Raises:
        Locked: it is an Office file that a password opens.
        LoadError: it is an old Office file with a password, or a damaged one.
    """
    with path.open("rb") as file:
        start = file.read(1024)
    if start.startswith(OLE):
        return _ole(path, suffix)
    if start.startswith(b"PK\x03\x04"):
        return _zip(path, suffix)
    if start.startswith(b"{\\rtf"):
        return ".rtf"
    if start.lstrip().startswith(b"%PDF-"):
        return ".pdf"
    if start.lstrip(b"\xef\xbb\xbf\xff\xfe").startswith((b"<", b"<\0")) and (known := _xml(start.replace(b"\0", b""))):
        return known
    if suffix in (".doc", ".xls", ".ppt", ".docx", ".xlsx", ".pptx", ".rtf"):
        return _text(start, suffix)
    return suffix


def _ole(path: Path, suffix: str) -> str:
    try:
        with olefile.OleFileIO(path) as ole:
            names = {entry[0].lower() for entry in ole.listdir()}
            if "encryptedpackage" in names:
                raise Locked
            if "encryptedsummary" in names or _has_password(ole):
                raise LoadError("encrypted as old Office files are: save it without a password")
    except (OSError, ValueError, IndexError, AttributeError, TypeError, RecursionError) as error:
        if suffix in (".doc", ".xls", ".ppt", ".msg"):
            return suffix  # its own loader may make something of it
        raise LoadError("its container can't be read: damaged, or encrypted") from error
    return next((known for name, known in _STREAMS.items() if name in names), suffix)


def _has_password(ole: olefile.OleFileIO) -> bool:
    """Whether an old file says that it is encrypted: a bit in Word's header, a record of kind 0x2F early in Excel's."""
    if ole.exists("WordDocument"):
        return bool(int.from_bytes(ole.openstream("WordDocument").read(12)[10:12], "little") & 0x100)
    for name in ("Workbook", "Book"):
        if ole.exists(name):
            records = ole.openstream(name).read(4096)
            place = 0
            while place + 4 <= len(records):
                if records[place : place + 2] == b"\x2f\0":
                    return True
                place += 4 + int.from_bytes(records[place + 2 : place + 4], "little")
    return False


def _zip(path: Path, suffix: str) -> str:
    try:
        with Zipped(path, "") as zipped:
            if "mimetype" in zipped and zipped.size("mimetype") < 100:
                return _MIMES.get(zipped.read("mimetype").decode("ascii", errors="replace").strip(), suffix)
            return next((known for part, known in _PARTS.items() if part in zipped), suffix)
    except LoadError:
        return suffix  # its own loader says what is wrong


def _xml(start: bytes) -> str:
    """Office's own XML, which says so at its beginning."""
    if b"Workbook" in start and b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return ".xmlss"
    word = b"http://schemas.microsoft.com/office/word/2003/wordml", b"http://schemas.microsoft.com/office/2006/xmlPackage"
    return ".wordml" if any(name in start for name in word) else ""


def _text(start: bytes, suffix: str) -> str:
    """What programs write under the names of Office formats: web pages, saved web pages, tables of text."""
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"mime-version:") or b"\ncontent-type: multipart/related" in head:
        return ".mhtml"
    if head.startswith(b"<?xml") and b"<html" not in head:
        return ".xml"
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<head", b"<meta")):
        return ".html"
    if suffix == ".xls" and b"\0" not in start and b"\t" in start:
        return ".tsv"
    return suffix
