"""The retriever as LangChain's standard tests see it, and that the right chunks come first."""

from pathlib import Path

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from ingest import Chunk, Hit, Library
from rag import LibraryRetriever
from rag.evaluate import evaluate_retrieval, read_lines
from rag.retriever import from_document, fuse, to_document


class TestStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _library(self, library: Library) -> None:
        type(self)._opened = library  # type: ignore[attr-defined]

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return LibraryRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, object]:
        return {"library": self._opened}  # type: ignore[attr-defined]

    @property
    def retriever_query_example(self) -> str:
        return "When was the mill built?"


def hit(name: str, score: float) -> Hit:
    return Hit(Chunk(name, "/d", name, 0, 1, None, None, ""), score)


def test_fusing_weighs_both_rankings_and_keeps_what_only_one_found() -> None:
    fused = fuse([hit("a", 0.9), hit("b", 0.5), hit("c", 0.1)], [hit("b", 12.0), hit("d", 6.0), hit("a", 2.0)], 4)
    assert [e.chunk.id for e in fused] == ["b", "a", "d", "c"]
    assert (fused[2].dense, fused[2].words) == (0.0, 6.0)
    assert fuse([], [], 5) == []


def test_evidence_survives_being_a_langchain_document(library: Library) -> None:
    for evidence in LibraryRetriever(library=library).evidence("sea gates"):
        assert from_document(to_document(evidence)) == evidence


def test_within_limits_retrieval_to_the_named_documents(library: Library, samples: Path) -> None:
    path = (samples / "faq.md").as_posix()
    found = LibraryRetriever(library=library).evidence("When was the mill built?", within=[path])
    assert found
    assert {e.chunk.path for e in found} == {path}


@pytest.mark.slow
def test_squad_passages_are_found(shared: Path) -> None:
    files = sorted((shared / "data" / "dev" / "retrieval").glob("squad_*.jsonl.xz"))
    corpus, queries = files
    assert len(read_lines(queries, "relevant")) == 810
    figures = evaluate_retrieval(corpus, queries, lambda done, total: None)
    assert figures["recall@1"] >= 0.92
    assert figures["recall@5"] >= 0.99
