"""What may become of a folder on disk: whatever it is, the run goes on, and only what is surely gone is removed."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.errors import PathError
from ingest.run.receipt import Receipt
from tests.ingest.invariants import check


def _charts(folder: Path, number: int = 10) -> Path:
    folder.mkdir(parents=True)
    for n in range(number):
        (folder / f"{n}.txt").write_text(f"Chart {n} shows the shoals of bay {n * 7}.")
    return folder


def _reasons(receipt: Receipt, status: str) -> dict[str, str]:
    return {Path(file.path).name: file.reason for file in receipt.files if file.status == status}


@pytest.mark.parametrize("by", ["its new folder", "itself"])
def test_a_file_that_was_moved_is_cited_where_it_lies_now(by: str, library: Library, tmp_path: Path) -> None:
    old, new = _charts(tmp_path / "archive", 3) / "1.txt", tmp_path / "inbox" / "shoals.txt"
    library.add([old.parent])
    new.parent.mkdir()
    old.rename(new)
    receipt = library.add([new.parent if by == "its new folder" else new])
    assert _reasons(receipt, "removed") == {"1.txt": f"it lies at {new} now"}
    check(library, {str(path): path.read_text() for path in [new, *old.parent.iterdir()]})


def test_a_copy_leaves_the_original_its_place(library: Library, tmp_path: Path) -> None:
    charts = _charts(tmp_path / "charts", 1)
    library.add([charts])
    (copy := tmp_path / "copy.txt").write_bytes((charts / "0.txt").read_bytes())
    assert not _reasons(library.add([copy]), "removed") and len(library.documents()) == 2


# A folder that becomes something else

BECOMES: dict[str, Callable[[Path], object]] = {
    "a document": lambda path: path.write_text("Only this is left of the charts."),
    "an empty file": lambda path: path.touch(),
    "a link to a full folder": lambda path: path.symlink_to(path.parent),
    "a link to an empty folder": lambda path: (path.parent.parent / "empty").mkdir() or path.symlink_to(path.parent.parent / "empty"),
    "a link to nothing": lambda path: path.symlink_to(path.parent / "nothing"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a named pipe": os.mkfifo,
}


@pytest.mark.parametrize("what", BECOMES)
def test_a_folder_of_many_documents_may_become_something_else(what: str, library: Library, tmp_path: Path) -> None:
    charts = _charts(tmp_path / "root" / "charts.txt")
    (charts.parent / "a.txt").write_text("Anchors are kept in the loft.")
    assert library.add([charts.parent]).counts["added"] == 11
    subprocess.run(["rm", "-r", charts], check=True)
    BECOMES[what](charts)
    receipt = library.add([charts.parent])
    assert receipt.counts["removed"] == 10 and receipt.counts["failed"] == 0
    check(library, {str(path): path.read_text() for path in charts.parent.iterdir() if path.is_file() and path.stat().st_size})
    assert library.add([charts.parent]).ok and library.verify().ok


def test_a_root_of_many_documents_may_become_a_file_and_a_folder_again(library: Library, tmp_path: Path) -> None:
    charts = _charts(tmp_path / "root" / "charts.txt")
    library.add([charts])
    charts.rename(tmp_path / "elsewhere")
    charts.write_text("Only this is left of the charts.")
    assert library.add([charts]).counts == {"added": 1, "removed": 10, "unchanged": 0, "replaced": 0, "skipped": 0, "failed": 0}
    charts.unlink()
    (tmp_path / "elsewhere").rename(charts)
    receipt = library.add([charts])
    assert receipt.counts["added"] == 10 and receipt.counts["removed"] == 1
    assert [document.path for document in library.documents()] == sorted(str(path) for path in charts.iterdir())


def test_a_document_that_becomes_a_named_pipe_is_gone(library: Library, folder: Path) -> None:
    library.add([folder])
    (folder / "mill.txt").unlink()
    os.mkfifo(folder / "mill.txt")
    receipt = library.add([folder])
    assert _reasons(receipt, "skipped") == {"mill.txt": "not a regular file"} and receipt.counts["removed"] == 1
    assert not library.words("wheat", 1) and library.add([folder]).counts["removed"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not look into a folder")
def test_a_folder_that_may_not_be_looked_into_any_more_keeps_its_documents(embedder: Embedder) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to everybody else
        root = Path(name) / "root"
        charts = _charts(root / "drive" / "charts")
        with Library.open(Path(name) / "library", embedder, create=True) as library:
            library.add([root])
            for path in [Path(name), library.directory, *library.directory.rglob("*")]:
                os.chown(path, 65534, 65534)
            for closed in (charts, charts.parent, root):
                closed.chmod(0)
                os.seteuid(65534)
                try:
                    receipt = library.add([root])
                    if closed != charts:
                        with pytest.raises(PathError, match="it can't be looked at: Permission denied"):
                            library.add([charts])
                finally:
                    os.seteuid(0)
                assert _reasons(receipt, "failed") == {closed.name: "the folder can't be read: Permission denied"}
                assert receipt.counts["removed"] == 0 and len(library.documents()) == 10


# Depth


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be filled to any depth: Python 3.11's own removal goes no deeper than its stack."""
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)


def test_folders_in_folders_are_read_however_deep(library: Library, deep: Path) -> None:
    folder = deep
    folder.mkdir()
    for level in range(1500):
        folder = folder / "d"
        folder.mkdir()
        if level in (0, 700, 1499):
            (folder / "a.txt").write_text(f"A paper at level {level} of the heap.")
    receipt = library.add([deep])
    assert receipt.ok and receipt.counts["added"] == 3
    assert library.words("1499", 1)[0].chunk.path == f"{folder}/a.txt"
    assert library.add([deep]).counts["unchanged"] == 3


def test_a_path_longer_than_the_system_takes_costs_a_line(library: Library, deep: Path) -> None:
    deep.mkdir()
    (deep / "z.txt").write_text("Read all the same.")
    handle = os.open(deep, os.O_RDONLY)
    for level in range(20):
        name = chr(ord("a") + level) * 250
        os.mkdir(name, dir_fd=handle)
        below = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
        os.close(os.open("a.txt", os.O_WRONLY | os.O_CREAT, dir_fd=handle))
        os.close(os.open("long" * 50 + ".txt", os.O_WRONLY | os.O_CREAT, dir_fd=handle))
    os.close(handle)
    receipt = library.add([deep])
    assert receipt.counts["added"] == 1 and receipt.counts["failed"] in (1, 2)
    assert all("File name too long" in reason for reason in _reasons(receipt, "failed").values())


def test_links_that_go_round_in_circles_are_not_followed(library: Library, folder: Path) -> None:
    (folder / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "sub" / "root").symlink_to(folder)
    assert library.add([folder]).counts == {"added": 3, "skipped": 3, "unchanged": 0, "replaced": 0, "removed": 0, "failed": 0}
    with pytest.raises(PathError, match="it can't be looked at: Too many levels of symbolic links"):
        library.add([folder / "self"])


# Roots


def test_of_several_roots_one_that_is_missing_fails_and_keeps_its_documents(library: Library, folder: Path, tmp_path: Path) -> None:
    drive = _charts(tmp_path / "drive", 3)
    library.add([folder, drive, drive / "1.txt"])
    drive.rename(tmp_path / "elsewhere")
    (folder / "mill.txt").write_text("The windmill on the hill grinds rye.")
    receipt = library.add([folder, drive, drive / "1.txt"])
    line = "no file or folder is there; what was read from it is kept"
    assert _reasons(receipt, "failed") == {"drive": line, "1.txt": line} and not receipt.ok
    assert receipt.counts["replaced"] == 1 and receipt.counts["removed"] == 0 and len(library.documents()) == 6
    assert library.add([tmp_path, drive]).counts["removed"] == 0  # though the folder above says that it is gone
    assert library.add([tmp_path]).counts["removed"] == 3


def test_where_no_root_is_there_nothing_is_done(library: Library, folder: Path) -> None:
    library.add([folder])
    for paths in ([folder / "absent"], [folder / "absent", folder / "mill.txt" / "below"], ["~nobody-of-this-name/papers"]):
        with pytest.raises(PathError, match="no file or folder at"):
            library.add(paths)
    assert len(library.documents()) == 3 and library.add([]).ok


def test_what_one_root_hides_and_another_names_is_not_taken_out(library: Library, folder: Path) -> None:
    hidden = folder / ".hidden"
    hidden.mkdir()
    (hidden / "a.txt").write_text("Anchors are kept in the loft.")
    assert library.add([folder, hidden]).counts["added"] == 4
    assert library.add([folder, hidden]).counts["unchanged"] == 4 == len(library.documents())
