"""The library's file: how its tables look, how an older one is brought up to date, and how it is opened.

SQLite is the one truth; the Chroma index can be deleted and made again from here. WAL lets people ask while a file is being
added; one file is one transaction, so it is there whole or not at all. `secure_delete` overwrites what is removed.

A file is a path; a document is what its bytes say, so the same bytes at two paths are one document. Chunks that read alike
share one vector. A chunk without a vector waits for the embedder; its words are found at once.

Triggers keep the lists that would otherwise be looked for: `unindexed` are vectors that no segment of the index holds yet,
`unused` those that lost a chunk and perhaps their last.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import LibraryError
from ingest.settings import DATABASE
from ingest.store import failpoints
from ingest.store.lock import writing
from ingest.text.scripts import spaced

_FIRST = """
create table facts (name text primary key, value text not null) without rowid;
create table documents (
    id integer primary key, path text not null unique, stamp text not null, sha256 text not null, text text not null,
    chars integer not null, pages integer, added text not null
);
create table chunks (
    id integer primary key autoincrement, key text not null unique,
    document integer not null references documents on delete cascade,
    char_start integer not null, char_end integer not null, page_start integer, page_end integer,
    heading text not null, text text not null
);
create index chunks_by_document on chunks (document);
create table vectors (chunk integer primary key references chunks on delete cascade, vector blob not null);
create virtual table words using fts5 (text, content='chunks', content_rowid='id', tokenize='porter unicode61');
create virtual table terms using fts5vocab (words, 'row');
create trigger chunk_added after insert on chunks begin
    insert into words (rowid, text) values (new.id, new.text);
end;
create trigger chunk_removed after delete on chunks begin
    insert into words (words, rowid, text) values ('delete', old.id, old.text);
end;
create table generations (
    number integer primary key, last_chunk integer not null, chunks integer not null, published text not null
);
create table receipts (id integer primary key, finished text not null, receipt text not null);
"""
_FILES_AND_TRIGRAMS = """
create table files (
    path text primary key, stamp text not null, sha256 text not null, document integer references documents,
    reason text not null, readers text not null
) without rowid;
create index files_by_document on files (document);
insert into files select path, '', '', id, '', '' from documents;
create table documents_2 (
    id integer primary key autoincrement, sha256 text not null, loader text not null, text text not null,
    chars integer not null, pages integer, layout text not null, added text not null, unique (sha256, loader)
);
insert into documents_2 select id, sha256, 'version 1: ' || id, text, chars, pages, '{}', added from documents;
drop table documents;
alter table documents_2 rename to documents;
alter table chunks add column header text not null default '';
alter table chunks add column unspaced integer not null default 0;
create index unspaced_chunks on chunks (id) where unspaced;
create virtual table grams using fts5 (text, content='chunks', content_rowid='id', tokenize='trigram');
create trigger unspaced_chunk_added after insert on chunks when new.unspaced begin
    insert into grams (rowid, text) values (new.id, new.text);
end;
create trigger unspaced_chunk_removed after delete on chunks when old.unspaced begin
    insert into grams (grams, rowid, text) values ('delete', old.id, old.text);
end;
create table vectors_2 (
    number integer primary key autoincrement, chunk integer not null unique references chunks on delete cascade, vector blob not null
);
insert into vectors_2 (chunk, vector) select chunk, vector from vectors order by chunk;
drop table vectors;
alter table vectors_2 rename to vectors;
drop table generations;
create table generations (
    number integer primary key, last_vector integer not null, vectors integer not null, published text not null
);
"""
_SHARED_VECTORS = """
drop trigger chunk_added; drop trigger chunk_removed; drop trigger unspaced_chunk_added; drop trigger unspaced_chunk_removed;
drop table terms; drop table words; drop table grams; drop index unspaced_chunks;
alter table chunks add column spaced text;
alter table chunks add column vector integer references vectors;
update chunks set spaced = spaced(text) where unspaced;
alter table chunks drop column unspaced;
create view readable as select id, coalesce(spaced, text) as text from chunks;
create virtual table words using fts5 (text, content='readable', content_rowid='id', tokenize='porter unicode61');
create virtual table terms using fts5vocab (words, 'row');
insert into words (words) values ('rebuild');
create table shared_vectors (number integer primary key autoincrement, digest blob unique, vector blob not null);
with alike as (
    select chunks.id, min(number) over (partition by header, text) as number from chunks join vectors on vectors.chunk = chunks.id
) update chunks set vector = alike.number from alike where alike.id = chunks.id;
insert into shared_vectors (number, vector) select number, vector from vectors where number in (select vector from chunks);
drop table vectors;
alter table shared_vectors rename to vectors;
create index chunks_by_vector on chunks (vector);
create table unindexed (vector integer primary key references vectors on delete cascade, weak integer not null default 0);
insert into unindexed (vector) select number from vectors;
create table unused (vector integer primary key);
create table segments (number integer primary key autoincrement, vectors integer not null, members blob not null);
drop table generations;
create table generations (number integer primary key, published text not null);
create trigger chunk_added after insert on chunks begin
    insert into words (rowid, text) values (new.id, coalesce(new.spaced, new.text));
end;
create trigger chunk_removed after delete on chunks begin
    insert into words (words, rowid, text) values ('delete', old.id, coalesce(old.spaced, old.text));
end;
create trigger chunk_with_vector_removed after delete on chunks when old.vector is not null begin
    insert or ignore into unused values (old.vector);
end;
create trigger vector_added after insert on vectors begin
    insert into unindexed (vector) values (new.number);
end;
"""
_PLACES = """
create table places (
    document integer not null references documents on delete cascade, page integer not null, start integer not null, runs blob not null,
    primary key (document, page)
);
"""
_FOLDERS = """
create table folders (path text primary key, exclude text not null, followed integer not null default 0, read text) without rowid;
create table removed (path text primary key, removed text not null) without rowid;
create trigger file_asked_for_again after insert on files begin
    delete from removed where path = new.path;
end;
"""
MIGRATIONS = [_FIRST, _FILES_AND_TRIGRAMS, _SHARED_VECTORS, _PLACES, _FOLDERS]
"""Each brings a library from version i to i + 1. Never edit one that has shipped: append."""


def is_current(directory: Path) -> bool:
    """Whether there is a library whose schema is this Octavo's (or a newer one's, which `connect` refuses)."""
    if not (directory / DATABASE).is_file():
        return False
    try:
        with closing(sqlite3.connect(directory / DATABASE)) as connection:
            return bool(connection.execute("pragma user_version").fetchone()[0] >= len(MIGRATIONS))
    except sqlite3.Error:
        return True  # damaged: for `connect` to tell


def make(directory: Path) -> None:
    """Makes a library, or finishes one: its schema may be half made, or an older Octavo's.

    Raises:
        LibraryError: it can't be written there.
        LibraryBusy: another process is writing.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"{directory} can't be a library's directory ({error.strerror})", "name another with --library") from error
    if not is_current(directory):
        with writing(directory):
            connect(directory, write=True).close()


def connect(directory: Path, write: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode. A writer's creates the file and brings its schema up to date.

    Raises:
        LibraryError: the file is absent or damaged, or was written by another version of Octavo.
    """
    path = directory / DATABASE
    if not write and not path.is_file():
        raise LibraryError(f"no library at {directory}", "make one with `octavo ingest FOLDER`")
    try:
        if write:
            create_private(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(f"{path} can't be opened: {error}", "is it yours to read and write?") from error
    try:
        connection.execute("pragma secure_delete = on")
        if write:
            connection.execute("pragma journal_mode = wal")
        version = connection.execute("pragma user_version").fetchone()[0]
        connection.create_function("spaced", 1, spaced, deterministic=True)
        for number in range(version, len(MIGRATIONS) if write else 0):
            failpoints.reach(f"schema: before version {number + 1}")
            connection.executescript(f"begin immediate; {MIGRATIONS[number]} pragma user_version = {number + 1}; commit")
        connection.execute("pragma foreign_keys = on")  # only now: a migration replaces tables that others refer to
    except sqlite3.DatabaseError as error:
        connection.close()
        raise LibraryError(f"{path} can't be read: {error}", cure(error)) from error
    if version > len(MIGRATIONS):
        connection.close()
        raise LibraryError(f"{path} was written by a newer Octavo (version {version})", "upgrade Octavo")
    if version < len(MIGRATIONS) and not write:
        connection.close()
        raise LibraryError(f"{path} was written by an older Octavo, or isn't finished", "run `octavo ingest` on its folders")
    return connection


def create_private(path: Path) -> None:
    """Makes the file, where there is none, for its owner alone: SQLite would let everybody read it.

    One that is there is never opened: closing it again would drop the locks that this process's connections have on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def cure(error: sqlite3.Error) -> str:
    """What a user can do about an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return "is there room on its disk? What was finished is kept: run it again then"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return "is it yours to read and write?"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another process holds it: try again"
    return "restore it from a backup, or ingest anew"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or none of it. On a full disk the commit too may fail, and SQLite may have rolled back by itself."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
