"""What a run has to do: a look at every file, which costs a `stat` each, and a hash where size or times changed.

So a second run over an unchanged folder reads nothing. What can't be read, isn't followed or is excluded gets its line.
"""

import json
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import PathError
from ingest.loaders import kind, readers
from ingest.loaders.parsed import is_locked
from ingest.run.ignore import Ignored
from ingest.run.limits import memory_each, worker_count
from ingest.run.receipt import FileResult, Status
from ingest.settings import DATABASE, Settings
from ingest.store.paths import existing, file_of, missing, sha256_of, slashed, spelled, stamp_of
from ingest.store.rows import Known

_MANY = 10
"""Documents that an empty folder may not take out: a drive that isn't mounted looks like one."""
_LIBRARY = "a library of Octavo's"
REMOVED = "removed earlier: `octavo ingest FILE` reads it again"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read. `path` is what the library calls it, `file` where it lies."""

    path: str
    file: Path
    stamp: str
    sha256: str
    size: int
    known: bool


@dataclass(slots=True)
class Plan:
    """Lines settled without reading, files to read, files that are gone, files that were only touched (new stamps), and places whose
    files are kept though they aren't to be seen."""

    settled: list[FileResult] = field(default_factory=list)
    touched: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept: tuple[str, ...] = ()


def make_plan(
    paths: Sequence[str | Path],
    known: dict[str, Known],
    exclude: Sequence[str] = (),
    removed: Collection[str] = (),
    unlocking: bool = False,
) -> Plan:
    """Looks at every file once. A file that is named itself is read again though it failed, or was removed.

    Args:
        known: what the library holds.
        exclude: patterns as in .gitignore.
        removed: paths of documents that were taken out of it.
        unlocking: there are passwords, so that encrypted files are tried again.

    Raises:
        PathError: none of the paths is there, or a pattern can't be one.
    """
    roots = existing(paths)
    plan = Plan()
    now = conditions()
    seen: set[str] = set()
    inside: set[str] = set()
    kept: list[str] = []
    for root in dict.fromkeys(Path(os.path.realpath(root)) for root in roots):
        if reason := missing(root):
            plan.settled.append(_line(root, "failed", f"{reason}; what was read from it is kept"))
            kept.append(spelled(root.as_posix()))
            continue
        place = slashed(spelled(root.as_posix()))
        inside.update(path for path in known if slashed(path).startswith(place))
        for file, line in _walk(root, Ignored(root, exclude)):
            path = spelled(file.as_posix())
            if path in seen:
                continue
            seen.add(path)
            named = file == root
            if line is None and path in removed and not named:
                line = _line(file, "skipped", REMOVED)
            if line is None:
                before = known.get(path)
                again = before is not None and before.reason != "" and (named or (unlocking and is_locked(before.reason)))
                _plan_file(plan, path, file, before, None if again else now)
                continue
            plan.settled.append(line)
            if line.status == "failed" or line.reason == _LIBRARY:  # with files that were uploaded to it
                kept.append(path)
            elif path in known:
                plan.gone.append(path)
    plan.gone += sorted(inside - seen)
    plan.kept = tuple(map(slashed, kept))
    plan.gone = [path for path in plan.gone if not slashed(path).startswith(plan.kept)]
    _keep_unmounted(plan, known)
    return plan


def conditions() -> str:
    """What can be read here and now, and within which limits: where that changes, files that failed are tried again."""
    return f"{readers()} within {Settings().parse_timeout:g} s and {memory_each(worker_count()) / 2**30:.1f} GB"


def _keep_unmounted(plan: Plan, known: dict[str, Known]) -> None:
    """Keeps documents that only seem to be gone: many lay below a folder that is empty, and nowhere else is what they say."""
    gone = set(plan.gone)
    elsewhere = {job.sha256 for job in plan.jobs} | {file.sha256 for path, file in known.items() if path not in gone}
    lost: dict[Path, list[str]] = {}
    for path in plan.gone:
        if known[path].sha256 not in elsewhere:
            lost.setdefault(next(filter(_is_folder, file_of(path).parents)), []).append(path)
    for folder, paths in lost.items():
        if len(paths) >= _MANY and _is_empty(folder):
            reason = f"the folder is empty; its {len(paths)} documents are kept: is the drive mounted? `octavo remove` takes them out"
            plan.settled.append(_line(folder, "failed", reason))
            gone.difference_update(paths)
    plan.gone = [path for path in plan.gone if path in gone]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _is_empty(folder: Path) -> bool:
    """Whether nothing is to be seen in a folder; one that can't be looked into is as good as not mounted."""
    try:
        return not any(folder.iterdir())
    except OSError:
        return True


_Found = tuple[Path, FileResult | None, Ignored | None]
"""A file; or a path and its line; or a folder and the rules in force above it."""


def _walk(root: Path, ignored: Ignored) -> Iterator[tuple[Path, FileResult | None]]:
    """Files below a folder, sorted, without hidden ones; or a line for what can't be entered or isn't followed."""
    levels: list[Iterator[_Found]] = [iter([(root, None, ignored)])]  # no recursion: folders may be nested thousands deep
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            continue
        path, line, rules = found
        if rules is None:
            yield path, line
        else:
            levels.append(_look_into(path, rules))


def _look_into(folder: Path, ignored: Ignored) -> Iterator[_Found]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        ignored = ignored.within(folder)
    except NotADirectoryError:
        yield folder, None, None
        return
    except OSError as error:
        yield folder, _line(folder, "failed", f"the folder can't be read: {error.strerror}"), None
        return
    except PathError as error:
        yield folder, _line(folder, "failed", f"the folder is not read: {error}"), None
        return
    if any(entry.name == DATABASE for entry in entries):
        yield folder, _line(folder, "skipped", _LIBRARY), None
        return
    for entry in entries:
        if entry.name.startswith((".", "~$")):
            continue
        path = Path(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if by := ignored.by(path, is_folder):
            yield path, _line(path, "skipped", f"excluded by {by}"), None
        elif entry.is_symlink():
            yield path, _line(path, "skipped", "a link; what it points to can be added itself"), None
        else:
            yield path, None, ignored if is_folder else None


def _line(path: Path, status: Status, reason: str) -> FileResult:
    return FileResult(spelled(path.as_posix()), status, reason)


def _plan_file(plan: Plan, path: str, file: Path, known: Known | None, readers: str | None) -> None:
    if kind(file) is None:
        suffix = spelled(file.suffix.lower()) or "files without a suffix"
        plan.settled.append(FileResult(path, "skipped", f"no loader for {suffix}"))
        return
    try:
        status = file.stat()
        regular = stat.S_ISREG(status.st_mode)
        if not regular or status.st_size == 0:
            plan.settled.append(FileResult(path, "skipped", "empty: 0 bytes" if regular else "not a regular file"))
            if known:
                plan.gone.append(path)
            return
        stamp = stamp_of(status)
        if known and known.stamp == stamp and not _better_now(known, readers):
            plan.settled.append(_as_before(path, known))
            return
        sha256 = sha256_of(file)
    except OSError as error:
        plan.settled.append(FileResult(path, "failed", f"can't be read: {error.strerror}"))
        return
    if known and known.sha256 == sha256 and not _better_now(known, readers):
        plan.touched[path] = stamp
        plan.settled.append(_as_before(path, known))
    else:
        plan.jobs.append(Job(path, file, stamp, sha256, status.st_size, bool(known and known.document)))


def _better_now(known: Known, readers: str | None) -> bool:
    """Whether a file that failed, or has pages that were not read, may fare better now; `readers` None: try it."""
    return known.readers != readers and (known.reason != "" or known.unread_pages > 0)


def _as_before(path: str, known: Known) -> FileResult:
    return from_known(path, "failed" if known.reason else "unchanged", known, known.reason)


def from_known(path: str, status: Status, known: Known, reason: str = "") -> FileResult:
    """The line of a file whose document is there already."""
    return FileResult(
        path,
        status,
        reason,
        pages=known.pages,
        chars=known.chars,
        chunks=known.chunks,
        ocr_pages=known.ocr_pages,
        empty_pages=known.empty_pages,
        unread_pages=known.unread_pages,
        indexed_chars=known.chars,
        notes=tuple(json.loads(known.notes)),
    )
