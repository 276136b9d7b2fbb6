"""What may be printed. Names, texts, errors and receipts hold what strangers wrote, and a terminal obeys control characters.

ESC and the C1 controls move the cursor, retitle the window and more; BEL and CR are as bad, and an override of the writing
direction makes one name look like another. Everything that isn't our own wording goes through `say`, `plain` or `as_json`.
"""

import codecs
import io
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from ingest.run.pace import Pace, line
from ingest.run.receipt import Summary

if TYPE_CHECKING:
    from ingest.run.pipeline import Step

_JOINERS = "\u200c\u200d"
"""Invisible, harmless, and part of words in Persian and Hindi."""


def is_terminal(stream: TextIO) -> bool:
    """Whether it is one that does more than show line after line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def plain(text: str) -> str:
    """Text in which only newlines do more than show."""
    return "".join(c if c.isprintable() or c == "\n" or c in _JOINERS else " " if c.isspace() else "" for c in text)


def one_line(text: str) -> str:
    """As `plain`, for a line: a file's name may hold a newline."""
    return plain(text.replace("\n", "\\n"))


def say(text: str, err: bool = False) -> None:
    """Prints a line."""
    print(one_line(text), file=sys.stderr if err else sys.stdout, flush=True)


def as_json(data: Any) -> str:
    """JSON in one line, whose strings hold what isn't printable as escapes: the same data, and harmless."""
    text = json.dumps(data, ensure_ascii=False)
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def print_json(data: Any) -> None:
    print(as_json(data), flush=True)


def _json_escapes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("json", _json_escapes)


def prepare_streams(as_data: bool) -> None:
    """What stdout and stderr can't write becomes "?", or with `as_data` an escape of JSON; one that was closed swallows everything.

    A closed one is opened first of all: its number would go to the next file opened, and what is printed into that file.
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="json" if as_data and name == "stdout" else "replace")


def tell(what: str, hint: str, as_data: bool) -> None:
    """A mistake, for the user and, with `as_data`, for a program."""
    say(f"error: {what}", err=True)
    if hint:
        say(f"hint: {hint}", err=True)
    if as_data:
        print(as_json({"error": what, "hint": hint}), flush=True)


class Told:
    """Lines on stderr: every failed file, and how far it is, at what rate and how long it will take, on a terminal."""

    def __init__(self) -> None:
        self._next, self._pace = 0.0, Pace()

    def __call__(self, step: "Step") -> None:
        now, terminal = time.monotonic(), is_terminal(sys.stderr)
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
