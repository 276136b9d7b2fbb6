"""What a library keeps of a run stays small, and says the same as the receipt that the run gave."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest import FileResult, Library, Receipt
from ingest.__main__ import app
from ingest.run.receipt import MOST_LINES, shortened, summarize
from ingest.store import rows, schema


def _stored(library: Library) -> int:
    with closing(sqlite3.connect(library.directory / "library.sqlite3")) as connection:
        return int(connection.execute("select length(receipt) from receipts order by id desc limit 1").fetchone()[0])


def _receipt(failed: int, noted: int, reasons: int) -> Receipt:
    """2,000 files that were added, and some with something to say."""
    files = [FileResult(f"/papers/{n}.pdf", "added", pages=2, chars=90, indexed_chars=90, chunks=3) for n in range(2000)]
    files += [FileResult(f"/papers/bad {n}.pdf", "failed", f"damaged at {n}") for n in range(failed)]
    files += [FileResult(f"/papers/odd {n}.pdf", "replaced", pages=1, notes=(f"picture {n}", "2 tables")) for n in range(noted)]
    files += [FileResult(f"/papers/x.{n % reasons}", "skipped", f"no loader for .{n % reasons}") for n in range(3000)]
    return Receipt(tuple(files), 1.5)


def test_what_is_kept_sums_up_to_what_the_run_told() -> None:
    whole = _receipt(failed=3, noted=2, reasons=4).to_dict()
    kept = shortened(whole, MOST_LINES)
    assert summarize(json.loads(json.dumps(kept))) == summarize(whole)
    summary = summarize(kept)
    assert summary.headline == "2,000 added, 2 replaced, 3,000 skipped, 3 failed; 6,000 new chunks in 1.5 s"
    assert summary.details[:3] == ("4,002 pages read", "180,000 characters, all indexed", "skipped 750: no loader for .0")
    assert summary.failed[0] == ("/papers/bad 0.pdf", "damaged at 0")
    assert summary.notes[-2:] == (("/papers/odd 1.pdf", "picture 1"), ("/papers/odd 1.pdf", "2 tables"))
    assert len(kept["files"]) == 5


def test_of_many_lines_so_many_are_kept_and_the_others_counted() -> None:
    kept = shortened(_receipt(failed=3000, noted=3000, reasons=1500).to_dict(), MOST_LINES)
    summary = summarize(kept)
    assert len(summary.failed) == len(summary.notes) == MOST_LINES
    assert summary.headline.startswith("2,000 added, 3,000 replaced, 3,000 skipped, 3,000 failed;")
    more = ("2,800 more failed, not named here", "5,800 more notes, not named here", "2,600 more skipped, not named here")
    assert summary.details[-3:] == more and len(summary.details) < MOST_LINES + 10
    assert len(json.dumps(kept)) < 200_000


def test_a_file_of_very_many_notes_is_bounded_too() -> None:
    files = tuple(FileResult(f"/{n}.eml", "added", notes=tuple(f"part {m} not read" for m in range(500))) for n in range(3))
    kept = shortened(Receipt(files, 1.0).to_dict(), MOST_LINES)
    assert [len(file["notes"]) for file in kept["files"]] == [MOST_LINES]
    assert summarize(kept).details == ("1,300 more notes, not named here",)


def test_a_library_keeps_little_of_a_run_and_the_command_prints_all(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        (folder / f"photo {number}.raw").touch()
    (folder / "blank.txt").write_text(" ")
    done = CliRunner().invoke(app, [str(folder), "--library", str(library.directory), "--json"])
    assert done.exit_code == 1 and len(json.loads(done.stdout)["files"]) == 304
    assert _stored(library) < 2000
    last = library.status()["last_receipt"]
    assert last == library.last_receipt() and last["counts"]["skipped"] == 300
    assert last["skipped"] == {"no loader for .raw": 300} and [file["path"] for file in last["files"]] == [str(folder / "blank.txt")]
    assert summarize(last).failed == ((str(folder / "blank.txt"), "no text in it"),)


def test_a_receipt_of_an_earlier_octavo_is_read(library: Library) -> None:
    """It has the lines of all but unchanged files."""
    whole = _receipt(failed=1, noted=1, reasons=1).to_dict()
    with closing(schema.connect(library.directory, write=True)) as connection:
        rows.add_receipt(connection, whole)
    last: dict[str, Any] = library.last_receipt() or {}
    assert summarize(last) == summarize(whole) and last["finished"]
