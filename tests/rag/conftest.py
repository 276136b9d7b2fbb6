"""A library of the samples, and the chain over it with the real starter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.chain import AnswerChain


@pytest.fixture(scope="session")
def library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("home") / "samples", create=True) as opened:
        assert opened.add([samples]).ok
        yield opened


@pytest.fixture(scope="session")
def chain(library: Library) -> AnswerChain:
    return build_chain(library, "starter")
