"""How much of the machine a run may take: its processors, and the memory of each process that reads files.

In a container (a cgroup) that is the container's share. All processes that read, and one beside them, fit into the memory.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_MOST, _LEAST = 4 << 30, 1 << 30
"""Bytes that reading one file may take at most, and those without which OCR and LibreOffice don't even start."""
_OWN = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def worker_count() -> int:
    """Processes that read files at once: one a processor, and no more than have memory."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    count = len(allowed)
    for text in _told("cpu", "cpu.max"):
        quota, period = text.split()
        if quota != "max":
            count = min(count, -(-int(quota) // int(period)))
    return max(1, min(count, memory() // _LEAST - 1))


def memory_each(workers: int) -> int:
    """Bytes that each of so many processes may take; beyond that a file fails, and the machine is spared."""
    return min(_MOST, memory() // (workers + 1))


def memory() -> int:
    """Bytes of this machine, or the container's share."""
    told = [*_told("memory", "memory.max"), *_told("memory", "memory.limit_in_bytes")]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *(int(text) for text in told if text != "max")])


def _told(controller: str, file: str) -> Iterator[str]:
    """What a file says in each cgroup that this process is in, from its own up to the root, for both versions of cgroups."""
    for line in _OWN.read_text().splitlines() if _OWN.exists() else []:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _GROUPS / controller if controllers else _GROUPS
        group = root / path.lstrip("/")
        for place in [group, *group.parents]:
            if place.is_relative_to(root) and (place / file).is_file():
                yield (place / file).read_text().strip()
