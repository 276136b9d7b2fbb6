"""One writer at a time: a kernel lock on a file of the library, which a killed process can't leave behind.

A writer holds it alone. Who only asks whether there is a writer takes it shared for a moment, which no writer minds.
It holds among the processes of one machine, as SQLite's WAL does, whose index is shared memory. So a library on a
network file system is refused.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest.errors import LibraryBusy, LibraryError

_NETWORK = {"9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
_MOUNTS = Path("/proc/self/mountinfo")


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Holds the library's lock.

    Raises:
        LibraryBusy: another process, or another thread, holds it.
        LibraryError: its directory can't be written to.
    """
    try:
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LibraryError(f"{directory} can't be written to: {error.strerror}", "is it yours, and is there room?") from error
    try:
        while not _take(handle, fcntl.LOCK_EX):
            if not _take(handle, fcntl.LOCK_SH):
                raise busy(directory, os.read(handle, 32).decode().strip() or "unknown")
            time.sleep(0.001)  # nobody writes: somebody asked just now whether anybody does
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)  # closing releases the lock


def is_written(directory: Path) -> bool:
    """Whether some process, or another thread, is writing at this moment."""
    try:
        handle = os.open(directory / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _take(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _take(handle: int, kind: int) -> bool:
    """Takes a lock if it is free, in place of the one that this handle had."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def busy(directory: Path, holder: str) -> LibraryBusy:
    """The error for whoever comes second."""
    return LibraryBusy(f"another process (pid {holder}) is writing to {directory}", "wait until it has finished, then try again")


def refuse_network(directory: Path) -> None:
    """Checks that a library's directory, or the nearest above it that exists, lies on a disk of this machine.

    Raises:
        LibraryError: it lies on a network file system.
    """
    kind = filesystem(directory, _MOUNTS.read_text()) if _MOUNTS.exists() else ""
    if kind in _NETWORK:
        raise LibraryError(
            f"{directory} is on a network file system ({kind}), where two machines could damage the library",
            "keep the library on a local disk (--library DIR or OCTAVO_HOME); the documents may lie anywhere",
        )


def filesystem(path: Path, mounts: str) -> str:
    """The type of the file system that holds a path, by Linux's mountinfo, whose spaces are spelled \\040."""
    best, kind = "", ""
    for line in mounts.splitlines():
        place, _, details = line.partition(" - ")
        point = place.split()[4].replace("\\040", " ")
        if len(point) >= len(best) and path.is_relative_to(point):
            best, kind = point, details.split()[0]
    return kind
