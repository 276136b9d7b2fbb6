"""What one ingest run did, file by file: nothing is skipped or lost without a line that says so."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["added", "unchanged", "replaced", "removed", "skipped", "failed"]
_SUMMED = ("pages", "ocr_pages", "empty_pages", "unread_pages", "chars", "indexed_chars", "chunks")
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


def summarize(receipt: Mapping[str, Any]) -> Summary:
    """Sums up a receipt's JSON, fresh or as the library keeps it (without the lines of unchanged files)."""
    files = receipt["files"]
    new = [file for file in files if file["status"] in ("added", "replaced")]
    total = {name: sum(file[name] or 0 for file in new) for name in _SUMMED}
    counts = ", ".join(f"{count:,} {status}" for status, count in receipt["counts"].items() if count)
    details = []
    if total["pages"]:
        kinds = {"by OCR": "ocr_pages", "empty": "empty_pages", "scanned and not read": "unread_pages"}
        counted = ", ".join(f"{total[name]:,} {kind}" for kind, name in kinds.items() if total[name])
        details.append(f"{total['pages']:,} pages read" + (f", of these {counted}" if counted else ""))
    if new:
        indexed = "all" if total["chars"] == total["indexed_chars"] else f"{total['indexed_chars']:,}"
        details.append(f"{total['chars']:,} characters, {indexed} indexed")
    skipped = Counter(file["reason"] for file in files if file["status"] == "skipped")
    details += [f"skipped {count:,}: {reason}" for reason, count in skipped.most_common()]
    details += filter(None, [receipt.get("index")])
    return Summary(
        f"{counts or 'no files'}; {total['chunks']:,} new chunks in {receipt['seconds']:.1f} s",
        tuple(details),
        tuple((file["path"], file["reason"]) for file in files if file["status"] == "failed"),
        tuple((file["path"], note) for file in new for note in file["notes"]),
    )
