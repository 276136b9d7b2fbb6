"""The worker can be lost at any file without losing the others."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from ingest.run import child
from ingest.run.worker import Request, Workers
from ingest.text.embedder import Embedder


def _two_files_around_a_pipe(directory: Path) -> list[Path]:
    """Reading a named pipe that nobody writes to hangs, as a bad parser would."""
    paths = [directory / name for name in ("a.txt", "hangs.txt", "b.txt")]
    os.mkfifo(paths[1])
    paths[0].write_text("first")
    paths[2].write_text("last")
    return paths


def test_a_file_that_hangs_is_given_up_and_the_next_is_read(tmp_path: Path, embedder: Embedder) -> None:
    with Workers(embedder.counter, 2) as workers:
        requests = [Request(path, 2 if path.stem == "hangs" else 60) for path in _two_files_around_a_pipe(tmp_path)]
        first, hanging, last = (reading for _, reading in sorted(workers.read(requests), key=lambda pair: pair[0]))
    assert first.parsed and first.parsed.text == "first"
    assert hanging.parsed is None and hanging.reason == "reading it took more than 2 s; OCTAVO_PARSE_TIMEOUT gives it more"
    assert not hanging.final  # it did nothing: a machine that is too busy looks the same
    assert last.parsed and last.parsed.text == "last"


def test_a_file_that_kills_the_worker_is_named_and_the_next_is_read(tmp_path: Path, embedder: Embedder) -> None:
    with Workers(embedder.counter, 1) as workers:
        readings = workers.read(Request(path, 120) for path in _two_files_around_a_pipe(tmp_path))
        next(readings)
        process = workers._workers[0]._process
        assert process
        threading.Timer(0.2, os.kill, [process.pid, signal.SIGSEGV]).start()
        (_, hanging), (_, last) = readings
    assert hanging.reason == "reading it ended the worker process (SIGSEGV)"
    assert last.parsed and last.parsed.text == "last"


def test_a_killed_parent_leaves_no_worker(tmp_path: Path) -> None:
    code = "import sys; from ingest.run.worker import Workers; from ingest.text.tokens import TokenCounter\n"
    code += "w = Workers(TokenCounter(sys.argv[1], 9), 1)._workers[0]; w._start(); print(w._process.pid)\ninput()"
    root = str(Path(child.__file__).parents[2])
    parent = subprocess.Popen([sys.executable, "-c", code, "{}"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_worker_loads_no_torch(tmp_path: Path) -> None:
    (tmp_path / "a.mht").write_text("Content-Type: text/html\n\n<p>text</p>")
    code = "class C:\n limit = 9\n count = staticmethod(lambda texts: [len(t) for t in texts])\n"
    code += "import sys; from pathlib import Path; from ingest.run.worker import _answer\n"
    code += "assert _answer(Path(sys.argv[1]), False, [], C())['parsed']"
    command = [sys.executable, "-c", code + "; assert not {'torch', 'chromadb'} & set(sys.modules)", str(tmp_path / "a.mht")]
    subprocess.run(command, cwd=Path(child.__file__).parents[2], check=True)
