"""Killed at any moment, a library keeps what was finished, and the next add goes on from there."""

import signal
import time
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.loaders import load
from tests.nursery import Forked, Nursery

FILES = 150
ADD = """
import pathlib, time
from ingest import Library

def hold(step):
    if step.done > 3:
        pathlib.Path(arguments[2]).touch()
        time.sleep(120)

Library.open(arguments[0], embedder, create=True).add([arguments[1]], hold)
"""
"""Waits for a signal once it has read some files."""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:03}.txt").write_text(f"Ledger {number}: the keeper of lamp {number * 37} is called Odo{number}.")
    return folder


def test_an_add_that_was_killed_is_finished_by_the_next(tmp_path: Path, many: Path, embedder: Embedder, nursery: Nursery) -> None:
    """While files are read; test_kills.py and test_failpoints.py kill at other moments."""
    directory = tmp_path / "library"
    process = _held(nursery, directory, many)
    process.send(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with Library.open(directory, embedder) as library:
        kept = len(library.documents())
        assert kept > 3
        assert library.words("the keeper of a lamp", 5)  # what is committed answers, embedded or not
        receipt = library.add([many])
        assert receipt.counts["unchanged"] == kept and receipt.counts["added"] == FILES - kept
        assert sorted(path.name.isdigit() for path in (directory / "chroma").iterdir()) == [True]
        expected = {str(path): load(path).text for path in many.iterdir()}
        assert [document.path for document in library.documents()] == sorted(expected)
        some = dict(sorted(expected.items())[::30])
        assert all(library.dense(text, 1)[0].chunk.path == path for path, text in some.items())
        assert library.verify().ok


def test_ctrl_c_publishes_what_is_committed(tmp_path: Path, many: Path, embedder: Embedder, nursery: Nursery) -> None:
    directory = tmp_path / "library"
    process = _held(nursery, directory, many)
    process.send(signal.SIGINT)
    assert process.wait() == 1 and "KeyboardInterrupt" in process.output.read_text()
    with Library.open(directory, embedder) as library:
        assert library.status()["index_current"] and library.verify().ok
        assert len(library.documents()) > 3


def _held(nursery: Nursery, directory: Path, folder: Path) -> Forked:
    held = directory.with_name("held")
    process = nursery.fork(ADD, directory.with_name("output"), str(directory), str(folder), str(held))
    while not held.exists():
        assert process.runs(), process.output.read_text()
        time.sleep(0.001)
    return process
