"""`octavo serve`: the chain for other programs, in OpenAI's protocol, with citations in a field of their own; search and documents.

Questions are answered in threads, a few at a time, over one model; the others wait their turn. Who goes away stops the model.
"""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import reduce
from operator import add
from typing import Annotated, Any, TypeVar

import anyio
import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Send

from app import resources
from app.door import BearerDoor, failure, listening
from app.programs import Chains, Queue, announce, documents, search, source
from app.protocol import ChatRequest, Replies, SearchRequest, UnknownModel, explained, misread
from app.settings import Settings
from ingest.errors import IngestError, LibraryError
from model.errors import ModelError
from rag.answer import Answer
from rag.chain import AnswerChain
from rag.errors import RagError

_MODEL = "octavo"
T = TypeVar("T")


class Stream(StreamingResponse):
    """One whose content is closed when who listened has gone, not when it is collected as garbage."""

    def __init__(self, content: AsyncIterator[str], parts: AsyncGenerator[Answer]) -> None:
        super().__init__(content, media_type="text/event-stream", headers={"cache-control": "no-store"})
        self._parts = parts

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._parts), aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)


async def _unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """What the work gives; it is stopped when who asked goes away.

    Raises:
        ClientDisconnect: so it was.
    """

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    with anyio.CancelScope() as scope:
        watching = asyncio.create_task(watch())
        try:
            return await work()
        finally:
            watching.cancel()
    raise ClientDisconnect


def make_app(chains: Chains, token: str) -> ASGIApp:
    """The API, behind its door. FastAPI's pages of documentation load from a CDN, and it reports to whom the environment names: off."""
    silent: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=silent)
    queue, started = Queue(), int(time.time())

    @app.post("/v1/chat/completions")
    async def chat(asked: ChatRequest, request: Request) -> Response:
        if name := asked.unsupported():
            return failure(400, f"Octavo gives no reply of the kind that {name!r} asks for", name, "unsupported_parameter")
        question = asked.asked()
        chain = await run_in_threadpool(_chain, chains, asked.model)
        replies, parts = Replies(asked, chain), queue.parts(chain, question)
        if not asked.stream:
            return JSONResponse(replies.whole(await _unless_gone(request, lambda: _whole(parts))))
        first = await _unless_gone(request, lambda: anext(parts))  # what is wrong with a question has a status of its own
        return Stream(replies.events(_again(first, parts)), parts)

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        names = [_MODEL, *(f"{_MODEL}/{name}" for name in resources.library_names() if resources.there(name))]
        return {"object": "list", "data": [_model(name, started) for name in names]}

    @app.get("/v1/models/{name:path}")
    def model(name: str) -> dict[str, Any]:
        _chain(chains, name)
        return _model(name, started)

    @app.post("/v1/search")
    async def find(asked: SearchRequest, request: Request) -> dict[str, Any]:
        async def passages() -> list[dict[str, Any]]:
            async with queue.turn():
                return await run_in_threadpool(lambda: search(chains.library(asked.library), asked.query, asked.k, asked.within))

        return {"object": "list", "data": await _unless_gone(request, passages)}

    @app.get("/v1/documents")
    def shelf(
        library: str = "",
        path: str | None = None,
        page: Annotated[int | None, Query(ge=1)] = None,
        start: Annotated[int, Query(ge=0)] = 0,
        end: Annotated[int | None, Query(ge=0)] = None,
    ) -> dict[str, Any]:
        opened = chains.library(library)
        return {"object": "list"} | documents(opened) if path is None else {"object": "document"} | source(opened, path, page, start, end)

    for mistake in (IngestError, ModelError, RagError, sqlite3.Error, UnknownModel, Exception):
        app.add_exception_handler(mistake, lambda _, error: failure(*explained(error)))
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=499))
    app.add_exception_handler(HTTPException, lambda _, error: failure(error.status_code, error.detail))
    app.add_exception_handler(RequestValidationError, lambda _, error: misread(error))
    return BearerDoor(app, token)


def _model(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": _MODEL}


def _chain(chains: Chains, model: str) -> AnswerChain:
    """The chain over the library that a model's name means: octavo, or octavo/LIBRARY.

    Raises:
        UnknownModel: there is none.
    """
    own, _, library = model.partition("/")
    with suppress(LibraryError):
        if own == _MODEL and (library or model == _MODEL):
            return chains.of(library)
    raise UnknownModel(f"there is no model {model!r:.80}: /v1/models lists those that are there")


async def _whole(parts: AsyncGenerator[Answer]) -> Answer:
    async with aclosing(parts):
        return reduce(add, [part async for part in parts])


async def _again(first: Answer, parts: AsyncIterator[Answer]) -> AsyncIterator[Answer]:
    yield first
    async for part in parts:
        yield part


def serve(port: int, library: str, model: str | None, as_data: bool = False) -> None:
    """Answers on 127.0.0.1 until SIGINT or SIGTERM.

    Raises:
        LibraryError, ModelError, ServerError: there is no such library or model.
        OSError: the port is taken.
    """
    given = Settings().token
    token = given or secrets.token_urlsafe(24)
    with listening(port) as opened:
        chains = Chains(library, model)
        chains.of()  # a model that isn't there is told now
        app = make_app(chains, token)
        announce(f"http://127.0.0.1:{port}/v1", token, bool(given), as_data)
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([opened])
