"""How quickly a large library is searched, by meaning and by words, and what one changed file costs it.

The library is made up: words drawn as language draws them (the n-th commonest 1/n as often), vectors around a thousand
centres, and one passage that recurs in every document, as a licence does. It goes through the real tables and the real index;
questions are embedded by the real embedder.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.index import build
from ingest.library import Library
from ingest.loaders.parsed import Parsed
from ingest.records import Chunk
from ingest.store import rows, schema, vectors
from ingest.text.embedder import Embedder

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

_A_DOCUMENT = 50
_WORDS = 90
_VOCABULARY = 50_000
_LICENCE = "w1 w2 w3 licence " * 20


def bench(chunks: int, questions: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds a search, its question's embedding included, and seconds a change; see `octavo bench search`."""
    made_up = _MadeUp()
    embedder = Embedder.load()
    with tempfile.TemporaryDirectory() as name, Library.open(name, embedder, create=True) as library:
        directory = Path(name)
        figures: dict[str, Any] = {"chunks": chunks}
        with closing(schema.connect(directory, write=True)) as connection:
            connection.execute("pragma synchronous = off")
            started = time.monotonic()
            paths = [made_up.document(connection, number) for number in range(-(-chunks // _A_DOCUMENT))]
            tell(f"{chunks:,} chunks in {len(paths):,} documents written in {time.monotonic() - started:.0f} s")
            figures["without_index_s"] = round(_search(library, " ".join(made_up.words(9)), None) / 1000, 2)
            started = time.monotonic()
            build.publish(directory, connection)
            figures["index_s"] = round(time.monotonic() - started, 1)
            tell(f"index built and checked in {figures['index_s']:.0f} s, {len(vectors.segments(connection))} segments")
        asked = [" ".join(made_up.words(9)) for _ in range(questions)]
        for part, within in {"all": None, "one_document": paths[:1], "a_tenth": paths[::10], "half": paths[::2]}.items():
            for _ in range(3):
                _search(library, asked[0], within)
            figures[part] = _quantiles([_search(library, question, within) for question in asked])
            tell(f"{part}: {figures[part]}")
        figures["meaning"] = _quantiles([_timed(library, "dense", question) for question in asked])
        figures["words"] = _quantiles([_timed(library, "words", question) for question in asked])
        figures["recall_at_10"] = _recall(library, made_up.vectors(20))
        started = time.monotonic()
        library.status()
        figures["status_s"] = round(time.monotonic() - started, 3)
        figures["reader_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        library.close()
        figures["one_file"] = {change: _change(library, made_up, change, len(paths)) for change in ("added", "replaced", "removed")}
        tell(f"one file: {figures['one_file']}")
    return figures


class _MadeUp:
    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self._centres = self._rng.standard_normal((1000, 384))

    def words(self, count: int) -> list[str]:
        return [f"w{rank}" for rank in np.minimum(self._rng.zipf(1.15, count), _VOCABULARY)]

    def document(self, connection: "sqlite3.Connection", number: int, version: int = 1) -> str:
        """Writes one, its vectors too; its last passage is that of all."""
        texts = [*(" ".join(self.words(_WORDS)) for _ in range(_A_DOCUMENT - 1)), _LICENCE]
        path, start, made = f"/made-up/{number:06}.txt", 0, []
        for text in texts:
            made.append(Chunk(f"{number}:{version}:{start}", path, text, start, start + len(text), None, None, ""))
            start += len(text) + 1
        rows.put_document(connection, path, "", f"{number}:{version}", "text", "", Parsed("\n".join(texts)), made)
        *others, licence = [chunk for chunk, _ in vectors.pending(connection, _A_DOCUMENT)]
        new = vectors.share(connection, {**{f"{chunk}".encode(): [chunk] for chunk in others}, b"licence": [licence]})
        vectors.put(connection, new, self.vectors(len(new)))
        return path

    def vectors(self, count: int) -> "NDArray[np.float32]":
        near = self._centres[self._rng.integers(1000, size=count)] + self._rng.standard_normal((count, 384))
        unit: NDArray[np.float32] = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
        return unit


def _change(library: Library, made_up: _MadeUp, change: str, documents: int) -> dict[str, float]:
    """One document in the middle comes, gives its place to another, or goes: seconds, and megabytes written."""
    written, started = _blocks_written(), time.monotonic()
    with closing(schema.connect(library.directory, write=True)) as connection:
        if change == "removed":
            rows.delete_file(connection, f"/made-up/{documents // 3:06}.txt")
        else:
            made_up.document(connection, documents if change == "added" else documents // 2, version=2)
        build.publish(library.directory, connection)
        if rows.fact(connection, "traces"):
            rows.erase_traces(connection)
    return {"s": round(time.monotonic() - started, 2), "written_mb": round((_blocks_written() - written) * 512 / 1e6)}


def _blocks_written() -> int:
    """By this process and those that it has started."""
    return sum(resource.getrusage(who).ru_oublock for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _recall(library: Library, asked: "NDArray[np.float32]") -> float:
    """How many of the ten nearest that exact search finds the index finds too, by their similarities: equal ones may trade places."""
    found = []
    with library.snapshot() as view:
        for vector in asked:
            exact = vectors.nearest(view.connection, vector, 10)
            found += [score >= exact[-1][1] - 1e-3 for _, score in view.nearest(vector, 10)[:10]]
    return round(sum(found) / (10 * len(asked)), 3)


def _search(library: Library, question: str, within: list[str] | None) -> float:
    started = time.perf_counter()
    with library.snapshot() as view:
        view.dense(question, 50, within)
        view.words(question, 50, within)
    return 1000 * (time.perf_counter() - started)


def _timed(library: Library, search: str, question: str) -> float:
    started = time.perf_counter()
    getattr(library, search)(question, 50)
    return 1000 * (time.perf_counter() - started)


def _quantiles(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {"p50_ms": round(times[len(times) // 2], 1), "p95_ms": round(times[int(len(times) * 0.95)], 1)}
