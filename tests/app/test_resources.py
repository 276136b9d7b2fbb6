"""What the page shares among its visitors: libraries with their own embedders, uploads, pages of documents."""

from pathlib import Path

import pytest

from app import resources
from ingest import Embedder, IngestError, Library
from ingest.text.embedder import default_directory


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    return tmp_path / "libraries"


def test_a_library_opens_with_the_embedder_that_it_was_made_with(own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The tide mill grinds wheat.")
    other = Embedder.load(str(default_directory()))
    for name, embedder in (("usual", None), ("other", other)):
        with Library.open(own_home / name, embedder, create=True) as library:
            library.add([tmp_path / "mill.txt"])
    assert [resources.library(name).dense("flour", 1)[0].chunk.text for name in ("usual", "other")] == ["The tide mill grinds wheat."] * 2
    Library.reembed(own_home / "usual", other)
    assert resources.library("usual").dense("flour", 1) and resources.library("usual").embedder_name == other.name


def test_looking_for_a_library_makes_none_and_a_name_is_never_a_path(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not resources.there("phantom")
    with pytest.raises(IngestError, match="no library at"):
        resources.library("phantom")
    assert not own_home.exists()
    Library.open(tmp_path / "here" / "near", create=True).close()
    monkeypatch.chdir(tmp_path / "here")
    assert not resources.there("near")
    for name in ("../evil", "/etc", "~", "..", ".", "a/b", "", "no*name"):
        with pytest.raises(IngestError, match="can't be a library's name"):
            resources.there(name)


@pytest.mark.parametrize("name", ["", ".hidden", "~$open.docx", "library.sqlite3", "a/library.sqlite3", "..", "x" * 201])
def test_an_upload_that_an_ingest_would_leave_out_is_refused_and_makes_no_library(own_home: Path, name: str) -> None:
    with pytest.raises(IngestError, match="can't be an uploaded file's name"):
        resources.add("new", [("fine.txt", b"Text."), (name, b"Text.")], "")
    assert not own_home.exists()
