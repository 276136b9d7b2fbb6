"""Nothing leaves the machine, whatever is told to report: every process that commands and the page start is watched.

An audit hook in every Python process writes down whom it would connect or send to and which names it looks up. strace, where
it is installed, does so for all others and for what libraries in C and Rust do on their own.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import served
from tests.conftest import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
TRACER = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"]
STRACE = bool(shutil.which("strace")) and subprocess.run([*TRACER, "/dev/null", "true"], capture_output=True).returncode == 0
HOOK = """
import json, os, sys
_log = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def _write(*line): os.write(_log, json.dumps(line).encode() + b"\\n")
def _hook(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(args[1], tuple): _write(event, str(args[1][0]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"): _write(event, str(args[0] or "localhost"))
_write("started", *sys.orig_argv)
sys.addaudithook(_hook)
"""
PLANTED = """
import contextlib, socket, subprocess
with contextlib.suppress(OSError): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
socket.getaddrinfo("192.0.2.2", 9, flags=socket.AI_NUMERICHOST)
subprocess.run(["bash", "-c", "exec 3<>/dev/udp/192.0.2.3/9"])
"""
"""A connected UDP socket has sent nothing."""
COLLECTOR = "http://192.0.2.9:4318"
LOUD = {
    **dict.fromkeys(("ANONYMIZED_TELEMETRY", "STREAMLIT_BROWSER_GATHER_USAGE_STATS", "STREAMLIT_SERVER_SHOW_EMAIL_PROMPT"), "true"),
    **dict.fromkeys(
        ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_OTEL_ENABLED"), "true"
    ),
    **dict.fromkeys(
        ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "CHROMA_OTEL_COLLECTION_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"), COLLECTOR
    ),
    **dict.fromkeys(("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "CHROMA_OTEL_SERVICE_NAME"), "watched"),
    **dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "otlp"),
    **dict.fromkeys(("HF_HUB_DISABLE_TELEMETRY", "DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"), "0"),
    "CHROMA_OTEL_GRANULARITY": "all",
    "OTEL_SDK_DISABLED": "false",
}
RUN = """
import json, sys
from app.cli import main
for sys.argv in json.load(sys.stdin):
    try: main()
    except SystemExit as end: assert not end.code, sys.argv
"""
DOORS = """
from tests.app.visits import doors
doors()
print("visited", flush=True)
"""


@dataclass
class Watch:
    """Where a run's processes write whom they would reach."""

    place: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"WATCHED": str(self.place / "audit"), "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.place)])}

    @property
    def prefix(self) -> list[str]:
        return [*TRACER, str(self.place / "strace")] if STRACE else []

    said = ""
    """What the last run printed."""

    def run(self, home: Path, code: str, given: str = "") -> None:
        environment = os.environ | LOUD | self.environment | {"OCTAVO_HOME": str(home)}
        command = [*self.prefix, sys.executable, "-P", "-c", code]
        ran = subprocess.run(command, env=environment, input=given, text=True, check=True, cwd=self.place, stdout=subprocess.PIPE)
        self.said = ran.stdout

    def audited(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.place / "audit").read_text().splitlines()]

    def started(self, what: str) -> bool:
        return any(event == "started" and what in told for event, *told in self.audited())

    def outside_python(self) -> set[str]:
        return {told[0] for event, *told in self.audited() if event != "started" and not _is_here(told[0])}

    def outside(self) -> set[str]:
        """Of all processes. A name server is outside, wherever it listens."""
        addresses = re.findall(r'htons\((\d+)\).*?"([\da-f.:]+)"', (self.place / "strace").read_text())
        return {host for port, host in addresses if port == "53" or not _is_here(host)}


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def watch_in(place: Path) -> Watch:
    (place / "sitecustomize.py").write_text(HOOK)
    (place / "planted.py").write_text(PLANTED)
    return Watch(place)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """What a child of a child does."""
    watch = watch_in(tmp_path_factory.mktemp("planted"))
    watch.run(watch.place, "from ingest.run import child; child.start('planted').wait()")
    return watch


def test_the_watch_sees_what_a_child_s_python_and_its_libraries_do(planted: Watch) -> None:
    assert planted.outside_python() == {"192.0.2.1", "192.0.2.2"}


@pytest.mark.skipif(not STRACE, reason="no strace on this machine: apt-get install strace")
def test_the_watch_sees_what_other_programs_do(planted: Watch) -> None:
    assert planted.outside() == {"192.0.2.1", "192.0.2.3"}


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Watch:
    watch = watch_in(tmp_path_factory.mktemp("commands"))
    lines = [
        ["ingest", str(samples)],
        ["ask", "Up to what age does the Society's insurance cover volunteers on duty?"],
        ["verify"],
        ["export", "all.octavo"],
        ["export-model", "starter", "starter.gguf"],
        ["import", "all.octavo", "--library", "copy"],
        ["ask", "How many votes did Kit Mabbott get in the trustee election?", "--library", "copy"],
        ["status"],
    ]
    watch.run(watch.place / "home", RUN + DOORS, json.dumps([["octavo", *line] for line in lines]))
    return watch


def test_commands_and_what_is_asked_of_serve_and_mcp_reach_nobody(commands: Watch) -> None:
    assert commands.said.endswith("visited\n")
    assert commands.started("ingest.run.worker") and commands.started("ingest.index.build")
    assert commands.outside_python() == set()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, sample_library: Path, browser: Any) -> Watch:
    """A visit to the page, and what other sites may try meanwhile."""
    watch = watch_in(tmp_path_factory.mktemp("page"))
    shutil.copytree(sample_library, watch.place / "home" / "libraries" / "default")
    with served(watch.place / "home", watch.place, watch.prefix, **LOUD | watch.environment) as server:
        visitor = browser.new_page()
        visitor.set_default_timeout(120_000)
        visitor.goto(server.link)
        visitor.get_by_placeholder("Ask a question").fill("Up to what age does the Society's insurance cover volunteers on duty?")
        visitor.get_by_placeholder("Ask a question").press("Enter")
        visitor.locator(".marker").first.click()
        visitor.locator(".page img").first.wait_for()
        visitor.get_by_role("link", name="Documents").click()
        visitor.get_by_text("Or a folder").first.wait_for()
        for origin in ("http://evil.example", "null", "http://localhost:3000"):
            assert server.handshake(Origin=origin) == 403
            assert server.handshake(Origin=origin, Cookie="") == 403
        assert server.handshake(Host="evil.example", Origin="http://evil.example") == 403
        visitor.close()
    return watch


def test_the_page_reaches_nobody(page: Watch) -> None:
    assert page.started("app.serve") and page.started("app.drawing")
    assert page.outside_python() == set()


@pytest.mark.skipif(not STRACE, reason="no strace on this machine: apt-get install strace")
def test_no_other_program_or_library_reaches_anybody(commands: Watch, page: Watch) -> None:
    assert commands.outside() == set() and page.outside() == set()


LINKED = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text><text:p>The ferry is called Gannet.
 <draw:frame svg:width="3cm" svg:height="3cm" text:anchor-type="as-char"><draw:image xlink:type="simple" xlink:href="http://127.0.0.1:{port}/pixel.png"/>
 </draw:frame></text:p></office:text></office:body></office:document>"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="no LibreOffice on this machine")
def test_an_old_word_file_fetches_no_picture_that_it_links_to(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (tmp_path / "letter.fodt").write_text(LINKED.format(port=port))
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "doc", "letter.fodt"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert b"pixel.png" in (tmp_path / "letter.doc").read_bytes() and b"draw:image" not in (tmp_path / "letter.doc").read_bytes()
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.setblocking(False)
        watch_in(tmp_path).run(tmp_path / "home", RUN, json.dumps([["octavo", "ingest", str(tmp_path / "letter.doc")]]))
        with pytest.raises(BlockingIOError):
            listener.accept()
