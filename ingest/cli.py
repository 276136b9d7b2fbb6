"""`octavo ingest` and `python -m ingest`: one command, defined here, mounted by app/cli.py."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from ingest.run.receipt import summarize
from ingest.terminal import Told, as_json, is_terminal, one_line, tell, worded

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.run.receipt import Receipt

_BUSY = 3.0
"""Seconds after which is tried again where another process is writing."""


class _Task(NamedTuple):
    """What is added in one go, and how."""

    paths: Sequence[Path]
    exclude: Sequence[str]
    passwords: Sequence[str]


def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files and folders; folders with all below them. None: the folders that were added before.", metavar="PATH"),
    ] = None,
    library: Annotated[str, typer.Option(help="A library's name or directory.", metavar="NAME")] = "default",
    exclude: Annotated[
        list[str] | None, typer.Option(help="What to leave out, as in .gitignore; .octavoignore files do the same.", metavar="PATTERN")
    ] = None,
    password_file: Annotated[
        str | None,
        typer.Option("--password-file", help="Passwords of encrypted files, one a line; - reads them from stdin.", metavar="FILE"),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow every change, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
    parent: Annotated[int | None, typer.Option(help="Stop when this process, which started it, has ended.", hidden=True)] = None,
) -> None:
    """Add documents to a library, or bring it up to date.

    What is unchanged is left alone, what changed is read again, what is gone from a folder is removed; what you removed stays out
    until you name it. On a terminal the password of an encrypted file is asked for; it is never kept. Exit code 0: all
    fine; 1: some files failed, each named with its reason; 2: nothing could be done.
    """
    from ingest import IngestError, Library, Settings
    from ingest.run.child import end_with
    from ingest.store.paths import existing

    try:
        if parent is not None:
            end_with(parent)
        passwords = _passwords(password_file)
        roots = existing(paths) if paths else []  # before a library is made for nothing
        with Library.open(Settings().library_dir(library), create=bool(roots)) as opened:
            tasks = [_Task(roots, exclude or [], passwords)] if roots else _remembered(opened, exclude, passwords)
            if watch:
                _follow(opened, tasks, json)
            ok = _add_all(opened, tasks, json, patient=parent is not None)
    except IngestError as error:
        tell(str(error), error.hint, json)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("stopped: what is finished is kept; run it again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    raise typer.Exit(0 if ok else 1)


def _passwords(file: str | None) -> list[str]:
    from ingest.errors import PathError

    if file is None:
        return []
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise PathError(f"the password file {file} can't be read: {reason}", "give one with a password a line, or -") from error
    return [line for line in text.splitlines() if line]


def _remembered(library: "Library", exclude: Sequence[str] | None, passwords: Sequence[str]) -> list[_Task]:
    from ingest.errors import PathError
    from ingest.store.paths import file_of

    folders = library.folders()
    if not folders:
        raise PathError("no folder was added to this library yet", "name one: `octavo ingest FOLDER`")
    return [_Task([file_of(folder.path)], exclude or folder.exclude, passwords) for folder in folders]


def _follow(library: "Library", tasks: Sequence[_Task], json: bool) -> NoReturn:
    """Adds, and again after each change. What goes wrong after the first time is told, and watching goes on."""
    from ingest.errors import IngestError, LibraryBusy
    from ingest.run.watch import changes

    bursts = changes([path for task in tasks for path in task.paths], library.directory)
    next(bursts)  # watching from here on: what changes during the first add is seen too
    _add_all(library, tasks, json)
    print("watching for changes; Ctrl-C ends it", file=sys.stderr, flush=True)
    while True:
        next(bursts)
        while True:
            try:
                _add_all(library, tasks, json)
            except IngestError as error:
                tell(str(error), error.hint, json)
                if isinstance(error, LibraryBusy):
                    time.sleep(_BUSY)
                    continue
            break


def _add_all(library: "Library", tasks: Sequence[_Task], json: bool, patient: bool = False) -> bool:
    """Whether all went well. A folder of several that isn't there now is told, and the others are read."""
    from ingest.errors import PathError

    if len(tasks) == 1:
        return _add(library, tasks[0], json, patient)
    fine = []
    for task in tasks:
        try:
            fine.append(_add(library, task, json, patient))
        except PathError as error:
            tell(str(error), error.hint, json)
            fine.append(False)
    return all(fine)


def _add(library: "Library", task: _Task, json: bool, patient: bool) -> bool:
    from ingest.errors import LibraryBusy

    while True:
        try:
            receipt = library.add(task.paths, Told(), task.exclude, task.passwords)
            break
        except LibraryBusy:
            if not patient:
                raise
            time.sleep(_BUSY)
    told = receipt.to_dict()
    print(as_json(told) if json else worded(summarize(told)), flush=True)
    if not json and is_terminal(sys.stdin) and is_terminal(sys.stderr):
        return _unlock(library, receipt)
    return receipt.ok


def _unlock(library: "Library", receipt: "Receipt") -> bool:
    """Asks for the password of each file that lacks one, until it opens or none is typed; whether no failed file is left."""
    from getpass import getpass

    from ingest.loaders.parsed import is_locked
    from ingest.store.paths import file_of

    left = receipt.counts["failed"]
    for file in receipt.files:
        if file.status != "failed" or not is_locked(file.reason):
            continue
        while typed := getpass(f"password of {one_line(file.path)} (Enter passes it over): "):
            opened = library.add([file_of(file.path)], Told(), passwords=[typed])
            if opened.ok:
                print(worded(summarize(opened.to_dict())), flush=True)
                left -= 1
                break
    return left == 0
