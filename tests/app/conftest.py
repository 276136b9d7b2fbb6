"""Running the command as a user does, in this process (loading torch for each command would take minutes)."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def home(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCTAVO_HOME with the samples in the library `default`."""
    place = tmp_path_factory.mktemp("octavo-home")
    shutil.copytree(sample_library, place / "libraries" / "default")
    return place


@pytest.fixture
def octavo(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    from app.cli import main

    monkeypatch.setenv("OCTAVO_HOME", str(home))
    monkeypatch.setattr("os.nice", lambda _: 0)  # main runs in this process, and no other test should be slow for it

    def run(*args: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["octavo", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    yield run
