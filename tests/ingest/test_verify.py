"""Damage is found, and mended from SQLite without reading a document again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Library
from ingest.index.read import path_of
from ingest.store import rows, schema, vectors
from tests.ingest.invariants import check

ELEMENT = 1676
"""Bytes of HNSW's record of one vector of 384: its links, the vector, its label."""


@pytest.fixture
def filled(library: Library, folder: Path) -> Library:
    """Enough chunks for damage to part of a file to hit some."""
    rooms = [f"Room {row} holds {row * 7} sacks of rye." for row in range(160)]
    (folder / "rooms.md").write_text("\n\n".join(f"# {room}\n\n{room} {room}" for room in rooms))
    assert library.add([folder]).ok
    assert library.status()["chunks"] > 40
    return library


def _index(library: Library) -> Path:
    """Its largest segment's directory."""
    with closing(schema.connect(library.directory)) as connection:
        sizes = vectors.segments(connection)
    return path_of(library.directory, max(sizes, key=lambda number: sizes[number]))


def _zero(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\0" * length)


def _hnsw(library: Library) -> Path:
    (path,) = _index(library).glob("*/data_level0.bin")
    return path


def test_each_kind_of_damage_to_the_index_is_found_and_repaired(filled: Library) -> None:
    damages = {
        "one vector zeroed": lambda: _zero(_hnsw(filled), 20 * ELEMENT + 140, 1500),
        "file cut short": lambda: _hnsw(filled).write_bytes(_hnsw(filled).read_bytes()[:1000]),
        "catalogue zeroed": lambda: _zero(_index(filled) / "chroma.sqlite3", 20_000, 300_000),
    }
    texts = {document.path: filled.text(document.path) for document in filled.documents()}
    for name, damage in damages.items():
        filled.close()
        damage()
        report = filled.verify(repair=True)
        assert report.ok and report.repaired and report.repaired[0].startswith("index:"), (name, report)
    assert {document.path: filled.text(document.path) for document in filled.documents()} == texts
    assert filled.dense("Room 4 holds sacks of rye", 1)[0].score > 0.7


def test_damage_to_words_and_rows_is_found(library: Library, folder: Path) -> None:
    library.add([folder])
    with closing(schema.connect(library.directory)) as connection:
        connection.execute("insert into words (words, rowid, text) values ('delete', 1, 'tide mill wheat')")
    report = library.verify(repair=True)
    assert report.ok and report.repaired[0].startswith("words:"), report
    with closing(schema.connect(library.directory)) as connection:
        connection.execute("update documents set text = 'other' where id = 1")
    assert "differ from its text" in library.verify().problems[0]


def test_an_index_that_lags_is_told_and_the_next_add_publishes(library: Library, folder: Path) -> None:
    library.add([folder])
    with closing(schema.connect(library.directory)) as connection:
        rows.delete_file(connection, str(folder / "mill.txt"))  # as if killed before publishing
    assert [Path(hit.chunk.path).name for hit in library.dense("wheat", 3)] == ["barge.md", "bees.html"]
    assert "lags" in library.verify().problems[0]
    library.add([folder])
    check(library, {str(path): library.text(path) for path in folder.rglob("*.*")})


def test_a_published_segment_is_never_written_to(library: Library, folder: Path) -> None:
    library.add([folder])
    before = _contents(_index(library))
    for _ in range(3):
        library.dense("oats", 2)
        library.close()
    library.verify()
    assert _contents(_index(library)) == before


def _contents(index: Path) -> dict[str, object]:
    """Files by name; of Chroma's catalogue the rows, without those by which Chroma tries its lock when it is opened."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in index.glob("*/*")}
    with closing(sqlite3.connect(index / "chroma.sqlite3")) as connection:
        found["catalogue"] = [line for line in connection.iterdump() if "acquire_write" not in line]
    return found
