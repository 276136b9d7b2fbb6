"""Documents whose words have no places yet, or damaged ones, are read again, if their files are still what was read."""

import sqlite3

from ingest.loaders import kind
from ingest.run.pipeline import Run
from ingest.run.plan import Job
from ingest.run.same import Same
from ingest.store import places, rows
from ingest.store.paths import file_of, sha256_of, stamp_of


def find_places(connection: sqlite3.Connection, run: Run) -> list[str]:
    """Reads them and returns their paths; what is gone or has changed is left as it is."""
    lacking = set(places.missing(connection))
    for number, *_, parsed in rows.layouts(connection):
        if places.damaged(connection, number, parsed):
            places.forget(connection, number)
            lacking.add(number)
    found: dict[bool, list[Same]] = {False: [], True: []}
    for number, sha256, loader, parsed in rows.layouts(connection):
        if number in lacking and (jobs := _jobs(connection, number, sha256, loader)):
            found[bool(parsed.ocr)].append(Same(sha256, loader, jobs, len(parsed.ocr)))
    return [path for ocr, files in found.items() if files for path in run.read_again(files, ocr)]


def _jobs(connection: sqlite3.Connection, document: int, sha256: str, loader: str) -> list[Job]:
    """A document's files that are there and unchanged."""
    jobs = []
    for (path,) in connection.execute("select path from files where document = ?", [document]).fetchall():
        file = file_of(path)
        try:
            status = file.stat()
            if kind(file) == loader and sha256_of(file) == sha256:
                jobs.append(Job(path, file, stamp_of(status), sha256, status.st_size, True))
        except OSError:
            continue
    return jobs
