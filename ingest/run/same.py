"""Files of the same bytes, which are read once, and which of all are being read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.loaders import kind
from ingest.run.plan import Job

_NEXT = 20
"""Files that are named while they wait."""


@dataclass(slots=True)
class Same:
    """Files of the same bytes, read by the same loader; `scanned` pages wait for OCR."""

    sha256: str
    loader: str
    jobs: list[Job]
    scanned: int = 0


def same_bytes(jobs: Sequence[Job]) -> list[Same]:
    found: dict[tuple[str, str], Same] = {}
    for job in jobs:
        loader = kind(job.file) or ""
        found.setdefault((job.sha256, loader), Same(job.sha256, loader, [])).jobs.append(job)
    return list(found.values())


class AtWork:
    """Which files are being read, and which are still to come."""

    def __init__(self, files: Sequence[Same]) -> None:
        self._files = files
        self._begun, self._reading = 0, dict[int, str]()

    def begun(self) -> Iterator[Same]:
        for index, same in enumerate(self._files):
            self._begun, self._reading[index] = index + 1, same.jobs[0].path
            yield same

    def ended(self, index: int) -> None:
        del self._reading[index]

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Paths of those that are being read, and of the next ones."""
        return tuple(self._reading.values()), tuple(same.jobs[0].path for same in self._files[self._begun : self._begun + _NEXT])
