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
from ingest.store.backup import import_library
from ingest.store.lock import writing
from tests.app.conftest import TIMEOUT, Served, answered, ask, findings
from tests.ingest.pages import Page, write

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
Visit = Callable[..., Any]


def test_the_first_visit_says_what_this_is_and_the_samples_are_one_click_away(visit: Visit) -> None:
    page = visit("?library=brand new", 1280, 1000)
    page.get_by_text("Ask your own documents.").wait_for()
    page.get_by_text("The small model that came with Octavo answers").wait_for()
    page.get_by_role("button", name="Try the samples").click()
    page.get_by_role("button", name="Up to what age does").click()
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
    page.locator(".documents li", has_text="notes (2).txt").wait_for()
    for count, (animal, name) in enumerate((("parrot", "Quill"), ("ferret", "Bramble")), 1):
        ask(page, f"What is the {animal} called?")
        answered(page, count).locator("blockquote", has_text=name).wait_for()
    page.locator("li.failed", has_text="broken <b>*x*.pdf").wait_for()
    page.get_by_role("link", name="Documents").click()
    page.locator(".receipt", has_text="2 added, 1 failed").wait_for()
    page.locator(".receipt li", has_text="broken <b>*x*.pdf: not a readable PDF").wait_for()


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
        page.get_by_text("Another program is adding to this library.").wait_for()
        assert page.get_by_role("button", name="Stop").count() == 0
        page.get_by_role("link", name="Ask").click()
        page.get_by_text("The library is being filled: 1 of 2 files are read so far.").first.wait_for()
        page.get_by_role("link", name="Documents").click()
        seen.set()
        page.locator(".receipt", has_text="2 added").wait_for()
        ingest.join()
        for name in ("parrot.txt", "ferret.txt"):
            page.get_by_role("checkbox", name=f"Choose {name}").check()
        page.get_by_role("button", name="Remove 2 documents").click()
        page.locator("section[aria-label=Removed] li", has_text="ferret.txt").wait_for()
        assert not uploaded.exists() and own.exists() and not page.get_by_text("parrot.txt").count()
        assert library.words("parrot ferret", 2) == []


@pytest.mark.slow
def test_what_is_added_second_waits_through_a_reload_and_can_be_taken_back(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    for name, text in (("first", "The eel is called Quill."), ("second", "The pike is called Bramble.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(text)
    directory = own_home / "libraries" / "queue"
    Library.open(directory, create=True).close()
    page = visit("documents?library=queue")
    with writing(directory):  # as another program would
        for name in ("first", "second"):
            page.get_by_label("Or a folder").fill(str(tmp_path / name))
            page.get_by_role("button", name="Add", exact=True).click()
            page.get_by_role("button", name=f"Take back {tmp_path / name}").wait_for()
        page.reload()
        page.get_by_role("button", name=f"Take back {tmp_path / 'second'}").click()
        page.get_by_role("button", name=f"Take back {tmp_path / 'second'}").wait_for(state="detached")
        page.get_by_role("button", name="Rename this library").click()
        page.answer = "renamed"
        page.get_by_role("button", name="Rename this library").click()
        page.get_by_text("Documents are being added to queue. Stop that, or wait until it has finished").wait_for()
    page.locator("section[aria-label=Documents] li", has_text="first.txt").wait_for()
    page.locator(".receipt", has_text="1 added").wait_for()
    page.locator(".folder", has_text="second").get_by_text("not read to its end yet").wait_for()
    assert page.locator(".folder", has_text="first").get_by_text(re.compile("^read ")).count() == 1


@pytest.mark.slow
def test_folders_passwords_and_what_was_removed(visit: Visit, own_home: Path, tmp_path: Path, axe: str) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "mill.txt").write_text("The mill was sold in 1911.")
    write(papers / "lease.pdf", [Page().lines(50, 60, ["The rent is 400 pounds."])], password=b"eel")
    page = visit("documents?library=folders")
    page.get_by_label("Or a folder").fill(str(papers))
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".receipt", has_text="1 added, 1 failed").wait_for()
    lease = page.locator("section[aria-label=Documents] li", has_text="lease.pdf")
    page.get_by_role("button", name="Type the password of lease.pdf").click()
    page.get_by_label("Password of lease.pdf").fill("eel")
    page.keyboard.press("Enter")
    lease.get_by_text("1 page").wait_for()
    page.locator(".receipt", has_text="1 added").wait_for()
    page.get_by_role("checkbox", name="Choose mill.txt").check()
    page.get_by_role("button", name="Remove 1 document").click()
    gone = page.locator("section[aria-label=Removed] li", has_text="mill.txt")
    gone.wait_for()
    page.get_by_role("checkbox", name="Follow papers").check()
    page.get_by_text("Followed folders are read again").wait_for()
    page.locator(".receipt", has_text="1 unchanged, 1 skipped").wait_for()
    (papers / "barge.txt").write_text("A barge brought oats.")
    page.locator("section[aria-label=Documents] li", has_text="barge.txt").wait_for()
    gone.get_by_role("button", name="Read mill.txt again").click()
    page.locator("section[aria-label=Documents] li", has_text="mill.txt").wait_for()
    assert list(findings(page, axe)) == []
    page.get_by_role("checkbox", name="Follow papers").uncheck()
    page.get_by_role("button", name="Forget papers").click()
    page.locator(".folder").wait_for(state="detached")
    page.get_by_role("button", name="Open lease.pdf").click()
    page.locator(".pane", has_text="The rent is 400 pounds.").wait_for()
    assert page.locator(".pane").get_by_role("button", name="Show the page").count() == 0
    with Library.open(own_home / "libraries" / "folders") as library:
        assert not library.removed() and not library.folders() and len(library.documents()) == 3


def test_a_library_is_renamed_backed_up_and_deleted(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    directory = own_home / "libraries" / "before"
    with Library.open(directory, create=True) as library:
        (directory / "files").mkdir()
        (directory / "files" / "parrot.txt").write_text("The parrot is called Quill.")
        library.add([directory / "files"])
    page = visit("documents?library=before")
    page.answer = "after"
    page.get_by_role("button", name="Rename this library").click()
    page.wait_for_url("**library=after*")
    page.locator("a[href*='library=after']").wait_for()
    page.get_by_role("button", name="Open parrot.txt").click()
    page.locator(".pane", has_text="The parrot is called Quill.").wait_for()
    page.locator(".pane").get_by_role("link", name="Open the original").wait_for()
    page.get_by_role("link", name="Documents").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Back up").click()
    coming.value.save_as(tmp_path / "backup.octavo")
    assert re.fullmatch(r"after \d{4}-\d\d-\d\d\.octavo", coming.value.suggested_filename)
    page.answer = "another"
    page.get_by_role("button", name="Delete this library").click()
    assert (own_home / "libraries" / "after").is_dir()
    page.answer = "after"
    page.get_by_role("button", name="Delete this library").click()
    page.wait_for_url("**library=default*")
    assert not directory.exists() and not (own_home / "libraries" / "after").exists()
    import_library(tmp_path / "backup.octavo", own_home / "libraries" / "back")
    with Library.open(own_home / "libraries" / "back") as library:
        assert library.words("parrot", 1)[0].chunk.path == str(own_home / "libraries" / "back" / "files" / "parrot.txt")


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
    visitor.set_default_timeout(TIMEOUT)
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
    page.set_default_timeout(TIMEOUT)
    page.goto(server.link)
    page.get_by_text("What would you like to know?").wait_for()
    for rule, send in (("default-src", "fetch('//127.0.0.2:9/').catch(e => 0)"), ("img-src", "new Image().src = '//127.0.0.2:9/'")):
        with page.expect_console_message(lambda message, rule=rule: f'"{rule} ' in message.text and "blocked" in message.text):
            page.evaluate(send)
    page.close()
