"""`octavo ingest` and `python -m ingest`: one command, defined here, mounted by app/cli.py."""

import json as json_module
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ingest.receipt import FileResult, Receipt


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; folders with all below them.", metavar="PATH...")],
    library: Annotated[str, typer.Option(help="A library's name or directory.", metavar="NAME")] = "default",
    json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
) -> None:
    """Add documents to a library, or bring it up to date with them.

    What is unchanged is left alone, what changed is read again, what is gone from a folder is removed. Exit code 0: all
    fine; 1: some files failed, each named with its reason; 2: nothing could be done.
    """
    from ingest import IngestError, Library, Settings
    from ingest.errors import PathError

    try:
        for path in paths:  # before a library is made for nothing
            if not path.exists():
                raise PathError(f"no file or folder at {path}", "check the path; `octavo remove` takes a document out")
        with Library.open(Settings().library_dir(library), create=True) as opened:
            receipt = opened.add(paths, _Progress())
    except IngestError as error:
        print(plain(f"error: {error}"), file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        if json:
            print(json_module.dumps({"error": str(error), "hint": error.hint}))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("stopped: files finished so far are kept; run it again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    print(json_module.dumps(receipt.to_dict(), ensure_ascii=False) if json else _summary(receipt))
    raise typer.Exit(0 if receipt.ok else 1)


def plain(text: str) -> str:
    """Without control characters: a file's name or text must not move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "" for c in text)


class _Progress:
    """Lines on stderr: every failed file, and how far it is, once a second on a terminal."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, result: "FileResult", done: int, total: int) -> None:
        terminal = sys.stderr.isatty()
        clear = "\r\x1b[K" if terminal else ""
        if result.status == "failed":
            print(clear + plain(f"{result.status}: {result.path}: {result.reason}"), file=sys.stderr)
        if terminal and (time.monotonic() >= self._next or done == total):
            self._next = time.monotonic() + 0.2
            print(f"{clear}{done} of {total} files", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _summary(receipt: "Receipt") -> str:
    counts = ", ".join(f"{count} {status}" for status, count in receipt.counts.items() if count)
    chunks = sum(file.chunks for file in receipt.files if file.status in ("added", "replaced"))
    told = [f"{counts or 'no files'}; {chunks} new chunks in {receipt.seconds:.1f} s"]
    skipped = Counter(file.reason for file in receipt.files if file.status == "skipped")
    told += [f"  skipped {count}: {reason}" for reason, count in skipped.most_common()]
    return plain("\n".join(told))
