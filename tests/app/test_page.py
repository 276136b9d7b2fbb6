"""The page in a real Chromium: choose a library, add a file, ask, watch the answer, see the lit passage."""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.resources import library_names
from ingest import Library
from tests.app.conftest import Served, served

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
CHILD = 120_000
"""Milliseconds that an ingest may take, whose process first has to load torch, at the lowest priority."""
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Served]:
    with served(home) as page:
        yield page


@pytest.fixture(scope="module")
def address(server: Served) -> str:
    return server.address


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1100, "height": 1000})
    opened.set_default_timeout(30_000)
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(server.link)
    yield opened
    opened.close()


def ask(page: Any, question: str) -> None:
    box = page.get_by_placeholder("Ask a question")
    box.fill(question)
    box.press("Enter")


def test_a_question_gets_a_cited_answer_with_its_words_lit(page: Any, address: str) -> None:
    ask(page, AGE)
    page.locator(".oct-p mark").first.wait_for()
    assert "85" in page.locator(".oct-a").last.inner_text()
    assert "85" in page.locator(".oct-p mark").first.inner_text()
    assert page.get_by_text("volunteer-handbook.pdf, page 7").first.is_visible()
    page.get_by_text("Show page 7").first.click()
    page.locator("[data-testid=stImage] img").first.wait_for()
    assert [url for url in page.asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))] == []


def test_a_question_the_library_does_not_answer_is_refused(page: Any) -> None:
    ask(page, "How do I bake a lemon cake?")
    page.get_by_text("Your documents don't say.").wait_for()
    assert page.locator(".oct-p").count() == 0


def add(page: Any, folder: Path | str = "", files: Sequence[Path] = ()) -> None:
    page.locator("input[type=file]").set_input_files([str(file) for file in files])
    page.get_by_label("Or a folder").fill(str(folder))
    page.get_by_role("button", name="Add", exact=True).click()


def test_files_and_a_folder_are_added_names_may_repeat_and_hostile_text_stays_text(page: Any, tmp_path: Path) -> None:
    hostile = tmp_path / "a<b>![x](http:x).txt"
    hostile.write_text('The ferry to Oxmoor is called "<img src=x onerror=document.title=1><b>Gannet</b>" since 1911.')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "broken <b>*x*.pdf").write_bytes(b"%PDF-1.4 no more")
    (tmp_path / "folder" / "mill.txt").write_text("The mill stands still.")
    (tmp_path / "folder" / "data.bin").write_bytes(b"\x00\x01")
    page.get_by_role("link", name="Documents").click()
    namesakes = [tmp_path / "1" / "notes.txt", tmp_path / "2" / "notes.txt"]
    for file, text in zip(namesakes, ("The parrot is called Quill.", "The ferret is called Bramble."), strict=True):
        file.parent.mkdir()
        file.write_text(text)
    add(page, tmp_path / "folder", [hostile, *namesakes])
    page.get_by_role("progressbar").wait_for()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("4 added, 1 skipped, 1 failed; 4 new chunks").wait_for(timeout=CHILD)
    page.get_by_text("broken <b>*x*.pdf: not a readable PDF").wait_for()
    page.get_by_text("skipped 1: no loader for .bin").wait_for()
    assert page.get_by_role("button", name="Stop").count() == 0
    page.get_by_role("link", name="Ask").click()
    ask(page, "What is the ferry to Oxmoor called?")
    page.locator(".oct-p").first.wait_for()
    passage = page.locator(".oct-p").first
    assert "<img src=x onerror=document.title=1><b>Gannet</b>" in passage.inner_text()
    assert passage.locator("img, b").count() == 0
    assert page.title() == "Octavo"
    for animal, name in (("parrot", "Quill"), ("ferret", "Bramble")):
        ask(page, f"What is the {animal} called?")
        page.locator(".oct-p", has_text=name).first.wait_for()


def test_a_second_ingest_is_refused_and_a_stopped_one_keeps_what_is_finished(
    page: Any, address: str, home: Path, samples: Path, tmp_path: Path
) -> None:
    for number in range(1000):
        (tmp_path / f"{number}.txt").write_text(f"Day {number}: the wheel ground {number * 7} sacks of barley. " * 12)
    page.goto(f"{address}/documents?library=stopped")
    add(page, tmp_path)
    page.get_by_text(re.compile(r"of 1,\d+ (files read|chunks embedded)")).wait_for(timeout=CHILD)
    add(page, samples)
    page.get_by_text(re.compile(r"Another process \(pid \d+\) is writing to")).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped. What was finished is kept").wait_for(timeout=CHILD)
    with Library.open(home / "libraries" / "stopped") as library:
        status = library.status()
        assert 0 < status["documents"] <= 1000
        assert status["running"] is None and status["last_receipt"] is None
        assert library.words("barley", 1)


def test_an_import_that_is_going_on_is_not_offered_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    for name in ("notes", ".coming.17.partial"):
        Library.open(tmp_path / "libraries" / name, create=True).close()
    assert library_names() == ["notes"]


def test_another_process_s_ingest_is_shown_and_what_it_added_can_be_removed(page: Any, address: str, home: Path, tmp_path: Path) -> None:
    directory = home / "libraries" / "shown"
    uploaded, own = directory / "files" / "parrot.txt", tmp_path / "ferret.txt"
    seen = Event()
    with Library.open(directory, create=True) as library:
        uploaded.parent.mkdir()
        uploaded.write_text("The parrot is called Quill.")
        own.write_text("The ferret is called Bramble.")
        ingest = Thread(target=library.add, args=([uploaded, own], lambda step: seen.wait(60 * (step.done - 1))))
        ingest.start()
        while not library.running():
            time.sleep(0.1)
        page.goto(f"{address}/documents?library=shown")
        page.get_by_text("1 of 2 files read").wait_for()
        assert page.get_by_role("button", name="Stop").count() == 0
        page.get_by_role("link", name="Ask").click()
        page.get_by_text("The library is being filled: 1 of 2 files are read so far.").wait_for()
        page.get_by_role("link", name="Documents").click()
        page.get_by_text("1 of 2 files read").wait_for()
        seen.set()
        page.get_by_text("2 added; 2 new chunks").wait_for()
        ingest.join()
        for row in (0, 1):
            page.locator("[data-testid=stDataFrame] .dvn-scroller").click(position={"x": 18, "y": 52 + 35 * row})
        page.get_by_role("button", name="Remove 2 documents").click()
        page.get_by_role("button", name="Remove for good").click()
        page.get_by_text("No documents yet.").wait_for()
        assert not uploaded.exists() and own.exists()
        assert library.words("parrot ferret", 2) == []


def test_a_reload_comes_back_to_the_same_library_and_a_name_is_never_a_path(page: Any, address: str) -> None:
    chooser = page.get_by_role("combobox").first
    chooser.fill("second")
    chooser.press("Enter")
    page.get_by_text("This library is empty").wait_for()
    page.reload()
    page.get_by_text("This library is empty").wait_for()
    page.goto(f"{address}/?library=../evil")
    page.get_by_text("can't be a library's name").wait_for()


def test_an_empty_library_says_what_to_do(page: Any) -> None:
    chooser = page.get_by_role("combobox").first
    chooser.fill("brand new")
    chooser.press("Enter")
    page.get_by_text("This library is empty").wait_for()


def test_a_mistake_is_said_in_a_line_not_a_traceback(page: Any) -> None:
    chooser = page.get_by_role("combobox").first
    chooser.fill("no*name")
    chooser.press("Enter")
    page.get_by_text("can't be a library's name").wait_for()
    assert page.get_by_text("Traceback").count() == 0
