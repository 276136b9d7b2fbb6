"""A library under another name, in another place, or gone.

The paths of uploaded files lie in the library's own directory. It notes where it is; whoever writes next finds that it was moved,
by `rename_library` or by hand, and brings those paths up to date.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ingest.errors import LibraryBusy, LibraryError
from ingest.settings import DATABASE, UPLOADS
from ingest.store import conversations, failpoints, rows, schema
from ingest.store.lock import writing
from ingest.store.paths import slashed, spelled
from ingest.store.schema import transaction

_DELETED = ".deleted"


def heed_move(directory: Path, connection: sqlite3.Connection) -> None:
    """Brings the paths of uploaded files up to date where the library was moved since it was last written."""
    before = rows.fact(connection, "directory")
    if before == str(directory):
        return
    if before is not None:
        old, new = _uploads(before), _uploads(str(directory))
        conversations.move(directory, old, new)
        failpoints.reach("move: conversations")
        with transaction(connection):
            query = "update files set path = :new || substr(path, :length + 1) where substr(path, 1, :length) = :old"
            connection.execute(query, {"old": old, "new": new, "length": len(old)})
            rows.set_fact(connection, "directory", str(directory))
    else:
        rows.set_fact(connection, "directory", str(directory))


def _uploads(directory: str) -> str:
    return slashed(spelled(f"{directory}/{UPLOADS}"))


def rename_library(directory: Path, target: Path) -> None:
    """Gives a library another directory, on the same disk.

    Raises:
        LibraryBusy: another process is writing to it.
        LibraryError: there is none, or there is something at `target` already.
    """
    _check(directory)
    if os.path.lexists(target):
        raise LibraryError(f"there is a library called {target.name!r} already", "choose another name")
    with writing(directory):
        with closing(schema.connect(directory, write=True)) as connection:
            heed_move(directory.resolve(), connection)
        try:
            directory.rename(target)
        except OSError as error:
            raise LibraryError(f"{directory} can't be renamed: {error.strerror}", "is it yours?") from error
    failpoints.reach("rename: renamed")
    with suppress(LibraryBusy), writing(target), closing(schema.connect(target, write=True)) as connection:  # else that one heeds it
        heed_move(target.resolve(), connection)


def delete_library(directory: Path) -> None:
    """Deletes a library with all that is in it: texts, words, vectors, conversations, copies of uploaded files.

    Raises:
        LibraryBusy: another process is writing to it.
        LibraryError: there is none, or it can't be deleted.
    """
    _check(directory)
    if directory.is_symlink():
        raise LibraryError(f"{directory} is a link", "delete what it leads to, then the link")
    sweep(directory.parent)
    gone = directory.with_name(f".{directory.name}.{os.getpid()}{_DELETED}")
    try:
        with writing(directory):
            directory.rename(gone)  # nobody sees a half of it
        failpoints.reach("delete: out of sight")
        shutil.rmtree(gone)
    except OSError as error:
        raise LibraryError(f"{directory} can't be deleted: {error.strerror}", "is it yours?") from error


def sweep(home: Path) -> None:
    """Deletes what is left of libraries whose deletion was killed."""
    for left in home.glob(f".*{_DELETED}"):
        shutil.rmtree(left, ignore_errors=True)


def _check(directory: Path) -> None:
    if not (directory / DATABASE).is_file():
        raise LibraryError(f"no library at {directory}", "`octavo list` lists them")
