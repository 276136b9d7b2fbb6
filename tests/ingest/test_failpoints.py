"""Killed between any two changes on disk, a library loses nothing and doubles nothing, and the next run finishes the work."""

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

STORY = '''
"""A first ingest, a second one that adds, replaces, renames, copies, touches, fails and removes, and a repair by re-embedding."""
import os, pathlib
from ingest import Library, failpoints
from ingest.backup import export_library, import_library
home = pathlib.Path(arguments[0])
folder = home / "folder"
failpoints.arm(f"{home}/names:{arguments[1]}")
if not (home / "second").exists():
    with Library.open(home / "library", embedder, create=True) as library:
        library.add([folder])
    change(folder)
    (home / "second").touch()
with Library.open(home / "library", embedder, create=True) as library:
    library.add([folder])
Library.reembed(home / "library", embedder)
export_library(home / "library", home / "backup")
if not (home / "imported").exists():
    import_library(home / "backup", home / "imported")
'''
CHANGE = """
def change(folder):
    (folder / "b.txt").write_text("The ferry now leaves at nine from the north pier. " * 30)
    (folder / "c.txt").unlink()
    (folder / "d.txt").rename(folder / "renamed.txt")
    (folder / "copy.txt").write_bytes((folder / "e.txt").read_bytes())
    os.utime(folder / "e.txt", (1, 1))
    (folder / "broken.txt").write_bytes(bytes(9))
"""


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


def _state(home: Path) -> str:
    """What is on disk, as far as it says something: rows, index directories and files beside them; no times."""
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.name.startswith("library.sqlite3") or path.suffix == ".bin" or path.name in ("output", "names", "lock"):
            continue
        size = path.stat().st_size if path.is_file() and "chroma" in path.parts else 0
        digest.update(f"{path.relative_to(home)} {size}\n".encode())
    for database in sorted(home.rglob("library.sqlite3")):
        with closing(sqlite3.connect(database)) as connection:
            digest.update(str(connection.execute("pragma user_version").fetchone()).encode())
            for (table,) in connection.execute(
                "select name from sqlite_master where type = 'table' and name not like '%\\_%' escape '\\'"
            ).fetchall():
                for row in connection.execute(f"select * from {table}"):
                    digest.update(repr([c for c in row if not isinstance(c, bytes)]).encode())
    return digest.hexdigest()


def _run(nursery: Nursery, home: Path, failpoint: str) -> int:
    return nursery.fork(CHANGE + STORY, home / "output", str(home), failpoint).wait()


def _names(nursery: Nursery, home: Path) -> list[str]:
    """Every failpoint of the story, in order, each with how often it was reached before."""
    _fill(home / "folder")
    assert _run(nursery, home, "") == 0, (home / "output").read_text()
    seen: list[str] = []
    for name in (home / "names").read_text().splitlines():
        seen.append(f"{name}#{sum(known.rpartition('#')[0] == name for known in seen) + 1}")
    return seen


def _recovers(nursery: Nursery, home: Path, embedder: Embedder) -> None:
    """The same story again, from what was left, ends as if nothing had happened."""
    (home / "names").unlink()
    assert _run(nursery, home, "") == 0, (home / "output").read_text()
    files = [path for path in (home / "folder").iterdir() if path.name != "broken.txt"]
    for directory in (home / "library", home / "imported"):
        with Library.open(directory, embedder) as library:
            check(library, {str(path): path.read_text() for path in files})
            assert library.verify().ok and not library.verify().problems
            assert sorted(path.name.isdigit() for path in (directory / "chroma").iterdir()) == [True]
    assert not list(home.glob("*.partial")) and not list(home.glob("*.importing"))


def _kill_at(names: list[str], tmp_path: Path, embedder: Embedder, nursery: Nursery) -> set[str]:
    states = set()
    for number, name in enumerate(names):
        home = tmp_path / str(number)
        home.mkdir()
        _fill(home / "folder")
        assert _run(nursery, home, name) == -signal.SIGKILL, (name, (home / "output").read_text())
        states.add(_state(home))
        _recovers(nursery, home, embedder)
        shutil.rmtree(home)
    return states


def test_an_index_that_was_built_but_not_named_is_no_harm(tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    assert len(_kill_at(["publish: renamed#2"], tmp_path, embedder, nursery)) == 1


@pytest.mark.slow
def test_every_failpoint_leaves_another_state_and_each_is_recovered_from(tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    (tmp_path / "names").mkdir()
    names = _names(nursery, tmp_path / "names")
    states = _kill_at(names, tmp_path, embedder, nursery)
    print(f"\n{len(names)} failpoints reached, {len(states)} different states on disk")
    assert len(states) >= 40
