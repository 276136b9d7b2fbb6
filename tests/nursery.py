"""Processes of their own that are there at once: forks of one that has loaded what takes long."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NURSERY = """
import json, os, signal, sys, chromadb.api.rust, numpy.ma, torch
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


class Nursery:
    """Forks processes that needn't load torch, Chroma and the embedder again, which takes 6 s each. It begins when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._asking = threading.Lock()

    def begin(self) -> None:
        if self._process is None:
            command = [sys.executable, "-c", NURSERY]
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def fork(self, code: str, output: Path, *arguments: str) -> Forked:
        return Forked(int(self.ask({"code": code, "output": str(output), "arguments": arguments})), output, self)

    def ask(self, request: dict[str, object]) -> str:
        with self._asking:
            self.begin()
            assert self._process and self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
