"""Office files that a password opens (docx, xlsx, pptx of 2007 and later): decrypted by msoffcrypto-tool, for as long as they are read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

from ingest.loaders.parsed import LoadError, Locked


@contextmanager
def unlocked(path: Path, password: str) -> Iterator[Path]:
    """The document in it, as a file of its own that is gone afterwards.

    Raises:
        Locked: it is not its password.
        LoadError: it can't be decrypted.
    """
    with TemporaryDirectory(prefix="octavo-") as folder:
        plain = Path(folder) / path.name
        with path.open("rb") as source, open(plain, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as sink:
            try:
                office = msoffcrypto.OfficeFile(source)
                office.load_key(password=password, verify_password=True)
                office.decrypt(sink)
            except InvalidKeyError as error:
                raise Locked from error
            except (DecryptionError, FileFormatError, ParseError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
                raise LoadError("encrypted in a way that can't be read, or damaged") from error
        yield plain
