"""Who gets in at the page's door, and that nothing of the place where it was started opens another one."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.run import child
from tests.app.conftest import Run, Served, served
from tests.conftest import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
CONFIG = """
[server]
address = "0.0.0.0"
port = 9
baseUrlPath = "evil"
allowedHosts = ["*"]
enableCORS = false
enableXsrfProtection = false
enableAgentApi = true
maxUploadSize = 1
[client]
allowedOrigins = ["https://evil.example"]
[browser]
gatherUsageStats = true
[theme]
base = "http://127.0.0.1:{port}/theme.toml"
"""
VARIABLES = {
    "STREAMLIT_SERVER_ENABLE_CORS": "false",
    "STREAMLIT_SERVER_ALLOWED_HOSTS": "*",
    "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
    "STREAMLIT_SERVER_COOKIE_SECRET": "known",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
}


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        yield opened


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory, listener: socket.socket) -> Path:
    """A working directory, and a home, that would open the door if anything in them were read or run."""
    place = tmp_path_factory.mktemp("trap")
    for name in ("streamlit", "uvicorn", "starlette", "sitecustomize", "ingest", "page"):
        (place / f"{name}.py").write_text(f"open({str(place / 'was-run')!r}, 'w')\n")
    (place / ".streamlit").mkdir()
    (place / ".streamlit" / "config.toml").write_text(CONFIG.format(port=listener.getsockname()[1]))
    (place / ".streamlit" / "secrets.toml").write_text("HTTPS_PROXY = 'http://127.0.0.1:9'\n[auth]\ncookie_secret = 'known'\n")
    (place / ".env").write_text("OCTAVO_TOKEN=a-token-that-a-stranger-knows\n")
    return place


@pytest.fixture(scope="module")
def page(trap: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    with served(home, trap, HOME=str(trap), **VARIABLES) as opened:
        yield opened


def test_nothing_of_the_working_directory_or_the_home_is_run_or_read(page: Served, trap: Path, listener: socket.socket) -> None:
    assert page.token != "a-token-that-a-stranger-knows"
    status, headers, _ = page.get("/_stcore/health", Origin=page.address)
    assert status == 200 and "access-control-allow-origin" not in headers and "_streamlit_xsrf" in headers["set-cookie"]
    assert "evil.example" not in page.get("/_stcore/host-config")[2]
    assert "enableAgentApi" in page.get("/_stcore/agent/interact", "POST", Origin=page.address)[2]
    assert not (trap / "was-run").exists()
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:8501", "localhost:8501", "[::1]:8501"])
def test_it_opens_under_every_name_of_this_machine(page: Served, host: str) -> None:
    assert page.handshake(Host=host, Origin=f"http://{host}") == 101


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "x@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1:8501/",
        "192.168.0.7:8501",
        "0.0.0.0:8501",
        "",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_opens_nothing(page: Served, host: str) -> None:
    assert page.handshake(Host=host, Origin=f"http://{host}") == 403
    assert page.get("/", Host=host)[0] == 403
    assert page.get(f"/?token={page.token}", cookie=False, Host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://localhost:3000", "http://127.0.0.1", "file://"])
def test_no_other_page_may_connect_even_with_the_cookie(page: Served, origin: str) -> None:
    assert page.handshake(Origin=origin) == 403
    assert page.get("/_stcore/health", Origin=origin)[0] == 403


def test_another_port_of_this_machine_is_another_page(page: Served) -> None:
    assert page.handshake(Origin=f"http://127.0.0.1:{page.port + 1}") == 403
    assert page.handshake(Origin=f"https://127.0.0.1:{page.port}") == 403


INSIDE = [
    "/",
    "/documents?library=default",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/stream",
    "/_stcore/upload_file/a/b",
    "/_stcore/agent/openapi.json",
    "/media/0.png",
    "/component/a/b",
    "/static/js/index.js",
    "/favicon.png",
    "//",
    "/?token=",
    "/?token=wrong",
    "/?token=%C3%A9%00",
    "/?token[]=x",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_without_the_token_there_is_one_line_and_nothing_else(page: Served, method: str) -> None:
    for path in INSIDE:
        status, headers, text = page.get(path, method, cookie=False)
        assert status == 403 and "set-cookie" not in headers, path
        assert text in ("", "This page is closed: open the address that `octavo app` printed."), path


def test_without_the_token_no_websocket_opens(page: Served) -> None:
    assert page.handshake(Cookie="") == 403
    assert page.handshake(Cookie=f"octavo-{page.port}=wrong") == 403
    assert page.handshake(Cookie=f"octavo-{page.port + 1}={page.token}") == 403
    assert page.handshake() == 101


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_gets(page: Served) -> None:
    status, headers, text = page.get(f"/?token={page.token}", cookie=False)
    assert status == 200 and page.token not in text
    cookie, *rules = headers["set-cookie"].lower().split("; ")
    assert cookie == f"octavo-{page.port}={page.token}".lower()
    assert {"httponly", "samesite=strict", "path=/"} <= set(rules)
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/nothing", "/?token=wrong"])
def test_every_answer_keeps_other_pages_from_framing_it_and_the_address_to_itself(page: Served, path: str) -> None:
    for cookie in (True, False):
        _, headers, _ = page.get(path, cookie=cookie)
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY" and headers["referrer-policy"] == "no-referrer"


def test_an_upload_for_no_visitor_s_session_is_refused(page: Served) -> None:
    assert page.get("/_stcore/upload_file/nobody/1", "PUT", Origin=page.address)[0] in (400, 403)


def test_the_page_listens_on_the_loopback_alone(page: Served) -> None:
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    sockets = [line.split() for line in tables.splitlines()]
    listening = [local for _, local, _, state, *_ in sockets if state == "0A" and local.endswith(f":{page.port:04X}")]
    assert listening == [f"0100007F:{page.port:04X}"]


@pytest.mark.parametrize(("number", "code"), [pytest.param(signal.SIGTERM, -signal.SIGTERM, marks=pytest.mark.slow), (signal.SIGINT, 0)])
def test_a_signal_ends_it_though_a_visitor_is_connected(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with served(tmp_path) as page, socket.create_connection(("127.0.0.1", page.port)) as visitor:
        request = f"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: b2N0YXZvb2N0YXZvb2N0YQ==\r\n"
        visitor.sendall(f"{request}{key}Cookie: octavo-{page.port}={page.token}\r\n\r\n".encode())
        assert visitor.recv(12) == b"HTTP/1.1 101"
        page.process.send_signal(number)
        assert page.process.wait(120) == code
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", page.port))


def test_a_token_of_one_s_own_opens_it_and_is_not_printed(tmp_path: Path) -> None:
    with served(tmp_path, OCTAVO_TOKEN="one-of-my-own-0123456789") as page:
        assert page.token == "$OCTAVO_TOKEN"
        assert page._replace(token="one-of-my-own-0123456789").handshake() == 101


def test_the_browser_is_started_without_the_token_on_its_command_line(tmp_path: Path) -> None:
    """All accounts of a machine can read the command lines of all processes."""
    opener, told = tmp_path / "opener", tmp_path / "told"
    shows = 'ls -l "${1#file://}"; cat "${1#file://}"; echo; echo "$*"'
    opener.write_text(f"#!/bin/sh\n({shows}) > {told}.part; mv {told}.part {told}\n")
    opener.chmod(0o755)
    with served(tmp_path / "home", DISPLAY=":9", BROWSER=str(opener)) as page:
        while not told.exists():
            time.sleep(0.1)
        *file, arguments = told.read_text().splitlines()
        assert page.token not in arguments and file[0].startswith("-rw-------") and page.link in file[1]
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("token", ["", "short", "with a space in the middle", "semicolon;0123456789012"])
def test_a_token_that_could_be_guessed_or_read_otherwise_is_refused(octavo: Run, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("OCTAVO_TOKEN", token)
    ran = octavo("app")
    assert ran.code == 2 and ran.err.startswith("error: setting OCTAVO_TOKEN: ")


def test_an_empty_entry_of_pythonpath_does_not_stand_for_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}elsewhere{os.pathsep}")
    assert child.python("app.serve")[1]["PYTHONPATH"] == f"{ROOT}{os.pathsep}elsewhere"


def test_a_port_that_is_taken_is_named(octavo: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = octavo("app", "--port", str(port))
    assert ran.code == 2 and ran.err == f"error: 127.0.0.1:{port}: Address already in use\n"
