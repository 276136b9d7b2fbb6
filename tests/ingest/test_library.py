"""Add, change, remove, ask: the library always says what the folder says."""

import os
import random
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest import Embedder, Library
from ingest.errors import EmbedderError, LibraryBusy, LibraryError, PathError
from ingest.index import view
from ingest.loaders import load
from ingest.run.pipeline import Step
from ingest.store import schema, vectors
from ingest.store.lock import writing
from tests.ingest.files import write_pdf
from tests.ingest.invariants import check

THINGS = ["anchor", "barley", "candle", "donkey", "engine", "feather", "garden", "hammer", "island", "jacket", "kettle"]


def _expected(folder: Path) -> dict[str, str]:
    return {str(path.resolve()): load(path).text for path in folder.rglob("*.*") if path.is_file()}


def test_adding_a_folder_twice_does_nothing_the_second_time(library: Library, folder: Path) -> None:
    seen: list[Step] = []
    first = library.add([folder], seen.append)
    assert first.ok and first.counts["added"] == 3
    told = [(step.phase, step.done, step.total) for step in seen if step.result or step.phase == "embedding"]  # others: a slow file
    assert told == [*(("reading", n, 3) for n in (1, 2, 3)), ("embedding", 3, 3)]
    generation = library.status()["generation"]
    second = library.add([folder])
    assert second.counts["unchanged"] == len(second.files) == 3
    assert [file.chunks for file in second.files] == [1, 1, 1]
    assert library.status()["generation"] == generation
    check(library, _expected(folder))


def test_of_several_paths_to_remove_one_that_is_not_there_changes_nothing(library: Library, folder: Path) -> None:
    library.add([folder])
    with pytest.raises(PathError):
        library.remove(folder / "mill.txt", folder / "absent")
    assert len(library.documents()) == 3
    assert library.remove(folder / "mill.txt", folder / "sub", folder / "mill.txt") == 2
    assert [Path(document.path).name for document in library.documents()] == ["barge.md"]


def test_a_changed_file_replaces_a_deleted_one_goes_a_touched_one_stays(library: Library, folder: Path) -> None:
    library.add([folder])
    (folder / "mill.txt").write_text("A windmill stands on the hill instead.")
    (folder / "barge.md").unlink()
    os.utime(folder / "sub" / "bees.html", (1, 1))
    receipt = library.add([folder])
    assert {Path(file.path).name: file.status for file in receipt.files} == {
        "mill.txt": "replaced",
        "barge.md": "removed",
        "bees.html": "unchanged",
    }
    check(library, _expected(folder))
    assert not library.words("wheat", 5)
    os.utime(folder / "mill.txt", (1, 1))
    assert not library.verify().notes


def test_the_library_follows_a_folder_through_random_changes(library: Library, tmp_path: Path) -> None:
    rng = random.Random(9)
    folder = tmp_path / "random"
    folder.mkdir()
    for _ in range(3):
        for _ in range(5):
            thing = rng.choice(THINGS)
            path = folder / f"{thing}.txt"
            if path.exists() and rng.random() < 0.5:
                path.unlink()
            else:
                path.write_text(f"The {thing} is number {rng.randrange(1000)}. " * rng.choice([1, 60]))
        if rng.random() < 0.3:
            library.close()
        library.add([folder])
        check(library, _expected(folder))
    assert library.verify().ok


def test_removing_a_folder_takes_out_all_below_it(library: Library, folder: Path) -> None:
    library.add([folder])
    assert library.remove(folder / "sub") == 1
    assert library.remove(folder) == 2
    assert library.documents() == [] and library.dense("mill", 3) == [] and library.words("mill", 3) == []
    with pytest.raises(PathError):
        library.remove(folder)


def test_adding_a_file_leaves_its_neighbours_alone(library: Library, folder: Path) -> None:
    library.add([folder])
    (folder / "barge.md").unlink()
    assert library.add([folder / "mill.txt"]).counts["removed"] == 0
    assert len(library.documents()) == 3


def test_removed_text_is_in_no_file_of_the_library(library: Library, folder: Path) -> None:
    secret = folder / "secret.txt"
    secret.write_text("The zyxqueenly password is quagmire.")
    library.add([folder])
    with closing(schema.connect(library.directory)) as connection:
        (number,) = connection.execute("select vector from chunks where text like '%zyxqueen%'").fetchone()
        vector = vectors.by_number(connection, np.array([number]))[1][0]
    traces = [b"zyxqueen", b"quagmir", vector.astype(np.float16).tobytes()]
    assert library.dense("password", 1)[0].chunk.path == str(secret)  # this reader now holds the old generation
    assert all(_holds(library.directory, trace) for trace in traces) and _index_holds(library.directory, vector)
    secret.unlink()
    library.add([folder])
    assert not [trace for trace in traces if _holds(library.directory, trace)] and not _index_holds(library.directory, vector)


def test_replaced_text_is_in_no_file_of_the_library(library: Library, folder: Path) -> None:
    (folder / "mill.txt").write_text("A zyxqueenly thing.")
    library.add([folder])
    (folder / "mill.txt").write_text("A plain thing.")
    library.add([folder])
    assert not _holds(library.directory, b"zyxqueen")


def _holds(directory: Path, trace: bytes) -> bool:
    return any(trace in path.read_bytes() for path in directory.rglob("*") if path.is_file())


def _index_holds(directory: Path, vector: NDArray[np.float32]) -> bool:
    """Whether some file of the index has a vector in this direction: Chroma scales what it stores."""
    for path in (directory / "chroma").rglob("*.bin"):
        numbers = np.frombuffer(path.read_bytes()[: path.stat().st_size // 4 * 4], np.float32)
        if len(numbers) >= len(vector):
            windows = np.nan_to_num(np.lib.stride_tricks.sliding_window_view(numbers, len(vector)), posinf=0, neginf=0).clip(-1, 1)
            if (windows @ vector > 0.9999 * np.linalg.norm(windows, axis=1).clip(0.5)).any():
                return True
    return False


@pytest.mark.parametrize("exact", [0, 12_000])
def test_a_search_can_be_kept_within_documents(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, exact: int) -> None:
    monkeypatch.setattr(view, "_EXACT", exact)
    library.add([folder])
    mill, bees = str(folder / "mill.txt"), str(folder / "sub" / "bees.html")
    assert [hit.chunk.path for hit in library.dense("honey", 5, within=[mill])] == [mill]
    assert {hit.chunk.path for hit in library.dense("honey", 5, within={mill, bees})} == {mill, bees}
    assert library.words("honey", 5, within=[mill]) == [] and len(library.words("honey", 5, within=[bees])) == 1
    assert library.dense("honey", 5, within=[]) == []
    everywhere, in_each = library.dense("honey", 3), library.dense("honey", 3, within=[d.path for d in library.documents()])
    assert [hit.chunk for hit in everywhere] == [hit.chunk for hit in in_each]
    assert [hit.score for hit in everywhere] == pytest.approx([hit.score for hit in in_each], abs=1e-3)
    assert everywhere[0].score > everywhere[1].score


def test_words_find_other_forms_and_prefer_telling_words(library: Library, folder: Path) -> None:
    library.add([folder])
    hits = library.words('the "mills" OR (grinding) NEAR/2 stone*', 3)
    assert hits[0].chunk.path == str(folder / "mill.txt") and hits[0].score > 0
    assert library.words("", 3) == library.words("?!", 3) == library.words("zebra", 3) == []
    with library.snapshot() as view:
        assert view.document_frequency(["grinding", "the", "zebra"]) == {"grinding": 1, "the": 3, "zebra": 0}
        assert view.chunks(["none", hits[0].chunk.id]) == [hits[0].chunk]


def test_a_snapshot_does_not_change_while_another_adds_and_removes(library: Library, folder: Path, embedder: Embedder) -> None:
    library.add([folder])
    with library.snapshot() as view:
        before = view.dense("oats", 3), view.words("oats", 3)
        with Library.open(library.directory, embedder) as other:
            other.remove(folder / "barge.md")
            assert not other.words("oats", 3)
        assert (view.dense("oats", 3), view.words("oats", 3)) == before
    assert len(library.dense("oats", 3)) == 2 and not library.words("oats", 3)
    assert len(list((library.directory / "chroma").iterdir())) == 1


def test_a_snapshot_keeps_its_index_even_if_it_has_not_opened_it_yet(library: Library, folder: Path, embedder: Embedder) -> None:
    library.add([folder])
    library.close()
    with library.snapshot() as view:
        with Library.open(library.directory, embedder) as other:
            other.remove(folder / "barge.md")
        assert view.dense("oats", 1)[0].chunk.path == str(folder / "barge.md")
        assert view._segments and view._segments[0]._chroma is not None


def test_the_same_bytes_at_two_paths_are_stored_once_and_stay_until_both_are_gone(library: Library, tmp_path: Path) -> None:
    copies = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path in copies:
        path.write_text("The same words.")
    receipt = library.add(copies[:2])
    assert receipt.counts["added"] == 2 and library.status()["chunks"] == 1
    assert sorted(file.reason for file in receipt.files) == ["", "the same bytes as another file: stored once"]
    library.add(copies[2:])
    assert library.status()["documents"] == 3 and library.status()["chunks"] == 1
    assert [hit.chunk.path for hit in library.dense("same words", 5)] == [str(copies[0])]
    assert [hit.chunk.path for hit in library.words("same words", 5, within=[str(copies[1])])] == [str(copies[1])]
    library.remove(copies[0])
    assert library.dense("same words", 5)[0].chunk.path == str(copies[1])
    copies[1].write_text("Other words.")
    library.add(copies[1:])
    assert library.dense("same words", 5)[0].chunk.path == str(copies[2])
    library.remove(copies[2])
    assert library.text(copies[1]) == "Other words." and library.status()["chunks"] == 1
    assert library.verify().ok


def test_a_renamed_file_keeps_its_document_and_is_not_embedded_again(library: Library, folder: Path) -> None:
    library.add([folder])
    before = library.words("wheat", 1)[0].chunk.id
    (folder / "mill.txt").rename(folder / "tide-mill.txt")
    steps: list[Step] = []
    receipt = library.add([folder], steps.append)
    assert receipt.counts["added"] == receipt.counts["removed"] == 1
    assert not [step for step in steps if step.phase == "embedding"]
    found = library.words("wheat", 1)[0].chunk
    assert (found.id, found.path) == (before, str(folder / "tide-mill.txt"))


def test_chunks_of_a_pdf_know_their_pages(library: Library, tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", ["Sluice gates hold back the tide. " * 40, "", "The eel pass was cleaned in May."])
    (result,) = library.add([tmp_path / "a.pdf"]).files
    assert (result.pages, result.chunks) == (3, library.status()["chunks"])
    chunk = library.words("eel", 1)[0].chunk
    assert chunk.page_end == 3 and chunk.text == library.text(chunk.path)[chunk.char_start : chunk.char_end]


def test_what_a_folder_holds_besides_documents_is_told_or_ignored(library: Library, folder: Path, tmp_path: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config.txt").write_text("hidden")
    (folder / "~$mill.docx").write_text("Word's lock file")
    (folder / "photo.raw").write_bytes(b"\xff\xd8")
    os.mkfifo(folder / "pipe.txt")
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "loop").symlink_to(folder)
    receipt = library.add([folder])
    skipped = {Path(file.path).name: file.reason for file in receipt.files if file.status == "skipped"}
    assert skipped.keys() == {"photo.raw", "pipe.txt", "link.txt", "loop"}
    assert receipt.ok and receipt.counts["added"] == 3


def test_a_file_that_turns_bad_fails_and_its_text_is_kept(library: Library, folder: Path) -> None:
    library.add([folder])
    (folder / "mill.txt").write_bytes(b"\0\0\0")
    receipt = library.add([folder])
    assert not receipt.ok
    (failed,) = [file for file in receipt.files if file.status == "failed"]
    assert failed.reason == "not text: there are zero bytes in it; the text read from it earlier is kept"
    assert library.words("wheat", 1)
    assert library.verify().notes == (f"{folder / 'mill.txt'} has changed since it was read",)


def test_a_name_that_is_not_utf8_is_read(library: Library, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("Coffee is served at ten.")
    assert library.add([folder]).counts["added"] == 4
    assert library.words("coffee", 1)[0].chunk.path == f"{folder}/caf\\xe9.txt"
    assert library.add([folder]).counts["unchanged"] == 4


def test_no_library_and_no_database_are_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no library at") as raised:
        Library.open(tmp_path)
    assert "octavo ingest" in raised.value.hint
    (tmp_path / "library.sqlite3").write_bytes(b"this is not a database, whatever its name says" * 10)
    with pytest.raises(LibraryError, match="can't be read"):
        Library.open(tmp_path)


def test_a_second_writer_is_told_who_writes(library: Library, folder: Path) -> None:
    with writing(library.directory), pytest.raises(LibraryBusy, match=f"pid {os.getpid()}"):
        library.add([folder])
    assert library.add([folder]).ok


def test_another_embedder_is_refused(library: Library, folder: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add([folder])
    other = Embedder("other", embedder.encoder, "0" * 64)
    with pytest.raises(EmbedderError, match="made by all-MiniLM-L6-v2"):
        Library.open(library.directory, other)
    monkeypatch.setenv("OCTAVO_EMBEDDER", "other")
    with pytest.raises(EmbedderError, match="OCTAVO_EMBEDDER says 'other'"):
        Library.open(library.directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read a file")
def test_an_unreadable_file_and_folder_fail_alone_and_lose_nothing(embedder: Embedder) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to everybody else
        folder = Path(name) / "folder"
        (folder / "locked").mkdir(parents=True)
        for file in ("a.txt", "b.txt", "locked/c.txt"):
            (folder / file).write_text(f"File {file}.")
        with Library.open(Path(name) / "library", embedder, create=True) as library:
            assert library.add([folder]).counts["added"] == 3
            os.utime(folder / "a.txt", (1, 1))
            (folder / "a.txt").chmod(0)
            (folder / "locked").chmod(0)
            for path in [Path(name), library.directory, *library.directory.rglob("*")]:
                os.chown(path, 65534, 65534)
            os.seteuid(65534)
            try:
                receipt = library.add([folder])
            finally:
                os.seteuid(0)
            failed = [file.reason for file in receipt.files if file.status == "failed"]
            assert failed == ["can't be read: Permission denied", "the folder can't be read: Permission denied"]
            assert receipt.counts["unchanged"] == 1 and len(library.documents()) == 3


def test_a_half_made_library_is_finished_by_the_next_that_creates(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "library.sqlite3").touch()
    with pytest.raises(LibraryError):
        Library.open(tmp_path, embedder)
    with Library.open(tmp_path, embedder, create=True) as library:
        assert library.status()["documents"] == 0


def test_what_is_committed_but_not_yet_in_the_index_is_found(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (folder / f"ledger{number}.txt").write_text(f"Ledger {number} of the harbour office.")
    library.add([folder])
    (folder / "zeppelin.txt").write_text("A zeppelin moored over the granary roof.")
    with monkeypatch.context() as patch:
        patch.setattr("ingest.library.build.publish", lambda *args: None)  # as if killed before it
        library.add([folder])
    assert not library.status()["index_current"]
    assert "zeppelin" in library.dense("A zeppelin moored over the granary roof.", 3)[0].chunk.text
