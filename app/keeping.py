"""The commands that keep libraries: their folders, their names, backups and the way back, and deleting; mounted by cli.py."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.options import Json, Library, library_names
from ingest.terminal import is_terminal, print_json, say

_Name = Annotated[str, typer.Argument(help="A library's name.", metavar="NAME", autocompletion=library_names)]


def folders(
    library: Library = "default",
    forget: Annotated[str | None, typer.Option("--forget", help="Forget this folder; what was read from it stays.", metavar="PATH")] = None,
    json: Json = False,
) -> None:
    """List the folders that were added to a library.

    `octavo ingest` without a path brings all of them up to date.
    """
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        if forget is not None:
            store.forget_folder(forget)
        found = store.folders()
    if json:
        rows = [{"path": f.path, "exclude": list(f.exclude), "followed": f.followed, "read": f.read} for f in found]
        print_json({"folders": rows})
        return
    for folder in found:
        read = f"read {folder.read[:16].replace('T', ' ')} UTC" if folder.read else "not read to its end yet"
        without = f", without {', '.join(folder.exclude)}" if folder.exclude else ""
        say(f"{folder.path}  {read}{without}{', followed by the page' if folder.followed else ''}")
    if not found:
        say("no folder was added yet: `octavo ingest FOLDER` adds one")


def rename(name: _Name, new: Annotated[str, typer.Argument(help="Its new name.", metavar="NEW")], json: Json = False) -> None:
    """Give a library another name."""
    from ingest import Settings
    from ingest.store.moving import rename_library

    target = Settings().named_dir(new)
    rename_library(Settings().named_dir(name), target)
    if json:
        print_json({"library": str(target)})
    else:
        say(f"{name} is called {new} now")


def delete(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a library, for good.

    Texts, words, vectors, conversations and the copies of uploaded files go. Files in your own folders stay.
    """
    from ingest import IngestError, Settings
    from ingest.store.moving import delete_library

    directory = Settings().named_dir(name)
    if not yes and directory.exists():
        if not is_terminal(sys.stdin):
            raise IngestError(f"{name} is not deleted: nobody can be asked", "--yes deletes it without asking")
        print(f"Type {name} to delete it for good: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() != name:
            raise IngestError(f"{name} is not deleted", "its name has to be typed as it is")
    delete_library(directory)
    if json:
        print_json({"deleted": name})
    else:
        say(f"{name} is deleted")


def export_file(file: Annotated[Path, typer.Argument(help="The file to write.")], library: Library = "default", json: Json = False) -> None:
    """Back a library up into one file."""
    from ingest import Settings
    from ingest.store.backup import export_library

    size = export_library(Settings().library_dir(library), file)
    if json:
        print_json({"file": str(file), "bytes": size})
    else:
        say(f"{file}: {size / 1e6:.1f} MB; `octavo import {file} --library NAME` brings it back")


def import_file(
    file: Annotated[Path, typer.Argument(help="A file that export wrote.")], library: Library = "default", json: Json = False
) -> None:
    """Bring a library back from a file that export wrote.

    It is checked first, and gets a name that is free.
    """
    from ingest import Library as Store
    from ingest import Settings
    from ingest.store.backup import import_library

    directory = Settings().library_dir(library)
    import_library(file, directory)
    with Store.open(directory) as store:
        facts = store.status()
    if json:
        print_json({"library": str(directory), "documents": facts["documents"], "chunks": facts["chunks"]})
    else:
        say(f"{facts['documents']} documents, {facts['chunks']} chunks in {directory}")
