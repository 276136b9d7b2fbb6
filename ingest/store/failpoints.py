"""Places where a test may end the process, as a power cut would: `reach` costs nothing unless OCTAVO_FAILPOINT is set.

`OCTAVO_FAILPOINT=FILE:NAME#3` writes each name down in FILE as it is reached, in every process of the run, and kills at the
third NAME; `FILE:` only writes them down.
"""

import os
import signal
from pathlib import Path

_wanted = os.environ.get("OCTAVO_FAILPOINT", "")


def arm(wanted: str) -> None:
    """Sets the failpoint of this process and of those that it starts."""
    global _wanted
    _wanted = os.environ["OCTAVO_FAILPOINT"] = wanted


def reach(name: str, parent: int = 0) -> None:
    """A place between two changes on disk. A child process names its `parent`, which dies with it."""
    if not _wanted:
        return
    log, _, target = _wanted.partition(":")
    before = Path(log).read_text().splitlines() if Path(log).exists() else []
    Path(log).write_text("\n".join([*before, name]))
    if target == f"{name}#{before.count(name) + 1}":
        if parent:
            os.kill(parent, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
