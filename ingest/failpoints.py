"""Places where a test may end the process, as a power cut would: `reach` costs nothing unless OCTAVO_FAILPOINT is set.

`OCTAVO_FAILPOINT=NAME#3` kills at the third time that NAME is reached; `OCTAVO_FAILPOINT=list:FILE` writes down each
name as it is reached, in every process of the run.
"""

import os
import signal
from collections import Counter

_wanted = os.environ.get("OCTAVO_FAILPOINT", "")
_reached: Counter[str] = Counter()


def arm(wanted: str) -> None:
    """Sets the failpoint of this process and of those that it starts."""
    global _wanted
    _wanted = os.environ["OCTAVO_FAILPOINT"] = wanted
    _reached.clear()


def reach(name: str, parent: int = 0) -> None:
    """A place between two changes on disk. A child process names its `parent`, which dies with it."""
    if not _wanted:
        return
    if _wanted.startswith("list:"):
        with open(_wanted[5:], "a") as file:  # noqa: PTH123 (append is atomic across processes)
            file.write(name + "\n")
        return
    _reached[name] += 1
    if _wanted == f"{name}#{_reached[name]}":
        if parent:
            os.kill(parent, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
