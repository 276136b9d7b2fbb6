"""A library as one file, and back: a zip of its database, the files that were uploaded to it, and their hashes.

The index isn't in it: it is built again from the database. What is brought back is checked before it gets its name.
"""

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path, PurePosixPath

from ingest import failpoints, index, schema
from ingest.errors import LibraryError
from ingest.loaders.zipped import FAULTS
from ingest.lock import refuse_network, writing
from ingest.plan import sha256_of
from ingest.settings import DATABASE, UPLOADS

_MANIFEST = "octavo.json"


def export_library(directory: Path, file: Path) -> int:
    """Writes a library into one file, as it is at this moment, while others ask or add; returns its size in bytes.

    Raises:
        LibraryError: there is no library, or the file can't be written.
    """
    copy, partial = (file.with_name(f"{file.name}.{kind}.partial") for kind in ("sqlite3", "zip"))
    try:
        with closing(schema.connect(directory)) as connection:
            copy.unlink(missing_ok=True)
            connection.execute("vacuum into ?", [str(copy)])
        failpoints.reach("export: database copied")
        members = {DATABASE: copy, **{f"{UPLOADS}/{path.name}": path for path in sorted((directory / UPLOADS).glob("*"))}}
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            hashes = {}
            for name, path in members.items():
                archive.write(path, name)
                hashes[name] = sha256_of(path)
            archive.writestr(_MANIFEST, json.dumps({"directory": str(directory), "sha256": hashes}))
        failpoints.reach("export: archive written")
        partial.replace(file)
        failpoints.reach("export: renamed")
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(f"{file}: can't be written ({error})", "is there room, and is it yours to write?") from error
    finally:
        copy.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def import_library(file: Path, directory: Path) -> None:
    """Makes a library from an exported file, every byte checked, and builds its index.

    Raises:
        LibraryError: the file is damaged or no exported library, or there is a library at `directory` already.
    """
    refuse_network(directory)
    if directory.exists() and any(directory.iterdir()):
        raise LibraryError(f"{directory} is not empty", "name a new library with --library")
    coming = directory.with_name(directory.name + ".importing")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    try:
        came_from = _unpack(file, coming)
        failpoints.reach("import: unpacked")
        with closing(schema.connect(coming, write=True)) as connection, schema.transaction(connection):
            connection.execute("delete from generations")
            before, now = f"{came_from}/{UPLOADS}/", f"{directory}/{UPLOADS}/"
            moved = "update files set path = ? || substr(path, ?) where substr(path, 1, ?) = ?"
            connection.execute(moved, [now, len(before) + 1, len(before), before])
            failpoints.reach("import: before the commit")
        with writing(coming), closing(schema.connect(coming, write=True)) as connection:
            index.publish(coming, connection)
        failpoints.reach("import: index built")
        if directory.exists():
            directory.rmdir()
        coming.rename(directory)
        failpoints.reach("import: renamed")
    finally:
        shutil.rmtree(coming, ignore_errors=True)


def _unpack(file: Path, directory: Path) -> str:
    """Checks and writes the members that the manifest names, and nothing else; returns where the library was."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(_MANIFEST))
            for name, sha256 in manifest["sha256"].items():
                if not _is_ours(name):
                    raise LibraryError(f"{file}: holds {name!r}, which no library has", "export the library again")
                target = directory / name
                target.parent.mkdir(exist_ok=True)
                with archive.open(name) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                if sha256_of(target) != sha256:
                    raise LibraryError(f"{file}: {name} is damaged in it", "copy the file again, or use an older one")
            return str(manifest["directory"])
    except FileNotFoundError as error:
        raise LibraryError(f"no file at {file}") from error
    except (*FAULTS, AttributeError) as error:
        raise LibraryError(f"{file}: not an exported library, or damaged ({error})", "`octavo export FILE` makes one") from error


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name == DATABASE or (len(parts) == 2 and parts[0] == UPLOADS and not parts[1].startswith("."))
