"""How much memory a process and all that it starts take, looked at many times a second."""

import threading
from pathlib import Path
from typing import Self

_PAGE = 4096


class Peak:
    """While it is open: `largest`, the most that one process took, and `together`, the most that all took at once; in MB.

    Memory that processes share counts in each, so `together` is rather too high than too low.
    """

    def __init__(self, pid: int) -> None:
        self.largest = self.together = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self.largest > 0

    def _look(self) -> None:
        while not self._over.wait(0.05):
            sizes = [_resident(pid) for pid in _family(self._pid)]
            self.largest = max(self.largest, *sizes)
            self.together = max(self.together, sum(sizes))


def _family(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE >> 20
    except OSError:
        return 0
