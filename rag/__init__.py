"""A question in, a cited answer out: retrieve, read, gate, pack, generate, verify. LangChain lives here."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer import Answer as Answer
    from rag.answer import Citation as Citation
    from rag.chain import build_chain as build_chain
    from rag.chat_gemma import ChatGemma2 as ChatGemma2
    from rag.errors import RagError as RagError
    from rag.retriever import LibraryRetriever as LibraryRetriever

_HOMES = {
    "Answer": "rag.answer",
    "ChatGemma2": "rag.chat_gemma",
    "Citation": "rag.answer",
    "LibraryRetriever": "rag.retriever",
    "RagError": "rag.errors",
    "build_chain": "rag.chain",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
