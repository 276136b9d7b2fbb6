"""The page, the chain and a loop of `octavo ask` answer 100,000 times while another process writes and is killed now and then.

Each question's vector is computed once and kept, so that looking is what takes the time; SQLite, leases and Chroma are real.
"""

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ingest import Embedder, Library
from tests.nursery import Forked, Nursery

LOOKUPS = 100_000
READERS = {
    "library": """
library = Library.open(home / "library", embedder)
def look(text):
    return [[hit.chunk for hit in library.dense(text, 3)], [hit.chunk for hit in library.words(text, 3)]]
def generation():
    with library.snapshot() as view:
        return max(segment.number for segment in view._segments)
""",
    "chain": """
from langchain_core.language_models import FakeListChatModel
from rag import build_chain
library = Library.open(home / "library", embedder)
chain = build_chain(library, FakeListChatModel(responses=["never asked"]))
def look(text):
    return [[evidence.chunk for evidence in chain.retriever.evidence(text, 3)]]
def generation():
    with library.snapshot() as view:
        return max(segment.number for segment in view._segments)
""",
    "ask": """
from rag.retriever import LibraryRetriever
def look(text):
    with Library.open(home / "library", embedder) as library:
        return [[evidence.chunk for evidence in LibraryRetriever(library=library).evidence(text, 3)]]
def generation():
    with Library.open(home / "library", embedder) as library, library.snapshot() as view:
        return max(segment.number for segment in view._segments)
""",
}
LOOP = '''
"""Looks until the file `stop` appears. `state` says what may be found besides what is always there; it is settled when even."""
import functools, json, os, pathlib, time
from ingest import Library
home, name = pathlib.Path(arguments[0]), arguments[1]
embedder.query = functools.cache(embedder.query)
fixed = json.loads((home / "fixed.json").read_text())
always = set(fixed.values())
exec(arguments[2])
def state(): return json.loads((home / "state.json").read_text())
def handles(): return len(os.listdir("/proc/self/fd"))
def resident(): return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
looked = strict = passes = 0
wrong, generations, began = [], set(), None
while not (home / "stop").exists():
    for path, text in fixed.items():
        before = state()
        found, probed = look(text), look(before["text"])
        after = state()
        looked += 4  # two texts, by meaning and by words; evidence() does both
        for chunks in found:
            if not chunks or (chunks[0].path, chunks[0].text) != (path, text):
                wrong.append(["another document came first", text, [chunk.text for chunk in chunks]])
        for chunks in found + probed:
            if len({chunk.id for chunk in chunks}) != len(chunks):
                wrong.append(["a chunk came twice", text, [chunk.id for chunk in chunks]])
            if after["number"] - before["number"] <= 1:
                strange = {chunk.text for chunk in chunks} - always - set(before["may"]) - set(after["may"])
                if strange:
                    wrong.append(["removed, or not there yet", before, sorted(strange)])
        if before["number"] == after["number"] and before["number"] % 2 == 0:
            strict += 1
            if any((bool(chunks) and chunks[0].text == before["text"]) != before["there"] for chunks in probed):
                wrong.append(["the newest document", before, [[chunk.text for chunk in chunks] for chunks in probed]])
            (home / f"seen-{name}").write_text(str(before["number"]))
    passes += 1
    generations.add(generation())
    (home / f"looked-{name}.tmp").write_text(str(looked))
    os.replace(home / f"looked-{name}.tmp", home / f"looked-{name}")
    if passes == 5:
        began = [handles(), resident()]
print(json.dumps([looked, strict, len(generations), wrong[:5], len(wrong), began, [handles(), resident()]]))
'''
WRITER = "import os; os.setsid(); from ingest import Library; Library.open(arguments[0], embedder).add([arguments[1]])"

THINGS = "anvil bell clock drum easel forge globe harp idol jug kiln lute mask net oar pump quilt rake sail tent urn vat wheel yoke".split()


class _Story:
    """The documents that change, and what the readers are told of them."""

    def __init__(self, home: Path, rng: random.Random) -> None:
        self.folder = home / "moving"
        self.folder.mkdir()
        self._home, self._rng = home, rng
        self._number, self._turn = 1, 0
        self._texts: dict[Path, str] = {}
        self.say(True, "Nothing yet.", False, [])

    @property
    def number(self) -> int:
        return self._number

    def say(self, settled: bool, text: str, there: bool, may: list[str]) -> None:
        self._number += 1
        assert (self._number % 2 == 0) == settled
        temporary = self._home / "state.tmp"
        temporary.write_text(json.dumps({"number": self._number, "text": text, "there": there, "may": may}))
        temporary.replace(self._home / "state.json")

    def change(self) -> tuple[str, bool]:
        """Adds, replaces and removes some documents on disk; returns the text to ask for, and whether it is to be found."""
        self._turn += 1
        before = list(self._texts.values())
        removed = ""
        for path in self._rng.sample(sorted(self._texts), min(len(self._texts), self._rng.randrange(3))):
            removed = self._texts.pop(path)
        for number in range(self._rng.randint(1, 2)):
            path = self.folder / f"{self._rng.randrange(8)}.txt"
            self._texts[path] = (
                f"Pilgrim {self._turn}-{number} carried {self._rng.randrange(10**6)} candles through the snow of the {self._turn}th winter."
            )
        there = not removed or self._rng.random() < 0.6
        text = self._texts[path] if there else removed
        self.say(False, text, there, before + list(self._texts.values()))
        for old in self.folder.iterdir():
            if old not in self._texts:
                old.unlink()
        for path, wanted in self._texts.items():
            path.write_text(wanted)
        return text, there

    def settle(self, text: str, there: bool) -> None:
        self.say(True, text, there, list(self._texts.values()))


def _write(nursery: Nursery, home: Path, delay: float | None) -> bool:
    """Brings the library up to date in a process of its own, or kills it after so many seconds; whether it was killed."""
    writer = nursery.fork(WRITER, home / "writer", str(home / "library"), str(home / "moving"))
    if delay is not None:
        time.sleep(delay)
        writer.send(signal.SIGKILL)
    ending = writer.wait()
    assert ending in (0, -signal.SIGKILL), writer.output.read_text()
    return ending != 0


def _wait_until_seen(readers: dict[str, Forked], home: Path, number: int) -> None:
    deadline = time.monotonic() + 120
    while any(_number(home / f"seen-{name}") < number for name in readers):
        assert time.monotonic() < deadline, "a reader doesn't see the newest generation"
        assert all(reader.runs() for reader in readers.values()), [reader.output.read_text() for reader in readers.values()]
        time.sleep(0.01)


def _number(path: Path) -> int:
    return int(path.read_text() or 0) if path.exists() else 0


def _soak(lookups: int, home: Path, nursery: Nursery, embedder: Embedder) -> tuple[dict[str, list[Any]], int, int]:
    """What each reader tells at its end, and how many times was written and killed."""
    folder = home / "fixed"
    folder.mkdir()
    texts = {
        str(folder / f"{thing}.txt"): f"The {thing} in hall {number} weighs {number * 13} stone." for number, thing in enumerate(THINGS)
    }
    for path, text in texts.items():
        Path(path).write_text(text)
    (home / "fixed.json").write_text(json.dumps(texts))
    rng = random.Random(10)
    story = _Story(home, rng)
    with Library.open(home / "library", embedder, create=True) as library:
        library.add([folder])
    readers = {name: nursery.fork(LOOP, home / f"output-{name}", str(home), name, code) for name, code in READERS.items()}
    written = killed = 0
    while sum(_number(home / f"looked-{name}") for name in readers) < lookups:
        text, there = story.change()
        if rng.random() < 0.3:
            killed += _write(nursery, home, rng.uniform(0, 2))
        _write(nursery, home, None)
        written += 1
        story.settle(text, there)
        _wait_until_seen(readers, home, story.number)
    (home / "stop").touch()
    told = {}
    for name, reader in readers.items():
        assert reader.wait() == 0, reader.output.read_text()
        told[name] = json.loads(reader.output.read_text().splitlines()[-1])
    return told, written, killed


@pytest.mark.slow
def test_three_readers_are_never_wrong_while_another_process_writes(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    started = time.monotonic()
    told, written, killed = _soak(LOOKUPS, tmp_path, nursery, embedder)
    seconds = time.monotonic() - started
    total, wrong = sum(values[0] for values in told.values()), sum(values[4] for values in told.values())
    each = ", ".join(f"{name} {looked:,} ({seen} generations)" for name, (looked, _, seen, *_) in told.items())
    print(f"\n{total:,} look-ups, {wrong} wrong, in {seconds:.0f} s: {each}; {written} generations written, {killed} kills")
    print("open files and MB, early and at the end:", {name: values[5:] for name, values in told.items()})
    assert wrong == 0, {name: values[3] for name, values in told.items()}
    assert total >= LOOKUPS and killed >= 3
    for _, strict, seen, _, _, early, late in told.values():
        assert strict >= written and seen >= written / 3
        assert late[0] <= early[0] + 20
    with Library.open(tmp_path / "library", embedder) as library:
        assert library.verify().ok
