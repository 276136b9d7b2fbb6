"""A library goes into one file and comes back whole; a damaged file is refused and leaves nothing."""

import os
import zipfile
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.errors import LibraryError
from ingest.store.backup import export_library, import_library


def _everything(library: Library) -> tuple[object, ...]:
    hits = library.dense("Where are oats brought?", 10), library.words("oats honey", 10)
    return [library.text(d.path) for d in library.documents()], [
        [(h.chunk.id, h.chunk.text, round(h.score, 3)) for h in found] for found in hits
    ]


def test_what_is_exported_comes_back_whole(library: Library, folder: Path, tmp_path: Path, embedder: Embedder) -> None:
    uploads = library.directory / "files"
    uploads.mkdir()
    (uploads / "note.txt").write_text("An uploaded note on eels.")
    library.add([folder, uploads / "note.txt"])
    assert export_library(library.directory, tmp_path / "backup.octavo") > 0
    assert {path.name for path in tmp_path.iterdir()} == {"backup.octavo", "folder", "library"}
    import_library(tmp_path / "backup.octavo", tmp_path / "other")
    with Library.open(tmp_path / "other", embedder) as other:
        assert _everything(other) == _everything(library)
        assert other.verify().ok and other.status()["index_current"]
        assert str(tmp_path / "other" / "files" / "note.txt") in [document.path for document in other.documents()]
        assert (tmp_path / "other" / "files" / "note.txt").read_text() == "An uploaded note on eels."
        assert other.add([folder]).counts["unchanged"] == 3


def test_an_export_touches_no_file_but_its_own(library: Library, folder: Path) -> None:
    library.add([folder])
    database = library.directory / "library.sqlite3"
    export_library(library.directory, library.directory / "library")  # beside a file of nearly that name
    assert database.is_file() and library.words("oats", 1) and library.verify().ok


def test_an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else(library: Library, folder: Path, tmp_path: Path) -> None:
    library.add([folder])
    export_library(library.directory, tmp_path / "backup.octavo")
    (folder / "eels.txt").write_text("Eels pass in May.")
    library.add([folder])
    size = (tmp_path / "backup.octavo").stat().st_size
    assert export_library(library.directory, tmp_path / "backup.octavo") > size
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "somebody's")
    (tmp_path / "empty.octavo").touch()
    (tmp_path / "link.octavo").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.octavo")
    for name in ("folder/mill.txt", "other.zip", "empty.octavo", "folder", "link.octavo", "pipe.octavo", "library/library.sqlite3"):
        before = os.lstat(tmp_path / name)
        with pytest.raises(LibraryError, match="is there already, and is no export of Octavo's"):
            export_library(library.directory, tmp_path / name)
        assert os.path.samestat(os.lstat(tmp_path / name), before)
    assert library.verify().ok


def test_what_a_killed_export_left_goes_with_the_next(library: Library, tmp_path: Path) -> None:
    left, other = tmp_path / ".back[up].17.partial", tmp_path / ".backup.17.partial"
    for place in (left, other):
        place.mkdir()
        (place / "library.sqlite3-journal").write_bytes(bytes(1024))  # SQLite's, from the middle of a copy
    export_library(library.directory, tmp_path / "back[up]")
    assert not left.exists() and other.exists() and not list(tmp_path.glob(".back[[]*"))


def test_a_damaged_file_is_refused_and_leaves_nothing(library: Library, embedder: Embedder, folder: Path, tmp_path: Path) -> None:
    """But for a byte that unpacks to the same, as how far back a run of zeros is copied from: then all comes back."""
    library.add([folder])
    good = tmp_path / "good"
    export_library(library.directory, good)
    data = bytearray(good.read_bytes())
    flipped = {f"flipped at {place}": _flipped(data, place) for place in range(len(data) // 4, len(data) // 2, 61)}
    refused = 0  # some damage is seen by the inflater, some by the hash
    for name, change in {"cut": data[: len(data) // 2], "no zip": b"hello", **flipped}.items():
        bad = tmp_path / "bad"
        bad.write_bytes(change)
        try:
            import_library(bad, tmp_path / name)
        except LibraryError as error:
            assert "damaged" in str(error)
            refused += 1
            assert not (tmp_path / name).exists() and not list(tmp_path.glob(".*"))
        else:
            with Library.open(tmp_path / name, embedder) as other:
                assert name in flipped and _everything(other) == _everything(library)
    assert refused > max(20, 0.9 * len(flipped))


def _flipped(data: bytearray, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)


def test_a_file_cannot_write_outside_the_library(library: Library, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil", "w") as archive:
        archive.writestr("files/../../escaped.txt", "out")
        archive.writestr("octavo.json", '{"directory": "/", "sha256": {"files/../../escaped.txt": "0"}}')
    with pytest.raises(LibraryError, match="which no library has"):
        import_library(tmp_path / "evil", tmp_path / "new" / "library")
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_library_is_never_overwritten(library: Library, folder: Path, tmp_path: Path) -> None:
    library.add([folder])
    export_library(library.directory, tmp_path / "backup")
    with pytest.raises(LibraryError, match="is not empty"):
        import_library(tmp_path / "backup", library.directory)
    assert len(library.documents()) == 3


def test_an_export_into_a_folder_that_is_not_there_says_so(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "none" / "a.octavo"
    with pytest.raises(LibraryError, match=f"{file}: can't be written: No such file or directory$") as raised:
        export_library(library.directory, file)
    assert "its folder" in raised.value.hint
