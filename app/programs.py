"""What other programs are given of this machine's libraries, over HTTP (api.py) and as an agent's tools (mcp.py) alike."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from langchain_core.language_models import BaseChatModel

from app import resources
from ingest import Library, Settings
from ingest.errors import PathError
from rag import build_chain
from rag.answer import Evidence
from rag.chain import AnswerChain
from rag.query import clean, read_query
from rag.read import READ, default_reader, read
from rag.retriever import LibraryRetriever

MOST = 20_000
"""Characters of a document that are given at once; `next` says where to go on."""


class Chains:
    """A chain over each library, all with the one model that is loaded here."""

    def __init__(self, library: str, model: str | BaseChatModel | None = None) -> None:
        """
        Args:
            library: name or directory of the one that is meant where none is named.
            model: as for `build_chain`.

        Raises:
            LibraryError: there is no such library.
            ModelError, ServerError: there is no such model.
        """
        self._directory = Settings().library_dir(library)
        self._first = build_chain(resources.opened(self._directory), model)

    def of(self, name: str = "") -> AnswerChain:
        """The chain over the library of this name.

        Raises:
            LibraryError: there is none.
        """
        library = resources.library(name) if name else resources.opened(self._directory)
        return AnswerChain(library, self._first.model, self._first.settings)


def search(library: Library, query: str, k: int = 8, within: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The k passages that say most to a query, best first, as a question's are found and read.

    Raises:
        QuestionError: the query is empty, or the library has nothing at a path of `within`.
    """
    asked = read_query({"question": query, "within": named(within)})
    found = LibraryRetriever(library=library).evidence(asked.question, max(k, READ), asked.within)
    return [_passage(item) for item in read(asked.question, found, default_reader())[:k]]


def named(paths: Sequence[str] | None) -> list[str] | None:
    """Paths as a program names them, without what no path holds: NUL and half characters."""
    return None if paths is None else [_named(path) for path in paths]


def _named(path: str) -> str:
    return clean(path).replace("\0", "\ufffd")


def _passage(item: Evidence) -> dict[str, Any]:
    chunk = item.chunk
    place = {"path": chunk.path, "page_start": chunk.page_start, "page_end": chunk.page_end}
    span = {"char_start": chunk.char_start, "char_end": chunk.char_end, "heading": chunk.heading, "text": chunk.text}
    answerable = item.reading.answerable if item.reading else None
    return place | span | {"score": item.score, "dense": item.dense, "words": item.words, "answerable": answerable}


def documents(library: Library) -> dict[str, Any]:
    """All documents, and the files that couldn't be read."""
    return {
        "data": [asdict(document) for document in library.documents()],
        "failed": [{"path": path, "reason": reason} for path, reason in library.failures()],
    }


def source(library: Library, path: str, page: int | None = None, start: int = 0, end: int | None = None) -> dict[str, Any]:
    """A part of a document's canonical text, into which every offset points: a page, or what stands from `start` to `end`.

    Only what stands in the library is given, whatever path is asked for.

    Raises:
        PathError: the library has no such document, or the document no such page.
    """
    path = _named(path)
    parsed = library.parsed(path)
    pages = parsed.pages or []
    if page is not None:
        start, end = _span(path, pages, page, len(parsed.text))
    start = min(start, len(parsed.text))
    last = min(len(parsed.text) if end is None else end, len(parsed.text))
    end = max(start, min(last, start + MOST))
    return {
        "path": path,
        "pages": pages[-1][1] if pages else None,
        "chars": len(parsed.text),
        "page_start": _page_at(pages, start),
        "page_end": _page_at(pages, max(start, end - 1)),
        "char_start": start,
        "char_end": end,
        "text": parsed.text[start:end],
        "next": end if end < last else None,
    }


def _span(path: str, pages: Sequence[tuple[int, int]], page: int, length: int) -> tuple[int, int]:
    for place, (start, number) in enumerate(pages):
        if number == page:
            return start, pages[place + 1][0] if place + 1 < len(pages) else length
    hint = f"its pages are {pages[0][1]} to {pages[-1][1]}" if pages else "its format has no pages: leave the page out"
    raise PathError(f"{path} has no page {page}", hint)


def _page_at(pages: Sequence[tuple[int, int]], place: int) -> int | None:
    """The page that a character stands on; what stands before the first is on it too."""
    return pages[max(0, bisect_right(pages, place, key=lambda page: page[0]) - 1)][1] if pages else None
