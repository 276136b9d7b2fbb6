"""Killed between any two changes on disk, a library loses nothing and doubles nothing, and the next run finishes the work."""

import copy
import hashlib
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Embedder, Library
from tests.ingest.conftest import Nursery
from tests.ingest.invariants import check

BEGIN = """
import os, pathlib
from ingest import Library, failpoints
from ingest.backup import export_library, import_library
home = pathlib.Path(arguments[0])
folder, directory = home / "folder", home / "library"
failpoints.arm(f"{home}/names:{arguments[1]}")
"""
STORIES = {
    "first ingest": "with Library.open(directory, embedder, create=True) as library: library.add([folder])",
    "change": """
(folder / "b.txt").write_text("The ferry now leaves at nine from the north pier. " * 30)
(folder / "c.txt").unlink(missing_ok=True)
if (folder / "d.txt").exists(): (folder / "d.txt").rename(folder / "renamed.txt")
(folder / "copy.txt").write_bytes((folder / "e.txt").read_bytes())
os.utime(folder / "e.txt", (1, 1))
(folder / "broken.txt").write_bytes(bytes(9))
with Library.open(directory, embedder) as library: library.add([folder])
""",
    "another embedder": """
import copy
other = copy.copy(embedder)
other.name, other.fingerprint = "other", "other:1"
Library.reembed(directory, other)
""",
    "backup": """
export_library(directory, home / "backup")
if not (home / "imported").exists(): import_library(home / "backup", home / "imported")
""",
}
"""Each but the first goes on from a library that the first made."""


def _fill(folder: Path) -> None:
    folder.mkdir()
    texts = {
        "a": "Anchors are kept in the loft.",
        "b": "Barges leave at six.",
        "c": "Candles cost a penny.",
        "d": "Donkeys turn the wheel.",
    }
    for name, text in {**texts, "e": "Eels pass in May. " * 60}.items():
        (folder / f"{name}.txt").write_text(text)


def _run(nursery: Nursery, home: Path, story: str, failpoint: str) -> int:
    return nursery.fork(BEGIN + STORIES[story], home / "output", str(home), failpoint).wait()


def _names(nursery: Nursery, home: Path, story: str) -> list[str]:
    """The story's failpoints in order, each as NAME#TIME; leaves its end in `home`."""
    assert _run(nursery, home, story, "") == 0, (home / "output").read_text()
    seen: list[str] = []
    for name in (home / "names").read_text().splitlines():
        seen.append(f"{name}#{sum(known.rpartition('#')[0] == name for known in seen) + 1}")
    return seen


def _state(home: Path) -> str:
    """What is on disk, as far as it says something: names, sizes of index files, rows; no times."""
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.name not in ("output", "names", "lock") and not path.name.startswith("library.sqlite3"):
            size = path.stat().st_size if path.is_file() and "chroma" in path.parts else 0
            digest.update(f"{path.relative_to(home)} {size}\n".encode())
    for database in sorted(home.rglob("library.sqlite3")):
        with closing(sqlite3.connect(database)) as connection:
            digest.update(str(connection.execute("pragma user_version").fetchone()).encode())
            for (table,) in connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall():
                rows = connection.execute(f"select * from {table}").fetchall() if not table.startswith(("words", "grams", "terms")) else []
                digest.update(repr([[c for c in row if not isinstance(c, bytes)] for row in rows]).encode())
    return digest.hexdigest()


def _ends_well(nursery: Nursery, home: Path, story: str, embedder: Embedder) -> None:
    """The story again, from what a kill left, ends as if nothing had happened."""
    (home / "names").unlink()
    assert _run(nursery, home, story, "") == 0, (home / "output").read_text()
    files = [path for path in (home / "folder").iterdir() if path.name != "broken.txt"]
    used = copy.copy(embedder)
    if story == "another embedder":
        used.name, used.fingerprint = "other", "other:1"
    for directory in [path for path in (home / "library", home / "imported") if path.exists()]:
        with Library.open(directory, used) as library:
            check(library, {str(path): path.read_text() for path in files})
            assert library.verify().ok
        assert [path.name.isdigit() for path in (directory / "chroma").iterdir()] == [True]
    assert not list(home.glob("*.partial")) and not list(home.glob("*.importing"))


def _kill_at(story: str, names: list[str], base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery) -> set[str]:
    """Kills at each failpoint and recovers; returns the states that the kills left."""
    states = set()
    for number, name in enumerate(names):
        home = tmp_path / f"{story}-{number}"
        _begin(story, base, home)
        assert _run(nursery, home, story, name) == -signal.SIGKILL, (name, (home / "output").read_text())
        states.add(_state(home))
        _ends_well(nursery, home, story, embedder)
        shutil.rmtree(home)
    return states


def _begin(story: str, base: Path, home: Path) -> None:
    home.mkdir()
    _fill(home / "folder")
    if story != "first ingest":
        shutil.copytree(base / "library", home / "library")
        with closing(sqlite3.connect(home / "library" / "library.sqlite3")) as connection, connection:
            connection.execute("update files set path = replace(path, ?, ?)", [str(base), str(home)])


@pytest.fixture
def base(tmp_path: Path, nursery: Nursery) -> Path:
    """Where the first ingest has been done."""
    _begin("first ingest", tmp_path, tmp_path / "base")
    assert _run(nursery, tmp_path / "base", "first ingest", "") == 0
    return tmp_path / "base"


def test_an_index_that_was_built_but_not_named_is_no_harm(base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    assert len(_kill_at("change", ["publish: renamed#1"], base, tmp_path, embedder, nursery)) == 1


@pytest.mark.slow
def test_every_failpoint_is_recovered_from(base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    states, killed = set(), 0
    for story in STORIES:
        _begin(story, base, tmp_path / story)
        names = _names(nursery, tmp_path / story, story)
        left = _kill_at(story, names, base, tmp_path, embedder, nursery)
        print(f"\n{story}: killed at {len(names)} places, which left {len(left)} different states: {', '.join(names)}")
        states |= left
        killed += len(names)
    print(f"killed at {killed} places, {len(states)} different states on disk")
    assert len(states) >= 40
