"""What was asked of a library and answered: conversations, in a small SQLite file of their own beside the library's.

They are no part of the library's truth, so no question waits for an ingest's lock, and a damaged file costs conversations alone.
An answer is what the page shows of it, as JSON; it is written while it comes, so that a reload or a crash keeps what came.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingest.errors import LibraryError
from ingest.store.paths import moved
from ingest.store.schema import create_private, cure, now, transaction

FILE = "conversations.sqlite3"
State = Literal["asking", "done", "cut", "failed"]
"""Of a turn: being answered; answered; stopped, or broken off with its process; failed with an error that its answer tells."""
REMOVED = "(removed with its document)"
"""Stands for a passage whose document was taken out of the library."""
_TITLE = 80
_PID_BITS = 22
_SCHEMA = """
create table conversations (id integer primary key autoincrement, owner text not null, title text not null, changed text not null);
create table turns (
    id integer primary key autoincrement, conversation integer not null references conversations on delete cascade,
    question text not null, within text not null, answer text not null, state text not null, process integer not null, asked text not null
);
create index turns_by_conversation on turns (conversation);
pragma user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    id: int
    title: str
    changed: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, the documents that it was asked of ([]: all), and its answer as far as it came."""

    id: int
    question: str
    within: list[str]
    answer: dict[str, Any]
    state: State


class Conversations:
    """The conversations of one library; safe from many threads and processes, as each call opens the file for itself.

    Args:
        directory: the library's.
        owner: whose conversations; "" where nobody logs in.
    """

    def __init__(self, directory: Path, owner: str = "") -> None:
        self._file = directory / FILE
        self._owner = owner

    def all(self, search: str = "") -> list[Conversation]:
        """Those that were asked something, the latest first; with `search`, those of which a title, question or answer holds it."""
        query = """select id, title, changed from conversations c where owner = :owner
            and exists (select 1 from turns where conversation = c.id and (:like = '' or title like :like escape '\\'
                or question like :like escape '\\' or json_extract(answer, '$.text') like :like escape '\\')) order
            by changed desc, id desc"""
        with self._open() as connection:
            return [Conversation(*row) for row in connection.execute(query, {"owner": self._owner, "like": _like(search)})]

    def turns(self, conversation: int, since: int = 0) -> list[Turn]:
        """Its turns from this one on, the oldest first. One whose process is gone in the middle of its answer is `cut`."""
        query = """select t.id, question, within, answer, state, process from turns t join conversations c on c.id = conversation
            where c.id = ? and owner = ? and t.id >= ? order by t.id"""
        with self._open() as connection:
            return [_turn(*row) for row in connection.execute(query, (conversation, self._owner, since))]

    def last(self, conversation: int | None) -> int:
        """The number of its last turn; 0 where it has none."""
        query = "select max(t.id) from turns t join conversations c on c.id = conversation where c.id = ? and owner = ?"
        with self._open() as connection:
            return int(connection.execute(query, (conversation, self._owner)).fetchone()[0] or 0)

    def ask(self, question: str, within: Collection[str] = (), conversation: int | None = None) -> tuple[int, int]:
        """Adds a question; returns its conversation, a new one named after it where none is given, and its turn."""
        with self._open() as connection, transaction(connection):
            if conversation is None or not self._touch(connection, conversation):
                title = " ".join(question.split())
                row = (self._owner, title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…", now())
                made = connection.execute("insert into conversations (owner, title, changed) values (?, ?, ?)", row).lastrowid
                conversation = int(made or 0)
            turn = connection.execute(
                "insert into turns (conversation, question, within, answer, state, process, asked) values (?, ?, ?, '{}', 'asking', ?, ?)",
                (conversation, question, json.dumps(list(within), ensure_ascii=False), _process(os.getpid()), now()),
            ).lastrowid
            return conversation, int(turn or 0)

    def put(self, turn: int, answer: dict[str, Any], state: State) -> None:
        """Writes what there is of an answer."""
        with self._open() as connection:
            connection.execute("update turns set answer = ?, state = ? where id = ?", (json.dumps(answer, ensure_ascii=False), state, turn))

    def rename(self, conversation: int, title: str) -> None:
        with self._open() as connection:
            row = (" ".join(title.split())[:_TITLE], conversation, self._owner)
            connection.execute("update conversations set title = ? where id = ? and owner = ?", row)

    def delete(self, conversation: int) -> None:
        with self._open() as connection:
            connection.execute("delete from conversations where id = ? and owner = ?", (conversation, self._owner))

    def erase(self) -> None:
        """Deletes all of this owner's."""
        if self._file.is_file():
            with self._open() as connection:
                connection.execute("delete from conversations where owner = ?", (self._owner,))

    def _touch(self, connection: sqlite3.Connection, conversation: int) -> bool:
        row = (now(), conversation, self._owner)
        return connection.execute("update conversations set changed = ? where id = ? and owner = ?", row).rowcount > 0

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with opened(self._file) as connection:
            yield connection


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file of conversations, which is made where there is none.

    Raises:
        LibraryError: it can't be read or written.
    """
    try:
        create_private(file)
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as connection:
            connection.execute("pragma secure_delete = on")
            connection.execute("pragma foreign_keys = on")
            if not connection.execute("pragma user_version").fetchone()[0]:
                with transaction(connection):
                    if not connection.execute("pragma user_version").fetchone()[0]:
                        for statement in filter(str.strip, _SCHEMA.split(";")):
                            connection.execute(statement)
            yield connection
    except (OSError, sqlite3.Error) as error:
        hint = cure(error) if isinstance(error, sqlite3.Error) else "is it yours to read and write?"
        raise LibraryError(f"{file} can't be read or written: {error}", hint) from error


def damage(directory: Path) -> str:
    """What is wrong with a library's conversations, or ""."""
    if not (directory / FILE).is_file():
        return ""
    try:
        with opened(directory / FILE) as connection:
            found = connection.execute("pragma integrity_check").fetchone()[0]
    except LibraryError as error:
        return f"conversations: {error}"
    return "" if found == "ok" else f"conversations: {found}"


def put_aside(directory: Path) -> None:
    """Makes room for new conversations; the damaged file stays beside them."""
    (directory / FILE).replace(directory / f"{FILE}.damaged")


def forget(directory: Path, paths: Collection[str]) -> None:
    """Takes what was quoted from these documents out of all answers, and says so in its place."""
    if not paths or not (directory / FILE).is_file():
        return
    with opened(directory / FILE) as connection, transaction(connection):
        for turn, stored in connection.execute("select id, answer from turns").fetchall():
            answer = json.loads(stored)
            if _forget(answer, paths):
                connection.execute("update turns set answer = ? where id = ?", (json.dumps(answer, ensure_ascii=False), turn))


def move(directory: Path, old: str, new: str) -> None:
    """Brings paths up to date that began with `old` and begin with `new` now."""
    if not (directory / FILE).is_file():
        return
    with opened(directory / FILE) as connection, transaction(connection):
        for turn, *stored in connection.execute("select id, within, answer from turns").fetchall():
            within, answer = map(json.loads, stored)
            sources = [source for kind in ("citations", "nearest") for source in answer.get(kind, ())]
            for source in sources:
                source["path"] = moved(source["path"], old, new)
            told = [json.dumps(value, ensure_ascii=False) for value in ([moved(path, old, new) for path in within], answer)]
            if told != stored:
                connection.execute("update turns set within = ?, answer = ? where id = ?", (*told, turn))


def _forget(answer: dict[str, Any], paths: Collection[str]) -> bool:
    gone = [source for kind in ("citations", "nearest") for source in answer.get(kind, ()) if source["path"] in paths]
    for source in gone:
        source.update(text=REMOVED, quote=[], boxes=[], removed=True)
    if gone and (answer.get("pointed") or answer.get("mode", "answer") != "answer"):  # then the text is nothing but what was quoted
        answer.update(text=REMOVED, blocks=[{"kind": "text", "runs": [[REMOVED, False]]}])
    return bool(gone)


def _turn(turn: int, question: str, within: str, answer: str, state: State, process: int) -> Turn:
    return Turn(turn, question, json.loads(within), json.loads(answer), "cut" if state == "asking" and not _lives(process) else state)


def _process(number: int) -> int:
    """A process's number and, where the system tells it, when it began: after a restart another may have the number. 0: it is gone."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return 0
    except PermissionError:
        pass
    try:
        began = int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        began = 0
    return began << _PID_BITS | number


def _lives(process: int) -> bool:
    return _process(process % (1 << _PID_BITS)) == process


def _like(text: str) -> str:
    """A pattern for what holds the text, or "" for none."""
    plain = "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in text.strip())
    return f"%{plain}%" if plain else ""
