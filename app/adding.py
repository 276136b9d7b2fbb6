"""What the page adds to a library: one run after another, in the order in which they were asked for, each in a process of its own.

So the page stays quick, and what crashes is not the page. A run is stopped as Ctrl-C would stop it, and stops by itself when the
page's server ends, even if that was killed. What waits is known to this server alone and ends with it. Nothing is lost then:
uploads lie in the library and are read when the server starts again, and a folder says that it was not read to its end.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock, Thread
from typing import IO

from app.mistakes import sentences
from ingest.errors import IngestError
from ingest.run import child
from ingest.store.lock import is_written
from ingest.terminal import plain

_LOOK = 0.5
"""Seconds after which is looked again whether another process still writes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something to add, and how a person calls it. A password is no part of what it is, is never shown, and goes with it."""

    what: str
    paths: tuple[Path, ...]
    exclude: tuple[str, ...] = ()
    password: str = field(default="", repr=False, compare=False)

    @property
    def shown(self) -> str:
        """`what`, as the page shows it and says which one is meant."""
        return plain(self.what)


class Adding:
    """One run of `python -m ingest`, going on or ended; how far it is, and its receipt, stand in the library."""

    def __init__(self, directory: Path, wanted: Wanted) -> None:
        self.wanted = wanted
        self._out = TemporaryFile(dir=directory)  # noqa: SIM115  # it has no name, and goes with its last handle
        self._err = TemporaryFile(dir=directory)  # noqa: SIM115
        arguments = [str(path.absolute()) for path in wanted.paths]
        arguments += [f"--exclude={pattern}" for pattern in wanted.exclude]
        arguments += ["--library", str(directory), "--json", "--parent", str(os.getpid()), "--password-file", "-"]
        self._process = child.start("ingest", *arguments, stdin=subprocess.PIPE, stdout=self._out, stderr=self._err)
        assert self._process.stdin
        with suppress(BrokenPipeError), self._process.stdin as told:  # not as an argument, which every account can see
            told.write(wanted.password.encode())
        self.pid = self._process.pid
        self.stopped = False

    def wait(self) -> None:
        self._process.wait()

    def stop(self) -> None:
        """Ends it soon; every file that it has finished stays in the library."""
        self.stopped = True
        self._process.send_signal(signal.SIGINT)

    def trouble(self) -> str:
        """Once it has ended: why it left no receipt, or ""."""
        whole = self._process.returncode in (0, 1, 2)  # else it may have been killed while it wrote
        told = json.loads(_text(self._out).rpartition("\n")[2] or "null") if whole else None
        if told and "error" not in told:
            return ""
        if told:
            return sentences(told["error"], told["hint"])
        if self.stopped:
            return "Stopped. What was finished is kept; add it again to go on."
        last = _text(self._err).rpartition("\n")[2]
        return f"Adding ended unexpectedly (exit {self._process.returncode}): {last}"


class Line:
    """All that the page is to add to one library: the run that goes on, those that wait, and why the last ones failed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._waiting: list[Wanted] = []
        self._works = False
        self._running: Adding | None = None
        self.troubles: tuple[str, ...] = ()

    def put(self, wanted: Wanted) -> None:
        """Adds it once all before it are done; what waits already waits once."""
        with self._lock:
            self._waiting = [*(other for other in self._waiting if other != wanted), wanted]
            if not self._works:
                self._works, self.troubles = True, ()
                Thread(target=self._work, daemon=True).start()

    def stop(self, shown: str) -> None:
        """Ends the run that is shown so; it may have ended by itself, and the next one begun."""
        running = self._running
        if running and running.wanted.shown == shown:
            running.stop()

    def take_back(self, shown: str) -> None:
        """Lets go of what waits and is shown so."""
        with self._lock:
            self._waiting = [wanted for wanted in self._waiting if wanted.shown != shown]

    @property
    def running(self) -> Adding | None:
        return self._running

    @property
    def waiting(self) -> Sequence[Wanted]:
        return tuple(self._waiting)

    def is_busy(self) -> bool:
        return self._works

    def _work(self) -> None:
        while True:
            while self._waiting and is_written(self._directory):  # by another process
                time.sleep(_LOOK)
            with self._lock:
                if not self._waiting:
                    self._works = False
                    return
                wanted = self._waiting.pop(0)
            try:
                self._running = Adding(self._directory, wanted)
                self._running.wait()
                trouble = self._running.trouble()
            except (IngestError, OSError) as error:  # the library was deleted, or its disk is full
                trouble = f"It could not be started: {error}"
            except ValueError:
                trouble = "What it had to say was cut short. Is the disk full?"
            self._running = None
            if trouble:
                self.troubles = (*self.troubles, f"{wanted.what}: {trouble}")


def _text(file: IO[bytes]) -> str:
    """All that was written, whoever else reads it now."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace").strip()
