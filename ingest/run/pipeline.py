"""One ingest run: read, commit, embed; then the pages that only OCR can read.

Words come first: processes read and cut the files, each file is committed as soon as it is read, and can be found by its
words. Then all chunks without a vector are embedded, of about equal length together, whichever run they came from: so an
interrupted run keeps what it finished and the next one goes on. OCR takes seconds a page, so it comes last.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders import OCR_CURE, langchain, ocr_installed
from ingest.run.limits import worker_count
from ingest.run.plan import Job, Plan, conditions, from_known
from ingest.run.receipt import FileResult, Status
from ingest.run.same import AtWork, Same, same_bytes
from ingest.run.worker import Reading, Request, Workers
from ingest.store import failpoints, places, rows, vectors
from ingest.store.paths import file_of, is_absent, slashed, stamp_of
from ingest.store.schema import transaction
from ingest.text.chunking import Span, chunks_of, split
from ingest.text.embedder import Embedder
from ingest.text.scripts import SCRIPT_NOTE, mostly_foreign
from ingest.text.tokens import TokenCounter

if TYPE_CHECKING:
    from langchain_core.document_loaders import BaseLoader

_POOL = 2048
"""Chunks that are sorted by length before they are embedded."""
_BATCH = 256
"""Chunks whose vectors are committed together."""
_PER_BYTE = 5e-6
"""Seconds more for each byte of a file, up to 20 times what a small one may take."""
_PER_SCAN = 30.0
"""Seconds more for each page that OCR reads."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: `phase` is reading, embedding or ocr; a file's line comes with the step that settled it.

    `reading` are the files that are being read, `waiting` the next of those that will be.
    """

    phase: str
    done: int
    total: int
    result: FileResult | None = None
    reading: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Run:
    """One run; afterwards `embedded` chunks took `embed_seconds`. `passwords` open files that are encrypted."""

    def __init__(
        self, connection: sqlite3.Connection, embedder: Callable[[], Embedder], timeout: float, passwords: Sequence[str] = ()
    ) -> None:
        self._connection = connection
        self._embedder = embedder
        self._timeout = timeout
        self._passwords = passwords
        self._at_work = AtWork([])
        self._readers = conditions()
        self.embedded, self.embed_seconds = 0, 0.0

    def steps(self, plan: Plan) -> Generator[Step]:
        """Does what the plan says; each step is yielded once what it tells is committed."""
        needed = plan.jobs or vectors.pending_count(self._connection)
        embedder = self._embedder() if needed else None  # before any change: without an embedder nothing should happen
        total = len(plan.settled) + len(plan.jobs) + len(plan.gone)
        scans: list[Same] = []
        done = 0
        for result in self._read_files(plan, embedder, scans):
            done += result is not None
            yield Step("reading", done, total, result, *self._at_work.names())
        if embedder is None:
            return
        yield from self.embed()
        for result in self._read(scans, embedder, None):
            done += result is not None
            yield Step("ocr", done, total, result, *self._at_work.names())
        if scans:
            yield from self.embed()

    def loader_steps(self, loader: "BaseLoader") -> Generator[Step]:
        """Adds what a LangChain loader yields."""
        embedder = self._embedder()
        known = rows.known(self._connection)
        for done, (path, parsed, reason) in enumerate(langchain.documents(loader), 1):
            job = Job(path, Path(path), "", hashlib.sha256(parsed.text.encode()).hexdigest(), 0, path in known)
            if job.known and known[path].sha256 == job.sha256:
                yield Step("reading", done, done, from_known(path, "unchanged", known[path]))
                continue
            spans = split(parsed, embedder.counter)
            reading = Reading(parsed if spans else None, spans, reason or "no text in it", 0.0, final=False)
            for result in self._settle(Same(job.sha256, type(loader).__name__, [job]), reading, embedder):
                yield Step("reading", done, done, result)
        yield from self.embed()

    def _read_files(self, plan: Plan, embedder: Embedder | None, scans: list[Same]) -> Iterator[FileResult | None]:
        """Settles every file but those that OCR has to read, which are put into `scans`; None while one takes long."""
        yield from plan.settled
        for path, stamp in plan.touched.items():
            rows.touch(self._connection, path, stamp)
            failpoints.reach("touch: committed")
        unread = []
        for same in same_bytes(plan.jobs):
            number = rows.document_id(self._connection, same.sha256, same.loader)
            if number is not None and not (ocr_installed() and rows.unread_pages(self._connection, number)):
                yield from self._link(same.jobs, number)
                yield from self._moved(same.jobs[0].path, number, plan)
            else:
                unread.append(same)
        if embedder is not None:
            yield from self._read(unread, embedder, scans)
        for path in plan.gone:  # last, so that a file that was renamed keeps its document
            rows.delete_file(self._connection, path)
            yield FileResult(path, "removed", "the file is gone, or excluded now")

    def _read(self, files: list[Same], embedder: Embedder, scans: list[Same] | None) -> Iterator[FileResult | None]:
        """Reads files, those of the same bytes once. What OCR can add goes to `scans`; where that is None, OCR reads it."""
        self._at_work = at_work = AtWork(files)
        with Workers(embedder.counter, worker_count()) as workers:
            requests = (Request(same.jobs[0].file, self._seconds(same), scans is None, self._passwords) for same in at_work.begun())
            for done in workers.ticking(requests):
                if done is None:
                    yield None
                    continue
                index, reading = done
                same = files[index]
                at_work.ended(index)
                if reading.final and not _is_still(same.jobs[0]):
                    reading = Reading(None, [], "it changed while it was read: ingest it again", reading.seconds, final=False)
                if scans is not None and reading.parsed and reading.parsed.scanned and ocr_installed():
                    same.scanned = len(reading.parsed.scanned)
                    scans.append(same)
                    if reading.spans:
                        self._commit(same, reading, embedder, readers="")  # so that the next run asks for OCR if this one stops
                else:
                    yield from self._settle(same, reading, embedder)

    def read_again(self, files: list[Same], ocr: bool) -> Iterator[str]:
        """Reads documents anew for what they lacked, and tells the paths of those that could be read."""
        embedder = self._embedder()
        with Workers(embedder.counter, worker_count()) as workers:
            for index, reading in workers.read(Request(same.jobs[0].file, self._seconds(same), ocr) for same in files):
                same, parsed = files[index], reading.parsed
                number = rows.document_id(self._connection, same.sha256, same.loader)
                if not (parsed and reading.spans and number and _is_still(same.jobs[0])):
                    continue
                known = rows.parsed(self._connection, same.jobs[0].path)
                if known and parsed.text == known.text:
                    with transaction(self._connection):
                        places.put(self._connection, number, parsed)
                else:
                    list(self._settle(same, reading, embedder))
                yield from (job.path for job in same.jobs)

    def _seconds(self, same: Same) -> float:
        return self._timeout * min(20.0, 1 + same.jobs[0].size * _PER_BYTE) + same.scanned * _PER_SCAN

    def _settle(self, same: Same, reading: Reading, embedder: Embedder) -> Iterator[FileResult]:
        job = same.jobs[0]
        if reading.parsed and reading.spans:
            yield self._commit(same, reading, embedder, self._readers)
            number = rows.document_id(self._connection, same.sha256, same.loader)
            assert number is not None
            yield from self._link(same.jobs[1:], number)
            return
        reason = reading.reason or f"scanned, {len(reading.parsed.scanned) if reading.parsed else 0} pages: {OCR_CURE}"
        for job in same.jobs:
            if reading.final:
                rows.put_failure(self._connection, job.path, job.stamp, job.sha256, reason, self._readers)
            kept = "; the text read from it earlier is kept" if job.known else ""
            yield FileResult(job.path, "failed", reason + kept, seconds=round(reading.seconds, 4))

    def _commit(self, same: Same, reading: Reading, embedder: Embedder, readers: str) -> FileResult:
        started = time.monotonic()
        job, parsed = same.jobs[0], reading.parsed
        assert parsed is not None
        if parsed.scanned and not ocr_installed():
            parsed.notes.append(f"scanned pages: {OCR_CURE}")
        if not embedder.multilingual and mostly_foreign(parsed.text):
            parsed.notes.append(SCRIPT_NOTE)
        chunks = chunks_of(job.path, same.sha256, same.loader, parsed, reading.spans)
        rows.put_document(self._connection, job.path, job.stamp, job.sha256, same.loader, readers, parsed, chunks)
        return FileResult(
            job.path,
            _status(job),
            pages=len(parsed.pages) if parsed.pages else None,
            chars=len(parsed.text),
            chunks=len(chunks),
            seconds=round(reading.seconds + time.monotonic() - started, 4),
            ocr_pages=len(parsed.ocr),
            empty_pages=len(parsed.empty),
            unread_pages=len(parsed.scanned),
            indexed_chars=indexed_chars(parsed.text, reading.spans),
            notes=tuple(parsed.notes),
        )

    def _link(self, jobs: Sequence[Job], document: int) -> Iterator[FileResult]:
        for job in jobs:
            rows.link_file(self._connection, job.path, job.stamp, job.sha256, document, self._readers)
            known = rows.known(self._connection, job.path)[job.path]
            yield from_known(job.path, _status(job), known, "the same bytes as another file: stored once")

    def _moved(self, path: str, document: int, plan: Plan) -> Iterator[FileResult]:
        """Forgets the document's other paths where nothing lies now, also outside of what is read: citations open what is there."""
        for other in rows.paths_of(self._connection, document):
            settled = other == path or other in plan.gone or slashed(other).startswith(plan.kept)
            if not settled and is_absent(file_of(other)):
                rows.delete_file(self._connection, other)
                yield FileResult(other, "removed", f"it lies at {path} now")

    def embed(self) -> Generator[Step]:
        """Gives each chunk that has no vector one; chunks that read alike share it."""
        total = vectors.pending_count(self._connection)
        if not total:
            return
        embedder = self._embedder()
        done = 0
        while waiting := vectors.pending(self._connection, _POOL):
            started = time.monotonic()
            texts = dict(waiting)
            alike: dict[bytes, list[int]] = {}
            for digest, chunk in zip(embedder.counter.digests(list(texts.values())), texts, strict=True):
                alike.setdefault(digest, []).append(chunk)
            new = vectors.share(self._connection, alike)
            if shared := len(waiting) - sum(len(vector.chunks) for vector in new):
                done += shared
                yield Step("embedding", done, total)
            for batch, matrix in embedder.in_parts([texts[vector.chunks[0]] for vector in new], _BATCH):
                vectors.put(self._connection, [new[place] for place in batch], matrix)
                count = sum(len(new[place].chunks) for place in batch)
                self.embed_seconds += time.monotonic() - started
                self.embedded += count
                done += count
                yield Step("embedding", done, total)
                started = time.monotonic()

    def embed_pending(self) -> None:
        for _ in self.embed():
            pass


def _status(job: Job) -> Status:
    return "replaced" if job.known else "added"


def _is_still(job: Job) -> bool:
    """Whether a file is as it was when the run began; what a LangChain loader yielded has no stamp."""
    if not job.stamp:
        return True
    try:
        return stamp_of(job.file.stat()) == job.stamp
    except OSError:
        return False


def indexed_chars(text: str, spans: Sequence[Span]) -> int:
    """Characters that lie in a chunk, and blank ones between chunks: all of the text, unless something was lost."""
    lost, end = 0, 0
    for span in spans:
        lost += len(text[end : span.start].strip()) if span.start > end else 0
        end = max(end, span.end)
    return len(text) - lost - len(text[end:].strip())


def cut_again(connection: sqlite3.Connection, counter: TokenCounter) -> None:
    """Cuts every document into chunks anew, from its text and what its loader told; vectors of the old chunks go."""
    for number, sha256, loader, parsed in rows.layouts(connection):
        chunks = chunks_of("", sha256, loader, parsed, split(parsed, counter))
        with transaction(connection):
            rows.put_chunks(connection, number, chunks)
