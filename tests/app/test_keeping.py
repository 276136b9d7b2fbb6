"""The commands that keep libraries: folders, names, deleting; and a terminal's prompt for the password of an encrypted file."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ingest import Library
from tests.app.conftest import Run
from tests.conftest import ROOT
from tests.ingest.pages import Page, write


@pytest.fixture
def octavo(octavo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """In a home of its own."""
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))
    return octavo


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "mill.txt").write_text("The mill was sold in 1911.")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    return folder


def test_folders_are_listed_brought_up_to_date_without_naming_them_and_forgotten(octavo: Run, papers: Path, tmp_path: Path) -> None:
    assert octavo("ingest", papers, "--exclude", "*.csv").code == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "eel.txt").write_text("Eels pass the weir in May.")
    assert octavo("ingest", tmp_path / "other").code == 0
    listed = octavo("folders").out
    assert f"{papers}  read 20" in listed and "UTC, without *.csv" in listed
    (papers / "barge.txt").write_text("A barge brought oats.")
    (tmp_path / "other" / "eel.txt").unlink()
    (tmp_path / "other").rmdir()
    again = octavo("ingest")
    assert again.code == 1 and "1 added, 1 unchanged, 1 skipped" in again.out and f"no file or folder at {tmp_path / 'other'}" in again.err
    assert octavo("folders", "--forget", tmp_path / "other").code == 0
    assert [folder["path"] for folder in json.loads(octavo("folders", "--json").out)["folders"]] == [str(papers)]
    octavo("remove", papers / "mill.txt")
    assert "skipped 1: removed earlier: `octavo ingest FILE` reads it again" in octavo("ingest").out
    assert octavo("ingest", papers / "mill.txt").out.startswith("1 added")


def test_without_a_folder_there_is_nothing_to_bring_up_to_date(octavo: Run, tmp_path: Path) -> None:
    Library.open(tmp_path / "home" / "libraries" / "default", create=True).close()
    nothing = octavo("ingest")
    assert nothing.code == 2 and "error: no folder was added to this library yet" in nothing.err


def test_a_library_is_renamed_and_deleted_when_its_name_is_typed(octavo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = tmp_path / "home" / "libraries"
    for name in ("old", "other"):
        Library.open(libraries / name, create=True).close()
    assert octavo("rename", "old", "other").err.startswith("error: there is a library called 'other' already")
    assert octavo("rename", "old", "../evil").code == 2
    assert octavo("rename", "old", "new").out == "old is called new now\n"
    refused = octavo("delete", "new")
    assert refused.code == 2 and "nobody can be asked" in refused.err and (libraries / "new").is_dir()
    assert octavo("delete", "new", "--yes").out == "new is deleted\n"
    assert octavo("delete", "new", "--yes").err.startswith("error: no library at")
    assert [path.name for path in libraries.iterdir()] == ["other"]


@pytest.mark.slow
def test_a_terminal_is_asked_for_the_password_until_it_opens(papers: Path, tmp_path: Path) -> None:
    write(papers / "lease.pdf", [Page().lines(50, 60, ["The rent is 400 pounds."])], password=b"eel")
    ours, theirs = pty.openpty()
    environment = os.environ | {"OCTAVO_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = ["setsid", "--ctty", sys.executable, "-m", "ingest", str(papers)]
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown, fresh, answers = b"", b"", [b"lamprey\n", b"eel\n"]
    while answers or process.poll() is None:
        try:
            came = os.read(ours, 4096)
        except OSError:  # it has ended
            break
        shown, fresh = shown + came, fresh + came
        if answers and b"(Enter passes it over): " in fresh:
            os.write(ours, answers.pop(0))
            fresh = b""
    os.close(ours)
    assert process.wait() == 0
    assert shown.count(b"(Enter passes it over):") == 2 and b"none that was given does" in shown
    assert b"eel" not in shown
    with Library.open(tmp_path / "home" / "libraries" / "default") as library:
        assert library.words("rent", 1)
