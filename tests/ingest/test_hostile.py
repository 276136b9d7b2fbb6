"""What a disk, a folder and the world may do to an ingest: each costs a clear line, and the library stays sound."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from ingest import Embedder, Library
from ingest.errors import EmbedderError, LibraryError
from ingest.run import child, pipeline
from ingest.run.pipeline import Step
from ingest.run.plan import make_plan
from ingest.run.receipt import Receipt
from ingest.store import lock
from tests.ingest.files import write_pdf
from tests.ingest.invariants import check
from tests.ingest.memory import Peak
from tests.nursery import Forked, Nursery

COMMAND = """
import os, sys
import ingest.text.embedder
from ingest.__main__ import app
ingest.text.embedder.Embedder.load = classmethod(lambda cls, *name: embedder)  # it is here already: loading takes seconds
os.environ["OCTAVO_HOME"] = arguments[0]
limit = int(arguments[1])
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    app(list(arguments[2:]))
except SystemExit as end:
    sys.stdout.flush()
    os._exit(end.code)
"""
"""The command in a process of its own; its first argument is OCTAVO_HOME, its second how large a file it may write."""


def _reasons(receipt: Receipt, status: str) -> dict[str, str]:
    return {Path(file.path).name: file.reason for file in receipt.files if file.status == status}


def _texts(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*.txt")}


# Disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB, which only root can have."""
    point = tmp_path / "disk"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", point], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield point
    subprocess.run(["umount", "--lazy", point], check=True)


@pytest.mark.slow
def test_a_full_disk_is_told_in_a_line_and_the_run_goes_on_once_there_is_room(small_disk: Path, embedder: Embedder, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for thing in ("anchor", "barley", "candle", "donkey", "engine", "feather"):
        (folder / f"{thing}.txt").write_text("\n\n".join(f"Entry {line} of the {thing} book: {thing}s well." for line in range(99)))
    filler = small_disk / "filler"
    told = []
    with Library.open(small_disk / "library", embedder, create=True) as library:
        for room in (0, 60, 150, 420, 500):
            status = os.statvfs(small_disk)
            filler.write_bytes(bytes(status.f_bavail * status.f_frsize - room * 1024))
            with pytest.raises(LibraryError) as raised:
                library.add([folder])
            told.append(str(raised.value))
            filler.unlink()
            report = library.verify()
            assert not [problem for problem in report.problems if "lags" not in problem], report
        assert library.add([folder]).counts["unchanged"] == 6  # what the last run read was kept
        check(library, _texts(folder))
        assert library.verify().ok
    assert all("\n" not in line and ("full" in line or "disk I/O error" in line) for line in told), told
    assert "can't be written: database or disk is full" in told[1] and "index can't be built" in told[-1]


def test_a_file_that_may_not_grow_ends_the_command_with_one_line(folder: Path, tmp_path: Path, nursery: Nursery) -> None:
    (folder / "long.txt").write_text("\n\n".join(f"Entry {line}: all well." for line in range(4000)))
    run = nursery.fork(COMMAND, tmp_path / "output", str(tmp_path / "home"), "250000", str(folder))
    assert run.wait() == 2, run.output.read_text()
    error, hint = run.output.read_text().splitlines()
    assert error.startswith("error: ") and "disk" in error and "is there room on its disk?" in hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_library_of_somebody_else_is_told_in_a_line(embedder: Embedder) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to everybody else
        Path(name).chmod(0o755)
        with Library.open(Path(name) / "library", embedder, create=True) as library:
            os.seteuid(65534)
            try:
                with pytest.raises(LibraryError, match="can't be written to: Permission denied"):
                    library.add([Path(name)])
            finally:
                os.seteuid(0)


def test_a_folder_that_is_found_empty_keeps_its_documents_and_says_so(library: Library, tmp_path: Path) -> None:
    point = tmp_path / "mount"
    point.mkdir()
    for number in range(10):
        (point / f"{number}.txt").write_text(f"Chart {number} shows the shoals of bay {number * 7}.")
    library.add([point])
    point.rename(tmp_path / "elsewhere")
    point.mkdir()
    receipt = library.add([point])
    assert _reasons(receipt, "failed") == {
        "mount": "the folder is empty; its 10 documents are kept: is the drive mounted? `octavo remove` takes them out"
    }
    assert not receipt.ok and library.words("shoals", 20) and len(library.documents()) == 10
    point.rmdir()
    (tmp_path / "elsewhere").rename(point)
    assert library.add([point]).counts["unchanged"] == 10


def test_a_drive_below_the_folder_that_is_not_mounted_keeps_its_documents(library: Library, tmp_path: Path) -> None:
    root, point = tmp_path / "root", tmp_path / "root" / "drive"
    (point / "deep").mkdir(parents=True)
    for number in range(10):
        (point / "deep" / f"{number}.txt").write_text(f"Chart {number} shows the shoals of bay {number * 7}.")
    (root / "a.txt").write_text("Anchors are kept in the loft.")
    library.add([root])
    point.rename(tmp_path / "elsewhere")
    point.mkdir()
    receipt = library.add([root])
    assert list(_reasons(receipt, "failed")) == ["drive"] and receipt.counts["removed"] == 0 and len(library.documents()) == 11
    (tmp_path / "elsewhere").rename(root / "moved")  # then they aren't lost, and the empty folder is only that
    assert library.add([root]).counts == {"added": 10, "unchanged": 1, "replaced": 0, "removed": 10, "skipped": 0, "failed": 0}


def test_a_library_within_the_folder_is_not_read_and_keeps_what_was_uploaded_to_it(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "a.txt").write_text("Anchors are kept in the loft.")
    with Library.open(tmp_path / "library", embedder, create=True) as library:
        uploaded = library.directory / "files" / "b.txt"
        uploaded.parent.mkdir()
        uploaded.write_text("Barges leave at six.")
        library.add([uploaded])
        receipt = library.add([tmp_path])
        assert _reasons(receipt, "skipped") == {"library": "a library of Octavo's"}
        assert receipt.counts["added"] == 1 and receipt.counts["removed"] == 0 and len(library.documents()) == 2


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount() -> None:
    mounts = "\n".join(
        [
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
            "40 22 0:40 / /srv rw - nfs4 host:/srv rw,vers=4.2",
            "41 40 0:41 / /srv/local rw master:3 propagate_from:2 - xfs /dev/vdb rw",
            "42 22 0:42 / /mnt/old\\040drive rw - cifs //host/share rw",
            "43 22 0:43 / /mnt/twice rw - ext4 /dev/vdc rw",
            "44 43 0:44 / /mnt/twice rw - fuse.sshfs host: rw",
        ]
    )
    found = {
        path: lock.filesystem(Path(path), mounts)
        for path in ("/home/a", "/srv/a/b", "/srv/local/a", "/srvx", "/mnt/old drive/a", "/mnt/twice")
    }
    assert found == {
        "/home/a": "ext4",
        "/srv/a/b": "nfs4",
        "/srv/local/a": "xfs",
        "/srvx": "ext4",
        "/mnt/old drive/a": "cifs",
        "/mnt/twice": "fuse.sshfs",
    }


def test_a_library_on_a_network_file_system_is_refused(tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 0:40 / {tmp_path}/far rw - nfs4 host:/srv rw\n")
    monkeypatch.setattr(lock, "_MOUNTS", mounts)
    with pytest.raises(LibraryError, match=r"is on a network file system \(nfs4\)") as raised:
        Library.open(tmp_path / "far" / "library", embedder, create=True)
    assert "local disk" in raised.value.hint and not (tmp_path / "far").exists()
    Library.open(tmp_path / "near", embedder, create=True).close()


def test_a_second_ingest_says_who_is_writing(folder: Path, tmp_path: Path, nursery: Nursery) -> None:
    arguments = [str(tmp_path / "home"), "0", str(folder)]
    first = nursery.fork(COMMAND, tmp_path / "first", *arguments)
    lock_file = tmp_path / "home" / "libraries" / "default" / "lock"
    _wait_for(
        first, lambda: _says(lock_file, str(first.pid)) and _says(tmp_path / "home" / "libraries" / "default" / "library.sqlite3-wal", "")
    )
    first.send(signal.SIGSTOP)
    second = nursery.fork(COMMAND, tmp_path / "second", *arguments, "--json")
    assert second.wait() == 2
    assert f"error: another process (pid {first.pid}) is writing to {lock_file.parent}\n" in second.output.read_text()
    assert json.loads(second.output.read_text().splitlines()[-1]).keys() == {"error", "hint"}
    first.send(signal.SIGCONT)
    assert first.wait() == 0, first.output.read_text()


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(errors="replace") == text if text else path.exists()


def _wait_for(process: Forked, condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.runs() and time.monotonic() < deadline, process.output.read_text()
        time.sleep(0.005)


# Files


def test_files_that_vanish_change_or_are_broken_while_they_are_read_fail_alone(library: Library, tmp_path: Path) -> None:
    """The first is settled while the large one is being read, and the last ones wait for their turn."""
    paths = [tmp_path / f"{name}.txt" for name in ("a", "large", "m", "x", "y", "z")]
    for path in paths:
        path.write_text(f"File {path.stem} lists the ropes of ship {path.stem}.")
    _, large, _, broken, other, vanishing = paths
    large.write_text("\n\n".join(f"Rope {number} is sound." for number in range(30_000)))
    whole = broken.read_text()

    def meddle(step: Step) -> None:
        if step.result and vanishing.exists():
            large.write_text("It says something else now.")
            vanishing.unlink()
            other.write_text("Another text, while it waited.")
            broken.write_bytes(bytes(9))  # half a file, so to say: that it is no text must not be remembered of the whole one

    changed = "it changed while it was read: ingest it again"
    receipt = library.add(paths, meddle)
    assert _reasons(receipt, "failed") == {
        "large.txt": changed,
        "x.txt": changed,
        "y.txt": changed,
        "z.txt": "it vanished before it was read",
    }
    broken.write_text(whole)
    second = library.add(paths[:5])
    assert second.ok and second.counts["added"] == 3 and second.counts["unchanged"] == 2
    check(library, {str(path): path.read_text() for path in paths[:5]})


def test_names_that_are_hard_to_write_are_told_apart_and_take_one_line(library: Library, tmp_path: Path, nursery: Nursery) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    names = [
        b"two\nlines.txt",
        b"caf\xe9.txt",
        b"caf\xe8.txt",
        rb"caf\xe9.txt",
        rb"caf\x5cxe9.txt",
        b"bell\x07 \x1b[31mred.txt",
        "\u202eevil.txt".encode(),
    ]
    for number, name in enumerate(names):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(f"Paper {number} is about island {number * 31}.")
    receipt = library.add([folder])
    assert receipt.counts["added"] == len({file.path for file in receipt.files}) == len(names)
    assert library.add([folder]).counts["unchanged"] == len(names)
    report = library.verify()
    assert report.ok and not report.notes
    assert [library.text(document.path) for document in library.documents()]
    other = tmp_path / "other"
    other.mkdir()
    for name in (b"bad\nname.txt", b"bad\xff.txt"):
        Path(os.fsdecode(os.fsencode(other) + b"/" + name)).write_bytes(bytes(5))
    run = nursery.fork(COMMAND, tmp_path / "output", str(tmp_path / "home"), "0", str(other))
    assert run.wait() == 1
    why = "not text: there are zero bytes in it"
    *failed, summary = run.output.read_text().splitlines()
    assert sorted(failed) == sorted([f"failed: {other}/bad\\nname.txt: {why}", f"failed: {other}/bad\\xff.txt: {why}"])
    assert summary.startswith("2 failed; 0 new chunks")


def _bomb(path: Path) -> None:
    """A docx whose text would be 2 GB of the same letter."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(2048):
                member.write(b"A" * (1 << 20))


@pytest.mark.slow
def test_bombs_and_files_of_2_gb_fail_in_a_line_in_little_memory(tmp_path: Path, embedder: Embedder, nursery: Nursery) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    _bomb(folder / "bomb.docx")
    for name in ("sparse.txt", "sparse.pdf", "sparse.csv", "sparse.mbox", "sparse.html"):
        with (folder / name).open("wb") as file:
            file.write(b"%PDF-1.7\n" if name == "sparse.pdf" else b"From here on nothing.\n" * 9000)
            file.truncate(2 << 30)
    (folder / "good.txt").write_text("A small file among large ones.")
    started = time.monotonic()
    run = nursery.fork(COMMAND, tmp_path / "output", str(tmp_path / "home"), "0", str(folder))
    with Peak(run.pid) as peak:
        assert run.wait() == 1
    lines = [line for line in run.output.read_text().splitlines() if line.startswith("failed: ")]
    seconds = time.monotonic() - started
    reasons = sorted(line.rpartition("/")[2] for line in lines)
    print(f"\n2 GB files: {peak.largest} MB in the largest process, {peak.together} MB together, {seconds:.0f} s: {reasons}")
    assert len(lines) == 6 and "1 added, 6 failed" in run.output.read_text(), run.output.read_text()
    assert peak.together < 1500 and not [line for line in lines if "GB of memory" in line]


@pytest.mark.slow
def test_a_pdf_of_10_000_pages_is_wholly_indexed(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_pdf(
        folder / "long.pdf",
        [f"Page {n} tells of beacon Q{n}Z and its keeper, who lit {n * 3} lamps in the year of the flood." for n in range(10_000)],
    )
    started = time.monotonic()
    run = nursery.fork(COMMAND, tmp_path / "output", str(tmp_path / "home"), "0", str(folder), "--json")
    with Peak(run.pid) as peak:
        assert run.wait() == 0, run.output.read_text()[-2000:]
    seconds = time.monotonic() - started
    (file,) = json.loads(run.output.read_text().splitlines()[-1])["files"]
    print(
        f"\n10,000 pages: {file['chunks']} chunks, {seconds:.0f} s, {peak.largest} MB in the largest process, {peak.together} MB together"
    )
    assert file["pages"] == 10_000 and file["chars"] == file["indexed_chars"] > 900_000 and not file["empty_pages"]
    assert peak.together < 2000
    with Library.open(tmp_path / "home" / "libraries" / "default", embedder) as library:
        for n in range(0, 10_000, 97):
            chunk = library.words(f"Q{n}Z", 1)[0].chunk
            assert f"Q{n}Z" in chunk.text and chunk.page_start <= n + 1 <= chunk.page_end
        assert library.verify().ok and not library.status()["waiting_for_vectors"]


@pytest.mark.slow
def test_memory_is_flat_in_the_number_of_files(tmp_path: Path, nursery: Nursery, embedder: Embedder) -> None:
    for name, count in (("some", 1000), ("many", 9000)):
        (tmp_path / name).mkdir()
        for n in range(count):
            (tmp_path / name / f"{n}.txt").write_text(f"Note {n} of {name}: the {n * 7}th barrel holds {n % 97} herrings.")
    arguments = [str(tmp_path / "home"), "0"]
    started = time.monotonic()
    run = nursery.fork(COMMAND, tmp_path / "output", *arguments, str(tmp_path / "some"), str(tmp_path / "many"))
    with Peak(run.pid) as peak:
        assert run.wait() == 0, run.output.read_text()[-2000:]
    seconds = time.monotonic() - started
    with Library.open(tmp_path / "home" / "libraries" / "default", embedder) as library:
        started = time.monotonic()
        receipt = library.add([tmp_path / "some"])
        again = time.monotonic() - started
        assert receipt.counts["unchanged"] == 1000 and len(library.documents()) == 10_000
        assert library.verify().ok
    print(
        f"\n10,000 files: {seconds:.0f} s, {peak.largest} MB in the largest process, {peak.together} MB together;"
        f" 1,000 unchanged files looked at in {again:.2f} s"
    )
    assert peak.together < 1500 and again < 2


# Scripts


SCRIPTS = {
    "chinese": ("潮汐磨坊用四对法国石头磨小麦。守门人住在桥边。", "法国石头"),
    "japanese": ("灯台守は毎晩ランプに油を注ぎます。港の船はそれを見て帰ります。", "ランプに油"),
    "korean": ("등대지기는 밤마다 등불을 켭니다. 항구의 배들은 그것을 보고 돌아옵니다.", "등대지기"),
    "thai": ("คนเฝ้าประภาคารจุดตะเกียงทุกคืน เรือในท่าเห็นแล้วกลับบ้าน", "ประภาคาร"),
}


def test_texts_without_spaces_are_found_and_leave_nothing_when_they_go(library: Library, folder: Path) -> None:
    for name, (text, _) in SCRIPTS.items():
        (folder / f"{name}.txt").write_text(text)
    receipt = library.add([folder])
    noted = {Path(file.path).stem for file in receipt.files if any("multilingual" in note for note in file.notes)}
    assert noted == set(SCRIPTS)
    for name, (_, question) in SCRIPTS.items():
        assert [Path(hit.chunk.path).stem for hit in library.words(question, 5)] == [name]
    assert library.words("honey", 1)[0].chunk.path.endswith("bees.html")
    for name in SCRIPTS:
        (folder / f"{name}.txt").unlink()
    assert library.add([folder]).counts["removed"] == 4
    assert not [question for _, question in SCRIPTS.values() if library.words(question, 5)]
    assert library.verify().ok


# Patterns


def _tree(folder: Path) -> None:
    names = "a.txt a.log.txt sub/b.txt sub/b.log.txt sub/keep.log.txt sub/deep/c.log.txt drafts/d.txt sub/drafts/e.txt"
    for name in names.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"This is {name}.")


@pytest.mark.parametrize(
    ("outer", "inner", "exclude", "left"),
    [
        ("*.log.txt", "", "", "a.txt drafts/d.txt sub/b.txt sub/drafts/e.txt"),
        ("*.log.txt", "!keep.log.txt", "", "a.txt drafts/d.txt sub/b.txt sub/drafts/e.txt sub/keep.log.txt"),
        ("/drafts/", "", "", "a.log.txt a.txt sub/b.log.txt sub/b.txt sub/deep/c.log.txt sub/drafts/e.txt sub/keep.log.txt"),
        ("drafts\n*.log.txt", "", "", "a.txt sub/b.txt"),
        ("*\n!*/\n!b.*", "", "", "sub/b.log.txt sub/b.txt"),
        ("*\n!*/\n!b.*\n!deep", "", "", "sub/b.log.txt sub/b.txt"),
        ("*\n!a.txt\n!sub/", "!*.log.txt", "", "a.txt sub/b.log.txt sub/keep.log.txt"),
        ("sub/*\n!sub/deep/", "", "", "a.log.txt a.txt drafts/d.txt sub/deep/c.log.txt"),
        ("sub/", "!*", "", "a.log.txt a.txt drafts/d.txt"),
        ("*.log.txt", "", "!a.log.txt", "a.log.txt a.txt drafts/d.txt sub/b.txt sub/drafts/e.txt"),
        ("", "!b.txt", "b.txt\n/a.*\ndrafts/", "sub/b.log.txt sub/deep/c.log.txt sub/keep.log.txt"),
    ],
)
def test_patterns_mean_what_they_mean_to_git(outer: str, inner: str, exclude: str, left: str, tmp_path: Path) -> None:
    _tree(tmp_path)
    (tmp_path / ".octavoignore").write_text(outer)
    (tmp_path / "sub" / ".octavoignore").write_text(inner)
    plan = make_plan([tmp_path], {}, exclude.split("\n"))
    assert sorted(job.path.removeprefix(f"{tmp_path}/") for job in plan.jobs) == left.split()
    for name in (".octavoignore", "sub/.octavoignore"):
        (tmp_path / name).rename((tmp_path / name).with_name(".gitignore"))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = ["git", "-C", tmp_path, "ls-files", "--others", "--exclude-per-directory=.gitignore"]
    command += [f"--exclude={pattern}" for pattern in exclude.split("\n") if pattern]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(name for name in listed if not name.endswith(".gitignore")) == left.split()


def test_patterns_take_out_what_was_in(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    _tree(folder)
    assert library.add([folder]).counts["added"] == 8
    (folder / ".octavoignore").write_text("*.log.txt\n")
    receipt = library.add([folder], exclude=["drafts"])
    assert receipt.ok and receipt.counts["removed"] == 6
    assert [Path(document.path).name for document in library.documents()] == ["a.txt", "b.txt"]
    assert set(_reasons(receipt, "skipped").values()) == {f"excluded by {folder}/.octavoignore", "excluded by --exclude"}


# LangChain's loaders


class Pages(BaseLoader):
    """Yields pages of sources, and may break after so many."""

    def __init__(self, pages: list[tuple[str, str]], breaks_after: int = 99) -> None:
        self._pages, self._breaks_after = pages, breaks_after

    def lazy_load(self) -> Iterator[Document]:
        numbers: dict[str, int] = {}
        for count, (source, text) in enumerate(self._pages):
            if count == self._breaks_after:
                raise ConnectionError("the server\nhung up")
            numbers[source] = numbers.get(source, -1) + 1
            yield Document(text, metadata={"source": source, "page": numbers[source]})


def test_pages_of_a_loader_are_documents_replaced_when_they_change_and_kept_when_it_breaks(library: Library) -> None:
    pages = [("wiki:eels", "Eels pass in May."), ("wiki:eels", "They return in autumn."), ("wiki:oats", "Oats come by barge.")]
    receipt = library.add_loader(Pages(pages))
    assert [(file.path, file.status, file.pages) for file in receipt.files] == [("wiki:eels", "added", 2), ("wiki:oats", "added", 1)]
    assert library.words("autumn", 1)[0].chunk.page_end == 2
    assert library.add_loader(Pages(pages)).counts["unchanged"] == 2
    pages[1] = ("wiki:eels", "They return in winter.")
    pages += [("wiki:rye", "Rye is dear."), ("wiki:figs", "Figs are rare.")]
    receipt = library.add_loader(Pages(pages, breaks_after=4))
    assert not receipt.ok and receipt.counts == {"added": 1, "unchanged": 1, "replaced": 1, "removed": 0, "skipped": 0, "failed": 1}
    assert _reasons(receipt, "failed") == {"Pages": "the loader failed: ConnectionError: the server hung up"}
    assert not library.words("autumn", 1) and library.words("winter", 1) and library.words("dear", 1) and not library.words("rare", 1)
    check(library, {document.path: library.text(document.path) for document in library.documents()})
    assert library.remove("wiki:eels") == 1 and len(library.documents()) == 2


def test_a_source_that_a_loader_comes_back_to_keeps_what_came_first_and_says_so(library: Library) -> None:
    pages = [("wiki:eels", "Eels pass in May."), ("wiki:oats", "Oats come by barge."), ("wiki:eels", "They return in autumn.")]
    receipt = library.add_loader(Pages(pages))
    assert _reasons(receipt, "failed") == {"wiki:eels": "the loader came back to it after another source: sort what it yields by source"}
    assert receipt.counts["added"] == 2 and library.text("wiki:eels").strip() == "Eels pass in May."
    assert library.add_loader(Pages(sorted(pages))).counts["replaced"] == 1 and library.words("autumn", 1)


# Watching


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_watching_follows_new_changed_renamed_and_deleted_files(folder: Path, tmp_path: Path) -> None:
    """The library lies in the folder: what is written there must not set off another look, and another."""
    environment = os.environ | {"OCTAVO_HOME": str(folder / "home"), "PYTHONPATH": str(Path(child.__file__).parents[2])}
    command = [sys.executable, "-m", "ingest", str(folder), "--watch", "--json"]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=_heed_interrupts)
    assert process.stdout

    def changed() -> dict[str, str]:
        assert process.stdout
        files = json.loads(process.stdout.readline())["files"]
        return {Path(file["path"]).name: file["status"] for file in files if file["status"] in ("added", "replaced", "removed", "failed")}

    try:
        assert changed() == {"mill.txt": "added", "barge.md": "added", "bees.html": "added"}
        (folder / "eels.txt").write_text("Eels pass in May.")
        assert changed() == {"eels.txt": "added"}
        (folder / "mill.txt").write_text("The windmill on the hill grinds rye.")
        assert changed() == {"mill.txt": "replaced"}
        (folder / "barge.md").rename(folder / "sub" / "boat.md")
        assert changed() == {"barge.md": "removed", "boat.md": "added"}
        with lock.writing(folder / "home" / "libraries" / "default"):
            (folder / "eels.txt").unlink()
            assert process.stdout.readline().startswith('{"error": "another process')
        told = changed()
        assert told == {"eels.txt": "removed"}
        time.sleep(1.2)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
        assert process.returncode == 130 and not rest, rest
    finally:
        process.kill()
        process.wait()
    assert "stopped: what is finished is kept" in (tmp_path / "errors").read_text()


# Another embedder


@pytest.fixture(scope="session")
def other_embedder(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """MiniLM with its word vectors in another order: the same shape, other meanings."""
    import shutil

    from safetensors.torch import load_file, save_file

    from ingest.text.embedder import default_directory

    directory = tmp_path_factory.mktemp("embedder") / "other"
    shutil.copytree(default_directory(), directory)
    (weights,) = directory.glob("*.safetensors")
    tensors = load_file(weights)
    (name,) = [name for name in tensors if name.endswith("word_embeddings.weight")]
    tensors[name] = tensors[name].flip(0).contiguous()
    save_file(tensors, weights, {"format": "pt"})
    return Embedder.load(str(directory))


@pytest.mark.slow
def test_reembedding_that_was_stopped_is_finished_by_the_next_add(
    library: Library, folder: Path, embedder: Embedder, other_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "rooms.txt").write_text(
        "\n\n".join(f"Room {n} of the house, on floor {n % 4}, holds the {n * 7}th sack of rye. " * 12 for n in range(12))
    )
    library.add([folder])
    total = library.status()["chunks"]
    assert total > 12
    library.close()

    def stop(step: Step) -> None:
        if step.done >= 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "_BATCH", 4)  # so that the middle comes after a few chunks
    with pytest.raises(KeyboardInterrupt):
        Library.reembed(library.directory, other_embedder, stop)
    with pytest.raises(EmbedderError, match="made by"):
        library.dense("rye", 1)
    with Library.open(library.directory, other_embedder) as now:
        assert now.status()["waiting_for_vectors"] == total - 8
        assert now.words("honey", 1) and len(now.dense("rye", 50)) == 8
        assert now.add([folder]).counts["unchanged"] == 4
        assert not now.status()["waiting_for_vectors"] and now.verify().ok
        hits = now.dense("rye", 1000)
        assert len(hits) == total
        ours, theirs = (e.documents([hit.chunk.whole for hit in hits]) @ e.query("rye") for e in (other_embedder, embedder))
        assert np.allclose([hit.score for hit in hits], ours, atol=5e-3) and not np.allclose(ours, theirs, atol=5e-2)
    assert Library.reembed(library.directory, embedder) == total
    assert library.verify().ok and library.dense("honey", 1)[0].chunk.path.endswith("bees.html")


def test_reembedding_makes_no_library_where_there_is_none(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(LibraryError, match="no library at"):
        Library.reembed(tmp_path, embedder)
    assert not list(tmp_path.iterdir())
