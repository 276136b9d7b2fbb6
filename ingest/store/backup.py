"""A library as one file, and back: a zip of its database, its conversations, the files that were uploaded to it, and their hashes.

The index isn't in it: it is built again from the database. Of what is brought back, rows alone are taken, each of them checked.
"""

import glob
import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from ingest.errors import LibraryError
from ingest.index import build
from ingest.loaders.zipped import FAULTS
from ingest.settings import DATABASE, UPLOADS
from ingest.store import failpoints, rows, schema
from ingest.store.conversations import FILE as CONVERSATIONS
from ingest.store.conversations import opened
from ingest.store.incoming import copy_conversations, copy_rows
from ingest.store.lock import refuse_network, writing
from ingest.store.paths import sha256_of

_MANIFEST = "octavo.json"
_LONGEST_MANIFEST = 64 << 20


def export_library(directory: Path, file: Path) -> int:
    """Writes a library into one file, as it is at this moment, while others ask or add; returns its size in bytes.

    An earlier export of that name is replaced once the new one is whole.

    Raises:
        LibraryError: there is no library, the file can't be written, or there is another file of that name.
    """
    if not file.name:
        raise LibraryError("an empty path names no file", "name the file to write")
    if os.path.lexists(file) and not (file.is_file() and _is_export(file)):
        raise LibraryError(f"{file} is there already, and is no export of Octavo's", "name another file, or take that one away")
    try:
        with _beside(file) as place:
            with closing(schema.connect(directory)) as connection:
                connection.execute("vacuum into ?", [str(place / DATABASE)])
            if (directory / CONVERSATIONS).is_file():
                with opened(directory / CONVERSATIONS) as connection:
                    connection.execute("vacuum into ?", [str(place / CONVERSATIONS)])
            failpoints.reach("export: database copied")
            _pack(directory, place, place / "zip")
            failpoints.reach("export: archive written")
            (place / "zip").replace(file)
            failpoints.reach("export: renamed")
            return file.stat().st_size
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(f"{file}: can't be written: {reason}", "is its folder there, is there room, and is it yours?") from error


def _is_export(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return _MANIFEST in archive.namelist()
    except FAULTS:
        return False


def import_library(file: Path, directory: Path) -> None:
    """Makes a new library of what an exported file holds, every byte and every row checked, and builds its index.

    Raises:
        LibraryError: the file is damaged or no exported library, or there is a library at `directory` already.
    """
    refuse_network(directory)
    if directory.exists() and any(directory.iterdir()):
        raise LibraryError(f"{directory} is not empty", "name a new library with --library")
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _beside(directory) as coming:
        unpacked = coming / "unpacked"
        unpacked.mkdir(mode=0o700)
        came_from = _unpack(file, unpacked)
        failpoints.reach("import: unpacked")
        schema.make(coming)
        moved = (f"{came_from}/{UPLOADS}/", f"{directory}/{UPLOADS}/")
        with writing(coming), closing(schema.connect(coming, write=True)) as connection:
            connection.execute("pragma synchronous = off")  # `flush` sees to it, once
            try:
                copy_rows(unpacked / DATABASE, connection, moved)
                rows.set_fact(connection, "directory", str(directory))
                if (unpacked / CONVERSATIONS).exists():
                    copy_conversations(unpacked / CONVERSATIONS, coming, moved)
            except LibraryError as error:
                raise LibraryError(f"{file}: {error}", error.hint) from error
            failpoints.reach("import: rows copied")
            build.publish(coming, connection)
        if (unpacked / UPLOADS).exists():
            (unpacked / UPLOADS).rename(coming / UPLOADS)
        shutil.rmtree(unpacked)
        failpoints.reach("import: index built")
        build.flush(coming)
        if directory.exists():
            directory.rmdir()
        coming.rename(directory)
        failpoints.reach("import: renamed")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A directory for what isn't whole yet, hidden, so that nobody takes it for a library.

    What killed runs left goes first, SQLite's journals with it. A run that still goes on fails then, and does no harm.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    place = path.with_name(f".{path.name}.{os.getpid()}.partial")
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _pack(directory: Path, copies: Path, archive: Path) -> None:
    """Hashes are of what was written, not of the file: another may be uploaded meanwhile."""
    copied = {name: copies / name for name in (DATABASE, CONVERSATIONS) if (copies / name).is_file()}
    members = {**copied, **{f"{UPLOADS}/{path.name}": path for path in sorted((directory / UPLOADS).glob("*"))}}
    hashes = {}
    with open(archive, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:  # Path.open has no opener
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for name, path in members.items():
                digest = hashlib.sha256()
                with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as sink:
                    while block := source.read(1 << 20):
                        digest.update(block)
                        sink.write(block)
                hashes[name] = digest.hexdigest()
            packed.writestr(_MANIFEST, json.dumps({"directory": str(directory), "sha256": hashes}))
        file.flush()
        os.fsync(file.fileno())  # it may take an earlier export's place


def _unpack(file: Path, directory: Path) -> str:
    """Checks and writes the members that the manifest names, and nothing else; returns where the library was."""
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
                raise LibraryError(f"{file}: its list of files is too long", "export the library again")
            manifest = json.loads(archive.read(_MANIFEST))
            _check_room(file, directory, [archive.getinfo(name) for name in manifest["sha256"]])
            for name, sha256 in manifest["sha256"].items():
                if not _is_ours(name):
                    raise LibraryError(f"{file}: holds {name!r}, which no library has", "export the library again")
                target = directory / name
                target.parent.mkdir(mode=0o700, exist_ok=True)
                with archive.open(name) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                if sha256_of(target) != sha256:
                    raise LibraryError(f"{file}: {name} is damaged in it", "copy the file again, or use an older one")
            return str(manifest["directory"])
    except FileNotFoundError as error:
        raise LibraryError(f"no file at {file}") from error
    except (*FAULTS, AttributeError, TypeError, RecursionError, RuntimeError) as error:
        raise LibraryError(f"{file}: not an exported library, or damaged ({error})", "`octavo export FILE` makes one") from error


def _check_room(file: Path, directory: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """No member gives more than it declares. The database is there twice for a while: as it came, and as it is copied."""
    needed = sum(member.file_size * (2 if member.filename == DATABASE else 1) for member in members)
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise LibraryError(f"{file}: needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free", "make room, or use another disk")


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name in (DATABASE, CONVERSATIONS) or (len(parts) == 2 and parts[0] == UPLOADS and not parts[1].startswith("."))
