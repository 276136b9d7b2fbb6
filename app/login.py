"""The page's door on a machine that several people share: a name and a password, then a cookie, before Streamlit answers anything.

Who is logged in stands in this process's memory alone: a restart logs everybody out.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import people
from app.door import guarded, is_at_home
from app.people import NOBODYS, OWNER, Password, Person

IN, OUT = "/octavo/login", "/octavo/logout"
_TRIES, _WITHIN = 5, 60.0
"""Wrong passwords for a name, known or not, after which it has to wait, and the seconds in which they are counted."""
_LONGEST = 4096
"""Bytes of what a login sends."""
_PAGE = Path(__file__).with_name("login.html")
WRONG = "Name or password is wrong."
WAIT = "Too many wrong passwords for this name. Wait a minute."
CLOSED = "Log in first."


class Refused(Exception):
    """`str(error)` says why, to who tried."""


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    password: Password
    """As it was: another one ends the session."""


class Sessions:
    """Who is logged in, each by the secret in their browser's cookie."""

    def __init__(self) -> None:
        self._open: dict[str, _Session] = {}
        self._wrong: list[tuple[float, str]] = []

    def who(self, cookies: Mapping[str, str]) -> Person | None:
        """None for who isn't logged in, or was taken away or given a new password since."""
        session = next((self._open[secret] for secret in cookies.values() if secret in self._open), None)
        known = people.passwords() if session else {}
        if session is None or known.get(session.name) != session.password:
            return None
        return Person(session.name, next(iter(known)) == session.name)

    def begin(self, name: str, password: str) -> str:
        """A new session's secret. A name that isn't there takes as long as a wrong password, and has to wait as soon.

        Raises:
            Refused: name and password don't belong together, or the name has to wait.
        """
        self._wrong = [wrong for wrong in self._wrong if wrong[0] > time.monotonic() - _WITHIN]
        if sum(wrong[1] == name for wrong in self._wrong) >= _TRIES:
            raise Refused(WAIT)
        known = people.passwords().get(name)
        if not (known or NOBODYS).is_(password) or known is None:
            self._wrong.append((time.monotonic(), name))
            raise Refused(WRONG)
        secret = secrets.token_urlsafe(24)
        self._open[secret] = _Session(name, known)
        return secret

    def end(self, cookies: Mapping[str, str]) -> None:
        for secret in cookies.values():
            self._open.pop(secret, None)


@cache
def sessions() -> Sessions | None:
    """Those of this process; None where the page knows no names."""
    return Sessions() if people.passwords() else None


def cookie(port: int) -> str:
    """The name of a page's cookie: all ports of a host share its cookies."""
    return f"octavo-{port}"


def visitor(cookies: Mapping[str, str]) -> Person | None:
    """Who asks; None for who is let in no more."""
    opened = sessions()
    return opened.who(cookies) if opened else OWNER


class LoginDoor:
    """ASGI middleware: lets in who has logged in, asks this machine by its own name, and comes from no page but ours."""

    def __init__(self, app: ASGIApp, sessions: Sessions, port: int) -> None:
        self._app, self._sessions, self._cookie = app, sessions, cookie(port)
        self._one = CapacityLimiter(1)  # a try takes 32 MiB, and who waits for his turn shall keep no thread from others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        asked = HTTPConnection(scope)
        is_get, path = scope.get("method") == "GET", scope["path"]
        answer: ASGIApp = PlainTextResponse(CLOSED, 403)
        if is_at_home(asked):
            if scope["type"] == "http" and path == IN and scope["method"] == "POST":
                answer = await self._log_in(Request(scope, receive))
            elif is_get and path == OUT:
                self._sessions.end(asked.cookies)
                answer = self._home()
            elif self._sessions.who(asked.cookies):
                answer = self._app
            elif is_get and "." not in path and not path.startswith(("/_stcore", "/octavo/")):
                answer = _form()
        return await answer(scope, receive, guarded(send))

    async def _log_in(self, asked: Request) -> Response:
        body = b""
        async for part in asked.stream():
            body += part
            if len(body) > _LONGEST:
                return _form(WRONG)
        told = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        name, password = (told.get(field, [""])[0] for field in ("name", "password"))
        try:
            return self._home(await to_thread.run_sync(self._sessions.begin, name, password, limiter=self._one))
        except Refused as error:
            return _form(str(error), name)

    def _home(self, secret: str = "") -> Response:
        """Leads to the page: with a cookie, or without any more."""
        answer = RedirectResponse("/", 303, headers={"cache-control": "no-store"})
        if secret:
            answer.set_cookie(self._cookie, secret, httponly=True, samesite="strict")
        else:
            answer.delete_cookie(self._cookie, httponly=True, samesite="strict")
        return answer


def _form(trouble: str = "", name: str = "") -> Response:
    """The page that asks for name and password."""
    text = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        trouble=escape(trouble), name=escape(name), first="" if name else "autofocus", second="autofocus" if name else ""
    )
    return HTMLResponse(text, 403 if trouble else 401, headers={"cache-control": "no-store"})
