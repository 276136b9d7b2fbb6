"""What other programs are given of this machine's libraries, over HTTP (api.py) and as an agent's tools (mcp.py) alike."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from threading import Lock
from typing import Any

import anyio
from langchain_core.language_models import BaseChatModel
from starlette.concurrency import run_in_threadpool

from app import resources
from ingest import Library, Settings
from ingest.errors import PathError
from ingest.terminal import print_json
from rag import build_chain
from rag.answer import Answer, Evidence
from rag.chain import AnswerChain
from rag.errors import RagError
from rag.query import clean, read_query
from rag.read import READ, default_reader, read
from rag.retriever import LibraryRetriever

IN_FLIGHT = 4
"""Questions that are answered at a time: each has its own cache of keys and values, and they share the processor."""
WAITING = 64
"""Questions that may wait; who comes then is told to come again."""
MOST = 20_000
"""Characters of a document that are given at once; `next` says where to go on."""


class Busy(RagError):
    """More questions wait than may."""


def announce(address: str, token: str, given: bool, as_data: bool) -> None:
    """Prints where a server listens, and its token where it was made for this run."""
    if as_data:
        print_json({"address": address, "token": None if given else token})
    else:
        print(f"Octavo: {address}\ntoken: {'$OCTAVO_TOKEN' if given else token}", flush=True)


class Chains:
    """A chain over each library, all with one model, which is loaded when it is first needed."""

    def __init__(self, library: str, model: str | BaseChatModel | None = None) -> None:
        """
        Args:
            library: name or directory of the one that is meant where none is named.
            model: as for `build_chain`.
        """
        self._directory, self._model = Settings().library_dir(library), model
        self._first: AnswerChain | None = None
        self._loading = Lock()

    def library(self, name: str = "") -> Library:
        """
        Raises:
            LibraryError: there is none of this name.
        """
        return resources.library(name) if name else resources.opened(self._directory)

    def of(self, name: str = "") -> AnswerChain:
        """The chain over the library of this name.

        Raises:
            LibraryError: there is none.
            ModelError, ServerError: there is no such model.
        """
        library = self.library(name)
        with self._loading:
            self._first = self._first or build_chain(library, self._model)
        return AnswerChain(library, self._first.model, self._first.settings)


class Queue:
    """A few questions at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._count = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """
        Raises:
            Busy: too many wait.
        """
        if self._count >= IN_FLIGHT + WAITING:
            raise Busy("too many questions are waiting", "ask again in a while")
        self._count += 1
        try:
            async with self._room:
                yield
        finally:
            self._count -= 1

    async def parts(self, chain: AnswerChain, asked: dict[str, Any]) -> AsyncGenerator[Answer]:
        """An answer as it comes, each step in a thread. Closed, it closes the chain's own generator, which stops the model."""
        async with self.turn():
            stream = chain.stream(asked)
            try:
                while (part := await run_in_threadpool(next, stream, None)) is not None:
                    yield part
            finally:
                with anyio.CancelScope(shield=True), suppress(ValueError):  # a step goes on where the server itself is being stopped
                    await run_in_threadpool(stream.close)


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
