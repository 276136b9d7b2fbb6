"""Asking, in a real Chromium, of a model that the test scripts: what comes is shown and kept, whatever happens meanwhile."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import Library
from ingest.store.conversations import Conversations
from tests.app.conftest import TIMEOUT, ModelServer, Served, answered, ask, served
from tests.rag.test_servers import Handler

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
MILE = "How much can I claim per mile?"
ANSWER = "It is 45p a mile [1]."
Visit = Callable[..., Any]


@pytest.fixture
def slowly(teller: ModelServer) -> Iterator[threading.Event]:
    """The model says half of its answer, and the rest when the event is set."""
    go = threading.Event()

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.event(choices=[{"index": 0, "delta": {"role": "assistant", "content": "It is 45p"}, "finish_reason": None}])
        go.wait(600)
        handler.event(choices=[{"index": 0, "delta": {"content": " a mile [1]."}, "finish_reason": None}])
        handler.event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        handler.wfile.write(b"data: [DONE]\n\n")

    teller.reply = reply
    yield go
    go.set()


@pytest.fixture(autouse=True)
def _plainly(teller: ModelServer, own_home: Path) -> Iterator[None]:
    """What the page asks, as if it had been chosen there."""
    teller.reply = lambda handler: handler.stream("It is 45p", " a mile [1].")
    chosen = own_home / "page-model"
    chosen.write_text(f"openai:gemma2@{teller.url}/v1")
    yield
    chosen.unlink(missing_ok=True)


def test_an_answer_comes_word_by_word_and_a_reload_in_its_middle_loses_nothing(visit: Visit, slowly: threading.Event) -> None:
    page = visit()
    ask(page, MILE)
    page.locator(".written", has_text="It is 45p").wait_for()
    page.get_by_text("Reading", exact=False).first.wait_for()
    page.reload()
    page.locator(".written", has_text="It is 45p").wait_for()
    second = visit(page.url.removeprefix(page.url.split("?")[0]))
    second.locator(".written", has_text="It is 45p").wait_for()
    slowly.set()
    for tab in (page, second):
        turn = answered(tab)
        assert turn.locator("h2").inner_text() == MILE
        assert turn.locator(".written").inner_text() == "It is 45p a mile 1."
        assert turn.locator(".sources .source").first.is_visible()


def test_the_box_has_the_focus_again_after_an_answer(visit: Visit) -> None:
    page = visit()
    ask(page, MILE)
    answered(page)
    page.keyboard.type("And then?")
    assert page.get_by_placeholder("Ask a question").input_value() == "And then?"


def test_stop_keeps_what_came(visit: Visit, slowly: threading.Event) -> None:
    page = visit()
    ask(page, MILE)
    page.locator(".written", has_text="It is 45p").wait_for()
    page.get_by_role("button", name="Stop").click()
    turn = answered(page)
    assert turn.locator(".written").inner_text() == "It is 45p"
    turn.get_by_text("Cut off here: what came is kept.").wait_for()


def test_stop_waits_for_no_model_that_is_silent(visit: Visit, teller: ModelServer) -> None:
    silent = threading.Event()
    teller.reply = lambda handler: silent.wait(60)  # type: ignore[assignment,return-value]
    page = visit()
    ask(page, MILE)
    page.locator(".waiting", has_text="Reading").wait_for()
    page.get_by_role("button", name="Stop").click()
    answered(page).get_by_text("Cut off here").wait_for()
    silent.set()


def test_stop_counts_though_words_come_and_the_page_scrolls_while_it_is_pressed(visit: Visit, teller: ModelServer) -> None:
    said: list[str] = []
    let_go = threading.Event()

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        while not let_go.wait(0.3):
            said.append("on ")
            handler.event(choices=[{"index": 0, "delta": {"content": "on "}, "finish_reason": None}])

    teller.reply = reply
    page = visit()
    ask(page, MILE)
    page.locator(".written", has_text="on on").wait_for()
    stop = page.get_by_role("button", name="Stop")
    stop.hover()
    page.mouse.down()
    before = len(said)
    while len(said) < before + 4:
        page.wait_for_timeout(50)
    page.mouse.move(stop.bounding_box()["x"], stop.bounding_box()["y"] - 30)  # as if it had scrolled
    page.mouse.up()
    answered(page).get_by_text("Cut off here").wait_for()
    let_go.set()


def test_another_model_answers_from_the_next_question_on(visit: Visit, slowly: threading.Event, own_home: Path) -> None:
    page = visit()
    ask(page, MILE)
    page.locator(".written", has_text="It is 45p").wait_for()
    for wanted, said in (("/nowhere", "No folder or file at '/nowhere'"), ("starter", "")):
        page.get_by_role("button", name="Another model").click()
        page.get_by_label("Or a model of your own").fill(wanted)
        page.get_by_role("button", name="Use it").click()
        if said:
            page.get_by_text(said).wait_for()
            page.keyboard.press("Escape")
    page.get_by_text("Octavo's small model answers.").wait_for()
    ask(page, MILE)
    page.locator(".turn").nth(1).locator("blockquote", has_text="45p").wait_for()
    slowly.set()
    assert answered(page, 2) and page.locator(".turn").first.locator(".written").inner_text() == "It is 45p a mile 1."
    assert not (own_home / "page-model").exists()  # for it is what OCTAVO_MODEL says


def test_an_error_gives_the_box_back_with_the_question_in_it(visit: Visit, teller: ModelServer) -> None:
    teller.reply = lambda handler: handler.fail(500, "out of memory <b>x</b>")
    page = visit()
    ask(page, MILE)
    turn = answered(page)
    assert "out of memory <b>x</b>" in turn.locator(".trouble").inner_text()
    box = page.get_by_placeholder("Ask a question")
    assert box.input_value() == MILE
    teller.reply = lambda handler: handler.stream(ANSWER)
    turn.get_by_role("button", name="Ask this question again").click()
    assert answered(page, 2).locator(".written").inner_text() == "It is 45p a mile 1."
    page.locator(".turn").nth(1).get_by_role("button", name="Ask it in other words").click()
    box.press("End")
    box.press_sequentially(" Now?")
    box.press("Enter")
    assert answered(page, 3).locator("h2").inner_text() == f"{MILE} Now?"


def test_only_what_is_ticked_is_asked(visit: Visit) -> None:
    page = visit()
    box = page.get_by_placeholder("Ask a question")
    box.fill("How much can I claim per mile as a cat?")
    page.get_by_role("checkbox", name="Ask faq.md").check()
    box.press("Enter")  # at once: the run that heeds the tick is ended by it
    turn = answered(page)
    turn.get_by_text("asked of faq.md").wait_for()
    sources = turn.locator(".sources button.source")
    assert {source.get_attribute("title") for source in sources.all()} == {"Open faq.md"}
    page.get_by_role("button", name="More for faq.md").click()
    page.get_by_role("button", name="Ask its folder: faq.md").click()
    page.get_by_text("Asking what lies in samples.").wait_for()
    ask(page, MILE)
    answered(page, 2).get_by_text("asked of samples").wait_for()
    assert page.get_by_role("checkbox", name="Ask faq.md").is_disabled()
    page.get_by_role("button", name="Ask all").click()
    page.get_by_text("Tick those that you want to ask.").wait_for()


def test_each_of_the_ticked_documents_is_asked_and_the_table_saved(visit: Visit) -> None:
    page = visit()
    assert page.get_by_role("button", name="Summarise the ticked documents").is_hidden()
    for name in ("faq.md", "volunteer-handbook.pdf"):
        page.get_by_role("checkbox", name=f"Ask {name}").check()
    page.get_by_role("button", name="Ask each of the ticked documents").click()
    page.get_by_label("Question for each of the ticked documents").fill(MILE)
    page.keyboard.press("Enter")
    for count in (1, 2):
        turn = answered(page, count)
        rows = turn.locator(".written table tr")
        assert rows.first.inner_text().split() == ["document", "answer"]
        assert [row.locator("td").first.inner_text() for row in rows.all()[1:]] == ["faq.md", "volunteer-handbook.pdf"]
        if count == 1:
            turn.get_by_role("button", name="Ask this question again").click()
    with page.expect_download() as saved:
        turn.get_by_role("link", name="CSV").click()
    table = Path(saved.value.path()).read_text().splitlines()
    assert table[0] == "document,answer,page,verified" and table[2].startswith("volunteer-handbook.pdf,It is 45p a mile")
    page.reload()
    answered(page, 2).locator(".written td .marker").first.click()
    page.locator(".pane img").wait_for()


def test_conversations_are_begun_found_renamed_and_deleted(visit: Visit) -> None:
    page = visit("?library=default")
    ask(page, f"{MILE} (zebra)")
    answered(page)
    page.get_by_role("button", name="New conversation").click()
    page.get_by_text("What would you like to know?").wait_for()
    ask(page, f"{MILE} (tram)")
    answered(page)
    shelf = page.locator(".conversations")
    shelf.locator("li.here", has_text="tram").wait_for()
    page.get_by_label("Find a conversation").fill("zebra")
    shelf.locator("li", has_text="tram").wait_for(state="detached")
    shelf.get_by_role("button", name="More for").click()
    page.answer = "Of **stripes**"
    shelf.get_by_role("button", name="Rename").click()
    shelf.get_by_text("Of **stripes**").click()
    page.locator(".turn h2", has_text="zebra").wait_for()
    shelf.get_by_role("button", name="More for Of **stripes**").click()
    shelf.get_by_role("button", name="Delete").click()
    shelf.locator("li", has_text="stripes").wait_for(state="detached")
    page.get_by_text("What would you like to know?").wait_for()
    page.get_by_label("Find a conversation").fill("45p a mile")
    shelf.get_by_text("(tram)").wait_for()


def test_a_conversation_is_saved_as_markdown_and_as_json_and_an_answer_copied(visit: Visit, server: Served) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, MILE)
    answered(page).get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{ANSWER}\n\n[1] ")
    with page.expect_download() as markdown:
        page.get_by_role("button", name="Save as Markdown").click()
    assert Path(markdown.value.path()).read_text() == f"## {MILE}\n\n{copied}\n"
    with page.expect_download() as json:
        page.get_by_role("button", name="Save as JSON").click()
    assert '"text": "It is 45p a mile [1]."' in Path(json.value.path()).read_text()


def test_a_document_that_is_removed_leaves_no_words_in_stored_answers(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    for name, text in (("claims", "You can claim 45p per mile for driving."), ("other", "The mill stands still.")):
        (tmp_path / f"{name}.txt").write_text(text)
    directory = own_home / "libraries" / "removing"
    with Library.open(directory, create=True) as library:
        library.add([tmp_path])
    page = visit("?library=removing")
    ask(page, MILE)
    answered(page).locator("blockquote", has_text="for driving").wait_for()
    page.get_by_role("button", name="More for claims.txt").click()
    page.get_by_role("button", name="Remove: claims.txt").click()
    page.get_by_text("removed from this library").wait_for()
    assert page.locator("body").get_by_text("for driving").count() == 0
    assert b"for driving" not in (directory / "conversations.sqlite3").read_bytes()


@pytest.mark.slow
def test_a_failed_file_can_be_tried_again(visit: Visit, own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "claims.txt").write_text("You can claim 45p per mile for driving.")
    (tmp_path / "broken.md").write_bytes(b"\x00\x01\x02")
    with Library.open(own_home / "libraries" / "retrying", create=True) as library:
        assert not library.add([tmp_path]).ok
    page = visit("?library=retrying")
    page.locator("li.failed", has_text="broken.md").wait_for()
    (tmp_path / "broken.md").write_text("The parrot is called Quill.")
    page.get_by_role("button", name="More for broken.md").click()
    page.get_by_role("button", name="Try again: broken.md").click()
    page.get_by_role("checkbox", name="Ask broken.md", disabled=False).wait_for()


def test_a_server_that_is_killed_leaves_what_came_marked_as_cut(
    browser: Any, teller: ModelServer, slowly: threading.Event, own_home: Path
) -> None:
    kept = Conversations(own_home / "libraries" / "default")
    with served(own_home, OCTAVO_MODEL=f"openai:gemma2@{teller.url}/v1") as doomed:
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(doomed.link)
        ask(page, "How much can I claim per mile, doomed?")
        page.locator(".written", has_text="It is 45p").wait_for()
        deadline = time.monotonic() + 60
        while not kept.turns(kept.all("doomed")[0].id)[0].answer.get("text"):
            assert time.monotonic() < deadline
            page.wait_for_timeout(50)
        os.kill(doomed.process.pid, signal.SIGKILL)
        page.close()
    turn = kept.turns(kept.all("doomed")[0].id)[0]
    assert (turn.state, turn.answer.get("text", "")) == ("cut", "It is 45p")
