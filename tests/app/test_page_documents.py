"""Documents, in a real Chromium: the first visit, adding, what another process adds, removing, and the door."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.resources import library_names
from ingest import Library
from tests.app.conftest import Served, answered, ask

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
CHILD = 120_000
"""Milliseconds that an ingest may take, whose process first has to load torch, at the lowest priority."""
Visit = Callable[..., Any]


def test_the_first_visit_says_what_this_is_and_the_samples_are_one_click_away(visit: Visit) -> None:
    page = visit("?library=brand new", 1280, 1000)
    page.get_by_text("Ask your own documents.").wait_for()
    page.get_by_text("The small model that came with Octavo answers").wait_for()
    page.get_by_role("button", name="Try the samples").click()
    page.get_by_role("button", name="Up to what age does").click(timeout=CHILD)
    assert "85" in answered(page).locator("blockquote").first.inner_text()
    assert "library=samples" in page.url and "conversation=" in page.url


def test_files_are_dropped_and_added_names_may_repeat(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    for folder, text in (("1", "The parrot is called Quill."), ("2", "The ferret is called Bramble.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "notes.txt").write_text(text)
    broken = tmp_path / "broken <b>*x*.pdf"
    broken.write_bytes(b"%PDF-1.4 no more")
    page = visit("?library=dropped")
    page.locator("input[type=file]").set_input_files([tmp_path / "1" / "notes.txt", tmp_path / "2" / "notes.txt", broken])
    page.locator(".documents li", has_text="notes (2).txt").wait_for(timeout=CHILD)
    for count, (animal, name) in enumerate((("parrot", "Quill"), ("ferret", "Bramble")), 1):
        ask(page, f"What is the {animal} called?")
        answered(page, count).locator("blockquote", has_text=name).wait_for()
    page.locator("li.failed", has_text="broken <b>*x*.pdf").wait_for(timeout=CHILD)
    page.get_by_role("link", name="Documents").click()
    page.get_by_text("2 added, 1 failed; 2 new chunks").wait_for(timeout=CHILD)
    page.get_by_text("broken <b>*x*.pdf: not a readable PDF").wait_for()


def test_another_process_s_ingest_is_shown_and_what_it_added_can_be_removed(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    directory = own_home / "libraries" / "shown"
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
        page = visit("documents?library=shown")
        page.get_by_text("1 of 2 files read").wait_for()
        assert page.get_by_role("button", name="Stop").count() == 0
        page.get_by_role("link", name="Ask").click()
        page.get_by_text("The library is being filled: 1 of 2 files are read so far.").first.wait_for()
        page.get_by_role("link", name="Documents").click()
        seen.set()
        page.get_by_text("2 added; 2 new chunks").wait_for(timeout=CHILD)
        ingest.join()
        for row in (0, 1):
            page.locator("[data-testid=stDataFrame] .dvn-scroller").click(position={"x": 18, "y": 52 + 35 * row})
        page.get_by_role("button", name="Remove 2 documents").click()
        page.get_by_role("button", name="Remove for good").click()
        page.get_by_text("No documents yet.").wait_for()
        assert not uploaded.exists() and own.exists()
        assert library.words("parrot ferret", 2) == []


@pytest.mark.slow
def test_a_second_ingest_is_refused_and_a_stopped_one_keeps_what_is_finished(
    visit: Visit, own_home: Path, samples: Path, tmp_path: Path
) -> None:
    for number in range(1000):
        (tmp_path / f"{number}.txt").write_text(f"Day {number}: the wheel ground {number * 7} sacks of barley. " * 12)
    page = visit("documents?library=stopped")
    for folder in (tmp_path, samples):
        page.get_by_label("Or a folder").fill(str(folder))
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text(re.compile(r"of 1,\d+ (files read|chunks embedded)")).wait_for(timeout=CHILD)
    page.get_by_text(re.compile(r"Another process \(pid \d+\) is writing to")).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped. What was finished is kept").wait_for(timeout=CHILD)
    with Library.open(own_home / "libraries" / "stopped") as library:
        status = library.status()
        assert 0 < status["documents"] <= 1000
        assert status["running"] is None and status["last_receipt"] is None
        assert library.words("barley", 1)


def test_an_import_that_is_going_on_is_not_offered_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    for name in ("notes", ".coming.17.partial"):
        Library.open(tmp_path / "libraries" / name, create=True).close()
    assert library_names() == ["notes"]


def test_an_address_that_names_no_library_makes_none_and_a_reload_comes_back_to_it(visit: Visit, own_home: Path) -> None:
    page = visit("documents?library=phantom")
    page.get_by_text("There is no library called phantom yet.").wait_for()
    page.get_by_label("Or a folder").fill("www.evil.example/:smile:/me@evil.example")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("No file or folder at www.evil.example/:smile:/me@evil.example").wait_for()
    page.get_by_role("link", name="Ask").click()
    chooser = page.get_by_role("combobox").first
    chooser.fill("second")
    chooser.press("Enter")
    page.wait_for_url("**library=second*")
    page.reload()
    page.get_by_role("button", name="Try the samples").wait_for()
    assert "library=second" in page.url
    assert not any((own_home / "libraries" / name).exists() for name in ("phantom", "second"))


def test_the_door_stays_open_for_the_browser_that_had_the_token_and_for_no_other(browser: Any, server: Served, tmp_path: Path) -> None:
    visitor = browser.new_page()
    visitor.goto(f"{server.address}/octavo/shelf?library=default")
    assert visitor.locator("body").inner_text() == "This page is closed: open the address that `octavo app` printed."
    (tmp_path / "link.html").write_text(f'<meta http-equiv="refresh" content="0;url={server.link}">')
    visitor.goto(f"file://{tmp_path}/link.html")
    visitor.get_by_text("What would you like to know?").wait_for()
    assert "token" not in visitor.url and server.token not in visitor.evaluate("document.cookie + history.length + document.referrer")
    visitor.goto(f"{server.address}/documents")
    visitor.get_by_text("500MB per file").wait_for()
    visitor.close()


def test_the_browser_itself_lets_the_page_send_nothing_elsewhere(browser: Any, server: Served) -> None:
    page = browser.new_page()
    page.goto(server.link)
    page.get_by_text("What would you like to know?").wait_for()
    for rule, send in (("default-src", "fetch('//127.0.0.2:9/').catch(e => 0)"), ("img-src", "new Image().src = '//127.0.0.2:9/'")):
        with page.expect_console_message(lambda message, rule=rule: f'"{rule} ' in message.text and "blocked" in message.text):
            page.evaluate(send)
    page.close()
