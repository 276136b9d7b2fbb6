"""Killed at random moments, children and all, while a folder changes: the next run finishes, and nothing is lost or doubled."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.errors import LibraryError
from ingest.index import build
from ingest.store import rows, schema, vectors
from tests.ingest.invariants import check
from tests.nursery import Nursery

ADD = """
import os, pathlib
os.setsid()  # a group of its own, so that all it starts can be killed with it
pathlib.Path(arguments[2]).touch()
from ingest import Library
with Library.open(arguments[0], embedder, create=True) as library:
    library.add([arguments[1]])
"""
HELD = "import time; from ingest.index import build; build.flush = lambda path: time.sleep(120)"
"""Keeps what the index process made from being put in force."""
REMOVE = """
from ingest import Library
from ingest.store import failpoints
failpoints.arm(arguments[1])
Library.open(arguments[0], embedder).remove(arguments[2])
"""
WORDS = """
anchor barley candle donkey engine feather garden hammer island jacket kettle ladder mirror needle orchard pepper quarry ribbon saddle
tunnel umbrella violin whistle yeast zinc bishop castle dragon eagle forest glacier harbour ivory jungle kitchen lantern mountain
nurse ocean pilgrim queen river soldier temple uncle valley winter carpet doctor emperor fiddle goblet helmet insect judge
""".split()


class _Folder:
    """A folder of texts that changes at random; no two texts are alike, unless one was copied."""

    def __init__(self, directory: Path, rng: random.Random) -> None:
        directory.mkdir()
        self.directory, self._rng = directory, rng

    def change(self) -> None:
        """Some files come, some change, one goes, one gets another name, one is copied."""
        paths = sorted(self.directory.iterdir())
        self._rng.shuffle(paths)
        for _ in range(self._rng.randint(1, 5)):
            (self.directory / f"{self._rng.randrange(10**9)}.txt").write_text(self._text())
        for path in paths[:3]:
            path.write_text(self._text())
        for path in paths[3:4] if len(paths) < 40 else paths[3:15]:
            path.unlink()
        for path in paths[15:16]:
            path.rename(path.with_name(f"{self._rng.randrange(10**9)}.txt"))
        for path in paths[16:17]:
            path.with_name(f"{self._rng.randrange(10**9)}.txt").write_bytes(path.read_bytes())

    def texts(self) -> dict[str, str]:
        return {str(path): path.read_text() for path in self.directory.iterdir()}

    def _text(self) -> str:
        lines = self._rng.choice([1, 1, 1, 30])
        return "\n\n".join(f"The {' '.join(self._rng.sample(WORDS, 9))}, number {self._rng.randrange(10**6)}." for _ in range(lines))


def _kill(nursery: Nursery, home: Path, delay: float, group: bool) -> bool:
    """Starts an add and kills it after so many seconds; False if it was quicker."""
    (home / "started").unlink(missing_ok=True)
    process = nursery.fork(ADD, home / "output", str(home / "library"), str(home / "folder"), str(home / "started"))
    while not (home / "started").exists():
        assert process.runs(), process.output.read_text()
        time.sleep(0.001)
    time.sleep(delay)
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.send(signal.SIGKILL)
    ending = process.wait()
    assert ending in (0, -signal.SIGKILL), process.output.read_text()
    return ending != 0


def _receipts(directory: Path) -> int:
    with closing(schema.connect(directory)) as connection:
        return int(connection.execute("select coalesce(max(id), 0) from receipts").fetchone()[0])


def _phase(directory: Path, before: tuple[dict[str, str], int]) -> str:
    """Where a killed run was, by what it left."""
    try:
        now, receipts = _seen(directory), _receipts(directory)
    except LibraryError:
        return "before there was a library"
    with closing(schema.connect(directory)) as connection:
        pending, current, found = vectors.pending_count(connection), build.is_current(directory, connection), vectors.segments(connection)
        traces = rows.fact(connection, "traces")
    numbers = [int(path.name) for path in directory.glob("chroma/[0-9]*")]
    if receipts > before[1]:
        return "after its receipt"
    if list(directory.glob("chroma/tmp-*")):
        return "while the index was built"
    if max(numbers, default=0) > max(found, default=0):
        return "between the index and its row"
    if now == before[0]:
        return "before the first file"
    if current and not pending:
        return "while traces were erased" if traces else "before its receipt"
    return "while files were read or embedded" if pending else "between the vectors and the index"


def _seen(directory: Path) -> dict[str, str]:
    with closing(schema.connect(directory)) as connection:
        return {path: known.sha256 for path, known in rows.known(connection).items()}


def _kills(count: int, seed: int, tmp_path: Path, nursery: Nursery, embedder: Embedder) -> Counter[str]:
    rng = random.Random(seed)
    folder = _Folder(tmp_path / "folder", rng)
    directory = tmp_path / "library"
    phases: Counter[str] = Counter()
    typical = 1.0
    while phases.total() < count:
        folder.change()
        before = (_seen(directory), _receipts(directory)) if directory.exists() else ({}, 0)
        if not _kill(nursery, tmp_path, rng.uniform(0, typical), group=rng.random() < 0.8):
            continue
        phases[_phase(directory, before)] += 1
        started = time.monotonic()
        with Library.open(directory, embedder, create=True) as library:
            receipt = library.add([folder.directory])
            typical = 0.5 * typical + 0.5 * (time.monotonic() - started)
            assert receipt.ok and library.status()["index_current"]
            check(library, folder.texts())
            report = library.verify()
            assert report.ok and not report.notes, report
        with closing(schema.connect(directory)) as connection:
            assert rows.fact(connection, "traces") is None and rows.fact(connection, "progress") is None
            assert {int(path.name) for path in (directory / "chroma").iterdir()} == vectors.segments(connection).keys()
    return phases


def test_three_kills_at_random_times_lose_and_double_nothing(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    assert _kills(3, 4, tmp_path, nursery, embedder).total() == 3


@pytest.mark.slow
def test_a_hundred_kills_at_random_times_lose_and_double_nothing(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    started = time.monotonic()
    phases = _kills(100, 10, tmp_path, nursery, embedder)
    told = ", ".join(f"{count} {phase}" for phase, count in phases.most_common())
    print(f"\n{phases.total()} kills in {time.monotonic() - started:.0f} s: {told}")
    assert phases.total() == 100 and len(phases) >= 4


def test_what_a_killed_run_removed_is_erased_by_the_next(library: Library, folder: Path, tmp_path: Path, nursery: Nursery) -> None:
    secret = folder / "secret.txt"
    secret.write_text("The zyxqueenly password is quagmire.")
    library.add([folder])
    library.close()
    killed = nursery.fork(REMOVE, tmp_path / "output", str(library.directory), f"{tmp_path / 'names'}:remove: committed#1", str(secret))
    assert killed.wait() == -signal.SIGKILL, killed.output.read_text()
    assert _holds(library.directory, b"zyxqueen")
    secret.unlink()
    assert library.add([folder]).counts["unchanged"] == 3
    assert not _holds(library.directory, b"zyxqueen") and not _holds(library.directory, b"quagmir")


def test_the_index_process_of_a_killed_run_ends_and_what_it_left_goes(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    folder, directory = tmp_path / "folder", tmp_path / "library"
    folder.mkdir()
    (folder / "a.txt").write_text("Anchors are kept in the loft.")
    process = nursery.fork(HELD + ADD, tmp_path / "output", str(directory), str(folder), str(tmp_path / "started"))
    while not list(directory.glob("chroma/tmp-*")):
        assert process.runs(), process.output.read_text()
        time.sleep(0.001)
    process.send(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while _is_named_by_a_process(directory):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(directory.glob("chroma/tmp-*"))
    (folder / "a.txt").unlink()
    with Library.open(directory, embedder) as library:
        library.add([folder])  # nothing is to be published
    assert not list((directory / "chroma").iterdir())


def _is_named_by_a_process(directory: Path) -> bool:
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            lines.append((process / "cmdline").read_bytes())
    return any(os.fsencode(directory) in line for line in lines)


def _holds(directory: Path, trace: bytes) -> bool:
    return any(trace in path.read_bytes() for path in directory.rglob("*") if path.is_file())
