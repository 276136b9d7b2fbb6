"""Zip files, which most office formats are, with a cap on what they inflate to: a bomb costs a line of the receipt.

Python's zipfile never gives more of a member than its directory declares, so adding up what is declared is enough: members
that overlap, and so inflate to more than the file could hold, are counted each.
"""

import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, Self

from ingest.loaders.parsed import LoadError

MOST = 512 << 20
"""Bytes that all members together may inflate to, pictures and films left out, which nobody reads."""
_RATIO = 400
"""How much a big member may shrink. Sheets of equal rows reach 100; deflate can't do better than 1032."""
_BIG = 32 << 20
_UNREAD = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".tif", ".tiff", ".mp4", ".m4v", ".mov", ".avi", ".wmv", ".mp3", ".wav")
FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, ValueError, NotImplementedError, OSError)


class Zipped:
    """A zip file open for reading. Names are looked up as office programs do: by any case, with either slash."""

    def __init__(self, file: Path | IO[bytes], kind: str) -> None:
        """Opens and measures it; `kind` is what an error calls it.

        Raises:
            LoadError: it is no zip file, or would inflate to too much.
        """
        self._fault = f"not a readable {kind}: damaged, cut short, or another format"
        try:
            self._zip = zipfile.ZipFile(file)
        except FAULTS as error:
            raise LoadError(self._fault) from error
        self._members = {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in self._zip.infolist()}
        read = [info for info in self._zip.infolist() if not info.filename.lower().endswith(_UNREAD)]
        swollen = any(info.file_size > _BIG and info.file_size > _RATIO * max(1, info.compress_size) for info in read)
        if swollen or sum(info.file_size for info in read) > MOST:
            self._zip.close()
            raise LoadError(f"a zip bomb, or too big: it would inflate to {sum(info.file_size for info in read) >> 20} MB")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    @property
    def names(self) -> list[str]:
        """All members' names, as they stand in the file."""
        return [info.filename.replace("\\", "/") for info in self._members.values()]

    def size(self, name: str) -> int:
        """Bytes that a member inflates to."""
        return self._members[name.lower()].file_size

    def open(self, name: str) -> IO[bytes]:
        """A member as a stream.

        Raises:
            LoadError: it isn't there, is damaged or has a password.
        """
        try:
            return self._zip.open(self._members[name.lower()])
        except RuntimeError as error:  # zipfile's word for a password
            raise LoadError("encrypted: save it without a password") from error
        except FAULTS as error:
            raise LoadError(self._fault) from error

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            LoadError: as for `open`.
        """
        with self.open(name) as member:
            try:
                return member.read()
            except FAULTS as error:
                raise LoadError(self._fault) from error
