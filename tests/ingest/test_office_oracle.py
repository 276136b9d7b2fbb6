"""What we read of office files beside what LibreOffice shows of them: the text of its PDF, and its own files in other formats."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from ingest.loaders import libreoffice, load
from tests.ingest.feature_files import feature_docx, feature_pptx

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not libreoffice(), reason="LibreOffice is not installed")]

KNOWN = {
    "Ratio 7/8 + x^2 done": "LibreOffice draws a formula only where its Math is installed, and then as single signs",
    "Ratio  done": "the same, in a file that it wrote itself",
    "Status: Approved box ☒ text Smith": "it writes a check box to RTF without its state",
    "Status: Approved box ☐ text Smith": "the same",
    "* Starred.": "it writes a note's own mark once more before the note",
    "** Starred.": "the same",
}
"""Lines that differ, and why."""


def convert(source: Path, suffix: str) -> Path:
    command = [libreoffice() or "", f"-env:UserInstallation={(source.parent / 'profile').as_uri()}", "--headless", "--convert-to", suffix]
    subprocess.run([*command, "--outdir", source.parent, source], check=True, capture_output=True, timeout=180)
    return source.with_suffix(f".{suffix}")


def words(text: str) -> list[str]:
    """Words and numbers, without the signs that we write for raised figures and notes."""
    return re.findall(r"[^\W_]+", text.replace("^", "").replace("[", "").replace("-", ""))


def shown(path: Path) -> Iterator[str]:
    document = pypdfium2.PdfDocument(path)
    for page in document:
        yield page.get_textpage().get_text_bounded()
    document.close()


def without_known(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip() and line not in KNOWN)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return feature_docx(tmp_path_factory.mktemp("word") / "a.docx")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return feature_pptx(tmp_path_factory.mktemp("slides") / "a.pptx")


def test_a_word_document_has_the_words_and_numbers_that_are_on_paper(document: Path) -> None:
    ours = words(without_known(load(document).text))
    paper = re.sub(r"^Ratio.*$|^Status.*$|^\*.*Starred.*$", "", "\n".join(shown(convert(document, "pdf"))), flags=re.MULTILINE)
    paper = re.sub(r"(?<=106)\s+km", " km", paper)
    assert ours == words(paper)


@pytest.mark.parametrize("suffix", ["odt", "rtf"])
def test_the_same_document_in_another_format_reads_alike(document: Path, suffix: str) -> None:
    other = load(convert(document, suffix))
    assert without_known(other.text) == without_known(load(document).text)
    assert any("hidden" in note for note in other.notes)


def test_a_slide_has_the_words_and_numbers_that_are_shown(slides: Path) -> None:
    """The PDF's text goes by what lies on top, so only what is there is compared; the order has tests of its own."""
    assert sorted(words(load(slides).text)) == sorted(words(" ".join(shown(convert(slides, "pdf")))))


def test_the_same_slides_in_another_format_read_alike(slides: Path) -> None:
    assert load(convert(slides, "odp")).text.strip() == load(slides).text.strip()
