"""What leaves Octavo and comes back: libraries and models as files."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import Json, Library
from ingest.terminal import print_json, say


def export_library(
    file: Annotated[Path, typer.Argument(help="The file to write.")], library: Library = "default", json: Json = False
) -> None:
    """Back a library up into one file."""
    from ingest import Settings
    from ingest.store import backup

    size = backup.export_library(Settings().library_dir(library), file)
    if json:
        print_json({"file": str(file), "bytes": size})
    else:
        say(f"{file}: {size / 1e6:.1f} MB; `octavo import {file} --library NAME` brings it back")


def import_library(
    file: Annotated[Path, typer.Argument(help="A file that export wrote.")], library: Library = "default", json: Json = False
) -> None:
    """Bring a library back from a file that export wrote.

    It is checked first, and gets a name that is free.
    """
    from ingest import Library as Store
    from ingest import Settings
    from ingest.store import backup

    directory = Settings().library_dir(library)
    backup.import_library(file, directory)
    with Store.open(directory) as store:
        facts = store.status()
    if json:
        print_json({"library": str(directory), "documents": facts["documents"], "chunks": facts["chunks"]})
    else:
        say(f"{facts['documents']} documents, {facts['chunks']} chunks in {directory}")


def export_model(
    model: Annotated[str, typer.Argument(help="What --model takes: a directory, a .gguf file, ollama:NAME, a hub id.", metavar="MODEL")],
    out: Annotated[Path, typer.Argument(help="A new .gguf file, or a new folder in Hugging Face's layout.", metavar="OUT")],
    json: Json = False,
) -> None:
    """Write a model as a folder or as one GGUF file.

    Other programs open either. Its licence goes with it: Gemma's terms of use hold for what is written too.
    """
    from model.save.export import export_model as write

    size = write(model, out)
    if json:
        print_json({"out": str(out), "bytes": size})
    else:
        say(f"{out}: {size / 1e9:.2f} GB")
