"""`octavo list` and `octavo show`: what is there, and what was read of it."""

import json
from pathlib import Path

import pytest

from ingest import Library
from tests.app.conftest import Run
from tests.contracts.test_imports import HEAVY, modules_after

LETTER = "The mill stands by the river.\n\nIt was built in 1741, of oak.\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with two documents of the same name, one alone, and one that couldn't be read."""
    place = tmp_path_factory.mktemp("looking")
    (place / "old").mkdir()
    (place / "letter.txt").write_text(LETTER)
    (place / "old" / "letter.txt").write_text("The mill burnt down.")
    (place / "old" / "ferry.md").write_text("# Ferry\n\nIt sails at noon.")
    (place / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    with Library.open(place / "library", create=True) as library:
        library.add([place / "letter.txt", place / "old", place / "broken.pdf"])
    return place


def test_list_names_the_libraries_and_what_is_in_each(octavo: Run, home: Path) -> None:
    (home / "libraries" / "torn").mkdir(exist_ok=True)
    (home / "libraries" / "torn" / "library.sqlite3").write_bytes(b"no database at all" * 99)
    told = json.loads(octavo("list", "--json").out)["libraries"]
    assert {row["name"]: row["state"] for row in told} == {"default": "ready", "torn": "unreadable"}
    ready, torn = told
    assert ready["documents"] == len(json.loads(octavo("list", "--library", "default", "--json").out)["documents"])
    assert ready["failed"] == 0 and ready["directory"] == str(home / "libraries" / "default") and torn["reason"]
    first, second = octavo("list").out.splitlines()
    assert first.split()[:4] == ["default", str(ready["documents"]), "documents", "ready"] and "unreadable" in second


def test_list_of_a_library_names_each_document_under_its_folder(octavo: Run, place: Path) -> None:
    ran = octavo("list", "--library", place / "library")
    lines = ran.out.splitlines()
    assert [line for line in lines if line.startswith("/")] == [str(place), str(place / "old")]
    assert [line.split()[0] for line in lines if line.startswith("  ")] == ["broken.pdf", "letter.txt", "ferry.md", "letter.txt"]
    assert "failed  not a readable PDF" in lines[1]
    told = {row["path"]: row for row in json.loads(octavo("list", "--library", place / "library", "--json").out)["documents"]}
    assert {row["state"] for row in told.values()} == {"ready", "failed"}
    assert set(told[str(place / "letter.txt")]) == {"path", "name", "kind", "pages", "added", "state", "reason"}
    assert told[str(place / "broken.pdf")]["reason"] and told[str(place / "old" / "ferry.md")]["kind"] == "md"


def test_where_there_is_no_library_yet_list_says_how_to_make_one(octavo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    ran = octavo("list")
    assert ran.code == 0 and "octavo ingest" in ran.out
    assert json.loads(octavo("list", "--json").out) == {"libraries": []}
    assert octavo("list", "--library", "default").code == 2


def test_show_prints_the_text_that_was_read(octavo: Run, place: Path) -> None:
    library = ("--library", place / "library")
    assert octavo("show", place / "letter.txt", *library).out == LETTER
    assert "noon" in octavo("show", "ferry.md", *library).out
    assert "noon" in octavo("show", "old/ferry.md", *library).out


def test_show_marks_pages_and_shows_those_that_are_asked_for(octavo: Run) -> None:
    ran = octavo("show", "volunteer-handbook.pdf")
    assert [line for line in ran.out.splitlines() if line.startswith("-----")][:2] == ["----- page 1 -----", "----- page 2 -----"]
    some = octavo("show", "volunteer-handbook.pdf", "--pages", "2-3, 7").out
    assert [line.split()[2] for line in some.splitlines() if line.startswith("-----")] == ["2", "3", "7"]
    told = json.loads(octavo("show", "volunteer-handbook.pdf", "--pages", "7", "--json").out)
    (part,) = told["pages"]
    assert set(told) == {"path", "chars", "pages", "headings", "lacking"} and part["page"] == 7 and part["text"].strip() in some
    assert part["end"] - part["start"] == len(part["text"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["letter.txt"], "2 documents are called letter.txt"),
        (["nowhere.txt"], "the library has no document at nowhere.txt"),
        (["etter.txt"], "the library has no document at etter.txt"),
        (["/"], "the library has no document at /"),
        ([""], "the library has no document at"),
        (["broken.pdf"], "could not be read: not a readable PDF"),
        (["ferry.md", "--pages", "1"], "has no pages"),
        (["ferry.md", "--pages", "7-2"], "'7-2' are no pages"),
        (["ferry.md", "--pages", "one"], "'one' are no pages"),
        (["ferry.md", "--pages", "²"], "'²' are no pages"),
    ],
)
def test_show_says_in_a_line_what_it_can_not_show(octavo: Run, place: Path, arguments: list[str], told: str) -> None:
    ran = octavo("show", *arguments, "--library", place / "library")
    assert ran.code == 2 and not ran.out and told in ran.err.splitlines()[0] and ran.err.count("\n") == 2


def test_a_page_that_is_not_there_is_told_with_those_that_are(octavo: Run) -> None:
    assert "has pages 1 to " in octavo("show", "volunteer-handbook.pdf", "--pages", "4000").err


def test_show_says_what_the_text_lacks_of_the_file(octavo: Run, tmp_path: Path) -> None:
    page = tmp_path / "ferry.md"
    page.write_text("It sails at noon.")
    octavo("ingest", page, "--library", tmp_path / "lib")
    assert not octavo("show", page, "--library", tmp_path / "lib").err
    page.write_text("It sails at midnight.")
    ran = octavo("show", page, "--library", tmp_path / "lib")
    assert "noon" in ran.out and ran.err == "the file has changed since it was read, or is gone\n"


@pytest.mark.parametrize("command", [["list"], ["list", "--library", "default"], ["show", "faq.md"], ["show", "nowhere.md"]])
def test_looking_loads_nothing_heavy(command: list[str], home: Path) -> None:
    code, loaded = modules_after(*command, home=home)
    assert code in (0, 2) and loaded and not loaded & (HEAVY | {"numpy", "model.engine"})
