"""Whether an ingest is going on, asked from outside: never by a process id, and never in the writer's way."""

import json
import os
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest import Library
from ingest.run.pipeline import Step
from ingest.store import rows, schema
from ingest.store.lock import is_written, writing

KILLED = {"phase": "reading", "done": 3, "total": 10, "rate": None, "left": None, "seconds": 1.0}


def _as_left_by_a_killed_run(library: Library) -> None:
    """Its process id now belongs to somebody who lives on: us."""
    with closing(schema.connect(library.directory, write=True)) as connection:
        rows.set_fact(connection, "progress", json.dumps({**KILLED, "pid": os.getpid()}))
    (library.directory / "lock").write_text(str(os.getpid()))


def test_what_a_killed_run_left_is_no_run_even_if_its_process_id_is_taken(library: Library, folder: Path) -> None:
    library.add([folder])
    _as_left_by_a_killed_run(library)
    assert library.running() is None and library.status()["running"] is None and library.unfinished() == ""


def test_a_run_goes_on_while_it_holds_the_lock_and_until_then_nothing_is_told_of_an_earlier_one(library: Library, folder: Path) -> None:
    library.add([folder / "sub"])
    _as_left_by_a_killed_run(library)
    seen = []

    def look(step: Step) -> None:
        seen.append((library.running(), library.unfinished()))

    library.add([folder], look)
    assert seen[0] == (None, "")  # its own first note comes a moment later
    told, sentence = seen[-1]
    assert told and told["pid"] == os.getpid() and told["total"] == 3
    # the second file's note waits for its turn, which comes sooner where the machine is slow
    assert sentence in [f"The library is being filled: {n} of 3 files are read so far." for n in (1, 2, 3)]
    assert library.running() is None


def test_what_waits_for_its_vectors_while_nobody_writes_was_interrupted(library: Library, folder: Path) -> None:
    def stop(step: Step) -> None:
        if step.phase == "reading" and step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add([folder], stop)
    waiting = library.status()["waiting_for_vectors"]
    assert library.unfinished() == f"The last ingest was interrupted: {waiting} of {waiting} passages are found by their words only so far."
    library.add([folder])
    assert library.unfinished() == ""


def test_who_asks_whether_somebody_writes_is_in_no_writers_way(tmp_path: Path) -> None:
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            is_written(tmp_path)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(500):
            with writing(tmp_path):
                assert is_written(tmp_path)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not is_written(tmp_path)


def test_status_and_what_is_unfinished_are_of_one_moment(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each query that they ask, another process takes a document out."""
    library.add([folder])
    connect = schema.connect

    def interrupted(directory: Path, write: bool = False) -> object:
        connection = connect(directory, write)
        connection.set_trace_callback(lambda query: meddle() if query.startswith("select") else None)
        return connection

    def meddle() -> None:
        with closing(connect(library.directory, write=True)) as other, schema.transaction(other):
            other.execute("delete from files where document = (select min(id) from documents)")
            other.execute("delete from documents where id = (select min(id) from documents)")

    for ask, answer in ((lambda: _differences(library.status()), {0}), (library.unfinished, "")):
        library.add([folder])
        with monkeypatch.context() as patch:
            patch.setattr(schema, "connect", interrupted)
            assert ask() == answer


def _differences(status: dict[str, Any]) -> set[int]:
    """Each document is one chunk, with its vector."""
    return {status["documents"] - status["chunks"], status["waiting_for_vectors"]}
