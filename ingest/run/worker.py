"""Reads and cuts files in processes that can be killed: one that hangs, crashes or eats memory costs a line of the receipt.

Parent and worker speak JSON over a socket pair; nothing that a document wrote is ever unpickled. Workers have no network, so
that no parser can fetch what a document links to. They run at the lowest priority, so that questions asked meanwhile are
answered first, and keep running between files.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Self

from ingest.errors import IngestError
from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed, clean
from ingest.run import child
from ingest.run.limits import memory_each
from ingest.text.chunking import Span, split
from ingest.text.tokens import TokenCounter

START_SECONDS = 60.0
_TICK = 1.0
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals that end a worker though its file has done nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A file to read, the seconds that it may take, and passwords that may open it."""

    file: Path
    seconds: float
    ocr: bool = False
    passwords: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one file: its text and chunks, or the reason why there are none, and the seconds it took.

    `final` is False for a reason that may be gone the next time: the file vanished or changed, somebody ended the worker, or
    the machine was too busy. Too little time or memory is final for as long as no more is given (see `plan.conditions`).
    """

    parsed: Parsed | None
    spans: list[Span]
    reason: str
    seconds: float
    final: bool = True


class Workers:
    """A context manager over some processes that read files, each started at its first file."""

    def __init__(self, counter: TokenCounter, count: int) -> None:
        self._workers = [_Worker(counter, memory_each(count)) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()

    def read(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reading]]:
        """Readings in the order in which they are done, each with its request's place in `requests`."""
        return (done for done in self.ticking(requests) if done is not None)

    def ticking(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reading] | None]:
        """As `read`, and None for each second in which nothing is done."""
        coming = iter(enumerate(requests))
        idle, busy = list(self._workers), {}
        while True:
            while idle and (request := next(coming, None)):
                worker = idle.pop()
                worker.send(request[1])
                busy[worker] = request[0]
            if not busy:
                return
            soonest = min(worker.deadline for worker in busy)
            done = wait([worker.pipe for worker in busy], min(_TICK, max(0.0, soonest - time.monotonic())))
            if not done:
                yield None
            for worker in [worker for worker in busy if worker.pipe in done or worker.deadline <= time.monotonic()]:
                yield busy.pop(worker), worker.receive()
                idle.append(worker)


class _Worker:
    def __init__(self, counter: TokenCounter, memory: int) -> None:
        self._counter, self._memory = counter, memory
        self._process: subprocess.Popen[bytes] | None = None
        self.pipe: Connection[Any, Any]
        self.deadline = 0.0

    def send(self, request: Request) -> None:
        if self._process is None:
            self._start()
        assert self._process
        self._sent, self._used, self._request = time.monotonic(), _processor_seconds(self._process.pid), request
        self.deadline = self._sent + request.seconds
        with suppress(OSError):  # the worker died between two files: receive sees it, and says so
            name = os.fsencode(request.file).hex()
            self.pipe.send_bytes(json.dumps([name, request.seconds, request.ocr, list(request.passwords)]).encode())

    def receive(self) -> Reading:
        assert self._process
        final = True
        try:
            if self.pipe.poll():
                answer = json.loads(self.pipe.recv_bytes())
                if answer["worn"]:
                    self.kill()
                parsed = Parsed(**answer["parsed"]) if answer["parsed"] else None
                return Reading(parsed, [Span(*span) for span in answer["spans"]], answer["reason"], answer["seconds"], answer["final"])
            final = _processor_seconds(self._process.pid) - self._used > self._request.seconds / 2  # else it hardly had its turn
            reason = f"reading it took more than {self._request.seconds:g} s; OCTAVO_PARSE_TIMEOUT gives it more"
        except (EOFError, OSError):
            code = self._process.wait()
            final = -code not in _FROM_OUTSIDE
            reason = f"reading it ended the worker process ({_ending(code)})"
        self.kill()
        return Reading(None, [], reason, time.monotonic() - self._sent, final)

    def _start(self) -> None:
        self.pipe, theirs = Pipe()
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        arguments = [str(theirs.fileno()), str(self._memory)]
        self._process = child.start("ingest.run.worker", *arguments, pass_fds=[theirs.fileno()], **silent)
        theirs.close()
        try:
            self.pipe.send_bytes(json.dumps([self._counter.definition, self._counter.limit]).encode())
            ready = self.pipe.poll(START_SECONDS) and self.pipe.recv_bytes()
        except (EOFError, OSError):
            ready = b""
        if not ready:
            self.kill()
            raise IngestError("the process that reads files did not start", f"try `{sys.executable} -m ingest.run.worker`")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.pipe.close()
        self._process = None


def _processor_seconds(pid: int) -> float:
    """What a process has used of the processors so far, all its threads together; 0 where the system doesn't say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


# In the worker process


def _answer(path: Path, ocr: bool, passwords: Sequence[str], counter: TokenCounter) -> dict[str, Any]:
    started = time.monotonic()
    reason, parsed, spans, final = "", None, [], True
    try:
        found = load(path, ocr, passwords)
        spans = [(span.start, span.end, span.heading, span.header) for span in split(found, counter)]
        if not spans and not found.scanned:
            raise LoadError("no text in it")
        parsed = asdict(found)
    except LoadError as error:
        reason = str(error)
    except MemoryError:
        reason = f"reading it takes more than {resource.getrlimit(resource.RLIMIT_AS)[0] / 2**30:.2g} GB of memory"
    except FileNotFoundError:
        reason, final = "it vanished before it was read", False
    except OSError as error:
        reason, final = f"can't be read: {error.strerror or error}", False
    except Exception as error:  # any parser may raise anything on a damaged file: that file failed, no more
        reason = f"can't be read: {type(error).__name__}: {error}"
    reason = " ".join(clean(reason).split())[:300]
    return {"parsed": parsed, "spans": spans, "reason": reason, "final": final, "seconds": time.monotonic() - started}


def _is_worn(memory: int) -> bool:
    """Whether what files left in this process might lack the next one. Python gives back little of what it had."""
    statm = Path("/proc/self/statm")
    return statm.exists() and int(statm.read_text().split()[0]) * resource.getpagesize() > memory // 2


def main() -> None:
    """Serves until the parent closes its end."""
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    child.leave_network()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    memory = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.nice(19)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a worker for each core
    counter = TokenCounter(*json.loads(pipe.recv_bytes()))
    pipe.send_bytes(b"ready")
    while True:
        try:
            name, seconds, ocr, passwords = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        signal.alarm(int(seconds) + 5)  # if the parent was killed meanwhile, a hanging parser must not outlive it
        answer = _answer(Path(os.fsdecode(bytes.fromhex(name))), ocr, passwords, counter)
        told = json.dumps({**answer, "worn": _is_worn(memory)}).encode()
        signal.alarm(0)
        pipe.send_bytes(told)


if __name__ == "__main__":
    main()
