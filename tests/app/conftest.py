"""Running the command as a user does, in this process (loading torch for each command would take minutes), and the page."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from app.door import listening
from ingest import Library
from tests.conftest import ROOT
from tests.rag.test_servers import Served as ModelServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = "axe-core@4.10.2"
TIMEOUT = 120_000
"""Milliseconds that a page may take, also for an ingest, whose process first has to load torch, at the lowest priority."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


_FIRST = "Alma Boris Clara Denis Elsie Felix Greta Hamid Irene Jonas Katya Lewis Mabel Nadim Olive Piers".split()
GUESTS = {101 + n: f"{name} {name[::-1].title()}son" for n, name in enumerate(_FIRST)}
"""Who lives in which room."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def home(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCTAVO_HOME with the samples in the library `default`."""
    place = tmp_path_factory.mktemp("octavo-home")
    shutil.copytree(sample_library, place / "libraries" / "default")
    return place


@pytest.fixture
def octavo(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    from app.cli import main

    monkeypatch.setenv("OCTAVO_HOME", str(home))
    monkeypatch.setattr("os.nice", lambda _: 0)  # main runs in this process, and no other test should be slow for it

    def run(*args: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["octavo", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    yield run


class Served(NamedTuple):
    """The page, as `octavo app` serves it."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        return f"{self.address}/?token={self.token}"

    def get(self, path: str, method: str = "GET", cookie: bool = True, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of an answer; `Host` is ours unless given."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {"Cookie": f"octavo-{self.port}={self.token}"} if cookie else {}
        connection.request(method, path, headers=given | headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode(errors="replace")

    def handshake(self, **headers: str) -> int:
        """The status of a WebSocket's handshake: 101 lets it in."""
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "b2N0YXZvb2N0YXZvb2N0YQ==", "Origin": self.address}
        return self.get("/_stcore/stream", **(upgrade | key | headers))[0]


@contextmanager
def served(home: Path, cwd: Path = ROOT, prefix: Sequence[str] = (), **environment: str) -> Iterator[Served]:
    """`octavo app`, started as a user does, on a port that is free; `prefix` is a command that runs it."""
    headless = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    ours = {"OCTAVO_HOME": str(home), "OCTAVO_MODEL": "starter", "PYTHONPATH": str(ROOT)}
    command = [*prefix, sys.executable, "-P", "-m", "app", "app", "--port"]  # as the script `octavo` has it
    for more in (2, 1, 0):  # another process may take the port before it does
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [*command, str(port)], cwd=cwd, env=headless | ours | environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert process.stdout
            if (line := process.stdout.readline().strip()) or not more:
                yield Served(process, port, line.rpartition("token=")[2])
                return
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=120)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for a module: while Playwright runs, its thread has an event loop, and no test of asyncio can run in it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


class Endless(GenericFakeChatModel):
    """Writes until its generator is closed."""

    began: Any
    closed: Any

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        self.began.set()
        try:
            while True:
                time.sleep(0.005)
                yield ChatGenerationChunk(message=AIMessageChunk("on and "))
        finally:
            self.closed.set()


@contextmanager
def listening_at(app: Any) -> Iterator[int]:
    """The port at which an ASGI app is served, by a thread of this process."""
    with listening(0) as opened:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
        thread = threading.Thread(target=server.run, args=([opened],))
        thread.start()
        try:
            yield opened.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def guests(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The OCTAVO_HOME of this module's tests: the library `default` has a guest book of 16 rooms and a contract with pages,
    the library `other` a letter."""
    home, folder = tmp_path_factory.mktemp("guests"), tmp_path_factory.mktemp("papers")
    (folder / "default").mkdir()
    (folder / "other").mkdir()
    for room, guest in GUESTS.items():
        (folder / "default" / f"room-{room}.md").write_text(f"# Room {room}\n\nThe guest in room {room} is {guest}, who pays in advance.\n")
    shutil.copy(samples / "sea-gates-contract.pdf", folder / "default")
    (folder / "other" / "letter.txt").write_text("The lighthouse keeper is called Ottoline Marsh. She has kept it since 1998.\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OCTAVO_HOME", str(home))
        patched.delenv("OCTAVO_TOKEN", raising=False)
        for name in ("default", "other"):
            with Library.open(home / "libraries" / name, create=True) as library:
                assert library.add([folder / name]).ok
        yield folder / "default"


@pytest.fixture(scope="session")
def teller() -> Iterator[ModelServer]:
    """A model's server, which a test tells what to say."""
    serving = ModelServer()
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()


@pytest.fixture(scope="session")
def own_home(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `home`, for the page's conversations."""
    place = tmp_path_factory.mktemp("page-home")
    shutil.copytree(sample_library, place / "libraries" / "default")
    return place


@pytest.fixture(scope="session")
def server(own_home: Path) -> Iterator[Served]:
    """The page, of which the starter is asked unless a module chooses another."""
    with served(own_home) as page:
        yield page


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> Iterator[str]:
    """axe-core, by npm, kept in pytest's cache."""
    folder = request.config.cache.mkdir("axe")
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        try:
            subprocess.run(
                ["npm", "install", "--silent", "--prefix", folder, AXE], check=True, timeout=60, capture_output=True, env=os.environ
            )
        except (OSError, subprocess.SubprocessError):
            pytest.skip("axe-core is not here, and npm can't install it")
    yield script.read_text()


def findings(page: Any, axe: str) -> Iterator[str]:
    """What axe-core holds against a page, if it is serious."""
    page.evaluate(axe)
    for rule in page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
        if rule["impact"] in ("serious", "critical"):
            yield f"{rule['id']}: {rule['nodes'][0]['target']} {rule['nodes'][0]['failureSummary']}"


def entered(browser: Any, server: Served, **options: Any) -> Any:
    """A browser's context that has been let in at the door."""
    context = browser.new_context(**options)
    context.set_default_timeout(TIMEOUT)
    context.add_cookies([{"name": f"octavo-{server.port}", "value": server.token, "url": server.address}])
    return context


@pytest.fixture(scope="module")
def context(browser: Any, server: Served) -> Any:
    """One for a module: a fresh one would load and compile Streamlit's scripts again, 1 s of processor each time."""
    return entered(browser, server)


@pytest.fixture
def visit(browser: Any, server: Served, context: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page in a tab of its own; what its policy blocks, an error of its scripts and a request elsewhere fail the test."""
    pages, contexts, wrong = [], [context], []

    def heed(message: Any) -> None:
        if message.type == "error" and not re.search("status of (400|404)|ERR_CONNECTION", message.text):
            wrong.append(message.text)

    def note(asked: Any) -> None:
        if not asked.url.startswith((server.address, server.address.replace("http", "ws"), "data:", "blob:")):
            wrong.append(asked.url)

    def opened(path: str = "", width: int = 1280, height: int = 860, **options: Any) -> Any:
        if options:
            contexts.append(entered(browser, server, **options))
        pages.append(page := contexts[-1].new_page())
        page.set_viewport_size({"width": width, "height": height})
        page.on("console", heed)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", note)
        page.on("dialog", lambda dialog: dialog.accept(getattr(page, "answer", None) or dialog.default_value))
        page.goto(f"{server.address}/{path}")
        return page

    yield opened
    for each in (*pages, *contexts[1:]):
        each.close()
    assert wrong == []


def ask(page: Any, question: str) -> None:
    box = page.get_by_placeholder("Ask a question")
    box.fill(question)
    box.press("Enter")


def answered(page: Any, count: int = 1) -> Any:
    """The last of so many turns, once it is answered."""
    page.locator(".tools").nth(count - 1).wait_for()
    return page.locator(".turn").nth(count - 1)
