"""How quickly a large library is searched: by meaning and by words, in all documents and within some.

The library is made up: words drawn as language draws them (the n-th commonest 1/n as often), vectors around a thousand
centres. It goes through the real tables and the real index; questions are embedded by the real embedder.
"""

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
from ingest.store import rows, schema
from ingest.text.embedder import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_A_DOCUMENT = 50
_WORDS = 90
_VOCABULARY = 50_000


def bench(chunks: int, questions: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds a search, its question's embedding included; see `octavo bench search`."""
    rng = np.random.default_rng(0)
    embedder = Embedder.load()
    with tempfile.TemporaryDirectory() as directory, Library.open(directory, embedder, create=True) as library:
        started = time.monotonic()
        paths = _fill(Path(directory), chunks, rng)
        tell(f"{chunks:,} chunks in {len(paths):,} documents written in {time.monotonic() - started:.0f} s")
        started = time.monotonic()
        with closing(schema.connect(Path(directory), write=True)) as connection:
            build.publish(Path(directory), connection)
        tell(f"index built and checked in {time.monotonic() - started:.0f} s")
        asked = [" ".join(_words(rng, 9)) for _ in range(questions)]
        figures: dict[str, Any] = {"chunks": chunks}
        for name, within in {"all": None, "one_document": paths[:1], "a_tenth": paths[::10], "half": paths[::2]}.items():
            for _ in range(3):
                _search(library, asked[0], within)
            times = sorted(_search(library, question, within) for question in asked)
            figures[name] = {"p50_ms": round(times[len(times) // 2], 1), "p95_ms": round(times[int(len(times) * 0.95)], 1)}
            tell(f"{name}: {figures[name]}")
    return figures


def _words(rng: "np.random.Generator", count: int) -> list[str]:
    ranks = np.minimum(rng.zipf(1.15, count), _VOCABULARY)
    return [f"w{rank}" for rank in ranks]


def _fill(directory: Path, chunks: int, rng: "np.random.Generator") -> list[str]:
    centres = rng.standard_normal((1000, 384))
    connection = schema.connect(directory, write=True)
    paths = []
    for number in range(-(-chunks // _A_DOCUMENT)):
        texts = [" ".join(_words(rng, _WORDS)) for _ in range(min(_A_DOCUMENT, chunks - number * _A_DOCUMENT))]
        path, start, made = f"/made-up/{number:06}.txt", 0, []
        for text in texts:
            made.append(Chunk(f"{number}:{start}", path, text, start, start + len(text), None, None, ""))
            start += len(text) + 1
        rows.put_document(connection, path, "", str(number), "text", "", Parsed("\n".join(texts)), made)
        waiting = [chunk for chunk, _ in rows.pending(connection, _A_DOCUMENT)]
        rows.put_vectors(
            connection, waiting, _unit(centres[rng.integers(1000, size=len(waiting))] + rng.standard_normal((len(waiting), 384)))
        )
        paths.append(path)
    connection.close()
    return paths


def _unit(rows: "NDArray[np.float64]") -> "NDArray[np.float32]":
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _search(library: Library, question: str, within: list[str] | None) -> float:
    started = time.perf_counter()
    with library.snapshot() as view:
        view.dense(question, 50, within)
        view.words(question, 50, within)
    return 1000 * (time.perf_counter() - started)
