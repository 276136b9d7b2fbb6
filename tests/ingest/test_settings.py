"""Where libraries live."""

from pathlib import Path

import pytest

from ingest.errors import LibraryError
from ingest.settings import Settings
from tests.conftest import ROOT


def test_a_checkout_keeps_its_libraries_in_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTAVO_HOME", raising=False)
    assert Settings(_env_file=None).library_dir("notes") == ROOT / "data" / "libraries" / "notes"


def test_names_and_directories_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.library_dir("default") == tmp_path / "home" / "libraries" / "default"
    assert settings.library_dir("./mine") == tmp_path / "mine"
    (tmp_path / "here").mkdir()
    assert settings.library_dir("here") == tmp_path / "home" / "libraries" / "here"
    (tmp_path / "here" / "library.sqlite3").touch()
    assert settings.library_dir("here") == tmp_path / "here"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a" * 65, "what?", "two\nlines"])
def test_a_name_that_could_lead_astray_is_refused(name: str) -> None:
    with pytest.raises(LibraryError, match="can't be a library's name"):
        Settings(_env_file=None).library_dir(name)
