"""Makes README's pictures: the page in a real Chromium, asked of the samples. `python docs/pictures.py` from the repository's root."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from ingest import Library  # noqa: E402
from tests.app.conftest import CHROMIUM, QUIET, served  # noqa: E402

QUESTIONS = ("Why did the mill burn down?", "Up to what age does the Society's insurance cover volunteers on duty?")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        with Library.open(Path(home) / "libraries" / "samples", create=True) as library:
            library.add([ROOT / "data" / "samples"])
        with served(Path(home)) as page, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            tab = browser.new_page(viewport={"width": 1360, "height": 850}, device_scale_factor=1)
            tab.set_default_timeout(120_000)
            tab.goto(page.link)
            for number, question in enumerate(QUESTIONS):
                box = tab.get_by_test_id("stChatInputTextArea")
                box.fill(question)
                box.press("Enter")
                tab.locator(".tools").nth(number).wait_for()
                if not number:
                    tab.screenshot(path=ROOT / "docs" / "conversation.png")
            tab.locator(".marker").last.click()
            _drawn(tab)
            tab.screenshot(path=ROOT / "docs" / "page.png")
            browser.close()


def _drawn(tab: Page) -> None:
    tab.locator(".page img").wait_for()
    tab.wait_for_function("() => [...document.querySelectorAll('*')].some((e) => e.shadowRoot?.querySelector('.page img')?.complete)")
    tab.locator(".box").first.wait_for()


if __name__ == "__main__":
    main()
