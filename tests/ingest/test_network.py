"""Reading a document reaches nobody: no parser, nor anything that one starts, can make a connection."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Embedder
from ingest.loaders import libreoffice
from ingest.loaders.office import legacy
from ingest.run import child
from ingest.run.worker import Reading, Request, Workers

pytestmark = pytest.mark.enable_socket

WAYS_OUT = """
import json, multiprocessing, os, socket, subprocess, sys, threading, types, urllib.request
port, unix = int(os.environ["TEST_PORT"]), os.environ["TEST_UNIX"]

def attempt(way):
    try:
        way()
    except (OSError, subprocess.CalledProcessError) as error:
        return type(error).__name__
    return "reached"

def tcp():
    socket.create_connection(("127.0.0.1", port), 5).sendall(b"tcp")
def tcp_of_ipv6():
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(("::ffff:127.0.0.1", port))
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"udp", ("127.0.0.1", port))
def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).bind((0, 0))
def a_daemon_of_this_machine():
    socket.socket(socket.AF_UNIX).connect(unix)
def web():
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
def a_program():
    code = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5).sendall(b'program')"
    subprocess.run([sys.executable, "-c", code, str(port)], check=True, stderr=subprocess.DEVNULL)
def a_thread():
    failed = []
    thread = threading.Thread(target=lambda: failed.append(attempt(tcp)))
    thread.start()
    thread.join()
    if failed != ["reached"]:
        raise PermissionError

def double(number):
    return 2 * number

def load(path):
    from ingest.loaders.parsed import Parsed
    ours, theirs = socket.socketpair()
    ours.sendall(b"pair")
    works = {"socketpair": theirs.recv(9).decode()}
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            works[method] = pool.map(abs, [-1, -2])
    ways = [tcp, tcp_of_ipv6, udp, netlink, a_daemon_of_this_machine, web, a_program, a_thread]
    return Parsed(json.dumps([works, {way.__name__: attempt(way) for way in ways}]))

parser = types.ModuleType("ingest.loaders.text")
parser.load = load
sys.modules["ingest.loaders.text"] = parser
"""
"""A parser that tries every way out, put in the place of the one for text as a worker starts."""


class Listener:
    """A port of this machine that notes what it hears."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self.heard: list[bytes] = []
        for listen in (self._connections, self._datagrams):
            threading.Thread(target=listen, daemon=True).start()

    def _connections(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.heard.append(connection.recv(100))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _datagrams(self) -> None:
        while True:
            try:
                self.heard.append(self._udp.recv(100))
            except OSError:
                return

    def close(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)  # else a thread that waits keeps it open
        self._tcp.close()
        self._udp.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    opened = Listener()
    yield opened
    opened.close()


def _read(embedder: Embedder, file: Path) -> Reading:
    with Workers(embedder.counter, 1) as workers:
        ((_, reading),) = workers.read([Request(file, 60)])
    return reading


def test_a_parser_finds_no_way_out_and_what_needs_no_network_works(
    tmp_path: Path, embedder: Embedder, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WAYS_OUT)
    (tmp_path / "a.txt").write_text("anything")
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "daemon"))
        daemon.listen()
        for name, value in {"PYTHONPATH": tmp_path, "TEST_PORT": listener.port, "TEST_UNIX": tmp_path / "daemon"}.items():
            monkeypatch.setenv(name, str(value))
        reading = _read(embedder, tmp_path / "a.txt")
    assert reading.parsed, reading.reason
    works, attempts = json.loads(reading.parsed.text)
    assert works == {"socketpair": "pair", "fork": [1, 2], "spawn": [1, 2]}
    assert len(attempts) == 8 and "reached" not in attempts.values(), attempts
    assert not listener.heard


LETTER = """<?xml version="1.0"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
    xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
    office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:p>A letter with a picture.<draw:frame text:anchor-type="as-char" svg:width="2cm" svg:height="2cm">
<draw:image xlink:href="http://127.0.0.1:PORT/track.png" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>
</draw:frame></text:p></office:text></office:body></office:document>
"""


@pytest.fixture
def letter(tmp_path: Path, listener: Listener) -> Path:
    """A Word file of 9 kB with a picture that lies at the listener's; LibreOffice asks there while it is made."""
    if libreoffice() is None:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "letter.fodt").write_text(LETTER.replace("PORT", str(listener.port)))
    _convert(tmp_path / "letter.fodt", "doc")
    made = tmp_path / "letter.doc"
    if not made.exists():
        pytest.skip("this LibreOffice has no Writer")
    listener.heard.clear()
    return made


def _convert(file: Path, into: str, before: str = "pass") -> None:
    """LibreOffice as it is, without what keeps it from the network but what `before` does."""
    code = f"import os, sys; {before}; os.execvp(sys.argv[1], sys.argv[1:])"
    profile = f"-env:UserInstallation={(file.parent / 'profile').as_uri()}"
    command = [str(libreoffice()), profile, "--headless", "--convert-to", into, "--outdir", str(file.parent), str(file)]
    subprocess.run([sys.executable, "-c", code, *command], cwd=Path(child.__file__).parents[2], check=True, capture_output=True)


def test_reading_an_old_word_file_fetches_no_picture(letter: Path, listener: Listener, embedder: Embedder) -> None:
    reading = _read(embedder, letter)
    assert reading.parsed and "A letter with a picture." in reading.parsed.text, reading.reason
    assert not listener.heard


@pytest.mark.slow
def test_each_of_what_keeps_libreoffice_from_the_network_does_so_alone(letter: Path, listener: Listener) -> None:
    """The kernel may refuse a filter, so settings and environment have to do without it."""
    _convert(letter, "docx")
    assert any(b"GET /track.png" in request for request in listener.heard), "without them it is fetched"
    listener.heard.clear()
    leave = "from ingest.run.child import leave_network; leave_network()"
    _convert(letter, "docx", f"before = dict(os.environ); {leave}; os.environ.clear(); os.environ.update(before)")
    assert not listener.heard, "the filter alone"
    _convert(letter, "docx", "from ingest.run import child; child._SYSCALLS.clear(); child.leave_network()")
    assert not listener.heard, "the environment alone, as on a processor that the filter doesn't know"
    assert "A letter with a picture." in legacy.load(letter).text
    assert not listener.heard, "LibreOffice's settings alone"
