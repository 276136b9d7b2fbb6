"""What a library remembers beside its documents: folders that were added, and what was taken out."""

import threading
from pathlib import Path

import pytest

from ingest import Library
from ingest.errors import PathError
from ingest.run.pipeline import Step


def names(library: Library) -> list[str]:
    return [Path(document.path).name for document in library.documents()]


def test_what_is_removed_stays_out_until_it_is_named(library: Library, folder: Path) -> None:
    library.add([folder])
    library.remove(folder / "sub")
    library.remove(folder / "mill.txt")
    (folder / "mill.txt").write_text("The mill was sold.")
    receipt = library.add([folder])
    assert {Path(file.path).name: (file.status, file.reason) for file in receipt.files} == {
        "barge.md": ("unchanged", ""),
        "bees.html": ("skipped", "removed earlier: `octavo ingest FILE` reads it again"),
        "mill.txt": ("skipped", "removed earlier: `octavo ingest FILE` reads it again"),
    }
    assert [Path(document.path).name for document in library.removed()] == ["mill.txt", "bees.html"]
    assert library.add([folder / "mill.txt"]).counts["added"] == 1
    assert library.words("sold", 1)
    assert [Path(document.path).name for document in library.removed()] == ["bees.html"]
    library.forget_removed(library.removed()[0].path)
    library.add([folder])
    assert names(library) == ["barge.md", "mill.txt", "bees.html"] and not library.removed()


def test_of_an_uploaded_file_the_copy_goes_and_nothing_is_listed(library: Library, folder: Path) -> None:
    uploads = library.directory / "files"
    uploads.mkdir()
    (uploads / "parrot.txt").write_text("The parrot is called Quill.")
    library.add([uploads])
    library.remove(uploads / "parrot.txt")
    assert not any(uploads.iterdir()) and not library.removed()
    (uploads / "parrot.txt").write_text("The parrot is called Quill.")
    library.add([uploads])
    assert names(library) == ["parrot.txt"] and not library.folders()


def test_folders_are_remembered_with_what_was_left_out_until_they_are_forgotten(library: Library, folder: Path, tmp_path: Path) -> None:
    library.remember(tmp_path / "later")
    library.add([folder, folder / "mill.txt"], exclude=["*.md"])
    first, later = library.folders()
    assert (first.path, first.exclude, first.followed) == (str(folder), ("*.md",), False) and first.read
    assert later.path == str(tmp_path / "later") and later.read is None
    library.follow(folder, True)
    library.add([folder])
    assert library.folders()[0].followed and library.folders()[0].exclude == ()
    library.forget_folder(folder)
    assert [f.path for f in library.folders()] == [later.path] and len(library.documents()) == 3
    with pytest.raises(PathError, match="is not one of the library's folders"):
        library.follow(folder, True)


def test_folders_can_be_followed_and_forgotten_while_a_run_goes_on(library: Library, folder: Path, tmp_path: Path) -> None:
    library.remember(tmp_path / "other")
    begun, done = threading.Event(), threading.Event()

    def heed(_: Step) -> None:
        begun.set()
        done.wait(60)

    run = threading.Thread(target=library.add, args=([folder], heed))
    run.start()
    assert begun.wait(60)
    library.follow(folder, True)
    library.forget_folder(tmp_path / "other")
    done.set()
    run.join()
    assert [(f.path, f.followed) for f in library.folders()] == [(str(folder), True)] and len(library.documents()) == 3


def test_a_run_tells_which_files_it_reads_and_which_wait(library: Library, folder: Path) -> None:
    for number in range(30):
        (folder / f"{number:02}.txt").write_text(f"Day {number}: the wheel stood still.")
    steps: list[Step] = []
    library.add([folder], steps.append)
    reading = [step for step in steps if step.phase == "reading"]
    assert all(len(step.waiting) == min(20, step.total - step.done - len(step.reading)) for step in reading)
    assert any(step.reading for step in reading) and len(reading[0].waiting) == 20
    assert not reading[-1].reading and not reading[-1].waiting


def test_a_file_that_failed_is_tried_again_when_it_is_named(library: Library, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    broken = tmp_path / "broken" / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 no more")
    assert [file.seconds > 0 for file in library.add([broken]).files] == [True]
    assert [file.seconds > 0 for file in library.add([broken.parent]).files] == [False]
    assert [file.seconds > 0 for file in library.add([broken]).files] == [True]
