"""Killed between any two changes on disk, a library loses nothing and doubles nothing, and the next run finishes the work."""

import copy
import io
import re
import shutil
import signal
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Embedder, Library
from tests.ingest.invariants import check
from tests.nursery import Nursery

BEGIN = """
import os, pathlib
from ingest import Library
from ingest.store import failpoints
from ingest.store.backup import export_library, import_library
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
with zipfile.ZipFile(_earlier := io.BytesIO(), "w") as _archive:
    _archive.writestr("octavo.json", "{}")
EARLIER = _earlier.getvalue()
"""An earlier export of that name."""


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


_CHANCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=tmp-\d{8})-\d+|(?<=\.)\d+(?=\.partial)|(?<=\": )[\d.]+(?=[,}])")
"""What differs from run to run: Chroma's folders, process ids in names, and in JSON all numbers, of which some are seconds."""
_TIMES = {"stamp", "added", "published", "finished", "read", "removed"}


def _state(home: Path, looked_at: Path) -> str:
    """What is on disk, as far as it says something: names, sizes of index files, and the rows that SQLite would recover.

    Two workers read files in any order, so that some states differ by the file that came first.
    It is read in a copy: looking would clear SQLite's log away, and recovery should find what the kill left.
    """
    shutil.copytree(home, looked_at)
    told = []
    for path in sorted(looked_at.rglob("*")):
        if path.name not in ("output", "names", "lock") and not path.name.startswith("library.sqlite3"):
            size = path.stat().st_size if path.is_file() and "chroma" in path.parts else 0
            told.append(f"{path.relative_to(looked_at)} {size} {path.is_file() and path.read_bytes() == EARLIER}")
    for database in sorted(looked_at.rglob("library.sqlite3")):
        with closing(sqlite3.connect(database)) as connection:
            told.append(str(connection.execute("pragma user_version").fetchone()))
            for (table,) in connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall():
                told += _rows(connection, table) if not table.startswith(("words", "terms")) else []
    shutil.rmtree(looked_at)
    return "\n".join(sorted(_CHANCE.sub("", line.replace(str(home), "HOME")) for line in told))


def _rows(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = connection.execute(f"select * from {table}")
    names = [column for column, *_ in rows.description]
    return [repr([c for name, c in zip(names, row, strict=True) if name not in _TIMES and not isinstance(c, bytes)]) for row in rows]


def _nothing_is_half(home: Path, embedder: Embedder) -> None:
    """Right after a kill: an export is the earlier one or a whole new one, and what has an import's name is a whole library."""
    for exported in home.glob("backup"):
        assert exported.read_bytes() == EARLIER or zipfile.ZipFile(exported).testzip() is None
    for imported in home.glob("imported*"):
        with Library.open(imported, embedder) as library:
            assert imported.name == "imported" and library.verify().ok


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
        assert all(path.name.isdigit() for path in (directory / "chroma").iterdir())
    assert {path.name for path in home.iterdir()} <= {"folder", "library", "backup", "imported", "names", "output"}
    assert all(path.read_bytes() != EARLIER for path in home.glob("backup"))


def _kill_at(story: str, names: list[str], base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery) -> dict[str, str]:
    """Kills at each failpoint and recovers; returns the state that each kill left."""
    states = {}
    for name in names:
        home = tmp_path / "home"
        _begin(story, base, home)
        assert _run(nursery, home, story, name) == -signal.SIGKILL, (name, (home / "output").read_text())
        states[name] = _state(home, tmp_path / "looked-at")
        _nothing_is_half(home, embedder)
        _ends_well(nursery, home, story, embedder)
        shutil.rmtree(home)
    return states


def _begin(story: str, base: Path, home: Path) -> None:
    home.mkdir()
    _fill(home / "folder")
    if story == "backup":
        (home / "backup").write_bytes(EARLIER)
    if story != "first ingest":
        shutil.copytree(base / "library", home / "library")
        with closing(sqlite3.connect(home / "library" / "library.sqlite3")) as connection, connection:
            connection.execute("update files set path = replace(path, ?, ?)", [str(base), str(home)])


@pytest.fixture(scope="module")
def states() -> dict[str, str]:
    """The state that each kill left, of all stories."""
    return {}


@pytest.fixture
def base(tmp_path: Path, nursery: Nursery) -> Path:
    """Where the first ingest has been done."""
    _begin("first ingest", tmp_path, tmp_path / "base")
    assert _run(nursery, tmp_path / "base", "first ingest", "") == 0
    return tmp_path / "base"


def test_an_index_that_was_built_but_not_named_is_no_harm(base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    assert len(_kill_at("change", ["segment: renamed#1"], base, tmp_path, embedder, nursery)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_every_failpoint_is_recovered_from(
    story: str, base: Path, tmp_path: Path, embedder: Embedder, nursery: Nursery, states: dict[str, str]
) -> None:
    _begin(story, base, tmp_path / story)
    names = _names(nursery, tmp_path / story, story)
    for name, state in _kill_at(story, names, base, tmp_path, embedder, nursery).items():
        same = [known for known, seen in states.items() if seen == state]
        states[f"{story}, {name}"] = state
        print(f"{story}, {name}: {'as at ' + same[0] if same else 'a state of its own'}")


@pytest.mark.slow
def test_at_least_forty_kills_left_a_different_state_each(states: dict[str, str]) -> None:
    """After the test above: within a transaction the disk says what it said before."""
    print(f"killed at {len(states)} places, {len(set(states.values()))} different states on disk")
    assert len(set(states.values())) >= 40
