"""Following folders: something changed, so look at everything again, which costs a `stat` a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.errors import PathError
from ingest.settings import UPLOADS

_WAKE = 500
"""Milliseconds after which the first look ends, though nothing changed."""


def changes(paths: Sequence[Path], library: Path) -> Iterator[None]:
    """Yields once it is watching, and then after each burst of changes below these paths, until Ctrl-C.

    A file that is saved by renaming another over it has a new inode, so the folders of files are watched. What an add
    writes into the library is no change, even where the library lies in a folder that is followed.

    Raises:
        PathError: the system can't watch so many folders.
    """
    from watchfiles import watch

    files = {path.resolve() for path in paths if path.is_file()}
    roots = [path.resolve() for path in paths if path.is_dir()]
    uploads = library / UPLOADS

    def wanted(_: object, name: str) -> bool:
        path = Path(name)
        if path.is_relative_to(library) and not path.is_relative_to(uploads):
            return False
        inside = any(path.is_relative_to(root) for root in roots)
        return path in files or ((inside and not path.name.startswith((".", "~$"))) or path.name == ".octavoignore")

    folders = [*roots, *(file.parent for file in files)]
    bursts = watch(*folders, watch_filter=wanted, rust_timeout=_WAKE, yield_on_timeout=True, ignore_permission_denied=True)
    try:
        for number, burst in enumerate(bursts):
            if burst or number == 0:
                yield
    except OSError as error:
        raise PathError(f"can't watch: {error}", "raise fs.inotify.max_user_watches, or watch fewer folders") from error
