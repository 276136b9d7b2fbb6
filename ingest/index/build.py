"""The dense index: Chroma, derived from SQLite, in generations that never change once published.

Chroma's files are not safe when one process writes while others read, so nobody ever writes where anybody reads. The
holder of the library's lock builds the next generation in `chroma/tmp-NUMBER-PID`, in a child process: what crashes there
crashes alone, and its end closes every file. The build is checked by querying vectors (ids and counts stay right in
a damaged index), flushed to disk and renamed, and only then named in SQLite. `read.py` is the readers' side.

Chroma leaves vectors below its sync threshold in a log, and a reader who opens such an index writes new HNSW files into
it. So the threshold is 1: each batch is written out at its end, and readers find nothing left to do.

A deleted vector stays in an HNSW file, so a generation grows from a copy of the last only when nothing was removed.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import LibraryError
from ingest.index import read
from ingest.run import child
from ingest.store import failpoints, rows, search
from ingest.store.schema import connect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 1000
_FULL = 8 << 20
"""Bytes of room below which a build that failed most likely failed for want of room."""


# Writing: only under the library's lock


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the published generation holds exactly the library's vectors."""
    found = rows.generation(connection)
    if found is None:
        return rows.vector_count(connection) == 0
    _, last_vector, vectors = found
    return last_vector >= rows.last_vector(connection) and vectors == rows.vector_count(connection)


def sweep(directory: Path, connection: sqlite3.Connection) -> None:
    """Deletes what a killed run left, and generations that have been replaced."""
    found = rows.generation(connection)
    read.sweep(directory, found[0] if found else 0, everything=True)


def publish(directory: Path, connection: sqlite3.Connection, whole: bool = False) -> None:
    """Builds, checks and puts in force a generation of what SQLite holds now.

    Args:
        whole: build from nothing, even where a copy of the last generation could grow.

    Raises:
        LibraryError: it can't be built.
    """
    chroma = directory / "chroma"
    chroma.mkdir(exist_ok=True)
    base = rows.generation(connection)
    sweep(directory, connection)
    number = max([base[0] if base else 0, *(int(path.name) for path in chroma.glob("[0-9]*"))]) + 1
    last_vector, vectors = rows.last_vector(connection), rows.vector_count(connection)
    grows = base is not None and rows.vector_count(connection, up_to=base[1]) == base[2] and not whole
    failpoints.reach("publish: before the build")
    temporary = chroma / f"tmp-{number:08d}-{os.getpid()}"  # the child of a killed run may still be writing into that run's
    problem = run_child("build", directory, temporary, str(base[0])) if base and grows else "not tried"
    if problem:
        problem = run_child("build", directory, temporary, "")
    if problem:
        full = "its disk is full: " if shutil.disk_usage(chroma).free < _FULL else ""  # Chroma doesn't always say so
        shutil.rmtree(temporary, ignore_errors=True)
        raise LibraryError(f"the index can't be built: {full}{problem}", "the documents are safe; " + read.REPAIR)
    failpoints.reach("publish: built")
    flush(temporary)
    failpoints.reach("publish: before the rename")
    temporary.rename(read.path_of(directory, number))
    failpoints.reach("publish: renamed")
    _flush_directory(chroma)
    rows.add_generation(connection, number, last_vector, vectors)
    sweep(directory, connection)
    failpoints.reach("publish: old generations swept")


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
    """Runs `build` or `check` on an index in a process of its own; returns what went wrong there, or ""."""
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


def _build(directory: Path, index: Path, base: str) -> str:
    """Fills a new index: whole, or (`base` is a generation's number) the chunks since a generation, onto its copy."""
    connection = connect(directory)
    shutil.rmtree(index, ignore_errors=True)
    after = 0
    if base:
        shutil.copytree(read.path_of(directory, int(base)), index)
        failpoints.reach("build: base copied", parent=os.getppid())
        found = rows.generation(connection)
        assert found and found[0] == int(base)
        after = found[1]
    client = read.open_client(index)
    configuration: Any = {"hnsw": {"space": "cosine", "batch_size": 1, "sync_threshold": 1}}  # see the module's docstring
    collection = client.get_or_create_collection(read.COLLECTION, embedding_function=None, configuration=configuration)
    failpoints.reach("build: collection made", parent=os.getppid())
    keys, matrix = search.vectors(connection, after=after)
    for start in range(0, len(keys), _BATCH):
        collection.add(ids=keys[start : start + _BATCH], embeddings=matrix[start : start + _BATCH])
        failpoints.reach("build: batch added", parent=os.getppid())
    client.close()
    failpoints.reach("build: closed", parent=os.getppid())
    return _check(directory, index, "200")


def _check(directory: Path, index: Path, sample: str) -> str:
    """Compares an index with SQLite: its ids, its vectors, and `sample` queries against exact search."""
    import numpy as np

    keys, matrix = search.vectors(connect(directory))
    client = read.open_client(index)
    collection = client.get_collection(read.COLLECTION, embedding_function=None)
    ids = collection.get(include=[])["ids"]
    if Counter(ids) != Counter(keys):
        return f"the index holds {len(ids)} ids, {len(set(ids) & set(keys))} of the library's {len(keys)}"
    rows = {key: row for row, key in enumerate(keys)}
    for start in range(0, len(keys), _BATCH):
        stored = collection.get(ids=keys[start : start + _BATCH], include=["embeddings"])
        assert stored["embeddings"] is not None
        ours = matrix[[rows[key] for key in stored["ids"]]]
        wrong = int((_cosines(np.asarray(stored["embeddings"], np.float32), ours) < 0.999).sum())
        if wrong:
            return f"{wrong} vectors of the index differ from the library's"
    return _check_queries(collection, keys, matrix, int(sample))


def _cosines(left: "NDArray[np.float32]", right: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    cosines: NDArray[np.float32] = (left * right).sum(1) / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))
    return cosines


def _check_queries(collection: Any, keys: list[str], matrix: "NDArray[np.float32]", sample: int) -> str:
    """Similarities rather than ids are compared: equal texts may come in any order."""
    import numpy as np

    if not keys:
        return ""
    k = min(10, len(keys))
    asked = matrix[np.unique(np.linspace(0, len(keys) - 1, sample).astype(int))]
    exact = -np.sort(-(asked @ matrix.T), axis=1)[:, :k]
    found = 1 - np.asarray(collection.query(query_embeddings=asked, n_results=k, include=["distances"])["distances"])
    recall = float((found >= exact[:, -1:] - 1e-3).mean()) if found.shape == exact.shape else 0.0
    return "" if recall >= 0.95 else f"queries find {recall:.0%} of what exact search finds"


_TASKS = {"build": _build, "check": _check}


def main(task: str, directory: str, index: str, argument: str) -> None:
    """What `run_child` starts; without the parent, a build would only stand in the next run's way."""
    child.end_with(os.getppid(), signal.SIGKILL)
    print(json.dumps(_TASKS[task](Path(directory), Path(index), argument)))


if __name__ == "__main__":
    main(*sys.argv[1:])
