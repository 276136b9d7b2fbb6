"""`octavo ingest` and `python -m ingest`: one command, defined here, mounted by app/cli.py."""

import json as json_module
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from ingest.errors import IngestError
    from ingest.library import Library
    from ingest.pipeline import Step
    from ingest.receipt import Receipt

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
) -> None:
    """Add documents to a library, or bring it up to date with them.

    What is unchanged is left alone, what changed is read again, what is gone from a folder is removed. Exit code 0: all
    fine; 1: some files failed, each named with its reason; 2: nothing could be done.
    """
    from ingest import IngestError, Library, Settings
    from ingest.errors import PathError

    os.nice(19)  # questions asked meanwhile come first
    try:
        for path in paths:  # before a library is made for nothing
            if not path.exists():
                raise PathError(f"no file or folder at {path}", "check the path; `octavo remove` takes a document out")
        with Library.open(Settings().library_dir(library), create=True) as opened:
            if watch:
                _follow(opened, paths, exclude or [], json)
            ok = _add(opened, paths, exclude or [], json)
    except IngestError as error:
        _tell(error, json)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("stopped: what is finished is kept; run it again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    raise typer.Exit(0 if ok else 1)


def _follow(library: "Library", paths: list[Path], exclude: list[str], json: bool) -> NoReturn:
    """Adds, and again after each change. What goes wrong after the first time is told, and watching goes on."""
    from ingest.errors import IngestError, LibraryBusy
    from ingest.watch import changes

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
                _tell(error, json)
                if isinstance(error, LibraryBusy):
                    time.sleep(_BUSY)
                    continue
            break


def _tell(error: "IngestError", json: bool) -> None:
    print(one_line(f"error: {error}"), file=sys.stderr)
    if error.hint:
        print(one_line(f"hint: {error.hint}"), file=sys.stderr)
    if json:
        print(json_module.dumps({"error": str(error), "hint": error.hint}), flush=True)


def _add(library: "Library", paths: list[Path], exclude: list[str], json: bool) -> bool:
    receipt = library.add(paths, Told(), exclude)
    print(json_module.dumps(receipt.to_dict(), ensure_ascii=False) if json else _summary(receipt), flush=True)
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
        self._next = 0.0
        self._phase, self._began, self._first = "", 0.0, 0

    def __call__(self, step: "Step") -> None:
        now, terminal = time.monotonic(), sys.stderr.isatty()
        clear = "\r\x1b[K" if terminal else ""
        if step.phase != self._phase:
            self._phase, self._began, self._first = step.phase, now, step.done - 1
        if step.result and step.result.status == "failed":
            print(clear + one_line(f"failed: {step.result.path}: {step.result.reason}"), file=sys.stderr)
        if terminal and (now >= self._next or step.done == step.total):
            self._next = now + 0.2
            what = "chunks embedded" if step.phase == "embedding" else "files read" if step.phase == "reading" else "files read by OCR"
            rate = (step.done - self._first) / max(now - self._began, 1e-3)
            left = f", {rate:,.0f} a second, {_time((step.total - step.done) / rate)} left" if now > self._began + 1 else ""
            end = "\n" if step.done == step.total else ""
            print(f"{clear}{step.done:,} of {step.total:,} {what}{left}", end=end, file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _summary(receipt: "Receipt") -> str:
    counts = ", ".join(f"{count} {status}" for status, count in receipt.counts.items() if count)
    new = [file for file in receipt.files if file.status in ("added", "replaced")]
    told = [f"{counts or 'no files'}; {sum(file.chunks for file in new)} new chunks in {receipt.seconds:.1f} s"]
    if pages := sum(file.pages or 0 for file in new):
        kinds = {"by OCR": "ocr_pages", "empty": "empty_pages", "scanned and not read": "unread_pages"}
        counted = [f"{count} {kind}" for kind, name in kinds.items() if (count := sum(getattr(file, name) for file in new))]
        told.append(f"  {pages} pages read" + (f", of these {', '.join(counted)}" if counted else ""))
    chars, indexed = sum(file.chars for file in new), sum(file.indexed_chars for file in new)
    if new:
        told.append(f"  {chars:,} characters, {'all' if chars == indexed else f'{indexed:,}'} indexed")
    skipped = Counter(file.reason for file in receipt.files if file.status == "skipped")
    told += [f"  skipped {count}: {reason}" for reason, count in skipped.most_common()]
    told += [f"  {file.path}: {note}" for file in new for note in file.notes]
    return "\n".join(map(one_line, told))
