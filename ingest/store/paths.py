"""What the library calls a file, where that file lies, and whether it is still the one that was read."""

import hashlib
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from ingest.errors import PathError


def stored_path(path: str | Path) -> str:
    """What the library calls a file: absolute, links resolved; bytes that aren't UTF-8 are spelled out."""
    return spelled(os.path.realpath(_expanded(path)))


def _expanded(path: str | Path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # the home of somebody unknown
        return Path(path)


_LIKE_BYTES = re.compile(r"\\(?=x(?:[89a-f][0-9a-f]|5c))")
"""A backslash that would read as a byte spelled out: it is spelled out itself, so that no two names become one."""


def spelled(path: str) -> str:
    return os.fsencode(_LIKE_BYTES.sub(r"\\x5c", path)).decode("utf-8", "backslashreplace")


def file_of(stored: str) -> Path:
    """Where the file lies that the library calls so."""
    return Path(os.fsdecode(re.sub(rb"\\x([89a-f][0-9a-f]|5c)", lambda byte: bytes.fromhex(byte[1].decode()), os.fsencode(stored))))


def existing(paths: Sequence[str | Path]) -> list[Path]:
    """Paths to add, `~` expanded. One of several may be missing, as on a drive that isn't mounted now.

    Raises:
        PathError: none is there, or one is empty.
    """
    roots = [_expanded(_named(path)) for path in paths]
    reasons = [missing(root) for root in roots]
    if roots and all(reasons):
        what = f"no file or folder at {roots[0]}" if reasons[0] == _NOTHING else f"{roots[0]}: {reasons[0]}"
        raise PathError(what, "check the path; `octavo remove` takes a document out")
    return roots


_NOTHING = "no file or folder is there"


def missing(path: Path) -> str:
    """Why nothing can be read at a path, or ""."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return _NOTHING
    except OSError as error:
        return f"it can't be looked at: {error.strerror}"
    return ""


def is_absent(path: Path) -> bool:
    """Whether certainly nothing lies at a path."""
    return missing(path) == _NOTHING


def _named(path: str | Path) -> str | Path:
    """Refuses "", which would stand for the working directory: what `octavo remove "$unset"` says."""
    if not str(path).strip():
        raise PathError("an empty path names no file or folder", "is a variable unset? '.' is the folder that you are in")
    return path


def moved(path: str, old: str, new: str) -> str:
    """A path that began with `old`, beginning with `new`; any other as it is."""
    return new + path.removeprefix(old) if path.startswith(old) else path


def slashed(path: str) -> str:
    """What this path, with a slash behind it, and every path below it begin with."""
    return path.rstrip("/") + "/"


def below(paths: Sequence[str | Path], known: Collection[str]) -> list[str]:
    """What the library holds at these paths, or below those that are folders.

    Raises:
        PathError: it has nothing at one of them, or one is empty.
    """
    found: dict[str, None] = {}
    for path in map(_named, paths):
        root = str(path) if str(path) in known else stored_path(path)
        place = slashed(root)
        names = [name for name in known if slashed(name).startswith(place)]
        if not names:
            raise absent(root)
        found |= dict.fromkeys(names)
    return list(found)


def absent(path: str | Path) -> PathError:
    """The error for who names a document that isn't there."""
    return PathError(f"the library has no document at {path}", "name it as it was added; `octavo list --library NAME` lists all")


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def is_as_read(file: Path, stamp: str, sha256: str) -> bool:
    """Whether a file is the one that was read, whose stamp and hash these are: its size and time, else its bytes.

    Raises:
        OSError: it isn't there, or can't be read.
    """
    return stamp.split(":")[:2] == stamp_of(file.stat()).split(":")[:2] or sha256_of(file) == sha256


def stamp_of(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
