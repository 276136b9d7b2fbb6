"""A library of the samples, and the chain over it with the real starter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.chain import AnswerChain


@pytest.fixture(scope="session")
def library(sample_library: Path) -> Iterator[Library]:
    with Library.open(sample_library) as opened:
        yield opened


@pytest.fixture(scope="session")
def chain(library: Library) -> AnswerChain:
    return build_chain(library, "starter")
