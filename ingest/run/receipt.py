"""What one ingest run did, file by file: nothing is skipped or lost without a line that says so."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["added", "unchanged", "replaced", "removed", "skipped", "failed"]
_SUMMED = ("pages", "ocr_pages", "empty_pages", "unread_pages", "chars", "indexed_chars", "chunks")
MOST_LINES = 200
"""Failed files, notes, and reasons for skipping that a library keeps of a receipt, of each."""
STATUSES: tuple[Status, ...] = ("added", "unchanged", "replaced", "removed", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file's line.

    Attributes:
        reason: why it was skipped, failed or removed, or what else explains its status.
        pages: None where the format has none; of these `ocr_pages` were read by OCR, `empty_pages` have nothing to read
            and `unread_pages` are pictures that OCR has not read.
        chars: of its canonical text. All but blank ones between chunks are `indexed_chars`.
        seconds: spent on this file alone: reading, cutting, and its share of embedding.
        notes: what a reader would see in the file and its text lacks.
    """

    path: str
    status: Status
    reason: str = ""
    pages: int | None = None
    chars: int = 0
    chunks: int = 0
    seconds: float = 0.0
    ocr_pages: int = 0
    empty_pages: int = 0
    unread_pages: int = 0
    indexed_chars: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The whole run: its lines in the order in which they were settled, its wall-clock seconds, and what is wrong with the index."""

    files: tuple[FileResult, ...]
    seconds: float
    index: str = ""

    @property
    def ok(self) -> bool:
        """True if no file failed. A skipped file is no failure."""
        return not any(file.status == "failed" for file in self.files)

    @property
    def counts(self) -> dict[str, int]:
        """Files by status, every status named."""
        found = Counter(file.status for file in self.files)
        return {status: found[status] for status in STATUSES}

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `octavo ingest --json`."""
        return {
            "ok": self.ok,
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
            "index": self.index,
            "files": [asdict(file) for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person wants to know of a receipt: a headline; pages, characters and what was skipped, a line each; then
    the path and reason of every failed file, and the path and text of every note."""

    headline: str
    details: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]


def shortened(receipt: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What is kept of a receipt's JSON: sums, and the lines of files that failed or have notes, so many of each.

    `files` are those lines, `unnamed` counts what is missing from them; `totals` sums up the new files, `skipped` counts reasons.
    """
    files = receipt["files"]
    new = [file for file in files if file["status"] in ("added", "replaced")]
    failed = [file for file in files if file["status"] == "failed"]
    skipped = Counter(file["reason"] for file in files if file["status"] == "skipped").most_common()
    noted, unnamed_notes = _noted(new, most)
    return {
        **{name: receipt[name] for name in ("ok", "counts", "seconds")},
        "index": receipt.get("index", ""),
        "totals": {name: sum(file[name] or 0 for file in new) for name in _SUMMED},
        "skipped": dict(skipped[:most]),
        "files": failed[:most] + noted,
        "unnamed": {"failed": len(failed[most:]), "notes": unnamed_notes, "skipped": sum(count for _, count in skipped[most:])},
    }


def _noted(files: Sequence[Mapping[str, Any]], most: int) -> tuple[list[dict[str, Any]], int]:
    """Lines with so many notes together, and how many notes are left out."""
    kept = []
    for file in files:
        if file["notes"] and most > 0:
            kept.append({**file, "notes": file["notes"][:most]})
            most -= len(file["notes"])
    return kept, sum(len(file["notes"]) for file in files) - sum(len(line["notes"]) for line in kept)


def summarize(receipt: Mapping[str, Any]) -> Summary:
    """Sums up a receipt's JSON, whole or as the library keeps it; older libraries kept lines of all but unchanged files."""
    short = receipt if "totals" in receipt else shortened(receipt, sys.maxsize)
    total, files = short["totals"], short["files"]
    counts = ", ".join(f"{count:,} {status}" for status, count in short["counts"].items() if count)
    details = []
    if total["pages"]:
        kinds = {"by OCR": "ocr_pages", "empty": "empty_pages", "scanned and not read": "unread_pages"}
        counted = ", ".join(f"{total[name]:,} {kind}" for kind, name in kinds.items() if total[name])
        details.append(f"{total['pages']:,} page{'s' if total['pages'] > 1 else ''} read" + (f", of these {counted}" if counted else ""))
    if total["chars"]:
        indexed = "all" if total["chars"] == total["indexed_chars"] else f"{total['indexed_chars']:,}"
        details.append(f"{total['chars']:,} characters, {indexed} indexed")
    details += [f"skipped {count:,}: {reason}" for reason, count in short["skipped"].items()]
    details += [f"{count:,} more {kind}, not named here" for kind, count in short["unnamed"].items() if count]
    details += filter(None, [short.get("index")])
    return Summary(
        f"{counts or 'no files'}; {total['chunks']:,} new chunks in {short['seconds']:.1f} s",
        tuple(details),
        tuple((file["path"], file["reason"]) for file in files if file["status"] == "failed"),
        tuple((file["path"], note) for file in files if file["status"] != "failed" for note in file["notes"]),
    )
