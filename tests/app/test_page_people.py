"""A shared machine, in a real Chromium: each logs in, sees conversations of their own, and only the owner may change anything."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import people
from tests.app.conftest import TIMEOUT, Served, answered, ask, served

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


@pytest.fixture
def shared(sample_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    shutil.copytree(sample_library, tmp_path / "libraries" / "default")
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    people.put("Ada", "correct horse")
    people.put("Bob", "battery staple")
    with served(tmp_path) as page:
        yield page


def enter(browser: Any, shared: Served, name: str, password: str) -> Any:
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    page.goto(shared.address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def test_each_has_conversations_of_their_own_and_the_owner_alone_may_change_things(browser: Any, shared: Served) -> None:
    wrong = enter(browser, shared, "Ada", "battery staple")
    wrong.get_by_text("Name or password is wrong.").wait_for()
    ada = enter(browser, shared, "Ada", "correct horse")
    ada.get_by_text("What would you like to know?").wait_for()
    ask(ada, AGE)
    answered(ada)
    ada.get_by_role("link", name="Documents").wait_for()
    bob = enter(browser, shared, "Bob", "battery staple")
    bob.goto(ada.url)  # which names Ada's conversation
    bob.get_by_text("What would you like to know?").wait_for()
    bob.get_by_role("checkbox", name="Ask faq.md").wait_for()
    assert bob.locator(".conversations li").count() == 0 and bob.get_by_role("link", name="Documents").count() == 0
    told = bob.evaluate("async () => (await fetch('/octavo/conversation?library=default&conversation=1')).json()")
    assert told == []
    bob.get_by_role("button", name="More for faq.md").click()
    assert bob.locator(".menu button").all_inner_texts() == ["Ask only this", "Ask its folder"]
    bob.goto(f"{shared.address}/documents")
    bob.get_by_text("Page not found").wait_for()
    assert bob.get_by_label("Or a folder").count() == 0
    bob.goto(shared.address)
    bob.get_by_text("What would you like to know?").wait_for()
    other = bob.context.new_page()
    other.goto(shared.address)
    other.get_by_role("link", name="Log out").click()
    other.get_by_role("button", name="Log in").wait_for()
    ask(bob, AGE)  # its connection was opened before
    bob.get_by_text("You are logged out.").wait_for()
    for page in (wrong, ada, bob):
        page.context.close()
