"""An ingest in a process of its own, started by the page: the page stays quick, and what crashes is not the page.

It is stopped as Ctrl-C would stop it, and stops by itself when the page's server ends, even if that was killed.
"""

import json
import os
import signal
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from app.mistakes import sentences
from ingest.run import child


class Adding:
    """One run of `python -m ingest`, going on or ended; how far it is, and its receipt, stand in the library."""

    def __init__(self, directory: Path, paths: Sequence[Path]) -> None:
        self._out = TemporaryFile(dir=directory)  # noqa: SIM115  # it has no name, and goes with its last handle
        self._err = TemporaryFile(dir=directory)  # noqa: SIM115
        arguments = [*(str(path.absolute()) for path in paths), "--library", str(directory), "--json", "--parent", str(os.getpid())]
        self._process = child.start("ingest", *arguments, stdout=self._out, stderr=self._err)
        self.pid = self._process.pid
        self.stopped = False

    def going(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends it soon; every file that it has finished stays in the library."""
        self.stopped = True
        self._process.send_signal(signal.SIGINT)

    @cached_property
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
        return f"The ingest ended unexpectedly (exit {self._process.returncode}): {last}"


def _text(file: IO[bytes]) -> str:
    """All that was written, whoever else reads it now."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace").strip()
