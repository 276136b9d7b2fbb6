"""What the browser's side may ask for: what stands in a library, and nothing else, whatever path is asked for."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import resources, sources
from app.sources import ROUTES
from ingest import Library
from ingest.store.conversations import Conversations, Turn

pytestmark = pytest.mark.enable_socket


def made(place: Path, samples: Path) -> Path:
    """An OCTAVO_HOME with a library of a PDF with an odd name and a text, beside a file that isn't in it."""
    folder = place / "papers"
    folder.mkdir()
    shutil.copy(samples / "volunteer-handbook.pdf", os.fsdecode(os.fsencode(folder) + b"/caf\xe9.pdf"))
    (folder / "mill.txt").write_text("The mill stands still.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    with Library.open(place / "libraries" / "odd", create=True) as opened:
        opened.add([folder])
    (folder / "secret.txt").write_text("Not in it.")
    return place


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    return made(tmp_path_factory.mktemp("sources"), samples)


@pytest.fixture
def client(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("OCTAVO_HOME", str(home))
    with TestClient(Starlette(routes=ROUTES)) as opened:
        yield opened


@pytest.fixture
def library(home: Path) -> Path:
    return home / "libraries" / "odd"


def paths(library: Path) -> dict[str, str]:
    with Library.open(library) as opened:
        return {Path(document.path).suffix: document.path for document in opened.documents()}


@pytest.mark.parametrize("route", ["text", "page", "original"])
def test_nothing_that_is_not_in_the_library_is_given_out(client: TestClient, library: Path, route: str) -> None:
    folder = library.parents[1] / "papers"
    lures = [
        str(folder / "secret.txt"),
        f"{folder}/../papers/mill.txt",
        f"{folder}/mill.txt/../secret.txt",
        str(folder),
        "/etc/passwd",
        "../../../../etc/passwd",
        "",
        str(library / "library.sqlite3"),
        f"{folder}/mill.txt\0",
    ]
    for lure in lures:
        answer = client.get(f"/octavo/{route}", params={"library": "odd", "path": lure, "page": 1})
        assert answer.status_code == 404 and "Not in it" not in answer.text, lure
    for name in ("../odd", "..", "", "/", "phantom", str(library)):
        assert client.get(f"/octavo/{route}", params={"library": name, "path": paths(library)[".txt"]}).status_code == 404


@pytest.mark.parametrize("odd", ["x", "", "1e3", "-1", "99999999999999999999"])
def test_numbers_that_are_none_harm_nothing(client: TestClient, library: Path, odd: str) -> None:
    asked: dict[str, Any] = {"library": "odd", "path": paths(library)[".txt"]}
    assert client.get("/octavo/text", params=asked | {"start": odd, "end": odd}).status_code in (200, 404)
    assert client.get("/octavo/page", params=asked | {"page": odd}).status_code == 404
    assert client.get("/octavo/conversation", params={"library": "odd", "conversation": odd, "since": odd}).status_code in (200, 404)


def test_the_shelf_tells_what_failed_first_and_is_searched(client: TestClient, library: Path) -> None:
    kept = Conversations(library)
    kept.ask("Of parrots")
    kept.ask("Of mills")
    told = client.get("/octavo/shelf", params={"library": "odd"}).json()
    assert [(d["name"].partition(".")[2], d["state"]) for d in told["documents"]] == [("pdf", "failed"), ("pdf", "ready"), ("txt", "ready")]
    assert (told["found"], told["total"], told["adding"]) == (3, 2, None)
    told = client.get("/octavo/shelf", params={"library": "odd", "search": "MILL"}).json()
    assert [c["title"] for c in told["conversations"]] == ["Of mills"] and [d["name"] for d in told["documents"]] == ["mill.txt"]


def test_an_answer_is_not_told_as_ended_before_all_of_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ending:
        state = "asking"

        def answer(self) -> dict[str, Any]:
            self.state = "done"
            return {"text": "It is"}

        def doing(self) -> str:
            return ""

    monkeypatch.setattr(resources, "asking", lambda library, turn: Ending())
    assert sources._turn("odd", Turn(1, "How much?", [], {}, "asking"))["state"] == "asking"


def test_only_turns_that_may_have_changed_are_sent(client: TestClient, library: Path) -> None:
    kept = Conversations(library)
    conversation = None
    for number in range(200):
        conversation, turn = kept.ask(f"Question {number}", conversation=conversation)
        kept.put(turn, {"text": "x" * 1000}, "done")
    told = client.get("/octavo/conversation", params={"library": "odd", "conversation": conversation, "since": turn})
    assert [turn["question"] for turn in told.json()] == ["Question 199"]


def test_pages_texts_and_originals_are_given_out_and_a_change_is_told(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: Path
) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(made(tmp_path, samples)))  # a library of its own, since a file of it changes
    library = tmp_path / "libraries" / "odd"
    asked = {"library": "odd", "path": paths(library)[".pdf"]}
    page = client.get("/octavo/page", params=asked | {"page": 7})
    assert page.headers["content-type"] == "image/png" and page.content.startswith(b"\x89PNG")
    assert client.get("/octavo/page", params=asked | {"page": 8}).status_code == 404
    told = client.get("/octavo/text", params=asked).json()
    assert (told["is_pdf"], told["pages"], told["as_read"], told["there"]) == (True, 7, True, True)
    original = client.get("/octavo/original", params=asked)
    assert original.content == (samples / "volunteer-handbook.pdf").read_bytes() and original.headers["content-type"] == "application/pdf"
    text = client.get("/octavo/original", params={"library": "odd", "path": paths(library)[".txt"]})
    assert text.headers["content-type"] == "application/octet-stream" and "attachment" in text.headers["content-disposition"]
    file = next(file for file in (library.parents[1] / "papers").iterdir() if "caf" in file.name)
    shutil.copy(samples / "sea-gates-contract.pdf", file)
    assert client.get("/octavo/text", params=asked).json()["as_read"] is False
    file.unlink()
    told = client.get("/octavo/text", params=asked).json()
    assert (told["is_pdf"], told["there"]) == (False, False)
    assert client.get("/octavo/page", params=asked | {"page": 1}).status_code == 404
    assert client.get("/octavo/original", params=asked).status_code == 404
