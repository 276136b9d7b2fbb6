"""A library of an older Octavo keeps its text, its words and its vectors, and its files are read again."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ingest import Embedder, Library
from ingest.errors import LibraryError
from ingest.store import schema


def _first_version(directory: Path, embedder: Embedder, folder: Path) -> None:
    """A library as version 1 wrote it, with two files of the same bytes."""
    directory.mkdir()
    with closing(sqlite3.connect(directory / "library.sqlite3")) as connection:
        connection.executescript(f"pragma journal_mode = wal; {schema.MIGRATIONS[0]} pragma user_version = 1;")
        connection.execute("insert into facts values ('embedder_name', ?), ('embedder', ?)", [embedder.name, embedder.fingerprint])
        for number, name in enumerate(("mill.txt", "copy.txt"), 1):
            text = (folder / "mill.txt").read_text()
            row = [number, str(folder / name), "1:2:3", "same", text, len(text), "2026-01-01T00:00:00+00:00"]
            connection.execute("insert into documents values (?, ?, ?, ?, ?, ?, null, ?)", row)
            connection.execute(
                "insert into chunks values (?, ?, ?, 0, ?, null, null, '', ?)", [number, f"key{number}", number, len(text), text]
            )
            vector = embedder.documents([text])[0].astype("float16").tobytes()
            connection.execute("insert into vectors values (?, ?)", [number, vector])
        connection.execute("insert into generations values (7, 2, 2, 'then')")
        connection.commit()


def test_a_library_of_version_1_is_brought_up_to_date(tmp_path: Path, folder: Path, embedder: Embedder) -> None:
    _first_version(tmp_path / "library", embedder, folder)
    (folder / "copy.txt").write_bytes((folder / "mill.txt").read_bytes())
    try:
        Library.open(tmp_path / "library", embedder)
    except LibraryError as error:
        assert "older Octavo" in str(error)
    else:
        raise AssertionError("a reader changed it")
    with Library.open(tmp_path / "library", embedder, create=True) as library:
        assert len(library.documents()) == 2
        assert library.dense("wheat", 5)[0].chunk.text.startswith("The tide mill") and len(library.words("wheat", 5)) == 2
        receipt = library.add([folder])
        assert receipt.counts["replaced"] == 2 and receipt.counts["added"] == 2 and receipt.ok
        assert library.status()["chunks"] == 3 and library.verify().ok
        assert library.add([folder]).counts["unchanged"] == 4
