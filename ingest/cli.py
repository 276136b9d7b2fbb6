"""`octavo ingest` and `python -m ingest`: one command, defined here, mounted by app/cli.py."""

import json as json_module
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ingest.run.pace import Pace, line
from ingest.run.receipt import Summary, summarize

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.run.pipeline import Step

_BUSY = 3.0
"""Seconds after which `--watch` tries again where another process is writing."""


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; folders with all below them.", metavar="PATH...")],
    library: Annotated[str, typer.Option(help="A library's name or directory.", metavar="NAME")] = "default",
    exclude: Annotated[
        list[str] | None, typer.Option(help="What to leave out, as in .gitignore; .octavoignore files do the same.", metavar="PATTERN")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow every change, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
    parent: Annotated[int | None, typer.Option(help="Stop when this process, which started it, has ended.", hidden=True)] = None,
) -> None:
    """Add documents to a library, or bring it up to date with them.

    What is unchanged is left alone, what changed is read again, what is gone from a folder is removed. Exit code 0: all
    fine; 1: some files failed, each named with its reason; 2: nothing could be done.
    """
    from ingest import IngestError, Library, Settings
    from ingest.run.child import end_with
    from ingest.store.paths import existing

    try:
        if parent is not None:
            end_with(parent)
        existing(paths)  # before a library is made for nothing
        with Library.open(Settings().library_dir(library), create=True) as opened:
            if watch:
                _follow(opened, paths, exclude or [], json)
            ok = _add(opened, paths, exclude or [], json)
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


def tell(what: str, hint: str, json: bool) -> None:
    """A mistake, for the user and, with `json`, for a program."""
    print(one_line(f"error: {what}"), file=sys.stderr)
    if hint:
        print(one_line(f"hint: {hint}"), file=sys.stderr)
    if json:
        print(json_module.dumps({"error": what, "hint": hint}), flush=True)


def _add(library: "Library", paths: list[Path], exclude: list[str], json: bool) -> bool:
    receipt = library.add(paths, Told(), exclude)
    told = receipt.to_dict()
    print(json_module.dumps(told, ensure_ascii=False) if json else worded(summarize(told)), flush=True)
    return receipt.ok


def plain(text: str) -> str:
    """Without control characters: a file's name or text must not move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "" for c in text)


def one_line(text: str) -> str:
    """As `plain`, for a line: a file's name may hold a newline."""
    return plain(text.replace("\n", "\\n"))


class Told:
    """Lines on stderr: every failed file, and how far it is, at what rate and how long it will take, on a terminal."""

    def __init__(self) -> None:
        self._next, self._pace = 0.0, Pace()

    def __call__(self, step: "Step") -> None:
        now, terminal = time.monotonic(), sys.stderr.isatty()
        clear = "\r\x1b[K" if terminal else ""
        told = self._pace.told(step)
        if step.result and step.result.status == "failed":
            print(clear + one_line(f"failed: {step.result.path}: {step.result.reason}"), file=sys.stderr)
        if terminal and (now >= self._next or step.done == step.total):
            self._next = now + 0.2
            print(clear + line(told), end="\n" if step.done == step.total else "", file=sys.stderr, flush=True)


def worded(summary: Summary) -> str:
    """A summary for the terminal, without the failed files: `Told` has named each already."""
    told = [f"  {detail}" for detail in summary.details] + [f"  {path}: {note}" for path, note in summary.notes]
    return "\n".join(map(one_line, [summary.headline, *told]))
