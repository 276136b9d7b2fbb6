"""Who may open the page of a shared machine: names with passwords, in the file `people` of OCTAVO_HOME; `octavo people` writes it.

A line is NAME:SALT:HASH, the hash by scrypt. The first is the owner, who alone changes the libraries and the model. Where the file isn't
there, the page is opened by its token, and who has that is the owner.
"""

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from ingest.errors import IngestError
from ingest.settings import Settings

FILE = "people"
SHORTEST = 8
"""Characters of a password, at the least."""
_NAME = re.compile(r"\w[\w .@-]{0,39}")
_COST = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20}
"""32 MiB and about a tenth of a second for each try."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    is_owner: bool

    @property
    def key(self) -> str:
        """Whose conversations are theirs: the owner's are also those that were kept before there were names, and on the command line."""
        return "" if self.is_owner else self.name


OWNER = Person("", True)
"""Who has the token of a page that knows no names."""


@dataclass(frozen=True, slots=True)
class Password:
    """A password's salt and hash."""

    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: str) -> "Password":
        salt = secrets.token_bytes(16)
        return cls(salt, _hash(password, salt))

    def is_(self, password: str) -> bool:
        return hmac.compare_digest(_hash(password, self.salt), self.hash)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(unicodedata.normalize("NFC", password).encode(errors="replace"), salt=salt, **_COST)


NOBODYS = Password(secrets.token_bytes(16), secrets.token_bytes(64))
"""What is tried for a name that isn't there, so that it takes as long."""


def file() -> Path:
    return Settings().home_dir() / FILE


def passwords() -> dict[str, Password]:
    """All names with their passwords, the owner first; {} where there are no names.

    Raises:
        IngestError: the file isn't what `octavo people` writes; then nobody gets in.
    """
    try:
        lines = file().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise _damaged(1) from error
    found: dict[str, Password] = {}
    for number, line in enumerate(lines, 1):
        name, _, rest = line.partition(":")
        salt, _, hashed = rest.partition(":")
        try:
            found[name] = Password(bytes.fromhex(salt), bytes.fromhex(hashed))
        except ValueError:
            raise _damaged(number) from None
        if not _NAME.fullmatch(name) or not salt or not hashed:
            raise _damaged(number)
    if not found:
        raise _damaged(1)
    return found


def _damaged(line: int) -> IngestError:
    return IngestError(f"{file()}, line {line}: not NAME:SALT:HASH", "remove the line, or the file; `octavo people add NAME` writes both")


def put(name: str, password: str) -> None:
    """Adds a person, or gives them a new password.

    Raises:
        IngestError: the name or the password won't do.
    """
    if not _NAME.fullmatch(name):
        raise IngestError(f"{name!r:.60} can't be a name", "use letters, digits, spaces, '.', '-', '_' and '@', 40 at most")
    if len(password) < SHORTEST:
        raise IngestError("the password is too short", f"{SHORTEST} characters at the least")
    _write(passwords() | {name: Password.of(password)})


def remove(name: str) -> None:
    """Takes a person away.

    Raises:
        IngestError: there is none of this name, or it is the owner and others are left.
    """
    known = passwords()
    if name not in known:
        raise IngestError(f"there is nobody called {name!r:.60}", f"there are {', '.join(known)}" if known else "octavo people add NAME")
    if next(iter(known)) == name and len(known) > 1:
        raise IngestError(f"{name} is the owner", "take the others away first")
    del known[name]
    _write(known)


def _write(known: dict[str, Password]) -> None:
    place = file()
    if not known:
        place.unlink()
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=place.parent, prefix=".people-", encoding="utf-8", delete=False) as fresh:
        fresh.writelines(f"{name}:{password.salt.hex()}:{password.hash.hex()}\n" for name, password in known.items())
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(fresh.name).replace(place)
