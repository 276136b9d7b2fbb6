"""What the page adds: in order, one after another, and taken up again when its server starts again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from app import following, holdings, libraries, resources
from app.adding import Wanted
from app.views import documents
from ingest import Library
from ingest.errors import LibraryBusy, PathError
from ingest.store.lock import writing


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "libraries"


def until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.05)


def test_what_is_added_meanwhile_waits_once_and_one_that_fails_stops_nothing(home: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(f"The {name} eel.")
    Library.open(home / "work", create=True).close()
    line = resources.line("work")
    with writing(home / "work"):
        for name in ("first", "second", "third", "second"):
            resources.add("work", [], str(tmp_path / name))
        assert [Path(wanted.what).name for wanted in line.waiting] == ["first", "third", "second"]
        line.take_back(str(tmp_path / "third"))
        for change in (lambda: libraries.rename("work", "new"), lambda: libraries.delete("work")):
            with pytest.raises(LibraryBusy, match="documents are being added to work"):
                change()
        with pytest.raises(LibraryBusy, match="documents are being added to work"):
            resources.remove("work", [str(tmp_path)])
        line.put(Wanted("absent", (tmp_path / "absent",)))
    until(lambda: not line.is_busy())
    assert [Path(document.path).name for document in resources.library("work").documents()] == ["first.txt", "second.txt"]
    assert [trouble.partition(". ")[0] for trouble in line.troubles] == [f"absent: No file or folder at {tmp_path / 'absent'}"]
    assert [bool(folder.read) for folder in resources.library("work").folders()] == [True, True, False]


def test_what_is_to_be_added_is_told_of_before_its_process_runs(home: Path) -> None:
    Library.open(home / "early", create=True).close()
    with writing(home / "early"):
        resources.add("early", [("eel.txt", b"Eels pass the weir in May.")], "")
        assert resources.line("early").waiting
        assert resources.unfinished("early") and holdings.documents("early", "")["adding"]
        resources.line("early").take_back("eel.txt")
    until(lambda: not resources.line("early").is_busy())
    assert not resources.unfinished("early")
    (left,) = holdings.documents("early", "")["documents"]
    assert left["state"] == "not read" and left["reason"]
    resources.remove("early", [left["path"]])
    assert not holdings.documents("early", "")["documents"] and not Path(left["path"]).exists()


def test_a_server_that_starts_again_follows_and_reads_what_was_uploaded(home: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    with Library.open(home / "left", create=True) as library:
        (library.directory / "files").mkdir()
        (library.directory / "files" / "parrot.txt").write_text("The parrot is called Quill.")
        library.remember(tmp_path / "papers")
        library.follow(tmp_path / "papers", True)
    for left in (home / ".gone.17.deleted", home.parent / ".backup-x"):
        left.mkdir()
    libraries.tidy()
    assert [path.name for path in home.iterdir()] == ["left"] and not list(home.parent.glob(".backup-*"))
    following.begin()
    until(lambda: resources.library("left").folders()[0].read)
    (tmp_path / "papers" / "eel.txt").write_text("Eels pass the weir in May.")
    until(lambda: len(resources.library("left").documents()) == 2)
    until(lambda: not resources.line("left").is_busy())
    resources.library("left").follow(tmp_path / "papers", False)
    following.heed("left")
    libraries.rename("left", "moved")
    assert resources.library("moved").words("parrot", 1)[0].chunk.path == str(home / "moved" / "files" / "parrot.txt")
    libraries.delete("moved")
    assert not list(home.iterdir())


def test_stop_ends_the_run_that_was_shown_and_not_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    running = SimpleNamespace(wanted=Wanted("second", ()), stop=lambda: stopped.append("second"))
    Library.open(home / "line", create=True).close()
    monkeypatch.setattr(resources.line("line"), "_running", running)
    documents._do("line", "stop", "first")
    assert not stopped
    documents._do("line", "stop", "second")
    assert stopped == ["second"]


def test_a_followed_folder_that_was_away_is_followed_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    come, brought = Event(), []

    def bring(name: str, path: str) -> None:
        brought.append(path)
        if not come.is_set():
            raise PathError("no folder at /papers", "is its drive connected?")

    def changes(*_: object) -> Iterator[None]:
        yield
        come.wait(60)
        yield

    monkeypatch.setattr(resources, "bring", bring)
    monkeypatch.setattr(following, "changes", changes)
    follower = following.Follower("early", "/papers", home)
    until(lambda: follower.trouble)
    come.set()
    until(lambda: not follower.trouble)
    assert brought == ["/papers", "/papers"]


def test_a_folder_that_is_not_remembered_or_not_there_is_not_brought_up_to_date(home: Path, tmp_path: Path) -> None:
    with Library.open(home / "work", create=True) as library:
        library.remember(tmp_path / "gone")
    for path, told in ((tmp_path / "gone", "no file or folder at"), (tmp_path, "is not one of this library's folders")):
        with pytest.raises(PathError, match=told):
            resources.bring("work", str(path))
