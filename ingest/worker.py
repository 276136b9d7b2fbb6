"""Reads files in a process that can be killed: one that hangs, crashes or eats memory costs a line of the receipt.

Parent and worker speak JSON over a socket pair; nothing that a document wrote is ever unpickled. The worker keeps
running between files and reads one ahead, so that parsing overlaps with embedding.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Self

from ingest import child
from ingest.errors import IngestError
from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed, clean

START_SECONDS = 60.0
_MEMORY = 4 << 30
"""Bytes that reading one file may take; beyond that it fails with MemoryError, and the machine is spared."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one file: its text, or the reason why there is none, and the seconds it took."""

    parsed: Parsed | None
    reason: str
    seconds: float


class Worker:
    """A context manager over the process, started at the first file."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._sent = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def read(self, paths: Sequence[Path]) -> Iterator[Reading]:
        """Readings of files in order; while the caller works on one, the next is being read."""
        if paths:
            self._send(paths[0])
        for following in [*paths[1:], None]:
            reading = self._receive()
            if following is not None:
                self._send(following)
            yield reading

    def _send(self, path: Path) -> None:
        if self._process is None:
            self._start()
        assert self._pipe
        self._sent = time.monotonic()
        with suppress(OSError):  # the worker died between two files: _receive sees it, and says so
            self._pipe.send_bytes(os.fsencode(path))

    def _receive(self) -> Reading:
        assert self._pipe and self._process
        left = max(0.0, self._sent + self._timeout - time.monotonic())
        try:
            if self._pipe.poll(left):
                answer = json.loads(self._pipe.recv_bytes())
                parsed = answer["parsed"]
                return Reading(Parsed(**parsed) if parsed else None, answer["reason"], answer["seconds"])
            reason = f"reading it took more than {self._timeout:g} s"
        except (EOFError, OSError):
            reason = f"reading it ended the worker process ({_ending(self._process.wait())})"
        self._kill()
        return Reading(None, reason, time.monotonic() - self._sent)

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = child.start("ingest.worker", str(theirs.fileno()), str(self._timeout), pass_fds=[theirs.fileno()], **silent)
        theirs.close()
        try:
            ready = self._pipe.poll(START_SECONDS) and self._pipe.recv_bytes()
        except (EOFError, OSError):
            ready = b""
        if not ready:
            self._kill()
            raise IngestError("the process that reads files did not start", f"try `{sys.executable} -m ingest.worker`")

    def _kill(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.wait()
            self._pipe.close()
        self._process = self._pipe = None


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _answer(path: Path) -> dict[str, Any]:
    started = time.monotonic()
    reason, parsed = "", None
    try:
        found = load(path)
        parsed = asdict(found)
    except LoadError as error:
        reason = str(error)
    except Exception as error:  # any parser may raise anything on a damaged file: that file failed, no more
        reason = f"can't be read: {type(error).__name__}: {error}"
    return {"parsed": parsed, "reason": " ".join(clean(reason).split())[:300], "seconds": time.monotonic() - started}


def main() -> None:
    """Serves until the parent closes its end."""
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    limit = int(float(sys.argv[2])) + 5
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    pipe.send_bytes(b"ready")
    while True:
        try:
            path = Path(os.fsdecode(pipe.recv_bytes()))
        except EOFError:
            return
        signal.alarm(limit)  # if the parent was killed meanwhile, a hanging parser must not outlive it
        answer = json.dumps(_answer(path)).encode()
        signal.alarm(0)
        pipe.send_bytes(answer)


if __name__ == "__main__":
    main()
