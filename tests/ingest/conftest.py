"""One embedder for all tests of the room, and the small files they are made of."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.index import build, view
from ingest.run import child

NURSERY = """
import json, os, signal, sys, chromadb, torch
torch.set_num_threads(1)  # a pool of threads would not survive the fork
from ingest import Embedder, forks
from ingest.index import view
view._EXACT = 0
embedder = Embedder.load()
for line in sys.stdin:
    request = json.loads(line)
    if "wait" in request:
        print(os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1]), flush=True)
    elif pid := os.fork():
        print(pid, flush=True)
    else:
        forks._process = None  # who has one thread may go on in a fork
        os.dup2(os.open(request["output"], os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(1, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
        try:
            exec(request["code"], {"embedder": embedder, "arguments": request["arguments"]})
            sys.stdout.flush()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
"""


@dataclass
class Forked:
    """A process of its own that already has the embedder; `output` is the file of what it prints."""

    pid: int
    output: Path
    nursery: "Nursery"

    def runs(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, negative for a signal."""
        return int(self.nursery.ask({"wait": self.pid}))


INDEX = "from ingest.index import build; build.main(*arguments)"


class Nursery:
    """Forks processes that needn't load torch, Chroma and the embedder again, which takes 6 s each."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            cwd=Path(child.__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, code: str, output: Path, *arguments: str) -> Forked:
        return Forked(int(self.ask({"code": code, "output": str(output), "arguments": arguments})), output, self)

    def ask(self, request: dict[str, object]) -> str:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def embedder(nursery: Nursery) -> Embedder:
    """Asks for the nursery so that both load at once, each on a core."""
    return Embedder.load()


@pytest.fixture(autouse=True)
def index_processes(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are built in a forked process: loading Chroma for each was half of this room's minutes. Those of the nursery load it."""

    def run_child(task: str, directory: Path, place: Path, argument: str) -> str:
        forked = nursery.fork(INDEX, tmp_path_factory.mktemp("index") / "output", task, str(directory), str(place), argument)
        while forked.runs():
            time.sleep(0.002)
        code, written = forked.wait(), forked.output.read_bytes()
        return build.told(code, written, written)

    monkeypatch.setattr(build, "run_child", run_child)


@pytest.fixture(autouse=True)
def through_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are put to the index, as in a large library: these are small."""
    monkeypatch.setattr(view, "_EXACT", 0)


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder, create=True) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents about three things."""
    directory = tmp_path / "folder"
    directory.mkdir()
    (directory / "mill.txt").write_text("The tide mill grinds wheat with four pairs of French stones.")
    (directory / "barge.md").write_text("# Barges\n\nA barge brought oats to the quay each Friday.\n")
    (directory / "sub").mkdir()
    (directory / "sub" / "bees.html").write_text("<h1>Bees</h1><p>The hives behind the granary gave 31 kg of honey.</p>")
    return directory
