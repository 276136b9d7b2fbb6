"""Following paths that come, go and come back: each time everything is looked at again. A test that hangs fails."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from ingest.run.watch import changes


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A folder that is there and one that isn't."""
    (tmp_path / "there").mkdir()
    return tmp_path / "there", tmp_path / "drive" / "papers"


def _told(bursts: Iterator[None]) -> bool:
    return len(list(islice(bursts, 1))) == 1


def test_a_root_that_is_missing_is_followed_once_it_is_there(places: tuple[Path, Path], tmp_path: Path) -> None:
    there, missing = places
    bursts = changes([there, missing], tmp_path / "library")
    assert _told(bursts)
    (there / "a.txt").write_text("The others are followed meanwhile.")
    assert _told(bursts)
    missing.mkdir(parents=True)
    assert _told(bursts)
    (missing / "b.txt").write_text("And this one from now on.")
    assert _told(bursts)
    (there / "c.txt").write_text("As the others.")
    assert _told(bursts)


def test_a_root_that_goes_and_comes_back_is_followed_again(places: tuple[Path, Path], tmp_path: Path) -> None:
    """As a drive does; for a while there is no root at all."""
    there, _ = places
    bursts = changes([there], tmp_path / "library")
    assert _told(bursts)
    shutil.rmtree(there)
    assert _told(bursts)
    there.mkdir()
    assert _told(bursts)
    (there / "a.txt").write_text("text")
    assert _told(bursts)
    there.rename(tmp_path / "old")
    there.mkdir()
    assert _told(bursts)
    (there / "b.txt").write_text("text")
    assert _told(bursts)


def test_a_file_that_is_followed_may_go_and_come_back(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("text")
    bursts = changes([file], tmp_path / "library")
    assert _told(bursts)
    file.unlink()
    assert _told(bursts)
    (tmp_path / "new").write_text("saved as editors do")
    (tmp_path / "new").rename(file)
    assert _told(bursts)
    file.unlink()
    assert _told(bursts)
    file.mkdir()
    assert _told(bursts)
    (file / "b.txt").write_text("text")
    assert _told(bursts)
