"""Two processes ask while a third adds, changes and removes: every answer is right, at every moment."""

import json
import time
from contextlib import closing
from pathlib import Path

from ingest import Embedder, Library
from ingest.store import schema, vectors
from tests.nursery import Forked, Nursery

FIXED = [f"The {thing} in hall {number} weighs {number * 13} stone." for number, thing in enumerate(
    ["anvil", "bell", "clock", "drum", "easel", "forge", "globe", "harp", "idol", "jug"]
)]  # fmt: skip

READER = '''
"""Asks until the file `stop` appears; prints how often, or what was wrong. `state` is settled when its number is even."""
import json, pathlib, time
from ingest import Library
home = pathlib.Path(arguments[0])
fixed = json.loads((home / "fixed.json").read_text())
def state(): return json.loads((home / "state.json").read_text())
asked = strict = 0
generations = set()
with Library.open(home / "library", embedder) as library:
    library.dense("warm", 1)
    (home / f"ready-{arguments[1]}").touch()
    while not (home / "stop").exists():
        for path, text in fixed.items():
            time.sleep(0.01)
            before = state()
            with library.snapshot() as view:
                dense, words = view.dense(text, 3), view.words(text, 3)
                varied = view.dense(before["text"], 1), view.words("wandering " + before["name"], 1)
            after = state()
            assert [dense[0].chunk.path, dense[0].chunk.text] == [path, text], dense
            assert dense[0].score > 0.98 and words[0].chunk.path == path, (dense, words)
            assert len({hit.chunk.id for hit in dense}) == 3, dense
            generations.add(library.status()["generation"])
            asked += 1
            if before == after and before["number"] % 2 == 0:
                strict += 1
                found = [hits[0].chunk.text if hits else "" for hits in varied]
                right = [before["text"]] * 2 if before["there"] else None
                assert found == right if right else before["text"] not in found, (before, found)
                (home / f"seen-{arguments[1]}").write_text(str(before["number"]))
print(json.dumps([asked, strict, len(generations)]))
'''


class _State:
    """What the readers may expect: odd while it is changing, even when it has settled."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.number = 0

    def say(self, settled: bool, name: str, text: str, there: bool) -> None:
        self.number += 1
        assert (self.number % 2 == 0) == settled
        temporary = self._home / "state.tmp"
        temporary.write_text(json.dumps({"number": self.number, "name": name, "text": text, "there": there}))
        temporary.replace(self._home / "state.json")


def test_every_answer_is_right_while_another_process_writes(tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    for number, text in enumerate(FIXED):
        (folder / f"{number}.txt").write_text(text)
    (tmp_path / "fixed.json").write_text(json.dumps({str(folder / f"{n}.txt"): text for n, text in enumerate(FIXED)}))
    state = _State(tmp_path)
    with Library.open(tmp_path / "library", embedder, create=True) as library:
        library.add([folder])
        state.say(False, "none", "Nothing yet.", False)
        readers = [nursery.fork(READER, tmp_path / f"output-{name}", str(tmp_path), name) for name in ("a", "b")]
        _wait_until_ready(readers, tmp_path)
        _write(library, tmp_path, state, readers)
        (tmp_path / "stop").touch()
        for reader in readers:
            assert reader.wait() == 0, reader.output.read_text()
            asked, strict, generations = json.loads(reader.output.read_text())
            assert asked >= 10 and strict >= 5 and generations >= 5
        assert library.verify().ok
        library.dense("last look", 1)
        with closing(schema.connect(library.directory)) as connection:
            assert {int(path.name) for path in (library.directory / "chroma").iterdir()} == vectors.segments(connection).keys()


def _wait_until_ready(readers: list[Forked], home: Path) -> None:
    deadline = time.monotonic() + 40
    while len(list(home.glob("ready-*"))) < len(readers):
        assert time.monotonic() < deadline and all(reader.runs() for reader in readers), "a reader did not start"
        time.sleep(0.05)


def _write(library: Library, home: Path, state: _State, readers: list[Forked]) -> None:
    """Adds a document, changes it, removes it, and again, waiting each time until both readers have seen it settled."""
    path = home / "moving" / "moving.txt"
    path.parent.mkdir()
    for turn in range(5):
        name = f"pilgrim{turn}"
        text = f"A wandering {name} carried {turn} candles through the snow."
        there = turn % 3 != 2
        if there:
            path.write_text(text)
        else:
            name = f"pilgrim{turn - 1}"
            text = path.read_text()
            path.unlink()
        library.add([path.parent])
        state.say(True, name, text, there)
        while any(_seen(home / f"seen-{name}") < state.number for name in ("a", "b")):
            assert all(reader.runs() for reader in readers), [reader.output.read_text() for reader in readers]
            time.sleep(0.01)
        state.say(False, name, text, there)


def _seen(path: Path) -> int:
    return int(path.read_text() or 0) if path.exists() else 0
