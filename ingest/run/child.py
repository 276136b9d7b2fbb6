"""Python in a process of its own, for work that may hang, crash or be killed: parsing, and all writing of an index.

A plain `python -m MODULE` rather than multiprocessing, whose spawn runs the parent's main script again: under streamlit
that would be the page itself.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[2])


def python(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command `python -m module arguments` and its environment.

    It finds our packages wherever it is started, and nothing in the working directory: neither `-m` nor an empty entry of
    PYTHONPATH puts that on the search path.
    """
    search = [_ROOT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return [sys.executable, "-P", "-m", module, *arguments], os.environ | {"PYTHONPATH": os.pathsep.join(search)}


def start(module: str, *arguments: str, pass_fds: Sequence[int] = (), **streams: Any) -> subprocess.Popen[bytes]:
    """Starts `python -m module arguments` in a process of its own."""
    command, environment = python(module, *arguments)
    return subprocess.Popen(command, env=environment, pass_fds=pass_fds, stdin=subprocess.DEVNULL, **streams)


def end_with(parent: int, number: int = signal.SIGINT) -> None:
    """In the child: stops it, as Ctrl-C would, once its parent is gone. A parent that was killed can't do so itself."""
    if signal.getsignal(number) is signal.SIG_IGN:  # as a parent has it that was started in the background
        signal.signal(number, signal.default_int_handler)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, daemon=True).start()
