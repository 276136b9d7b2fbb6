"""A forked process has no threads but one: torch and Chroma, once they have started theirs, wait in it forever. So it is refused.

Which call was the first in its process is remembered; children that are started anew (spawn, exec) don't inherit that.
"""

import os

from ingest.errors import LibraryError

_process: int | None = None


def refuse_forked() -> None:
    """To be called before torch or Chroma computes anything.

    Raises:
        LibraryError: it was called in a process of which this one is a fork.
    """
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise LibraryError(
            "this process was forked from one that has asked already", "start processes with spawn, or ask nothing before they are forked"
        )
