"""One writer at a time: a kernel lock on a file of the library, which a killed process can't leave behind."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import LibraryBusy


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Holds the library's lock.

    Raises:
        LibraryBusy: another process, or another thread, holds it.
    """
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode().strip() or "unknown"
            raise LibraryBusy(
                f"another process (pid {holder}) is writing to {directory}", "wait until it has finished, then try again"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)  # closing releases the lock
