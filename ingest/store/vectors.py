"""Vectors: which chunks wait for one, where each is indexed, and exact search over them.

Chunks that read alike share a vector, found by a digest of what the embedder reads. A vector belongs to one segment of the
index, or is `unindexed`; then, and where there is no index, exact search finds it. One that lost its last chunk goes at the
end of the run, so that a file which is saved again with most of its words unchanged keeps their vectors.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ingest.store import failpoints
from ingest.store.rows import set_fact
from ingest.store.schema import now, transaction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 16_384
"""Vectors that exact search holds in memory at a time."""

Near = list[tuple[int, float]]
"""Numbers of vectors and their cosine similarities, best first."""


# What waits for the embedder


def pending(connection: sqlite3.Connection, limit: int) -> list[tuple[int, str]]:
    """Chunks that wait for a vector, oldest first: (number, what to embed)."""
    query = "select id, iif(header = '', text, header || char(10) || text) from chunks where vector is null order by id limit ?"
    return connection.execute(query, [limit]).fetchall()


def pending_count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from chunks where vector is null").fetchone()[0])


class New(NamedTuple):
    """A vector to come: its number, the digest of what it is of, and the chunks that read so."""

    number: int
    digest: bytes
    chunks: Sequence[int]


def share(connection: sqlite3.Connection, alike: Mapping[bytes, Sequence[int]]) -> list[New]:
    """Gives chunks that read alike, by their digest, the vector that is there for it; returns those for which there is none.

    Their vectors are numbered in the order of `alike`, so that a file's lie in one segment, with numbers that none ever had.
    """
    known = {digest: number for digest in alike if (number := _by_digest(connection, digest)) is not None}
    if known:
        with transaction(connection):
            shared = [(number, chunk) for digest, number in known.items() for chunk in alike[digest]]
            connection.executemany("update chunks set vector = ? where id = ?", shared)
            failpoints.reach("vectors: shared, before their commit")
        failpoints.reach("vectors: shared")
    left = [(digest, chunks) for digest, chunks in alike.items() if digest not in known]
    return [New(number, *pair) for number, pair in enumerate(left, 1 + _last(connection, "vectors"))]


def _by_digest(connection: sqlite3.Connection, digest: bytes) -> int | None:
    row = connection.execute("select number from vectors where digest = ?", [digest]).fetchone()
    return row[0] if row else None


def _last(connection: sqlite3.Connection, table: str) -> int:
    row = connection.execute("select seq from sqlite_sequence where name = ?", [table]).fetchone()
    return row[0] if row else 0


def put(connection: sqlite3.Connection, new: Sequence[New], vectors: "NDArray[np.float32]") -> None:
    """Stores vectors as fp16, (len(new), dimensions), in one transaction."""
    with transaction(connection):
        for (number, digest, chunks), vector in zip(new, vectors.astype("float16"), strict=True):
            connection.execute("insert into vectors (number, digest, vector) values (?, ?, ?)", [number, digest, vector.tobytes()])
            connection.executemany("update chunks set vector = ? where id = ?", [(number, chunk) for chunk in chunks])
        failpoints.reach("vectors: before their commit")
    failpoints.reach("vectors: committed")


def forget_all(connection: sqlite3.Connection, embedder_name: str, embedder: str) -> None:
    """Makes room for another embedder's vectors: its name comes and the old vectors go in one transaction."""
    with transaction(connection):
        connection.execute("update chunks set vector = null")
        for table in ("unused", "vectors", "segments", "generations"):
            connection.execute(f"delete from {table}")
        set_fact(connection, "embedder_name", embedder_name)
        set_fact(connection, "embedder", embedder)
        set_fact(connection, "chunker", None)
        failpoints.reach("reembed: before the old vectors go")
    failpoints.reach("reembed: old vectors gone")


def drop_unused(connection: sqlite3.Connection) -> None:
    """Deletes the vectors of which no chunk is left."""
    with transaction(connection):
        connection.execute(
            "delete from vectors where number in (select vector from unused)"
            " and not exists (select 1 from chunks where chunks.vector = vectors.number)"
        )
        connection.execute("delete from unused")
        failpoints.reach("vectors: unused ones dropped, before the commit")
    failpoints.reach("vectors: unused ones dropped")


def unused_count(connection: sqlite3.Connection) -> int:
    """Vectors that lost a chunk since the last run ended; some of them have others."""
    return int(connection.execute("select count(*) from unused").fetchone()[0])


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from vectors").fetchone()[0])


def any_there(connection: sqlite3.Connection) -> bool:
    return connection.execute("select 1 from vectors limit 1").fetchone() is not None


def dimensions(connection: sqlite3.Connection) -> int | None:
    row = connection.execute("select length(vector) / 2 from vectors limit 1").fetchone()
    return row[0] if row else None


def numbers(connection: sqlite3.Connection) -> "NDArray[np.int64]":
    import numpy as np

    return np.fromiter((number for (number,) in connection.execute("select number from vectors")), np.int64)


# Where each is indexed


def generation(connection: sqlite3.Connection) -> int | None:
    """Which state of the index is in force; None before the first."""
    row = connection.execute("select max(number) from generations").fetchone()
    return row[0] if row else None


def segments(connection: sqlite3.Connection) -> dict[int, int]:
    """The segments in force, by number: how many vectors each holds."""
    return dict(connection.execute("select number, vectors from segments order by number").fetchall())


def last_segment(connection: sqlite3.Connection) -> int:
    """The highest number that a segment ever had: a reader may hold one that was replaced long ago."""
    return _last(connection, "segments")


def members(connection: sqlite3.Connection, segment: int) -> "NDArray[np.int64]":
    """Numbers of the vectors in a segment, ascending, removed ones too."""
    import numpy as np

    (blob,) = connection.execute("select members from segments where number = ?", [segment]).fetchone()
    return np.frombuffer(blob, np.int64)


def unindexed_count(connection: sqlite3.Connection, weak: bool = False) -> int:
    """Vectors that no segment holds; with `weak` only those whose segment didn't find them again when it was tried."""
    return int(connection.execute("select count(*) from unindexed where weak >= ?", [weak]).fetchone()[0])


def unindexed(connection: sqlite3.Connection, offset: int, limit: int) -> "NDArray[np.int64]":
    """Their numbers, in order."""
    import numpy as np

    rows = connection.execute("select vector from unindexed order by vector limit ? offset ?", [limit, offset])
    return np.array([number for (number,) in rows], np.int64)


def add_segment(connection: sqlite3.Connection, number: int, members: "NDArray[np.int64]") -> None:
    """Puts a published segment in force: its vectors are indexed now."""
    with transaction(connection):
        connection.execute("insert into segments values (?, ?, ?)", [number, len(members), members.tobytes()])
        connection.executemany("delete from unindexed where vector = ?", [(int(member),) for member in members])
        _next_generation(connection)
        failpoints.reach("segment: before its row's commit")
    failpoints.reach("segment: its row committed")


def drop_segments(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Takes segments out of force; what they held and is still there is found by exact search until it is indexed again."""
    numbers = list(numbers)
    if not numbers:
        return
    with transaction(connection):
        for number in numbers:
            held = [(int(member),) for member in members(connection, number)]
            connection.executemany("insert into unindexed (vector) select number from vectors where number = ?", held)
            connection.execute("delete from segments where number = ?", [number])
        _next_generation(connection)
        failpoints.reach("segments: before they are dropped")
    failpoints.reach("segments: dropped")


def mark_weak(connection: sqlite3.Connection, members: "NDArray[np.int64]") -> None:
    """Notes that an index of these didn't find them again: they aren't tried again until something else is built."""
    with transaction(connection):
        connection.executemany("update unindexed set weak = 1 where vector = ?", [(int(member),) for member in members])


def _next_generation(connection: sqlite3.Connection) -> None:
    number = (generation(connection) or 0) + 1
    connection.execute("delete from generations")
    connection.execute("insert into generations values (?, ?)", [number, now()])


# Exact search


def by_number(connection: sqlite3.Connection, numbers: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """Those of these vectors that are there, (n,) and (n, dimensions), in order of their numbers."""
    import numpy as np

    query = "select number, vector from vectors where number in (select value from json_each(?)) order by number"
    rows = connection.execute(query, [json.dumps(numbers.tolist())]).fetchall()
    return np.array([number for number, _ in rows], np.int64), _matrix([vector for _, vector in rows])


def nearest(connection: sqlite3.Connection, vector: "NDArray[np.float32]", k: int, where: str = "", **values: object) -> Near:
    """The k nearest, each compared: block by block, so that memory stays small.

    Args:
        where: SQL that limits `number`, with its named values.
    """
    import numpy as np

    cursor = connection.execute(f"select number, vector from vectors {where and 'where ' + where}", values)
    best: Near = []
    while rows := cursor.fetchmany(_BLOCK):
        scores = _matrix([blob for _, blob in rows]) @ vector
        top = np.argsort(-scores, kind="stable")[:k]
        best = sorted([*best, *((rows[place][0], float(scores[place])) for place in top)], key=lambda near: (-near[1], near[0]))[:k]
    return best


def nearest_unindexed(connection: sqlite3.Connection, vector: "NDArray[np.float32]", k: int) -> Near:
    """The k nearest of those that no segment holds: an ingest is going on or was stopped, or an index was weak."""
    return nearest(connection, vector, k, "number in (select vector from unindexed)")


def _matrix(blobs: Sequence[bytes]) -> "NDArray[np.float32]":
    import numpy as np

    return np.frombuffer(b"".join(blobs), np.float16).reshape(len(blobs), -1 if blobs else 0).astype(np.float32)
