"""The dense index: passages that recur, one changed file among many, an index that is lost or weak, and settings from outside."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.index import build, read, view
from ingest.run.pipeline import Step
from ingest.store import rows, schema, vectors
from tests.conftest import ROOT
from tests.ingest.invariants import check

LICENCE = "Permission is granted to use, copy and change these notes for any purpose, free of charge."


def _segments(library: Library) -> dict[int, int]:
    with closing(schema.connect(library.directory)) as connection:
        return vectors.segments(connection)


def _notes(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number:03}.md").write_text(
            f"# Note {number}\n\nThe keeper of pier {number} counted {number * 3} gulls.\n\n{LICENCE}\n"
        )


def _paragraphs(numbers: range) -> str:
    lines = (
        f"Room {n} of the old customs house holds {n * 7} sacks of rye, weighed in the year {1700 + n} by the clerk. " * 12 for n in numbers
    )
    return "\n\n".join(lines)


def test_a_passage_that_recurs_in_every_file_is_indexed_once_and_found_in_each(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.txt").write_text(LICENCE.upper() + " " * number if number % 2 else LICENCE)
    (folder / "gulls.txt").write_text("The keeper of the pier counted nine gulls.")
    receipt = library.add([folder])
    assert receipt.ok and receipt.index == "" and library.status()["index_current"]
    assert sum(_segments(library).values()) == 2  # an uncased embedder can't tell the capitals
    assert len({hit.chunk.path for hit in library.dense("permission to copy", 200)}) > 100
    assert library.dense("gulls", 1)[0].chunk.path == str(folder / "gulls.txt")
    library.remove(folder / "001.txt")
    left = {hit.chunk.path for hit in library.dense("permission to copy", 200)}
    assert len(left) > 100 and str(folder / "001.txt") not in left
    assert library.verify().ok


def test_a_licence_in_three_hundred_notes_is_no_trouble(library: Library, tmp_path: Path) -> None:
    _notes(tmp_path / "notes", 300)
    receipt = library.add([tmp_path / "notes"])
    assert receipt.ok and receipt.index == ""
    assert library.dense("How many gulls were counted at pier 77?", 300)[0].chunk.path
    assert library.verify().ok


def test_one_changed_file_rebuilds_one_segment_and_keeps_the_vectors_of_what_stayed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SMALL", 16)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, start in {"a": 0, "b": 100, "c": 200, "d": 300}.items():
        (folder / f"{name}.txt").write_text(_paragraphs(range(start, start + 16)))
    library.add([folder])
    before = _segments(library)
    assert len(before) >= 4 and max(before.values()) <= 16
    with closing(schema.connect(library.directory)) as connection:
        numbers = set(vectors.numbers(connection).tolist())
    (folder / "b.txt").write_text(_paragraphs(range(100, 115)) + "\n\nThe last room is empty now and smells of the sea. " * 20)
    steps: list[Step] = []
    library.add([folder], steps.append)
    after = _segments(library)
    assert len(before.keys() & after.keys()) >= len(before) - 2 and set(after) != set(before)
    with closing(schema.connect(library.directory)) as connection:
        assert len(numbers - set(vectors.numbers(connection).tolist())) < len(numbers) / 8  # of a quarter of them
    check(library, {str(path): library.text(path) for path in folder.iterdir()})
    assert library.verify().ok


def test_small_segments_are_merged_as_they_pile_up(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SMALL", 8)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.txt").write_text(
            f"Bell {number} of the tower was cast in {1500 + number} from the bronze of cannon {number * 7}."
        )
        library.add([folder])
        sizes = sorted(_segments(library).values())
        assert sum(sizes) == number + 1 and max(sizes) <= 8
        assert len([size for size in sizes if size < 8]) <= 4
    assert library.verify().ok


def test_a_small_library_is_asked_without_opening_its_index(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add([folder])
    by_index = library.dense("oats", 3)
    library.close()
    monkeypatch.setattr(view, "_EXACT", 3)
    exact = library.dense("oats", 3)
    assert [hit.chunk for hit in exact] == [hit.chunk for hit in by_index]
    assert [hit.score for hit in exact] == pytest.approx([hit.score for hit in by_index], abs=1e-3)
    with library.snapshot() as look:
        assert look._segments and all(segment._chroma is None for segment in look._segments)


def test_a_lost_index_is_said_to_be_lost_and_made_again_by_the_next_ingest(library: Library, folder: Path) -> None:
    library.add([folder])
    library.close()
    shutil.rmtree(library.directory / "chroma")
    assert library.dense("oats", 1)[0].chunk.path == str(folder / "barge.md")
    assert not library.status()["index_current"] and "index is lost" in library.status()["index_trouble"]
    assert "index is lost" in library.index_trouble() and library.unfinished() == ""
    assert library.add([folder]).counts["unchanged"] == 3
    assert library.status()["index_current"] and library.index_trouble() == "" and library.verify().ok


def test_an_index_that_can_not_be_read_is_done_without(library: Library, folder: Path) -> None:
    library.add([folder])
    library.close()
    (number,) = _segments(library)
    for path in read.path_of(library.directory, number).rglob("*"):
        if path.is_file():
            path.write_bytes(b"not an index")
    assert library.dense("oats", 1)[0].chunk.path == str(folder / "barge.md")


def test_a_weak_index_ends_no_ingest_and_is_told(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = build.run_child
    library.add([folder / "mill.txt"])
    verdict = "weak: queries find 60% of what exact search finds"
    monkeypatch.setattr(build, "run_child", lambda task, *arguments: verdict if task == "build" else real(task, *arguments))
    receipt = library.add([folder])
    assert receipt.ok and "compared one by one" in receipt.index
    assert "3 passages" in library.status()["index_trouble"] and library.status()["index_current"]
    assert library.dense("oats for the quay", 1)[0].chunk.path.endswith("barge.md")
    assert len(library.dense("wheat", 3)) == 3
    assert library.verify().ok and library.verify().notes
    monkeypatch.setattr(build, "run_child", real)
    (folder / "new.txt").write_text("Lamps are lit at dusk.")
    assert library.add([folder]).index == "" and library.status()["index_trouble"] == ""


def test_vectors_of_chunks_that_went_are_not_answered_with_while_a_run_goes_on(library: Library, folder: Path) -> None:
    for number in range(12):
        (folder / f"gone{number}.txt").write_text(f"Oats, bale {number}, were taken to the quay.")
    library.add([folder])
    with closing(schema.connect(library.directory)) as connection:
        for number in range(12):  # as in the middle of a run
            rows.delete_file(connection, str(folder / f"gone{number}.txt"))
        assert vectors.unused_count(connection) == 12
    assert library.dense("oats", 1)[0].chunk.path.endswith("barge.md")
    assert len(library.dense("oats", 3)) == 3


def test_chroma_takes_no_setting_from_the_environment_or_the_working_directory(
    library: Library, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "downloaded"
    place.mkdir()
    named = {"CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI", "CHROMA_SERVER_HOST": "203.0.113.9", "IS_PERSISTENT": "FALSE"}
    (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in named.items()))
    monkeypatch.chdir(place)
    monkeypatch.setenv("CHROMA_SERVER_HTTP_PORT", "9")
    monkeypatch.setenv("PERSIST_DIRECTORY", str(tmp_path / "elsewhere"))
    assert library.add([folder]).ok
    assert library.dense("oats", 1)[0].chunk.path == str(folder / "barge.md")
    settings = read.open_client(tmp_path / "index").get_settings()
    assert settings.chroma_api_impl == "chromadb.api.rust.RustBindingsAPI" and not settings.chroma_server_host
    assert not (tmp_path / "elsewhere").exists()


FORKED = """
import multiprocessing, sys
from ingest import Library

def ask():
    try: print(len(Library.open(sys.argv[1]).dense("oats", 1)), flush=True)
    except Exception as error: print(f"{type(error).__name__}: {error}", flush=True)

for before in (False, True):
    if before: ask()
    process = multiprocessing.get_context("fork").Process(target=ask)
    process.start(), process.join()
"""


@pytest.mark.slow
def test_a_process_that_was_forked_after_a_question_says_so_and_does_not_hang(library: Library, folder: Path) -> None:
    library.add([folder])
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(library.directory)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "2"})
    assert ran.stdout.splitlines() == ["1", "1", "LibraryError: this process was forked from one that has asked already"], ran.stderr


def test_a_library_is_closed_to_other_accounts(library: Library, folder: Path) -> None:
    library.add([folder])
    assert library.directory.stat().st_mode & 0o777 == 0o700
    for path in library.directory.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("北京的故宫在首都的中心。", ["北京", "故宫", "首都", "中心", "在", "故宫在哪里？"]),
        ("港区の図書館は月曜に休みます。", ["港区", "休み", "月"]),
        ("등대지기는 밤마다 등불을 켭니다.", ["등불", "밤"]),
    ],
)
def test_words_of_one_or_two_characters_without_spaces_are_found(text: str, asked: list[str], library: Library, folder: Path) -> None:
    (folder / "text.txt").write_text(f"Beside English words: {text}")
    library.add([folder])
    for question in asked:
        assert [Path(hit.chunk.path).name for hit in library.words(question, 5)] == ["text.txt"], question
    assert library.words("宫京", 5) == [] and library.words("English", 1)
    with library.snapshot() as view:
        assert view.document_frequency([asked[0]]) == {asked[0]: 1}
        assert view.holding([asked[0]], [library.words(asked[0], 1)[0].chunk.id]) != {}


def test_what_waits_for_a_vector_is_found_without_a_look_at_all_chunks(library: Library) -> None:
    with closing(schema.connect(library.directory)) as connection:
        for query in ("select id from chunks where vector is null order by id limit 1", "select count(*) from chunks where vector is null"):
            (line,) = [row[-1] for row in connection.execute("explain query plan " + query)]
            assert "USING COVERING INDEX chunks_by_vector" in line


def test_a_library_of_version_2_keeps_its_vectors_and_shares_those_of_equal_texts(tmp_path: Path, embedder: Embedder) -> None:
    directory = tmp_path / "library"
    directory.mkdir()
    texts = ["Equal words.", "Other words.", "Equal words.", "北京的故宫"]
    with closing(sqlite3.connect(directory / "library.sqlite3")) as connection:
        connection.executescript("".join(schema.MIGRATIONS[:2]) + "pragma user_version = 2;")
        connection.execute("insert into facts values ('embedder_name', ?), ('embedder', ?)", [embedder.name, embedder.fingerprint])
        for number, text in enumerate(texts, 1):
            connection.execute("insert into documents values (?, ?, 'text', ?, ?, null, '{}', '')", [number, f"{number}", text, len(text)])
            connection.execute("insert into files values (?, '', ?, ?, '', '')", [f"/made-up/{number}.txt", f"{number}", number])
            row = [number, f"key{number}", number, len(text), text, text == texts[-1]]
            connection.execute(
                "insert into chunks (id, key, document, char_start, char_end, heading, text, unspaced) values (?, ?, ?, 0, ?, '', ?, ?)",
                row,
            )
            vector = embedder.documents([text])[0].astype("float16").tobytes()
            connection.execute("insert into vectors (chunk, vector) values (?, ?)", [number, vector])
        connection.execute("insert into generations values (1, 4, 4, '')")
        connection.commit()
    with Library.open(directory, embedder, create=True) as library:
        assert [hit.chunk.id for hit in library.dense("equal", 2)] == ["key1", "key3"]
        assert library.words("故宫", 1)[0].chunk.id == "key4" and len(library.words("words", 5)) == 3
        assert library.verify(repair=True).ok and sum(_segments(library).values()) == 3


def test_a_real_process_builds_the_index_too(
    folder: Path, tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch, in_a_process: Callable[..., str]
) -> None:
    monkeypatch.setattr(build, "run_child", in_a_process)
    with Library.open(tmp_path / "library", embedder, create=True) as library:
        assert library.add([folder]).ok and library.verify().ok and len(_segments(library)) == 1


def test_opening_it_to_write_leaves_the_locks_of_this_process_in_force(library: Library) -> None:
    """Closing any handle on a file drops all that a process has locked in it; who comes last then clears SQLite's log away."""
    path = library.directory / "library.sqlite3"
    with closing(schema.connect(library.directory, write=True)) as connection:
        rows.set_fact(connection, "progress", "{}")
        schema.connect(library.directory, write=True).close()
        code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select * from facts').fetchall(); c.close()"
        subprocess.run([sys.executable, "-c", code, path], check=True)
        assert path.with_name("library.sqlite3-wal").stat().st_size > 0
        rows.set_fact(connection, "progress", None)
