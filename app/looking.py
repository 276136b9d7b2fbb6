"""The commands that look: `octavo list` at libraries and documents, `octavo show` at what was read of one; mounted by cli.py."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.options import Json, Library, library_names
from ingest.terminal import plain, print_json, say

if TYPE_CHECKING:
    from ingest import Library as Store
    from ingest.loaders.parsed import Parsed


def documents(
    library: Annotated[
        str | None,
        typer.Option("--library", help="List the documents of this one.", metavar="NAME", autocompletion=library_names),
    ] = None,
    json: Json = False,
) -> None:
    """List the libraries, or the documents of one."""
    if library is None:
        found = [_library(name) for name in library_names()]
        if json:
            print_json({"libraries": found})
        elif found:
            _table([(row["name"], _counted(row), row["state"], row["reason"]) for row in found])
        else:
            say("no library yet: `octavo ingest FOLDER` makes one")
        return
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as opened:
        rows, missing = list(_documents(opened)), opened.unfinished()
    if json:
        print_json({"library": str(opened.directory), "documents": rows, "unfinished": missing})
        return
    rows.sort(key=lambda row: (str(PurePosixPath(row["path"]).parent), row["name"]))
    for folder, group in groupby(rows, key=lambda row: str(PurePosixPath(row["path"]).parent)):
        say(folder)
        _table([(f"  {row['name']}", row["kind"], _pages(row), (row["added"] or "")[:10], row["state"], row["reason"]) for row in group])
    if not rows:
        say("no documents yet: `octavo ingest FOLDER` adds them")
    if missing:
        say(missing, err=True)


def show(
    path: Annotated[str, typer.Argument(help="A document, by its path or its name.", metavar="PATH")],
    library: Library = "default",
    pages: Annotated[str, typer.Option("--pages", help="These alone, like 2-4,7.", metavar="PAGES")] = "",
    json: Json = False,
) -> None:
    """Show what was read of a document, page by page.

    It is the text that questions are answered from. What it lacks of the file is said on stderr.
    """
    from ingest import Library as Store
    from ingest import Settings

    wanted = _wanted(pages)
    with Store.open(Settings().library_dir(library)) as opened:
        stored = _find(opened, path, library)
        parsed = opened.parsed(stored)
        as_read = opened.is_as_read(stored) or not stored.startswith("/")
    parts = [part for part in _parts(parsed) if wanted is None or part["page"] in wanted]
    lacking = [*parsed.notes, *_unread(parsed), *([] if as_read else ["the file has changed since it was read, or is gone"])]
    if wanted is not None and not parts:
        last = parsed.pages[-1][1] if parsed.pages else None
        raise typer.BadParameter(f"{stored} has {f'pages 1 to {last}' if last else 'no pages'}")
    if json:
        headings = [{"start": start, "level": level, "title": title} for start, level, title in parsed.headings]
        print_json({"path": stored, "chars": len(parsed.text), "pages": parts, "headings": headings, "lacking": lacking})
        return
    for part in parts:
        if part["page"] is not None:
            say(f"----- page {part['page']} -----")
        print(plain(part["text"]).rstrip("\n"), flush=True)
    for note in lacking:
        say(note, err=True)


def _library(name: str) -> dict[str, Any]:
    from ingest import IngestError, Settings
    from ingest import Library as Store

    directory = Settings().named_dir(name)
    row: dict[str, Any] = {"name": name, "directory": str(directory), "documents": None, "failed": None}
    try:
        with Store.open(directory) as opened:
            facts, trouble = opened.status(), opened.unfinished() or opened.index_trouble()
            state = "being filled" if facts["running"] else "unfinished" if trouble else "ready"
            return row | {"documents": facts["documents"], "failed": len(opened.failures()), "state": state, "reason": trouble}
    except IngestError as error:
        return row | {"state": "unreadable", "reason": str(error)}


def _documents(library: "Store") -> Iterator[dict[str, Any]]:
    for document in library.documents():
        waiting = document.unread_pages
        pages = "page is a picture that waits" if waiting == 1 else "pages are pictures that wait"
        reason = f"{waiting} {pages} for OCR" if waiting else ""
        yield _named(document.path) | {
            "pages": document.pages,
            "added": document.added,
            "state": "partly read" if waiting else "ready",
            "reason": reason,
        }
    for path, reason in library.failures():
        yield _named(path) | {"pages": None, "added": None, "state": "failed", "reason": reason}


def _named(path: str) -> dict[str, Any]:
    return {"path": path, "name": PurePosixPath(path).name, "kind": PurePosixPath(path).suffix[1:].lower()}


def _counted(row: dict[str, Any]) -> str:
    if row["documents"] is None:
        return ""
    count = f"{row['documents']:,} document{'' if row['documents'] == 1 else 's'}"
    return f"{count}, {row['failed']:,} failed" if row["failed"] else count


def _pages(row: dict[str, Any]) -> str:
    return f"{row['pages']} page{'' if row['pages'] == 1 else 's'}" if row["pages"] else ""


def _table(rows: Iterable[tuple[str, ...]]) -> None:
    """Lines whose columns stand below each other."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True) if width).rstrip())


def _find(library: "Store", path: str, name: str) -> str:
    """What the library calls the document of this path, or of this name where it has one alone.

    Raises:
        PathError: it has none, several, or one that couldn't be read.
    """
    from ingest.errors import PathError
    from ingest.store.paths import stored_path

    failed = dict(library.failures())
    known = [*(document.path for document in library.documents()), *failed]
    where = stored_path(path)
    found = [p for p in known if p in (path, where)] or [p for p in known if path.strip("/") and p.endswith(f"/{path.strip('/')}")]
    if len(found) > 1:
        raise PathError(f"{len(found)} documents are called {path}", f"name one by its path, like {found[0]}")
    if not found:
        raise PathError(f"the library has no document at {path}", f"`octavo list --library {name}` lists all")
    if found[0] in failed:
        raise PathError(f"{found[0]} could not be read: {failed[found[0]]}", "once it is mended, `octavo ingest` reads it again")
    return found[0]


def _wanted(pages: str) -> set[int] | None:
    if not pages:
        return None
    wanted: set[int] = set()
    for part in pages.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()) or len(part) > 12 or int(first) > int(last or first):
            raise typer.BadParameter(f"{pages!r} are no pages: write them as 2-4,7")
        wanted |= set(range(int(first), min(int(last or first), 100_000) + 1))
    return wanted


def _parts(parsed: "Parsed") -> list[dict[str, Any]]:
    """The text by pages; all of it as one part where the format has none."""
    starts: Sequence[tuple[int, int | None]] = parsed.pages or [(0, None)]
    ends = [start for start, _ in starts[1:]] + [len(parsed.text)]
    return [
        {"page": page, "start": start, "end": end, "text": parsed.text[start:end]} for (start, page), end in zip(starts, ends, strict=True)
    ]


def _unread(parsed: "Parsed") -> Iterator[str]:
    from ingest.loaders import ocr_installed

    cure = "`octavo ingest` reads them" if ocr_installed() else "pip install 'octavo[ocr]', then `octavo ingest` reads them"
    for numbers, what in (
        (parsed.scanned, f"pictures that wait for OCR ({cure})"),
        (parsed.ocr, "read by OCR: letters may be wrong"),
        (parsed.empty, "nothing to read"),
    ):
        if numbers:
            yield f"page{'s' if len(numbers) > 1 else ''} {_ranges(numbers)}: {what}"


def _ranges(numbers: Iterable[int]) -> str:
    runs = [[n for _, n in run] for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
