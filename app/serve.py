"""The page's server: Streamlit, and every guard around it. `octavo app` turns into this process.

`Door` stands before all that Streamlit answers (door.py says why), and Streamlit is told its own guards too. Neither depends on
where the server was started: options come from here alone, because a config.toml of the working directory or the home, or a
STREAMLIT_* variable, could switch guards off.
"""

import logging
import os
import secrets
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import streamlit
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, net_util

from app import following, libraries
from app.door import guarded, is_at_home, is_token
from app.login import LoginDoor, cookie, sessions
from app.quiet import keep_quiet
from app.settings import Settings
from app.sources import ROUTES
from ingest import Settings as IngestSettings
from ingest.terminal import as_json

OPTIONS = {
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["127.0.0.1", "localhost", "::1"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableAgentApi": False,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "server.maxUploadSize": 500,
    "browser.serverAddress": "127.0.0.1",
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.hideWelcomeMessage": True,
    "theme.light.primaryColor": "#7a4b12",
    "theme.dark.primaryColor": "#a0672a",
}
CLOSED = "This page is closed: open the address that `octavo app` printed."


class Door:
    """ASGI middleware: lets in who asks this machine by its own name, from no page but ours, with the token.

    The token comes in the address once, and in a cookie from then on.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._cookie = cookie(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        asked = HTTPConnection(scope)
        answer: ASGIApp = PlainTextResponse(CLOSED, 403)
        if is_at_home(asked):
            if is_token(asked.cookies.get(self._cookie), self._token):
                answer = self._app
            if scope["type"] == "http" and scope["path"] == "/" and is_token(asked.query_params.get("token"), self._token):
                answer = self._entrance()
        return await answer(scope, receive, guarded(send))

    def _entrance(self) -> HTMLResponse:
        """Goes on to the page by itself. A redirect would arrive without the cookie where another site's link led here."""
        answer = HTMLResponse('<!doctype html><meta http-equiv="refresh" content="0;url=/">', headers={"cache-control": "no-store"})
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return answer


def serve(port: int, as_data: bool = False) -> None:
    """Serves the page on 127.0.0.1 until SIGINT or SIGTERM; `as_data` tells its address as JSON."""
    for name in [name for name in os.environ if name.startswith("STREAMLIT_")]:
        del os.environ[name]
    config.get_config_files = lambda file_name: []  # no config.toml and no secrets.toml, wherever they lie
    net_util._external_ip = net_util._internal_ip = "127.0.0.1"  # else it asks the internet when a foreign origin knocks
    logging.disable(logging.INFO)  # uvicorn tells an address that the door would not open at
    given = Settings().token
    token = given or secrets.token_urlsafe(24)
    named = sessions()
    address = f"http://127.0.0.1:{port}/" + ("" if named else "?token=")

    @asynccontextmanager
    async def opened(_: streamlit.App) -> AsyncIterator[None]:
        told = address if named else f"{address}{'$OCTAVO_TOKEN' if given else token}"
        print(as_json({"address": told}) if as_data else f"Octavo: {told}", flush=True)
        with ExitStack() as kept:
            if not config.get_option("server.headless"):  # there is a display
                with suppress(OSError):  # a home that can't be written to: the printed address does
                    webbrowser.open(kept.enter_context(_link(address if named else address + token)))
            libraries.tidy()
            following.begin()
            yield

    door = Middleware(LoginDoor, sessions=named, port=port) if named else Middleware(Door, token=token, port=port)
    page = streamlit.App(Path(__file__).with_name("page.py"), middleware=[door], routes=ROUTES, lifespan=opened)
    page.run(config=OPTIONS | {"server.port": port})


@contextmanager
def _link(address: str) -> Iterator[str]:
    """A file of the user's that leads to an address: on a browser's command line all accounts of the machine would see it."""
    home = IngestSettings().home_dir()
    home.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=home, prefix="page-", suffix=".html") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">')
        file.flush()
        yield Path(file.name).as_uri()


if __name__ == "__main__":
    keep_quiet()
    with suppress(KeyboardInterrupt):
        serve(int(sys.argv[1]), "--json" in sys.argv)
