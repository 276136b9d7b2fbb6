"""Who gets in at a port of this machine: who asks it by its own name, from no other page, with the token. For page, API and MCP.

A port of 127.0.0.1 is open to all accounts of this machine, and to every web page that its user looks at: a foreign site
may connect to it, or have its own name resolved to 127.0.0.1.
"""

import json
import re
import secrets
import socket

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OURS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")

HEADERS = {
    # the browser itself sends nothing elsewhere, whatever should get into the page, and no other page may frame it
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def guarded(send: Send) -> Send:
    """Sends an answer with HEADERS."""

    async def sending(message: Message) -> None:
        if message["type"].endswith("http.response.start"):
            message["headers"] = [*message["headers"], *((name.encode(), value.encode()) for name, value in HEADERS.items())]
        await send(message)

    return sending


def is_at_home(asked: HTTPConnection) -> bool:
    """Whether it was asked under a name of this machine, and by no other origin's page."""
    hosts, origins = asked.headers.getlist("host"), asked.headers.getlist("origin")
    return len(hosts) == 1 and _OURS.fullmatch(hosts[0]) is not None and all(origin == f"http://{hosts[0]}" for origin in origins)


def is_token(given: str | None, token: str) -> bool:
    return given is not None and secrets.compare_digest(given.encode(), token.encode())


class BearerDoor:
    """ASGI middleware for programs: the token comes as `Authorization: Bearer TOKEN` with every request."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        asked = HTTPConnection(scope)
        kind, _, given = asked.headers.get("authorization", "").partition(" ")
        if scope["type"] != "http" or not is_at_home(asked):
            answer: ASGIApp = failure(403, "only this machine may ask, by its own name, and no web page")
        elif kind.lower() != "bearer" or not is_token(given.strip(), self._token):
            answer = failure(401, "the token is missing or wrong", code="invalid_api_key")
        else:
            answer = self._app
        return await answer(scope, receive, send)


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> Response:
    """An error in OpenAI's shape."""
    return Response(json.dumps(told_failure(status, message, param, code)), status, media_type="application/json")


def told_failure(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, dict[str, str | None]]:
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def listening(port: int) -> socket.socket:
    """A socket on 127.0.0.1, where who comes from now on waits until he is answered.

    Raises:
        OSError: the port is taken; the error names it.
    """
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(("127.0.0.1", port))
        opened.listen()
    except OSError as error:
        opened.close()
        error.filename = f"127.0.0.1:{port}"
        raise
    return opened
