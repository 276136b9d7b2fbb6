"""`octavo doctor`: what is well, what one can do without, what is to be mended, and how."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app import checks, memory, nearby
from ingest.store.paths import sha256_of
from tests.app.conftest import Run

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def doctor(octavo: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs it on a copy of the samples' library; gives its exit code and its findings."""
    shutil.copytree(home / "libraries" / "default", tmp_path / "libraries" / "default")

    def run(*options: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
        monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
        ran = octavo("doctor", "--json", *options)
        told = json.loads(ran.out)
        assert told["ok"] == (ran.code == 0)
        found: dict[str, list[dict[str, str]]] = {}
        for finding in told["findings"]:
            found.setdefault(finding["what"], []).append(finding)
        assert all(finding["cure"] for finding in told["findings"] if finding["state"] == "mend")
        return ran.code, found

    return run


def test_where_all_is_well_it_says_so(doctor: Any, octavo: Run, tmp_path: Path) -> None:
    code, found = doctor()
    assert code == 0
    needed = ("python", "settings", "torch", "device", "starter", "reader", "embedder", "model", "memory", "disk", "library")
    assert all(finding["state"] == "well" for what in needed for finding in found[what])
    assert {"ocr", "libreoffice", "servers"} < set(found)
    assert octavo("doctor").out.splitlines()[-1] == "all well"


def test_the_digests_are_those_of_the_files_that_ship() -> None:
    from model.load.sources import starter_file
    from rag.reader.model import FILE, reader_directory

    files = {"starter": starter_file(), "reader": reader_directory() / FILE}
    assert {what: sha256_of(file) for what, file in files.items()} == checks.SHIPPED


def test_a_file_that_is_not_the_one_that_ships_is_to_be_mended(doctor: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from rag.reader import model

    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / model.FILE).write_bytes(b"half a fil")
    monkeypatch.setattr(model, "reader_directory", lambda: tmp_path / "reader")
    code, found = doctor()
    assert code == 1 and found["reader"][0]["state"] == "mend" and found["starter"][0]["state"] == "well"


def test_settings_are_told_with_their_place_and_without_their_secrets(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_GATE_THRESHOLD", "0.5")
    monkeypatch.setenv("OCTAVO_API_KEY", "sesame-open")
    monkeypatch.setenv("OCTAVO_MODLE", "misspelt")
    code, found = doctor()
    told = {finding["found"].split()[0]: finding for finding in found["settings"]}
    assert code == 0 and told["OCTAVO_GATE_THRESHOLD"]["found"] == "OCTAVO_GATE_THRESHOLD = 0.5 (in the environment)"
    assert told["OCTAVO_MODLE"]["state"] == "note" and "sesame" not in json.dumps(found) and "OCTAVO_API_KEY" in told


def test_a_setting_that_makes_no_sense_is_a_finding_and_the_rest_is_looked_at(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_GATE_THRESHOLD", "never")
    code, found = doctor()
    assert code == 1 and "OCTAVO_GATE_THRESHOLD" in found["settings"][-1]["found"] and found["library"][0]["state"] == "well"


def test_a_device_that_is_not_there_is_to_be_mended(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_DEVICE", "cuda:99")
    code, found = doctor()
    assert code == 1 and any("cuda:99" in finding["found"] and "OCTAVO_DEVICE" in finding["cure"] for finding in found["torch"])


def test_a_model_larger_than_the_memory_is_to_be_mended(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: 24_000_000_000)
    assert doctor("--model", "google/gemma-2-9b-it")[1]["memory"][0]["state"] == "well"
    code, found = doctor("--model", "google/gemma-2-27b-it")
    assert code == 1 and found["memory"][0]["state"] == "mend" and "59.4 GB" in found["memory"][0]["found"]


@pytest.mark.parametrize("model", ["gtp", "/no/such.gguf", "openai:gemma2", "openai:gemma2@http://localhost:1/v1"])
def test_a_model_that_is_not_there_is_to_be_mended(doctor: Any, model: str) -> None:
    code, found = doctor("--model", model)
    assert code == 1 and found["model"][0]["state"] == "mend"


def test_a_damaged_library_is_found_and_the_others_are_looked_at(doctor: Any, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "libraries" / "default", tmp_path / "libraries" / "torn")
    shutil.rmtree(tmp_path / "libraries" / "torn" / "chroma")
    (tmp_path / "libraries" / "gone").mkdir()
    (tmp_path / "libraries" / "gone" / "library.sqlite3").write_bytes(b"no database at all" * 99)
    code, found = doctor()
    states = {finding["found"].partition(":")[0].rpartition("/")[2]: finding["state"] for finding in found["library"]}
    assert code == 1 and [finding["state"] for finding in found["library"]] == ["well", "mend", "mend"], states
    assert found["library"][2]["cure"] == "octavo verify --repair --library torn"
    assert doctor("--library", "default")[0] == 0
    assert doctor("--library", "never-made")[0] == 1


def test_pages_of_a_database_that_were_overwritten_are_found(doctor: Any, tmp_path: Path) -> None:
    file = tmp_path / "libraries" / "default" / "library.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    data = bytearray(file.read_bytes())
    data[8192:-4096] = bytes(len(data) - 12288)
    file.write_bytes(data)
    assert doctor()[0] == 1


class Answers(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of models on loopback."""
    monkeypatch.setattr(nearby, "_SECONDS", 30)
    server = HTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_server_on_this_machine_is_found_and_no_proxy_is_asked(doctor: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setattr(nearby, "KNOWN", {"Ollama": url})
    monkeypatch.setattr(Answers, "body", json.dumps({"data": [{"id": "llama3"}, {"id": "gemma2:2b"}, {"id": 5}, None]}).encode())
    code, found = doctor("--model", f"openai:gemma2:2b@{url}")
    assert code == 0 and found["model"][0]["state"] == "well"
    assert found["servers"][0]["found"] == "Ollama: gemma2:2b, llama3" and f"openai:gemma2:2b@{url}" in found["servers"][0]["cure"]
    code, found = doctor("--model", f"openai:gemma2:27b@{url}")
    assert code == 1 and "has no gemma2:27b" in found["model"][0]["found"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 5}', b'{"data": null}', b"\xff\xfe", b"[" * 99999, b'"x"'])
def test_what_is_no_server_of_models_is_none(body: bytes, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "body", body)
    assert nearby.models_at(url) is None


def test_one_that_takes_the_call_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert nearby.models_at(f"http://localhost:{silent.getsockname()[1]}/v1") is None


def test_a_model_s_path_where_nothing_lies_is_not_taken_for_a_name_on_the_hub(doctor: Any) -> None:
    code, found = doctor("--model", "/nowhere/gemma")
    assert code == 1 and found["model"][0]["state"] == "mend" and "/nowhere/gemma" in found["model"][0]["found"]
    assert doctor("--model", "some-body/gemma-2-2b-it")[1]["model"][0]["state"] == "note"
