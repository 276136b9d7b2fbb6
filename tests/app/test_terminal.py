"""No command prints a character that a terminal obeys, whatever files, texts and models are called or say."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.cli import app
from ingest.terminal import as_json, one_line, plain
from tests.app.conftest import Ran, Run

CONTROLS = [*map(chr, range(32)), *map(chr, range(127, 160))]
TURNS = [chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
OBEYED = {*CONTROLS, *TURNS, "\u2028", "\u2029", "\ufeff", "\U000e0041", "\udc9b"} - {"\n"}
NAME = "evil\x1b]0;owned\x07\r\n\x08\x7f\x9b31m\x9d\u202egpj.\u2066exe\u2028"
"""What a file may be called: all but "/" and NUL."""


def harmless(ran: Ran) -> bool:
    return not OBEYED & set(ran.out + ran.err)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / NAME
    place.mkdir()
    (place / f"{NAME}.txt").write_text(f"{NAME}\n\nThe ferry to Oxmoor is called \u202eGannet\u202c\x9b31m. It sails at noon.\n")
    (place / f"{NAME}.pdf").write_bytes(b"%PDF-1.4 no more")
    (place / f"x.{NAME}").write_bytes(b"\x00")
    return place


@pytest.fixture
def library(place: Path, octavo: Run) -> Path:
    """Its own directory has a hostile name too."""
    library = place.parent / f"library {NAME}"
    octavo("ingest", place, "--library", library)
    return library


def test_ingest_and_status_name_what_failed_in_harmless_lines(octavo: Run, place: Path, library: Path) -> None:
    ran = octavo("ingest", place, "--library", library)
    assert ran.code == 1 and "failed: " in ran.err and harmless(ran)
    status = octavo("status", "--library", library)
    assert "failed: " in status.out and harmless(status)


def test_json_is_harmless_and_still_says_the_very_names(octavo: Run, place: Path, library: Path) -> None:
    ran = octavo("ingest", place, "--library", library, "--json")
    assert harmless(ran)
    assert {Path(file["path"]).name for file in json.loads(ran.out)["files"]} == {f"{NAME}.txt", f"{NAME}.pdf", f"x.{NAME}"}
    status = octavo("status", "--library", library, "--json")
    assert harmless(status) and json.loads(status.out)["library"] == str(library)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_answer_and_its_citations_are_harmless(octavo: Run, library: Path, form: list[str]) -> None:
    ran = octavo("ask", "What is the ferry to Oxmoor called?", "--library", library, *form)
    assert ran.code == 0 and "Gannet" in ran.out and "evil" in ran.out and harmless(ran)


def test_what_verify_and_remove_find_is_harmless(octavo: Run, place: Path, library: Path) -> None:
    with closing(sqlite3.connect(library / "library.sqlite3")) as connection, connection:
        connection.execute("update chunks set text = 'other words'")
    ran = octavo("verify", "--library", library)
    assert ran.code == 1 and "evil" in ran.out and harmless(ran)
    assert harmless(octavo("verify", "--library", library, "--json"))
    assert octavo("remove", place, "--library", library).code == 0


def test_export_and_import_name_their_files_in_harmless_lines(octavo: Run, place: Path, library: Path) -> None:
    file, copy = place / f"{NAME}.octavo", place.parent / f"copy {NAME}"
    exported = octavo("export", file, "--library", library)
    assert exported.code == 0 and "MB" in exported.out and harmless(exported)
    imported = octavo("import", file, "--library", copy)
    assert imported.code == 0 and harmless(imported)
    assert harmless(octavo("import", file, "--library", copy))


def test_a_mistake_about_a_hostile_name_is_harmless_in_every_command(octavo: Run, tmp_path: Path) -> None:
    absent, library = tmp_path / NAME, ["--library", str(tmp_path / f"none {NAME}")]
    mistakes = {
        "ingest": [absent],
        "ask": ["x", *library],
        "eval": [absent],
        "calibrate": [absent],
        "chat": library,
        "serve": library,
        "mcp": library,
        "list": library,
        "show": [absent, *library],
        "status": library,
        "verify": library,
        "remove": [absent, *library],
        "folders": library,
        "rename": [NAME, "x"],
        "delete": [NAME, "--yes"],
        "people": ["remove", NAME],
        "reembed": [absent, *library],
        "export": [absent / "x", *library],
        "import": [absent, *library],
        "export-model": [f"{absent}.gguf", absent / "x"],
        "bench": ["ingest", absent],
    }
    assert {*mistakes, "app", "doctor"} == {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    } | {"bench"}
    for command, arguments in mistakes.items():
        ran = octavo(command, *arguments)
        assert ran.code == 2 and ran.err.startswith("error: ") and harmless(ran), command
    for form in ([], ["--json"]):
        ran = octavo("ask", "x", "--model", f"{absent}.gguf", *form)
        assert ran.code == 2 and harmless(ran)


@pytest.mark.parametrize("character", sorted(OBEYED))
def test_no_obeyed_character_comes_through_and_json_keeps_it(character: str) -> None:
    assert not OBEYED & set(plain(f"a{character}b") + one_line(f"a\n{character}b") + as_json(f"a{character}b"))
    assert json.loads(as_json({character: [f"a{character}b"]})) == {character: [f"a{character}b"]}


@pytest.mark.parametrize("text", ["Zoë Fairbrass", "北京", "می\u200cخواهم", "👩\u200d🔧", "line\nline"])
def test_what_people_write_comes_through_whole(text: str) -> None:
    assert plain(text) == text
    assert "\n" not in one_line(text)
