"""What one ingest run did, file by file: nothing is skipped or lost without a line that says so."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["added", "unchanged", "replaced", "removed", "skipped", "failed"]
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
    """The whole run: its lines in the order in which they were settled, and its wall-clock seconds."""

    files: tuple[FileResult, ...]
    seconds: float

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
            "files": [asdict(file) for file in self.files],
        }
