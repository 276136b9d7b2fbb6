"""What a library remembers beside its documents: the folders that were added to it, and what was taken out of it.

Each is a small row, written at once: also while a run goes on, which holds the library's lock for what it reads.
"""

import json
import sqlite3
from collections.abc import Sequence

from ingest.errors import PathError
from ingest.records import Folder, Removed
from ingest.store.schema import now, transaction


def remember(connection: sqlite3.Connection, paths: Sequence[str], exclude: Sequence[str]) -> None:
    """Notes folders that are added, and what was left out of them this time."""
    connection.executemany(
        "insert into folders (path, exclude) values (?, ?) on conflict (path) do update set exclude = excluded.exclude",
        [(path, json.dumps(list(exclude), ensure_ascii=False)) for path in paths],
    )


def note_read(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Notes that folders have been read to their end just now."""
    connection.executemany("update folders set read = ? where path = ?", [(now(), path) for path in paths])


def folders(connection: sqlite3.Connection) -> list[Folder]:
    rows = connection.execute("select path, exclude, followed, read from folders order by path")
    return [Folder(path, tuple(json.loads(exclude)), bool(followed), read) for path, exclude, followed, read in rows]


def follow(connection: sqlite3.Connection, path: str, followed: bool) -> None:
    """Notes whether a folder is followed.

    Raises:
        PathError: it isn't remembered.
    """
    _check(connection.execute("update folders set followed = ? where path = ?", [followed, path]).rowcount, path)


def forget(connection: sqlite3.Connection, path: str) -> None:
    """Forgets a folder; what was read from it stays.

    Raises:
        PathError: it isn't remembered.
    """
    _check(connection.execute("delete from folders where path = ?", [path]).rowcount, path)


def _check(count: int, path: str) -> None:
    if not count:
        raise PathError(f"{path} is not one of the library's folders", "`octavo folders` lists them")


def removed(connection: sqlite3.Connection) -> list[Removed]:
    """What was taken out and not asked for since, by path."""
    return [Removed(*row) for row in connection.execute("select path, removed from removed order by path")]


def note_removed(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Notes that documents were taken out: a folder's next ingest passes over them. A trigger strikes out what is read again."""
    connection.executemany("insert or replace into removed values (?, ?)", [(path, now()) for path in paths])


def forget_removed(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Forgets that documents were taken out, so that nothing tells of them any more."""
    with transaction(connection):
        connection.executemany("delete from removed where path = ?", [(path,) for path in paths])
