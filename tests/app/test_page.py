"""Reading, in a real Chromium: an answer's marker opens its source where it stands, by mouse, keys and on a phone."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from ingest import Library
from tests.app.conftest import Served, answered, ask, findings

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"
VOTES = "How many votes did Kit Mabbott get in the trustee election?"
CAKE = "How do I bake a lemon cake?"
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def conversation(context: Any, server: Served) -> str:
    """Three questions asked: of a PDF, of a table in a Word file, and one that nothing answers; where they stand."""
    page = context.new_page()
    page.goto(server.address)
    for count, question in enumerate((VOTES, CAKE, AGE), 1):
        ask(page, question)
        answered(page, count)
    page.close()
    return str(page.url.removeprefix(server.address + "/"))


@pytest.fixture
def page(visit: Visit, conversation: str) -> Any:
    opened = visit(conversation)
    answered(opened, 3)
    opened.locator("[data-test-script-state=notRunning]").wait_for()  # a run that ends may mount the room anew, with its source closed
    return opened


def test_a_marker_opens_the_page_with_the_answers_words_boxed(page: Any, samples: Path) -> None:
    page.locator(".turn").nth(2).locator(".marker").first.click()
    box, picture = page.locator(".box").first, page.locator(".page img")
    box.wait_for()
    page.wait_for_function("[...document.querySelectorAll('*')].some(e => e.shadowRoot?.querySelector('.page img')?.complete)")
    assert "7 of 7" in page.locator(".bar").inner_text()
    drawn, around = box.bounding_box(), picture.bounding_box()
    with pypdfium2.PdfDocument(samples / "volunteer-handbook.pdf") as document:
        sheet = document[6]
        width, height = sheet.get_size()
        start, count = sheet.get_textpage().search("85").get_next()
        left, _, _, top = sheet.get_textpage().get_charbox(start)
    expected = (left / width, 1 - top / height)
    found = ((drawn["x"] - around["x"]) / around["width"], (drawn["y"] - around["y"]) / around["height"])
    assert count == 2 and max(abs(a - b) for a, b in zip(expected, found, strict=True)) < 0.01
    page.get_by_role("button", name="Larger").click(click_count=3)
    box.evaluate("e => e.style.visibility = 'hidden'")
    with Image.open(BytesIO(page.screenshot(clip=box.bounding_box()))) as shot:
        levels = list(shot.convert("L").getdata())
    assert min(levels) < 100 and sum(level > 200 for level in levels) > len(levels) / 3  # dark letters on white


def test_pages_are_turned_and_the_text_that_was_read_is_shown_lit(page: Any) -> None:
    page.locator(".turn").nth(2).locator(".marker").first.click()
    page.get_by_role("button", name="Previous page").click()
    page.get_by_text("6 of 7").wait_for()
    assert page.locator(".box").count() == 0
    page.get_by_role("button", name="Show what was read").click()
    assert page.locator(".text mark").all_inner_texts() == ["85"]
    page.get_by_role("link", name="Open the original").wait_for()


def test_a_word_file_opens_typeset_with_its_words_lit_and_in_view(page: Any) -> None:
    page.locator(".turn").first.locator(".marker").first.click()
    lit = page.locator(".text td mark")
    lit.wait_for()
    assert lit.all_inner_texts() == ["57"]
    sheet, row = page.locator(".sheet").bounding_box(), lit.bounding_box()
    assert sheet["y"] <= row["y"] <= sheet["y"] + sheet["height"]


def test_a_refusal_shows_the_nearest_passages(page: Any) -> None:
    turn = page.locator(".turn").nth(1)
    turn.get_by_text("Your documents don't say.").wait_for()
    turn.get_by_text("Nearest passages").wait_for()
    turn.get_by_text(f"Looked for “{CAKE}” in all 10 documents.").wait_for()
    turn.locator(".tools").wait_for()  # drawn anew for the last time
    turn.locator(".source").first.click()
    page.locator(".pane").wait_for()


def test_keys_open_and_close_sources_and_bring_the_last_question_back(page: Any) -> None:
    page.locator("body").press("1")
    page.locator(".box").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".pane").wait_for(state="hidden")
    box = page.get_by_placeholder("Ask a question")
    box.press("ArrowUp")
    assert box.input_value() == AGE
    box.press("1")
    assert page.locator(".pane").is_hidden()
    page.get_by_label("Find a conversation").press("1")
    assert page.locator(".pane").is_hidden()
    page.get_by_role("button", name="Open source 1").last.focus()
    page.keyboard.press("Enter")
    page.locator(".box").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # the focus is on the marker again
    page.locator(".box").first.wait_for()


def test_on_a_phone_the_source_opens_over_the_answer_and_closes_back(visit: Visit, conversation: str) -> None:
    page = visit(conversation, 390, 844)
    answered(page, 3).locator(".marker").first.click()
    page.locator(".box").first.wait_for()
    assert page.locator(".pane").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.get_by_role("button", name="Close the source").click()
    page.locator(".turn").nth(2).locator("h2").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_document_opens_from_the_shelf(page: Any) -> None:
    page.locator(".shelf").get_by_role("button", name="Open sea-gates-contract.pdf").click()
    page.locator(".page img").wait_for()
    assert page.locator(".bar .fine").inner_text().startswith("1 of ")
    page.locator(".shelf").get_by_role("button", name="Open visiting.html").click()
    page.locator(".text h3, .text h4").first.wait_for()


LURES = ["www.evil.example", "me@evil.example", ":smile: :red[x]", "a<b>](http:x) `b` $x$", "fdp.\u202egpj"]
ANIMALS = ["parrot", "ferret", "badger", "heron", "otter"]


@pytest.fixture(scope="module")
def hostile(own_home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("http:") / "evil.example" / ":smile:"
    folder.mkdir(parents=True)
    for lure, animal in zip(LURES, ANIMALS, strict=True):
        (folder / f"{lure}.txt").write_text(
            f'The {animal} is called "<img src=x onerror=document.title=1><b>Quill</b>". https://evil.example/'
        )
    (folder / ":smile: www.evil.example.pdf").write_bytes(b"%PDF-1.4 no more")
    with Library.open(own_home / "libraries" / "www.evil.example", create=True) as library:
        library.add([folder])
    return "?library=www.evil.example"


def elsewhere(page: Any) -> list[str]:
    """Whatever the whole document links to, loads or sends to, but itself."""
    find = """() => { const all = root => [...root.querySelectorAll('*')].flatMap(e => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
        return all(document).flatMap(e => [e.href, e.src, e.action, e.data]).filter(
        u => typeof u == 'string' && u && !u.startsWith(location.origin) && !/^(data|blob):/.test(u)) }"""
    return list(page.evaluate(find))


def test_names_and_texts_become_no_links_no_elements_and_no_icons(visit: Visit, hostile: str) -> None:
    page = visit(hostile)
    for count, animal in enumerate(ANIMALS, 1):
        ask(page, f"What is the {animal} called, <b>me@evil.example</b> :smile:?")
        turn = answered(page, count)
        assert "<img src=x onerror=document.title=1><b>Quill</b>" in turn.inner_text()
        turn.locator(".source").first.click()
        page.locator(".text", has_text="<b>Quill</b>").wait_for()
        assert elsewhere(page) == []
    shown = page.locator(".shelf").inner_text()
    assert all(f"{lure}.txt" in shown for lure in LURES[:-1]) and "\u202e" not in page.locator(".shelf").inner_html()
    assert ":smile: www.evil.example.pdf" in shown
    page.get_by_role("link", name="Documents").click()
    page.get_by_text(":smile: www.evil.example.pdf: not a readable PDF").wait_for()
    assert elsewhere(page) == [] and page.title() == "Octavo"


def test_a_name_is_never_a_path_and_a_mistake_is_a_line(visit: Visit) -> None:
    for name in ("../evil", "no*name", "me@evil.example :smile:"):
        page = visit(f"?library={name}")
        page.get_by_text("can't be a library's name").wait_for()
        assert page.get_by_text("Traceback").count() == 0 and elsewhere(page) == []


def test_a_page_of_a_file_that_changed_is_shown_with_a_warning_and_no_boxes(
    visit: Visit, own_home: Path, samples: Path, tmp_path: Path
) -> None:
    file = tmp_path / "handbook.pdf"
    file.write_bytes((samples / "volunteer-handbook.pdf").read_bytes())
    with Library.open(own_home / "libraries" / "changing", create=True) as library:
        library.add([file])
    file.write_bytes((samples / "sea-gates-contract.pdf").read_bytes() + b"\n")
    page = visit("?library=changing")
    ask(page, AGE)
    answered(page).locator(".marker").first.click()
    page.get_by_text("The file has changed since it was read").wait_for()
    page.locator(".page img, .sheet .trouble").first.wait_for()
    assert page.locator(".box").count() == 0
    file.unlink()
    page.reload()
    answered(page).locator(".marker").first.click()
    page.get_by_text("The file is gone").wait_for()
    assert page.locator(".text mark").all_inner_texts() == ["85"]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_has_no_serious_findings(visit: Visit, conversation: str, axe: str, scheme: str) -> None:
    page = visit(conversation, color_scheme=scheme)
    answered(page, 3).locator(".marker").first.click()
    page.locator(".box").first.wait_for()
    page.get_by_role("button", name="More for faq.md").click()
    page.get_by_text("Details").last.click()
    hovered = page.locator(".turn").last.locator(".ledger i.source").first.get_attribute("title")
    assert hovered.startswith("source 1, volunteer-handbook.pdf: ")
    found = list(findings(page, axe))
    page.get_by_role("link", name="Documents").click()
    page.locator("section[aria-label=Documents] li").first.wait_for()
    found += findings(page, axe)
    page.get_by_role("button", name="Another model").click()
    page.get_by_role("button", name="Use it").wait_for()
    found += findings(page, axe)
    first = visit("?library=brand new")
    first.get_by_role("button", name="Try the samples").wait_for()
    found += findings(first, axe)
    assert found == []
