"""Carrying a run out: its steps told to whoever waits, its vectors published as they come, its receipt kept."""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.errors import IngestError
from ingest.run.pace import Pace
from ingest.run.pipeline import Run, Step
from ingest.run.receipt import MOST_LINES, FileResult, Receipt, shortened
from ingest.store import rows, vectors
from ingest.store.lock import is_written

Progress = Callable[[Step], None]
_PUBLISH = 120.0
"""Seconds between two generations at least, and ten times what the last one took; until then exact search serves."""


def carry_out(
    connection: sqlite3.Connection,
    run: Run,
    steps: Generator[Step],
    publish: Callable[[sqlite3.Connection], str],
    progress: Progress | None,
) -> Receipt:
    """Goes through a run's steps; whatever ends it, what is committed is published, and `publish` tells what is wrong with the index."""
    started = time.monotonic()

    def end() -> str:
        _note(connection, {"phase": "publishing", "done": 0, "total": 0, "rate": None, "left": None}, time.monotonic() - started)
        try:
            return publish(connection)
        finally:
            rows.set_fact(connection, "progress", None)

    results: list[FileResult] = []
    next_publish, next_note, pace = started + _PUBLISH, started, Pace()
    try:
        with closing(steps) as going:
            for step in going:
                if step.result:
                    results.append(step.result)
                if progress:
                    progress(step)
                now, told = time.monotonic(), pace.told(step)
                if now >= next_note:
                    _note(connection, told, now - started)
                    next_note = now + 1
                if now >= next_publish:
                    publish(connection)
                    next_publish = time.monotonic() + max(_PUBLISH, 10 * (time.monotonic() - now))
    except BaseException:
        with suppress(IngestError, sqlite3.Error, OSError):  # the user is told what ended the run, not what followed from it
            end()
        raise
    trouble = end()
    receipt = Receipt(tuple(_with_embedding(result, run) for result in results), time.monotonic() - started, trouble)
    rows.add_receipt(connection, shortened(receipt.to_dict(), MOST_LINES))
    return receipt


def _note(connection: sqlite3.Connection, told: dict[str, Any], seconds: float) -> None:
    """For `status` and the page, in other processes."""
    rows.set_fact(connection, "progress", json.dumps({**told, "seconds": round(seconds, 1), "pid": os.getpid()}))


def running(directory: Path, connection: sqlite3.Connection) -> dict[str, Any] | None:
    """How far the run is that is going on; None where nobody is writing, whatever a killed run left."""
    told = rows.fact(connection, "progress")
    return dict(json.loads(told)) if told and is_written(directory) else None


def unfinished(directory: Path, connection: sqlite3.Connection) -> str:
    """What a question asked now may miss, in a sentence; "" where everything has been read and embedded."""
    going = running(directory, connection)
    if going and going["phase"] in ("reading", "ocr"):
        what = "read by OCR" if going["phase"] == "ocr" else "read"
        return f"The library is being filled: {going['done']:,} of {going['total']:,} files are {what} so far."
    if waiting := vectors.pending_count(connection):
        total = rows.chunk_count(connection)
        state = "The library is being filled" if going else "The last ingest was interrupted"
        return f"{state}: {waiting:,} of {total:,} passages are found by their words only so far."
    return ""


def _with_embedding(result: FileResult, run: Run) -> FileResult:
    """A file's line with its share of the time that embedding took."""
    if result.status not in ("added", "replaced") or not run.embedded:
        return result
    share = result.chunks * run.embed_seconds / run.embedded
    return replace(result, seconds=round(result.seconds + share, 4))
