"""The page in a real Chromium: choose a library, add a file, ask, watch the answer, see the lit passage."""

import re
import shutil
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
    opened.blocked = []
    opened.on("console", lambda message: opened.blocked.extend(re.findall(".*Content Security Policy.*", message.text)))
    opened.goto(server.link)
    opened.wait_for_url(lambda url: "token" not in url)
    yield opened
    opened.close()
    assert opened.blocked == []  # what the page needs, its policy lets it have


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
        page.get_by_text("2 added; 2 new chunks").wait_for(timeout=CHILD)
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


def elsewhere(page: Any) -> list[str]:
    """Whatever the whole document links to, loads or sends to, but itself."""
    find = """() => [...document.querySelectorAll('*')].flatMap(e => [e.href, e.src, e.action, e.data]).filter(
        u => typeof u == 'string' && u && !u.startsWith(location.origin) && !/^(data|blob):/.test(u))"""
    return list(page.evaluate(find))


def test_names_and_texts_become_no_links_no_mail_addresses_and_no_icons(page: Any, address: str, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "http:" / "evil.example" / ":smile:"
    folder.mkdir(parents=True)
    lures = ["www.evil.example", "me@evil.example", ":material_delete: :smile: :red[x]", "[a](https:x) `b` $x$ -- ->"]
    animals = ["parrot", "ferret", "badger", "heron"]
    for lure, animal in zip(lures, animals, strict=True):
        (folder / f"{lure}.txt").write_text(f"The {animal} is called Quill. https://evil.example/ {lure} me@evil.example :smile:")
    (folder / ":smile: www.evil.example.pdf").write_bytes(b"%PDF-1.4 no more")
    with Library.open(home / "libraries" / "www.evil.example", create=True) as library:
        library.add([folder])
    page.goto(f"{address}/?library=www.evil.example")
    for lure, animal in zip(lures, animals, strict=True):
        ask(page, f"What is the {animal} called?")
        page.locator("summary", has_text=f"{lure}.txt").last.wait_for()
    ask(page, "https://evil.example :smile: me@evil.example?")
    page.locator(".oct-a", has_text="https://evil.example :smile: me@evil.example?").wait_for()
    assert elsewhere(page) == []
    page.get_by_role("link", name="Documents").click()
    page.get_by_text(":smile: www.evil.example.pdf: not a readable PDF").wait_for()
    add(page, "www.evil.example/:smile:/me@evil.example")
    page.get_by_text("No file or folder at www.evil.example/:smile:/me@evil.example").wait_for()
    for row in range(4):
        page.locator("[data-testid=stDataFrame] .dvn-scroller").dblclick(position={"x": 90, "y": 52 + 35 * row})
        assert elsewhere(page) == []
        page.keyboard.press("Escape")
    page.goto(f"{address}/?library=me@evil.example :smile:")
    page.get_by_text("'me@evil.example :smile:' can't be a library's name").wait_for()
    assert elsewhere(page) == []


def test_an_address_that_names_no_library_makes_none_and_adding_does(page: Any, address: str, home: Path, tmp_path: Path) -> None:
    directory = home / "libraries" / "phantom"
    page.goto(f"{address}/?library=phantom")
    page.get_by_text("This library is empty: there is none called phantom yet.").wait_for()
    page.goto(f"{address}/documents?library=phantom")
    page.get_by_text("There is no library called phantom yet.").wait_for()
    assert not directory.exists()
    (tmp_path / "mill.txt").write_text("The mill stands still.")
    add(page, tmp_path)
    page.get_by_text("1 added; 1 new chunks").wait_for(timeout=CHILD)
    assert directory.exists()


def test_an_uploaded_file_that_was_not_reached_is_read_with_the_next(page: Any, address: str, home: Path, tmp_path: Path) -> None:
    directory = home / "libraries" / "left"
    Library.open(directory, create=True).close()
    (directory / "files").mkdir()
    (directory / "files" / "left behind.txt").write_text("The parrot is called Quill.")
    (directory / "files" / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    (tmp_path / "mill.txt").write_text("The mill stands still.")
    page.goto(f"{address}/documents?library=left")
    add(page, tmp_path)
    page.get_by_text("2 added, 1 failed; 2 new chunks").wait_for(timeout=CHILD)
    page.get_by_text("broken.pdf: not a readable PDF").wait_for()


def test_the_door_stays_open_for_the_browser_that_had_the_token_and_for_no_other(browser: Any, server: Served, tmp_path: Path) -> None:
    visitor = browser.new_page()
    visitor.goto(f"{server.address}/documents?library=default")
    assert visitor.locator("body").inner_text() == "This page is closed: open the address that `octavo app` printed."
    (tmp_path / "link.html").write_text(f'<meta http-equiv="refresh" content="0;url={server.link}">')
    visitor.goto(f"file://{tmp_path}/link.html")
    visitor.get_by_text("Ask your documents").wait_for()
    assert "token" not in visitor.url and server.token not in visitor.evaluate("document.cookie + history.length + document.referrer")
    visitor.get_by_role("link", name="Documents").click()
    visitor.get_by_text("Or a folder on this machine").wait_for()
    visitor.reload()
    visitor.get_by_text("500MB per file").wait_for()
    visitor.goto(server.address)
    visitor.get_by_text("Ask your documents").wait_for()
    visitor.close()


def test_a_page_of_a_file_that_changed_is_shown_with_a_warning(page: Any, address: str, home: Path, samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "handbook.pdf"
    shutil.copy(samples / "volunteer-handbook.pdf", file)
    with Library.open(home / "libraries" / "changing", create=True) as library:
        library.add([file])
    shutil.copy(samples / "sea-gates-contract.pdf", file)
    with file.open("ab") as pages:
        pages.write(b"\n")
    page.goto(f"{address}/?library=changing")
    ask(page, AGE)
    page.get_by_text(re.compile("Show page")).first.click()
    page.get_by_text(re.compile("The file has changed since it was read|The page can't be drawn")).wait_for()


def test_the_browser_itself_lets_the_page_send_nothing_elsewhere(page: Any) -> None:
    for rule, send in (("default-src", "fetch('//127.0.0.2:9/').catch(e => 0)"), ("img-src", "new Image().src = '//127.0.0.2:9/'")):
        with page.expect_console_message(lambda message, rule=rule: f'"{rule} ' in message.text and "blocked" in message.text):
            page.evaluate(send)
    page.blocked.clear()
