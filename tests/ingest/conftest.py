"""What the tests of this room stand on: the embedder, the index even in small libraries, and the small files they are made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.index import view
from tests.nursery import Nursery


@pytest.fixture(scope="session")
def embedder(nursery: Nursery) -> Embedder:
    """The nursery begins first, so that both load at once, each on a core."""
    nursery.begin()
    return Embedder.load()


@pytest.fixture(autouse=True)
def through_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are put to the index, as in a large library: these are small."""
    monkeypatch.setattr(view, "_EXACT", 0)


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder, create=True) as opened:
        yield opened


def three_documents(directory: Path) -> Path:
    """A folder of three documents about three things."""
    (directory / "sub").mkdir(parents=True)
    (directory / "mill.txt").write_text("The tide mill grinds wheat with four pairs of French stones.")
    (directory / "barge.md").write_text("# Barges\n\nA barge brought oats to the quay each Friday.\n")
    (directory / "sub" / "bees.html").write_text("<h1>Bees</h1><p>The hives behind the granary gave 31 kg of honey.</p>")
    return directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return three_documents(tmp_path / "folder")
