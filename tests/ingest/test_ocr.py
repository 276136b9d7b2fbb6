"""Pictures of text are read where OCR is installed, whichever way they lie, and listed as scanned where it isn't."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ingest.loaders import load
from ingest.loaders.parsed import LoadError
from tests.conftest import ROOT
from tests.ingest.pages import Page, picture_of, write

pytest.importorskip("rapidocr", reason="needs the extra ocr")

LINES = ["The sluice gates were opened at dawn", "by the keeper, who had waited for", "the tide all night in the mill house."]
TEXT = "\n".join(LINES)
SMALL = (900, 500)


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_scanned_page_is_read_and_the_others_keep_their_text(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", [Page().text(50, 60, "Typed by hand"), Page(picture=picture_of(TEXT, SMALL), box=(450, 250)), Page()])
    parsed = load(tmp_path / "a.pdf", ocr=True)
    assert (parsed.scanned, parsed.ocr, parsed.empty) == ([], [2], [3])
    assert parsed.text.startswith("Typed by hand") and TEXT in parsed.text
    starts = {number: start for start, number in parsed.pages or []}
    assert parsed.text.index(LINES[0]) >= starts[2] > parsed.text.index("Typed by hand")


@pytest.mark.parametrize("turn", [90, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (180, 270))])
def test_a_page_on_its_side_or_on_its_head_is_read(tmp_path: Path, turn: int) -> None:
    picture_of(TEXT, SMALL).rotate(turn, expand=True).save(tmp_path / "a.png")
    assert words(load(tmp_path / "a.png", ocr=True).text) == words(TEXT)


@pytest.mark.slow
def test_columns_of_a_picture_are_read_one_after_the_other(tmp_path: Path) -> None:
    page = Image.new("L", (1600, 700), 255)
    left = [
        "The keeper of the sluice gates",
        "waited for the tide all night and",
        "went to wake the others in the",
        "mill house before the sun rose.",
    ]
    right = [
        "The harbour down the coast was",
        "already busy and the first boats",
        "had landed what they had caught",
        "which was small for the season.",
    ]
    for x, lines in ((0, left), (800, right)):
        page.paste(picture_of("\n".join(lines), (800, 700)), (x, 0))
    page.save(tmp_path / "a.png")
    assert words(load(tmp_path / "a.png", ocr=True).text) == " ".join(left + right)


@pytest.mark.slow
def test_each_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    pages = [picture_of("The first page", SMALL), Image.new("L", SMALL, 255), picture_of("The third page", SMALL)]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    assert load(tmp_path / "a.tiff").scanned == [1, 2, 3]
    parsed = load(tmp_path / "a.tiff", ocr=True)
    assert parsed.text == "The first page\n\nThe third page\n\n"
    assert (parsed.pages, parsed.ocr, parsed.empty) == ([(0, 1), (16, 2), (16, 3)], [1, 2, 3], [2])


@pytest.mark.parametrize(
    "suffix", ["png", *(pytest.param(suffix, marks=pytest.mark.slow) for suffix in ("jpg", "bmp", "webp", "gif", "tif"))]
)
def test_pictures_wait_for_ocr(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    picture_of("Mill", (400, 200)).convert("RGB").save(path)
    parsed = load(path)
    assert (parsed.text, parsed.pages, parsed.scanned) == ("", [(0, 1)], [1])
    assert words(load(path, ocr=True).text) == "Mill"


@pytest.mark.slow
def test_letters_on_a_transparent_ground_are_read(tmp_path: Path) -> None:
    black = Image.new("RGBA", SMALL, (0, 0, 0, 0))
    black.putalpha(picture_of("The mill house", SMALL).point(lambda value: 255 - value))
    black.save(tmp_path / "a.png")
    assert words(load(tmp_path / "a.png", ocr=True).text) == "The mill house"


def test_pictures_that_give_no_text_say_why(tmp_path: Path) -> None:
    Image.new("RGB", SMALL, "white").save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "blank.png").read_bytes()[:40])
    (tmp_path / "other.jpg").write_bytes(b"not a picture")
    with pytest.raises(LoadError, match="no text found in the picture"):
        load(tmp_path / "blank.png", ocr=True)
    for name in ("broken.png", "other.jpg"):
        with pytest.raises(LoadError, match="not a readable picture"):
            load(tmp_path / name, ocr=True)


@pytest.mark.slow
def test_a_huge_picture_is_read_within_the_workers_memory_and_fetches_nothing(tmp_path: Path) -> None:
    picture_of("The mill", (16_000, 12_000), 1000).convert("1").save(tmp_path / "a.png")
    write(tmp_path / "a.pdf", [Page(picture=picture_of("The mill", (16_000, 12_000), 1000), box=(16_000, 12_000))])
    code = "import json, pathlib, resource, socket, sys; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    code += "def refuse(*_): raise OSError('no network')\n"
    code += "socket.socket.connect = socket.getaddrinfo = refuse\n"
    code += "from ingest.loaders import load\n"
    code += "print(json.dumps([[load(pathlib.Path(p), ocr=True).text for p in sys.argv[1:]], 'torch' in sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", code, *map(str, tmp_path.iterdir())], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    texts, torch = json.loads(ran.stdout)
    assert [words(text) for text in texts] == ["The mill", "The mill"] and not torch
