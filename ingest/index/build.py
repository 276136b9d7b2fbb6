"""Building the dense index: Chroma, derived from SQLite, in segments that never change once published.

Chroma's files are not safe when one process writes while others read, so nobody ever writes where anybody reads. The
holder of the library's lock builds a segment in `chroma/tmp-NUMBER-PID`, in a child process: what crashes there crashes
alone, and its end closes every file. The build is checked by querying vectors (ids and counts stay right in a damaged
index), flushed to disk and renamed, and only then named in SQLite. `read.py` is the readers' side.

A deleted vector stays in an HNSW file, so a segment that held one is built again without it. Segments are therefore small,
and small ones are merged as they pile up, as in a log-structured merge tree (O'Neil et al. 1996).
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import LibraryError
from ingest.index import read
from ingest.run import child
from ingest.store import failpoints, vectors
from ingest.store.schema import connect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALL, PARTS = 4096, 16
"""A segment holds up to SMALL vectors, which takes a second to build, or up to a part in PARTS of a large library's: each segment
costs a question about a millisecond."""
_FULL = 8 << 20
"""Bytes of room below which a build that failed most likely failed for want of room."""
_WEAK = "weak:"
_HARDER: tuple[dict[str, int], ...] = ({}, {"max_neighbors": 48, "ef_construction": 400, "ef_search": 400})
"""HNSW's settings, tried in this order until queries find what exact search finds. Builds are random."""


# Writing: only under the library's lock


def is_current(directory: Path, connection: sqlite3.Connection) -> bool:
    """Whether the segments are there and hold exactly the library's vectors, but for those known to be weak there."""
    unindexed = vectors.unindexed_count(connection)
    return (
        unindexed == vectors.unindexed_count(connection, weak=True)
        and vectors.unused_count(connection) == 0
        and sum(vectors.segments(connection).values()) + unindexed == vectors.count(connection)
        and not lost(directory, connection)
    )


def lost(directory: Path, connection: sqlite3.Connection) -> list[int]:
    """Segments in force whose directories are gone."""
    return [number for number in vectors.segments(connection) if not read.path_of(directory, number).is_dir()]


def trouble(directory: Path, connection: sqlite3.Connection) -> str:
    """Why questions take longer than they should, in a sentence, or ""."""
    if lost(directory, connection):
        return "The index is lost: questions take longer until `octavo ingest` or `octavo verify --repair` has made it again."
    if weak := vectors.unindexed_count(connection, weak=True):
        return f"{weak:,} passages are compared one by one: an index of them did not find them again."
    return ""


def sweep(directory: Path, connection: sqlite3.Connection) -> None:
    """Deletes what a killed run left, and segments that have been replaced."""
    read.sweep(directory, vectors.segments(connection))


def publish(directory: Path, connection: sqlite3.Connection, whole: bool = False) -> None:
    """Brings the index up to date with what SQLite holds now, a segment at a time; what is not yet built is searched exactly.

    Args:
        whole: build every segment anew.

    Raises:
        LibraryError: it can't be built.
    """
    chroma = directory / "chroma"
    chroma.mkdir(mode=0o700, exist_ok=True)
    sweep(directory, connection)
    vectors.drop_unused(connection)
    capacity = max(SMALL, vectors.count(connection) // PARTS)
    vectors.drop_segments(connection, list(vectors.segments(connection)) if whole else _outdated(directory, connection, capacity))
    failpoints.reach("publish: before the build")
    offset = 0
    while len(members := vectors.unindexed(connection, offset, capacity)):
        if _build_segment(directory, connection, offset, members):
            vectors.mark_weak(connection, members)
            offset += len(members)
    sweep(directory, connection)
    failpoints.reach("publish: old segments swept")


def _outdated(directory: Path, connection: sqlite3.Connection, capacity: int) -> list[int]:
    """Segments to build again: those that are lost or hold a removed vector, and small ones that new vectors are merged with."""
    import numpy as np

    sizes, there = vectors.segments(connection), vectors.numbers(connection)
    left = {number: int(np.isin(vectors.members(connection, number), there).sum()) for number in sizes}
    again = {number for number in sizes if left[number] < sizes[number]} | {*lost(directory, connection)}
    loose = vectors.unindexed_count(connection) + sum(left[number] for number in again)
    merged = []
    for number in sorted(sizes.keys() - again, key=lambda number: sizes[number]):
        if sizes[number] <= loose <= capacity - sizes[number]:
            merged.append(number)
            loose += sizes[number]
    return [*again, *merged]


def _build_segment(directory: Path, connection: sqlite3.Connection, offset: int, members: "NDArray[np.int64]") -> str:
    """Builds, checks and puts in force a segment of the unindexed vectors from `offset` on; returns why it would be weak, or "".

    Raises:
        LibraryError: it can't be built.
    """
    chroma = directory / "chroma"
    number = max([vectors.last_segment(connection), *(int(path.name) for path in chroma.glob("[0-9]*"))]) + 1
    temporary = chroma / f"tmp-{number:08d}-{os.getpid()}"  # the child of a killed run may still be writing into that run's
    problem = run_child("build", directory, temporary, f"{offset} {len(members)}")
    if problem:
        full = "its disk is full: " if shutil.disk_usage(chroma).free < _FULL else ""  # Chroma doesn't always say so
        shutil.rmtree(temporary, ignore_errors=True)
        if problem.startswith(_WEAK):
            return problem
        raise LibraryError(f"the index can't be built: {full}{problem}", "the documents are safe; " + read.REPAIR)
    failpoints.reach("segment: built")
    flush(temporary)
    failpoints.reach("segment: before the rename")
    temporary.rename(read.path_of(directory, number))
    failpoints.reach("segment: renamed")
    _flush_directory(chroma)
    vectors.add_segment(connection, number, members)
    return ""


def flush(path: Path) -> None:
    """Sees a directory, with all below it, on the disk."""
    for folder, _, files in os.walk(path):
        for name in files:
            with Path(folder, name).open("rb") as file:
                os.fsync(file.fileno())
        _flush_directory(Path(folder))


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


# The child process


def run_child(task: str, directory: Path, index: Path, argument: str) -> str:
    """Runs `build` or `check` in a process of its own; returns what went wrong there, or ""."""
    process = child.start("ingest.index.build", task, str(directory), str(index), argument, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate()
    except BaseException:
        process.kill()
        raise
    return told(process.returncode, output, errors)


def told(code: int, output: bytes, errors: bytes) -> str:
    """What a child process says by its exit code and the last line that it wrote."""
    if code == 0:
        return str(json.loads(output.splitlines()[-1]))
    last = errors.decode(errors="replace").strip().splitlines()[-1:] or [f"ended with {code}"]
    return last[0]


def _build(directory: Path, index: Path, which: str) -> str:
    """Fills a new segment with the unindexed vectors that "OFFSET COUNT" means, and checks it."""
    connection = connect(directory)
    offset, count = map(int, which.split())
    numbers, matrix = vectors.by_number(connection, vectors.unindexed(connection, offset, count))
    problem = ""
    for settings in _HARDER:
        shutil.rmtree(index, ignore_errors=True)
        _fill(index, numbers, matrix, settings)
        failpoints.reach("build: closed", parent=os.getppid())
        problem = _check_segment(index, numbers, matrix, 200)
        if not problem:
            break
    return problem


def _fill(index: Path, numbers: "NDArray[np.int64]", matrix: "NDArray[np.float32]", settings: dict[str, int]) -> None:
    """Chroma leaves what is below its sync threshold in a log, and a reader who opens such an index writes into it. So the
    threshold is the number of vectors: all files are written once, at the end, and the log's pages are given back."""
    client = read.open_client(index)
    threshold = {"batch_size": len(numbers), "sync_threshold": len(numbers)}
    configuration: Any = {"hnsw": {"space": "cosine", **threshold, **settings}}
    collection = client.create_collection(read.COLLECTION, embedding_function=None, configuration=configuration)
    failpoints.reach("build: collection made", parent=os.getppid())
    batch = client.get_max_batch_size()
    for start in range(0, len(numbers), batch):
        collection.add(ids=[str(n) for n in numbers[start : start + batch]], embeddings=matrix[start : start + batch])
        failpoints.reach("build: batch added", parent=os.getppid())
    client.close()
    with sqlite3.connect(index / "chroma.sqlite3") as catalogue:
        catalogue.execute("vacuum")
    catalogue.close()


def _check(directory: Path, _: Path, sample: str) -> str:
    """Compares all segments with SQLite; returns the first problem."""
    connection = connect(directory)
    for number in vectors.segments(connection):
        numbers, matrix = vectors.by_number(connection, vectors.members(connection, number))
        if problem := _check_segment(read.path_of(directory, number), numbers, matrix, int(sample)):
            return problem
    return ""


def _check_segment(index: Path, numbers: "NDArray[np.int64]", matrix: "NDArray[np.float32]", sample: int) -> str:
    """Compares a segment with what it should hold: its ids, its vectors, and `sample` queries with exact search."""
    import numpy as np

    client = read.open_client(index)
    collection = client.get_collection(read.COLLECTION, embedding_function=None)
    stored = collection.get(include=["embeddings"])
    ids = np.array([int(key) for key in stored["ids"]], np.int64)
    if not np.array_equal(np.sort(ids), numbers):
        return f"a segment holds {len(ids)} ids, {len(np.intersect1d(ids, numbers))} of the library's {len(numbers)}"
    assert stored["embeddings"] is not None
    ours = matrix[np.searchsorted(numbers, ids)]
    wrong = int((_cosines(np.asarray(stored["embeddings"], np.float32), ours) < 0.999).sum())
    problem = f"{wrong} vectors of the index differ from the library's" if wrong else _check_queries(collection, matrix, sample)
    client.close()
    return problem


def _cosines(left: "NDArray[np.float32]", right: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    cosines: NDArray[np.float32] = (left * right).sum(1) / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))
    return cosines


def _check_queries(collection: Any, matrix: "NDArray[np.float32]", sample: int) -> str:
    """Similarities rather than ids are compared: equal texts may come in any order."""
    import numpy as np

    k = min(10, len(matrix))
    asked = matrix[np.unique(np.linspace(0, len(matrix) - 1, sample).astype(int))]
    exact = -np.sort(-(asked @ matrix.T), axis=1)[:, :k]
    found = 1 - np.asarray(collection.query(query_embeddings=asked, n_results=k, include=["distances"])["distances"])
    recall = float((found >= exact[:, -1:] - 1e-3).mean()) if found.shape == exact.shape else 0.0
    return "" if recall >= 0.95 else f"{_WEAK} queries find {recall:.0%} of what exact search finds"


_TASKS = {"build": _build, "check": _check}


def main(task: str, directory: str, index: str, argument: str) -> None:
    """What `run_child` starts; without the parent, a build would only stand in the next run's way."""
    child.end_with(os.getppid(), signal.SIGKILL)
    print(json.dumps(_TASKS[task](Path(directory), Path(index), argument)))


if __name__ == "__main__":
    main(*sys.argv[1:])
