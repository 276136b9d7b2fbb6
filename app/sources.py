"""What the page's browser side asks for itself: a conversation, a document's text as it was read, pages of a PDF, the original file.

Plain requests beside Streamlit's own, behind the same door: a word that comes, or a page that is turned, doesn't run the page's
script again. Only what stands in a library is given out, whatever path is asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import holdings, libraries, resources
from app.drawing import draw
from app.login import visitor
from app.tasks import as_csv
from app.typeset import typeset
from ingest.errors import IngestError
from ingest.loaders.parsed import UNLOCKED
from ingest.store.conversations import Conversations, Turn
from ingest.store.paths import absent, file_of, stamp_of

SHOWN_INLINE = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
"""What a browser shows by itself, and that can't run anything; all else is saved as a file."""


def _text(request: Request) -> Response:
    """The document's text around the span from `start` to `end`, typeset; and where what stands before and behind it can be had."""
    library, path = _asked(request)
    opened = resources.library(library)
    parsed = opened.parsed(path)
    start, end = int(request.query_params.get("start", 0)), int(request.query_params.get("end", 0))
    told = typeset(parsed, start, end)
    return JSONResponse(
        told
        | {
            "name": holdings.name(path),
            "is_pdf": _is_pdf(path) and file_of(path).is_file() and UNLOCKED not in parsed.notes,
            "pages": parsed.pages[-1][1] if parsed.pages else None,
            "as_read": opened.is_as_read(path),
            "there": file_of(path).is_file(),
        }
    )


def _page(request: Request) -> Response:
    """A page of a PDF as PNG."""
    _, path = _asked(request)
    file = file_of(path)
    picture = draw(file, stamp_of(file.stat()), int(request.query_params["page"])) if _is_pdf(path) else None
    if picture is None:
        return PlainTextResponse("The page can't be drawn.", 404)
    return Response(picture, media_type="image/png", headers={"cache-control": "private, max-age=600"})


def _original(request: Request) -> Response:
    """The file itself."""
    _, path = _asked(request)
    file, name = file_of(path), PurePosixPath(path).name
    file.stat()  # while one that is gone can still be told
    kind = SHOWN_INLINE.get(file.suffix.lower())
    if kind:
        return FileResponse(file, media_type=kind, content_disposition_type="inline", filename=name)
    return FileResponse(file, media_type="application/octet-stream", filename=name)


def _conversation(request: Request) -> Response:
    """The turns of a conversation from `since` on, as far as they came."""
    library = _library(request)
    conversation, since = int(request.query_params["conversation"]), int(request.query_params.get("since", 0))
    return JSONResponse([_turn(library, turn) for turn in _kept(request).turns(conversation, since)])


def _table(request: Request) -> Response:
    """The table of a turn, as CSV."""
    conversation, turn = (int(request.query_params[name]) for name in ("conversation", "turn"))
    for found in _kept(request).turns(conversation, turn)[:1]:
        headers = {"content-disposition": 'attachment; filename="table.csv"'}
        return PlainTextResponse(as_csv(found.answer), media_type="text/csv", headers=headers)
    raise IngestError("there is no such turn")


def _shelf(request: Request) -> Response:
    """What a library holds: its conversations, its documents, and how far an ingest is.

    With `search`, the conversations that speak of it and the documents that are called so.
    """
    library, search = _library(request), request.query_params.get("search", "")
    kept = [asdict(conversation) for conversation in _kept(request).all(search)]
    return JSONResponse({"conversations": kept} | holdings.documents(library, search))


def _holdings(request: Request) -> Response:
    """All that the page under Documents shows."""
    return JSONResponse(holdings.everything(_owned(request), request.query_params.get("search", "")))


def _backup(request: Request) -> Response:
    """A library in one file."""
    return libraries.backup(_owned(request))


def _turn(library: str, turn: Turn) -> dict[str, Any]:
    told = {"id": turn.id, "question": turn.question, "within": turn.within, "state": turn.state} | turn.answer
    told["asked_of"] = [holdings.name(path) for path in turn.within]
    asking = resources.asking(library, turn.id)
    if asking is None:
        return told
    state = asking.state  # looked at first: of an answer that has ended, all is there
    return told | asking.answer() | {"state": state, "doing": asking.doing()}


def _kept(request: Request) -> Conversations:
    """The conversations of who asks.

    Raises:
        IngestError: nobody does that is logged in.
    """
    person = visitor(request.cookies)
    if person is None:
        raise IngestError("log in again")
    return resources.conversations(_library(request), person)


def _owned(request: Request) -> str:
    """The library that is asked for, by who may change it.

    Raises:
        IngestError: there is none of this name, or somebody else asks.
    """
    person = visitor(request.cookies)
    if person is None or not person.is_owner:
        raise IngestError("only the owner may")
    return _library(request)


def _library(request: Request) -> str:
    """The library that is asked for.

    Raises:
        IngestError: there is none of this name.
    """
    library = request.query_params.get("library", "")
    if not resources.there(library):
        raise IngestError(f"there is no library called {library!r}")
    return library


def _asked(request: Request) -> tuple[str, str]:
    """The library and the document that are asked for.

    Raises:
        IngestError: there is no such library, or it hasn't this document.
    """
    library, path = _library(request), request.query_params.get("path", "")
    with resources.library(library).snapshot() as view:
        if path not in view.paths():
            raise absent(path)
    return library, path


def _is_pdf(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() == ".pdf"


def _guarded(answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        try:
            return await run_in_threadpool(answer, request)
        except (IngestError, OSError, KeyError, ValueError, OverflowError) as error:
            return PlainTextResponse(str(error), 404)

    return respond


ROUTES: Sequence[Route] = [
    Route("/octavo/shelf", _guarded(_shelf)),
    Route("/octavo/holdings", _guarded(_holdings)),
    Route("/octavo/backup", _guarded(_backup)),
    Route("/octavo/conversation", _guarded(_conversation)),
    Route("/octavo/table", _guarded(_table)),
    Route("/octavo/text", _guarded(_text)),
    Route("/octavo/page", _guarded(_page)),
    Route("/octavo/original", _guarded(_original)),
]
