"""What a library holds and what is being added to it, as the page tells it: in plain words, and as JSON for its browser side."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from app import following, resources
from ingest import Document, Folder
from ingest.loaders.parsed import is_locked
from ingest.run.plan import REMOVED
from ingest.run.receipt import summarize
from ingest.store.paths import file_of
from ingest.terminal import plain

_MOST = 200
"""Documents told at once; a search finds the others."""
_STOPPED = "It was stopped, or taken back, before this was read."
_DONE = {
    "reading": "{} of {} files read",
    "embedding": "{} of {} passages made ready to be found by their meaning",
    "ocr": "{} of {} scanned files read",
    "publishing": "Putting everything in order",
}


def documents(library: str, search: str) -> dict[str, Any]:
    """What is in a library: what couldn't be read, what is being read and what waits come first.

    With `search`, those that are called so.
    """
    opened = resources.library(library)
    told, busy = opened.running(), resources.line(library).is_busy()
    reading, waiting = set((told or {}).get("reading", ())), list((told or {}).get("waiting", ()))
    there = [_document(document) for document in opened.documents()]
    known = {document["path"] for document in there}
    failed = [_failed(path, reason, reading) for path, reason in opened.failures() if path not in known]
    known |= {document["path"] for document in failed}
    unread = resources.unread_uploads(library)
    if told or busy:
        waiting += unread
    else:
        failed += [_named(path) | {"state": "not read", "reason": _STOPPED, "locked": False} for path in unread]
    coming = [_named(path) | {"state": "reading"} for path in sorted(reading - known)]
    coming += [_named(path) | {"state": "waiting"} for path in dict.fromkeys(waiting) if path not in known | reading]
    everything = failed + coming + there
    found = [document for document in everything if search.casefold() in document["name"].casefold()]
    return {
        "documents": found[:_MOST],
        "found": len(found),
        "total": len(there),
        "adding": going(told) if told else ("Looking for what is new" if busy else None),
    }


def everything(library: str, search: str) -> dict[str, Any]:
    """All that the page under Documents shows."""
    opened, line = resources.library(library), resources.line(library)
    told, ours = opened.running(), line.running
    ours = ours if ours and (told is None or told["pid"] == ours.pid) else None
    share = told["done"] / told["total"] if told and told["total"] else 0.0
    return documents(library, search) | {
        "share": min(share, 1.0),
        "running": ours.wanted.shown if ours else None,
        "stopping": ours is not None and ours.stopped,
        "queue": [wanted.shown for wanted in line.waiting],
        "troubles": [plain(trouble) for trouble in line.troubles],
        "receipt": _receipt(last) if (last := opened.last_receipt()) else None,
        "folders": [_folder(library, folder) for folder in opened.folders()],
        "removed": [_named(gone.path) | {"removed": gone.removed, "there": file_of(gone.path).is_file()} for gone in opened.removed()],
    }


def going(told: Mapping[str, Any]) -> str:
    """How far a run is."""
    text = _DONE[told["phase"]].format(f"{told['done']:,}", f"{told['total']:,}")
    if told["left"] is None:
        return text
    return f"{text}, about {told['left']:.0f} s left" if told["left"] < 100 else f"{text}, about {told['left'] / 60:.0f} min left"


def _receipt(last: Mapping[str, Any]) -> dict[str, Any]:
    """What the last run did."""
    summary = summarize(last)
    counts = ", ".join(f"{count:,} {status}" for status, count in last["counts"].items() if count)
    return {
        "counts": counts or "nothing found",
        "ok": last["ok"],
        "finished": last["finished"],
        "details": [plain(detail.replace(REMOVED, "removed earlier")) for detail in summary.details if not detail.endswith("all indexed")],
        "failed": [{"name": name(path), "where": plain(path), "text": plain(reason)} for path, reason in summary.failed],
        "notes": [{"name": name(path), "where": plain(path), "text": plain(note)} for path, note in summary.notes],
    }


def _folder(library: str, folder: Folder) -> dict[str, Any]:
    return {
        "path": folder.path,
        "name": name(folder.path) or "/",
        "where": plain(folder.path),
        "without": [plain(pattern) for pattern in folder.exclude],
        "read": folder.read,
        "followed": folder.followed,
        "there": file_of(folder.path).is_dir(),
        "trouble": plain(following.trouble(library, folder.path)),
    }


def _document(document: Document) -> dict[str, Any]:
    count = document.unread_pages
    scanned = f"{count} page{'s are pictures that' if count > 1 else ' is a picture that'} can't be read yet"
    return _named(document.path) | {"pages": document.pages, "added": document.added[:10], "state": scanned if count else "ready"}


def _failed(path: str, reason: str, reading: set[str]) -> dict[str, Any]:
    told = {"state": "reading again"} if path in reading else {"state": "failed", "reason": plain(reason), "locked": is_locked(reason)}
    return _named(path) | told


def _named(path: str) -> dict[str, Any]:
    return {"path": path, "where": plain(path), "name": name(path), "kind": plain(PurePosixPath(path).suffix[1:].upper())}


def name(path: str) -> str:
    """A document's name as it is shown, which can't turn the direction of what stands beside it."""
    return plain(PurePosixPath(path).name)
