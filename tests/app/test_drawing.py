"""Pages of PDFs are drawn in processes of their own, which end whatever the file makes PDFium do."""

import os
import shutil
import signal
import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from app import drawing
from app.drawing import draw


def pdf(*objects: str) -> bytes:
    """A PDF of these objects, the first being its catalogue."""
    numbered = "".join(f"{number} 0 obj {body} endobj\n" for number, body in enumerate(objects, 1))
    return f"%PDF-1.4\n{numbered}trailer << /Root 1 0 R /Size {len(objects) + 1} >>\n".encode()


def form(calls: int, inner: str, resources: str = "") -> str:
    content = f"{inner} " * calls
    kind = "/Type /XObject /Subtype /Form /BBox [0 0 600 600]"
    return f"<< {kind} /Resources << /XObject << {resources} >> >> /Length {len(content)} >> stream\n{content}\nendstream"


PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 600] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>"
ENDLESS = pdf(
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    PAGE,
    "<< /Length 4 >> stream\n/F Do\nendstream",
    *(form(20, "/F Do", f"/F {number} 0 R") for number in range(6, 14)),
    form(20, "0 0 600 600 re f"),
)
"""20 ** 9 rectangles, drawn by forms in forms, in 2 kB."""


@pytest.fixture
def handbook(samples: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(samples / "volunteer-handbook.pdf", tmp_path))


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    (tmp_path / "endless.pdf").write_bytes(ENDLESS)
    return tmp_path / "endless.pdf"


@pytest.fixture(autouse=True)
def _patiently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "SECONDS", 120)


def children() -> list[int]:
    """Processes that this one has started and that are there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(path.parent.name))
    return sorted(found)


def test_a_page_is_a_picture_of_it(handbook: Path) -> None:
    with Image.open(BytesIO(draw(handbook, "", 7) or b"")) as picture:
        assert picture.format == "PNG" and max(picture.size) == 1600


def test_a_file_that_draws_for_ever_is_given_up(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "SECONDS", 1)
    before = children()
    assert draw(endless, "", 1) is None and children() == before


def test_a_file_that_draws_for_ever_keeps_nobody_waiting(handbook: Path, endless: Path) -> None:
    drawn: list[bytes | None] = []
    before = set(children())
    slow = Thread(target=lambda: drawn.append(draw(endless, "", 1)))
    slow.start()
    while not (busy := set(children()) - before):
        assert slow.is_alive()
        time.sleep(0.005)
    assert draw(handbook, "", 1) and slow.is_alive()
    os.kill(busy.pop(), signal.SIGKILL)
    slow.join()
    assert drawn == [None] and set(children()) == before


def test_a_drawing_that_failed_is_remembered_too(tmp_path: Path, handbook: Path) -> None:
    file = tmp_path / "first.pdf"
    file.write_bytes(b"%PDF-1.4 no more")
    assert draw(file, "stamp", 1) is None
    shutil.copy(handbook, file)
    assert draw(file, "stamp", 1) is None
    assert draw(file, "another stamp", 1)


@pytest.mark.parametrize("page", [0, 8, -1])
def test_a_page_that_the_file_does_not_have_is_none(handbook: Path, page: int) -> None:
    assert draw(handbook, "", page) is None


def test_a_name_that_is_no_utf_8_is_found(handbook: Path) -> None:
    assert draw(handbook.rename(os.fsdecode(os.fsencode(handbook.parent) + b"/caf\xe9 \\xe9.pdf")), "", 1)


def test_many_pages_asked_at_once_are_all_drawn_by_a_few_processes(handbook: Path) -> None:
    drawn: dict[int, bytes | None] = {}
    before, most = len(children()), 0
    threads = [Thread(target=lambda page=page: drawn.update({page: draw(handbook, "at once", page)})) for page in range(1, 8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children()) - before)
        time.sleep(0.005)
    assert most <= 4 and sorted(drawn) == list(range(1, 8)) and all(drawn.values())


def test_a_page_that_several_ask_for_at_once_is_drawn_once(handbook: Path) -> None:
    drawn: list[bytes | None] = []
    before, seen = set(children()), set[int]()
    threads = [Thread(target=lambda: drawn.append(draw(handbook, "all together", 1))) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen |= set(children()) - before
        time.sleep(0.005)
    assert len(drawn) == 6 and len(set(drawn)) == 1 and drawn[0]
    assert len(seen) == 1
