"""`octavo ingest` and `python -m ingest`: one command, defined here, mounted by app/cli.py."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ingest.run.receipt import summarize
from ingest.terminal import Told, as_json, tell, worded

if TYPE_CHECKING:
    from ingest.library import Library

_BUSY = 3.0
"""Seconds after which `--watch` tries again where another process is writing."""


def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files and folders; folders with all below them.", metavar="PATH...")],
    library: Annotated[str, typer.Option(help="A library's name or directory.", metavar="NAME")] = "default",
    exclude: Annotated[
        list[str] | None, typer.Option(help="What to leave out, as in .gitignore; .octavoignore files do the same.", metavar="PATTERN")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow every change, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
    parent: Annotated[int | None, typer.Option(help="Stop when this process, which started it, has ended.", hidden=True)] = None,
) -> None:
    """Add documents to a library, or bring it up to date.

    What is unchanged is left alone, what changed is read again, what is gone from a folder is removed. Exit code 0: all
    fine; 1: some files failed, each named with its reason; 2: nothing could be done.
    """
    from ingest import IngestError, Library, Settings
    from ingest.run.child import end_with
    from ingest.store.paths import existing

    try:
        if parent is not None:
            end_with(parent)
        roots = existing(paths)  # before a library is made for nothing
        with Library.open(Settings().library_dir(library), create=True) as opened:
            if watch:
                _follow(opened, roots, exclude or [], json)
            ok = _add(opened, roots, exclude or [], json)
    except IngestError as error:
        tell(str(error), error.hint, json)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("stopped: what is finished is kept; run it again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    raise typer.Exit(0 if ok else 1)


def _follow(library: "Library", paths: list[Path], exclude: list[str], json: bool) -> NoReturn:
    """Adds, and again after each change. What goes wrong after the first time is told, and watching goes on."""
    from ingest.errors import IngestError, LibraryBusy
    from ingest.run.watch import changes

    bursts = changes(paths, library.directory)
    next(bursts)  # watching from here on: what changes during the first add is seen too
    _add(library, paths, exclude, json)
    print("watching for changes; Ctrl-C ends it", file=sys.stderr, flush=True)
    while True:
        next(bursts)
        while True:
            try:
                _add(library, paths, exclude, json)
            except IngestError as error:
                tell(str(error), error.hint, json)
                if isinstance(error, LibraryBusy):
                    time.sleep(_BUSY)
                    continue
            break


def _add(library: "Library", paths: list[Path], exclude: list[str], json: bool) -> bool:
    receipt = library.add(paths, Told(), exclude)
    told = receipt.to_dict()
    print(as_json(told) if json else worded(summarize(told)), flush=True)
    return receipt.ok
