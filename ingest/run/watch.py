"""Following folders: something changed, so look at everything again, which costs a `stat` a file."""

import os
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ingest.errors import PathError
from ingest.settings import UPLOADS

_WAKE = 0.5
"""Seconds after which it looks whether a path has come, gone or been replaced: the system tells only what happens below one."""


def changes(paths: Sequence[Path], library: Path, ended: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Yields once it is watching, and then after each burst of changes at or below these paths, until Ctrl-C, or until it has ended.

    A path that isn't there is followed from when it comes. What an add writes into the library is no change, even where the
    library lies in a folder that is followed.

    Raises:
        PathError: the system can't watch so many folders.
    """
    places = [Path(os.path.realpath(path)) for path in paths]
    while True:
        there = {place: _identity(place) for place in places}
        with closing(_bursts([place for place in places if there[place]], library)) as bursts:
            for number, burst in enumerate(bursts):
                if burst or number == 0:
                    yield
                if ended():
                    return
                if there != {place: _identity(place) for place in places}:
                    break


def _identity(path: Path) -> tuple[int, int] | None:
    """Which folder is at a path; (0, 0) for a file, None for nothing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else (0, 0)


def _bursts(places: Sequence[Path], library: Path) -> Generator[bool]:
    """Whether something has changed, again and again; it ends when a path has gone before it could be watched.

    A file that is saved by renaming another over it has a new inode, so the folders of files are watched.
    """
    from watchfiles import watch

    files = {place for place in places if not place.is_dir()}
    roots = [place for place in places if place not in files]
    uploads = library / UPLOADS

    def wanted(_: object, name: str) -> bool:
        path = Path(name)
        if path.is_relative_to(library) and not path.is_relative_to(uploads):
            return False
        inside = any(path.is_relative_to(root) for root in roots)
        return path in files or ((inside and not path.name.startswith((".", "~$"))) or path.name == ".octavoignore")

    folders = [*roots, *(file.parent for file in files)]
    while not folders:
        time.sleep(_WAKE)
        yield False
    wake = int(1000 * _WAKE)
    try:
        for burst in watch(*folders, watch_filter=wanted, rust_timeout=wake, yield_on_timeout=True, ignore_permission_denied=True):
            yield bool(burst)
    except FileNotFoundError:
        time.sleep(_WAKE)
    except OSError as error:
        raise PathError(f"can't watch: {error}", "raise fs.inotify.max_user_watches, or watch fewer folders") from error
