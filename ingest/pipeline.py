"""One ingest run: plan, read, cut, embed, commit file by file.

The plan costs a `stat` a file, and a hash where the stamp changed, so a second run over an unchanged folder reads nothing.
Reading happens in the worker while this process embeds; files are embedded together so that small ones fill batches, and
each is committed alone, so that an interrupted run keeps what it finished and the next one continues.
"""

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest import database
from ingest.chunking import Span, pages_of, split
from ingest.database import Known
from ingest.embedder import Embedder
from ingest.errors import PathError
from ingest.loaders import SUFFIXES
from ingest.loaders.parsed import Parsed, clean
from ingest.receipt import FileResult, Status
from ingest.records import Chunk, Document
from ingest.worker import Reading, Worker

Progress = Callable[[FileResult, int, int], None]
_EMBED_AT = 256
"""Chunks gathered, across files, before the embedder runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read. `path` is what the library calls it, `file` where it lies."""

    path: str
    file: Path
    stamp: str
    sha256: str
    known: bool


@dataclass(slots=True)
class Plan:
    """What a run has to do: lines settled without reading, files to read, documents whose file is gone."""

    settled: list[FileResult] = field(default_factory=list)
    touched: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Read:
    job: Job
    parsed: Parsed
    spans: list[Span]
    seconds: float


def stored_path(path: str | Path) -> str:
    """What the library calls a file: absolute, links resolved, and encodable."""
    return clean(Path(path).expanduser().resolve().as_posix())


# Planning


def make_plan(paths: Sequence[str | Path], known: dict[str, Known]) -> Plan:
    """Looks at every file once; `known` is what the library holds.

    Raises:
        PathError: a path isn't there.
    """
    roots = [Path(path).expanduser() for path in paths]
    for root in roots:
        if not root.exists():
            raise PathError(f"no file or folder at {root}", "check the path; `octavo remove` takes a document out")
    plan = Plan()
    seen: set[str] = set()
    for root in dict.fromkeys(root.resolve() for root in roots):
        unread: list[str] = []
        for file, problem in _walk(root):
            path = clean(file.as_posix())
            if path in seen:
                continue
            seen.add(path)
            if problem is None:
                _plan_file(plan, path, file, known.get(path))
            else:
                plan.settled.append(problem)
                if problem.status == "failed":
                    unread.append(path + "/")
        inside = [path for path in known if path.startswith(clean(root.as_posix()).rstrip("/") + "/")]
        plan.gone += [path for path in inside if path not in seen and not path.startswith(tuple(unread))]
    return plan


def _walk(root: Path) -> Iterator[tuple[Path, FileResult | None]]:
    """Files below a folder, sorted, without hidden ones; or a line for what can't be entered or isn't followed."""
    if not root.is_dir():
        yield root, None
        return
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        yield root, FileResult(clean(root.as_posix()), "failed", f"the folder can't be read: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith((".", "~$")):
            continue
        path = Path(entry.path)
        if entry.is_symlink():
            yield path, FileResult(clean(path.as_posix()), "skipped", "a link; what it points to can be added itself")
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(path)
        else:
            yield path, None


def _plan_file(plan: Plan, path: str, file: Path, known: Known | None) -> None:
    if file.suffix.lower() not in SUFFIXES:
        kind = file.suffix.lower() or "files without a suffix"
        plan.settled.append(FileResult(path, "skipped", f"no loader for {clean(kind)}"))
        return
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            plan.settled.append(FileResult(path, "skipped", "not a regular file"))
            return
        stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
        if known and known.stamp == stamp:
            plan.settled.append(_unchanged(path, known))
            return
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        plan.settled.append(FileResult(path, "failed", f"can't be read: {error.strerror}"))
        return
    if known and known.sha256 == sha256:
        plan.touched[path] = stamp
        plan.settled.append(_unchanged(path, known))
    else:
        plan.jobs.append(Job(path, file, stamp, sha256, known is not None))


def _unchanged(path: str, known: Known) -> FileResult:
    return FileResult(path, "unchanged", "", known.pages, known.chars, known.chunks)


# Running


def run(connection: sqlite3.Connection, plan: Plan, embedder: Callable[[], Embedder], timeout: float) -> Generator[FileResult]:
    """Does what the plan says and yields a line for each file once it is settled (and, if added, committed)."""
    ready = embedder() if plan.jobs else None  # before any change: without an embedder nothing should happen
    yield from plan.settled
    for path, stamp in plan.touched.items():
        database.set_stamp(connection, path, stamp)
    for path in plan.gone:
        database.delete_document(connection, path)
        yield FileResult(path, "removed", "the file is gone")
    if ready is None:
        return
    waiting: list[_Read] = []
    with Worker(timeout) as worker:
        for job, reading in zip(plan.jobs, worker.read([job.file for job in plan.jobs]), strict=True):
            started = time.monotonic()
            if reading.parsed is None:
                yield _failed(job, reading)
                continue
            spans = split(reading.parsed, ready)
            waiting.append(_Read(job, reading.parsed, spans, reading.seconds + time.monotonic() - started))
            if sum(len(read.spans) for read in waiting) >= _EMBED_AT:
                yield from _commit(connection, waiting, ready)
                waiting.clear()
    yield from _commit(connection, waiting, ready)


def _failed(job: Job, reading: Reading) -> FileResult:
    kept = "; the text read from it earlier is kept" if job.known else ""
    return FileResult(job.path, "failed", reading.reason + kept, seconds=reading.seconds)


def _commit(connection: sqlite3.Connection, waiting: list[_Read], embedder: Embedder) -> Iterator[FileResult]:
    started = time.monotonic()
    chunks = [_chunks(read) for read in waiting]
    texts = [chunk.text for of_file in chunks for chunk in of_file]
    if not texts:
        return
    vectors = embedder.documents(texts)
    each = (time.monotonic() - started) / len(texts)
    first = 0
    for read, of_file in zip(waiting, chunks, strict=True):
        started = time.monotonic()
        job, parsed = read.job, read.parsed
        pages = len(parsed.pages) if parsed.pages else None
        document = Document(job.path, len(parsed.text), pages, len(of_file), database.now())
        rows = vectors[first : first + len(of_file)]
        database.put_document(connection, document, job.stamp, job.sha256, parsed.text, of_file, rows)
        first += len(of_file)
        seconds = read.seconds + each * len(of_file) + time.monotonic() - started
        status: Status = "replaced" if job.known else "added"
        yield FileResult(job.path, status, "", pages, len(parsed.text), len(of_file), round(seconds, 4))


def _chunks(read: _Read) -> list[Chunk]:
    """Chunks with ids that depend on path, text and span alone: the same file gives the same ids on every machine run."""
    text = read.parsed.text
    document = hashlib.sha256(f"{read.job.path}\0{text}".encode()).hexdigest()
    chunks = []
    for span in read.spans:
        key = hashlib.sha256(f"{document}:{span.start}:{span.end}".encode()).hexdigest()[:32]
        body = text[span.start : span.end]
        first, last = pages_of(read.parsed, span)
        chunks.append(Chunk(key, read.job.path, body, span.start, span.end, first, last, span.heading))
    return chunks
