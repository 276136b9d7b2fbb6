"""Following folders: something changed, so look at everything again, which costs a `stat` a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def changes(paths: Sequence[Path]) -> Iterator[None]:
    """Yields after each burst of changes below these paths, until Ctrl-C.

    A file that is saved by renaming another over it has a new inode, so the folders of files are watched.
    """
    from watchfiles import watch

    files = {path.resolve() for path in paths if path.is_file()}
    folders = [path.resolve() for path in paths if path.is_dir()] + [file.parent for file in files]

    def wanted(_: object, name: str) -> bool:
        path = Path(name)
        inside = any(path.is_relative_to(folder.resolve()) for folder in paths if folder.is_dir())
        return path in files or ((inside and not path.name.startswith((".", "~$"))) or path.name == ".octavoignore")

    for _ in watch(*folders, watch_filter=wanted, raise_interrupt=True):
        yield
