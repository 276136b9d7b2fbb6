"""The page in a real Chromium: choose a library, add a file, ask, watch the answer, see the lit passage."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"OCTAVO_HOME": str(home), "OCTAVO_MODEL": "starter"}
    command = [sys.executable, "-m", "app", "app", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment | {"STREAMLIT_SERVER_HEADLESS": "true"}, start_new_session=True)
    for _ in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)
            break
        except OSError:
            time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    os.killpg(server.pid, 15)
    server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1100, "height": 1000})
    opened.set_default_timeout(30_000)
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(address)
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


def test_a_file_is_added_and_its_hostile_text_stays_text(page: Any, tmp_path: Path) -> None:
    hostile = tmp_path / "a<b>![x](http:x).txt"
    hostile.write_text('The ferry to Oxmoor is called "<img src=x onerror=document.title=1><b>Gannet</b>" since 1911.')
    page.get_by_role("link", name="Documents").click()
    page.locator("input[type=file]").set_input_files(str(hostile))
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("1 added").wait_for()
    page.get_by_role("link", name="Ask").click()
    ask(page, "What is the ferry to Oxmoor called?")
    page.locator(".oct-p").first.wait_for()
    passage = page.locator(".oct-p").first
    assert "<img src=x onerror=document.title=1><b>Gannet</b>" in passage.inner_text()
    assert passage.locator("img, b").count() == 0
    assert page.title() == "Octavo"


def test_a_reload_comes_back_to_the_same_library_and_a_name_is_never_a_path(page: Any, address: str) -> None:
    chooser = page.get_by_role("combobox").first
    chooser.fill("second")
    chooser.press("Enter")
    page.get_by_text("This library is empty").wait_for()
    page.reload()
    page.get_by_text("This library is empty").wait_for()
    page.goto(f"{address}/?library=../evil")
    page.get_by_text("can't be a library's name").wait_for()


def test_a_file_of_the_same_name_does_not_replace_the_first(page: Any, tmp_path: Path) -> None:
    for number, text in enumerate(("The parrot is called Quill.", "The ferret is called Bramble.")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "notes.txt").write_text(text)
        page.get_by_role("link", name="Documents").click()
        page.locator("input[type=file]").set_input_files(str(tmp_path / str(number) / "notes.txt"))
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text("1 added").wait_for()
        page.get_by_role("link", name="Ask").click()
    ask(page, "What is the parrot called?")
    page.locator(".oct-p", has_text="Quill").first.wait_for()


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
