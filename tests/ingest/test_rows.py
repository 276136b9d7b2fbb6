"""What is looked up by its key is found by it, however many files a library has."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Library
from ingest.store import rows, schema


def _scans(connection: sqlite3.Connection, asked: list[str]) -> list[str]:
    """The steps of these queries that walk through a table of files, documents or chunks."""
    steps = [step for query in asked for *_, step in connection.execute(f"explain query plan {query}")]
    return [step for step in steps if step.startswith("SCAN") and step.split()[1] in ("files", "documents", "chunks", "vectors")]


def test_looking_one_file_up_walks_through_no_table(library: Library, folder: Path) -> None:
    library.add([folder])
    mill, bees = str(folder / "mill.txt"), str(folder / "sub" / "bees.html")
    with closing(schema.connect(library.directory)) as connection:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        found = rows.known(connection, mill)
        assert rows.parsed(connection, bees) and rows.known(connection, "/nothing") == {}
        connection.set_trace_callback(None)
        assert len(asked) == 3 and not _scans(connection, asked)
        everything = rows.known(connection)
    assert found == {mill: everything[mill]} and everything.keys() == {mill, bees, str(folder / "barge.md")}


def test_copies_of_a_file_walk_through_no_table_each(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what a run asks once: all files, and what waits for vectors."""
    library.add([folder])
    connect = schema.connect
    asked: list[str] = []

    def told(copies: int) -> int:
        for number in range(copies):
            (folder / f"copy {copies} {number}.txt").write_bytes((folder / "mill.txt").read_bytes())
        asked.clear()
        assert library.add([folder]).counts["added"] == copies
        with closing(connect(library.directory)) as connection:
            return len(_scans(connection, [query for query in asked if query.lstrip().startswith("select")]))

    def traced(directory: Path, write: bool = False) -> sqlite3.Connection:
        connection = connect(directory, write)
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(schema, "connect", traced)
    assert told(1) == told(20) < 40
