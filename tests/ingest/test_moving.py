"""Libraries renamed, moved by hand and deleted."""

import shutil
import signal
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.errors import LibraryBusy, LibraryError
from ingest.store.backup import export_library, import_library
from ingest.store.conversations import Conversations
from ingest.store.lock import writing
from ingest.store.moving import delete_library, rename_library, sweep
from tests.nursery import Nursery

KILLED = """
from pathlib import Path
from ingest.store import failpoints
from ingest.store.moving import delete_library, rename_library
failpoints.arm(arguments[2])
"""


@pytest.fixture
def old(tmp_path: Path, embedder: Embedder, folder: Path) -> Path:
    """A library of an uploaded file and of a folder, in which both were asked of."""
    directory = tmp_path / "libraries" / "old"
    with Library.open(directory, embedder, create=True) as library:
        (directory / "files").mkdir()
        (directory / "files" / "parrot.txt").write_text("The parrot is called Quill.")
        library.add([directory / "files", folder])
        library.remove(folder / "mill.txt")
        kept = Conversations(directory)
        own, upload = str(folder / "barge.md"), str(directory / "files" / "parrot.txt")
        _, turn = kept.ask("What is the parrot called?", [upload, own])
        sources = [{"path": path, "marker": 1, "name": "n", "text": "t", "quote": [], "boxes": []} for path in (upload, own)]
        kept.put(turn, {"text": "Quill", "citations": sources, "nearest": []}, "done")
    return directory


def told(directory: Path, embedder: Embedder) -> list[str]:
    """Paths as documents and as conversations name them."""
    with Library.open(directory, embedder) as library:
        (turn,) = Conversations(directory).turns(1)
        documents = [document.path for document in library.documents()]
        assert library.words("Quill", 1)[0].chunk.path in documents
    return sorted({*documents, *turn.within, *(source["path"] for source in turn.answer["citations"])})


def test_a_renamed_library_finds_its_uploads_and_its_folders(old: Path, folder: Path, embedder: Embedder) -> None:
    new = old.with_name("new")
    rename_library(old, new)
    assert not old.exists()
    assert told(new, embedder) == sorted([str(new / "files" / "parrot.txt"), str(folder / "barge.md"), str(folder / "sub" / "bees.html")])
    with Library.open(new, embedder) as library:
        assert library.verify().ok
        assert library.add([new / "files"]).counts["unchanged"] == 1
        assert len(library.removed()) == len(library.folders()) == 1


def test_one_that_was_moved_by_hand_does_so_once_it_is_written(old: Path, folder: Path, embedder: Embedder) -> None:
    new = old.with_name("new")
    shutil.move(old, new)
    with Library.open(new, embedder) as library:
        library.add([folder])
    assert str(new / "files" / "parrot.txt") in told(new, embedder) and not any("/old/" in path for path in told(new, embedder))


@pytest.mark.parametrize("point", ["rename: renamed#1", "move: conversations#1"])
def test_a_renaming_that_was_killed_is_finished_by_the_next_run(
    old: Path, nursery: Nursery, embedder: Embedder, tmp_path: Path, point: str
) -> None:
    new = old.with_name("new")
    code = "rename_library(*map(Path, arguments[:2]))"
    assert nursery.fork(KILLED + code, tmp_path / "output", str(old), str(new), f"{tmp_path}/names:{point}").wait() == -signal.SIGKILL
    with Library.open(new, embedder) as library:
        assert library.add([new / "files"]).counts["unchanged"] == 1
    assert not old.exists() and str(new / "files" / "parrot.txt") in told(new, embedder)
    assert not any("/old/" in path for path in told(new, embedder))


def test_a_deletion_that_was_killed_shows_no_half_and_is_swept(old: Path, nursery: Nursery, tmp_path: Path) -> None:
    code = "delete_library(Path(arguments[0]))"
    killed = nursery.fork(KILLED + code, tmp_path / "output", str(old), "", f"{tmp_path}/names:delete: out of sight#1").wait()
    assert killed == -signal.SIGKILL and not old.exists() and len(list(old.parent.iterdir())) == 1
    sweep(old.parent)
    assert not list(old.parent.iterdir())


def test_what_is_being_written_is_neither_renamed_nor_deleted(old: Path) -> None:
    with writing(old):
        with pytest.raises(LibraryBusy):
            rename_library(old, old.with_name("new"))
        with pytest.raises(LibraryBusy):
            delete_library(old)
    with pytest.raises(LibraryError, match="there is a library called 'old' already"):
        rename_library(old, old)
    with pytest.raises(LibraryError, match="no library at"):
        rename_library(old.with_name("absent"), old.with_name("new"))
    assert (old / "library.sqlite3").is_file()


def test_a_deleted_library_is_gone_and_what_a_killed_deletion_left_goes_too(old: Path, folder: Path) -> None:
    (old.with_name(".other.17.deleted") / "files").mkdir(parents=True)
    delete_library(old)
    assert not list(old.parent.iterdir()) and (folder / "barge.md").is_file()
    old.with_name(".old.17.deleted").mkdir()
    sweep(old.parent)
    assert not list(old.parent.iterdir())


def test_a_link_to_a_library_is_not_followed(old: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(old)
    with pytest.raises(LibraryError, match="is a link"):
        delete_library(link)
    assert (old / "library.sqlite3").is_file()


def test_a_backup_brings_folders_and_removed_back_and_follows_none(old: Path, folder: Path, tmp_path: Path, embedder: Embedder) -> None:
    with Library.open(old, embedder) as library:
        library.follow(folder, True)
    export_library(old, tmp_path / "backup.octavo")
    import_library(tmp_path / "backup.octavo", old.with_name("copy"))
    with Library.open(old.with_name("copy"), embedder) as library:
        assert [(f.path, f.followed, f.read) for f in library.folders()] == [(str(folder), False, None)]
        assert [Path(document.path).name for document in library.removed()] == ["mill.txt"]
        assert library.add([folder]).counts["skipped"] == 1
