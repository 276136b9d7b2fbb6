"""Files that were uploaded on the page: kept in the library's own folder `files`, each under a name of its own."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from secrets import token_hex

from ingest import IngestError
from ingest.settings import DATABASE


def file_name(given: str) -> str:
    """The name of an uploaded file.

    Raises:
        IngestError: it can't be one.
    """
    name = Path(given.replace("\\", "/")).name  # a browser may send a path: only its last part is a name
    # an ingest leaves hidden files out, and a folder with a library's database in it
    if not name or name.startswith((".", "~$")) or name == DATABASE or len(name.encode()) > 200:
        raise IngestError(f"{given[:80]!r} can't be an uploaded file's name", "give it another, or add the folder that it lies in")
    return name


def keep(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Writes files, each whole or not at all, as a run may look at them meanwhile; one of a name that is there gets a number."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, data in files:
        path = _free(folder, name, data)
        coming = folder / f".{token_hex(8)}.coming"
        coming.write_bytes(data)
        coming.replace(path)


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A path where no other file stands; the same file again has its own."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(2):
        path = folder / name
        if not path.exists() or path.read_bytes() == data:
            return path
        name = f"{stem} ({number}){suffix}"
    raise AssertionError
