"""The retriever as LangChain's standard tests see it, and that the right chunks come first."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from ingest import Chunk, Hit, Library
from rag import LibraryRetriever
from rag.errors import QuestionError
from rag.evaluate import evaluate_retrieval, read_lines
from rag.retriever import from_documents, fuse, to_document


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
    fused = fuse([hit("a", 0.9), hit("b", 0.5), hit("c", 0.1)], [hit("b", 12.0), hit("d", 6.0), hit("a", 2.0)])
    assert [e.chunk.id for e in fused] == ["b", "a", "d", "c"]
    assert (fused[2].dense, fused[2].words) == (None, 6.0)
    assert fuse([], []) == []


def test_evidence_survives_being_a_langchain_document(library: Library) -> None:
    evidence = LibraryRetriever(library=library).evidence("sea gates")
    assert from_documents([to_document(item) for item in evidence]) == evidence


def found_in(library: Library, within: Any) -> set[str]:
    return {Path(e.chunk.path).name for e in LibraryRetriever(library=library).evidence("When was the mill built?", within=within)}


def test_within_limits_retrieval_to_files_or_folders_however_they_are_named(
    library: Library, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faq = samples / "faq.md"
    for within in (faq, str(faq), [faq], (str(faq),), {faq}, (p for p in [faq])):
        assert found_in(library, within) == {"faq.md"}
    monkeypatch.chdir(samples)
    for within in ("faq.md", Path("./faq.md"), "../samples/faq.md"):
        assert found_in(library, within) == {"faq.md"}
    assert found_in(library, samples) == found_in(library, ".") == found_in(library, None)
    assert found_in(library, ["faq.md", samples / "faq.md"]) == {"faq.md"}


def test_within_a_path_that_the_library_has_not_is_a_mistake(library: Library, tmp_path: Path) -> None:
    for within in ("/no/such/file.pdf", tmp_path, [tmp_path / "x"], "faq.md/inner"):
        with pytest.raises(QuestionError, match="no document at"):
            found_in(library, within)


@pytest.mark.slow
def test_squad_passages_are_found(shared: Path) -> None:
    files = sorted((shared / "data" / "dev" / "retrieval").glob("squad_*.jsonl.xz"))
    corpus, queries = files
    assert len(read_lines(queries, "relevant")) == 810
    figures = evaluate_retrieval(corpus, queries, lambda done, total: None)
    assert figures["fused"]["recall@1"] >= 0.92
    assert figures["read"]["recall@1"] >= 0.97
    assert figures["meaning"]["recall@1"] < figures["fused"]["recall@1"] > figures["words"]["recall@1"]
    assert figures["read"]["recall@5"] >= 0.99
