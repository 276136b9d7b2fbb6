"""Files that only a password opens: asked for, used for one run, kept nowhere."""

import io
from pathlib import Path

import docx
import msoffcrypto
import openpyxl
import pptx
import pytest
from pptx.util import Inches
from typer.testing import CliRunner, Result

from ingest import Library
from ingest.__main__ import app
from ingest.loaders import load
from ingest.loaders.parsed import UNLOCKED, LoadError, Locked, is_locked
from tests.ingest.pages import Page, write

SENTENCE = "The keeper of the northern pier is Ottoline Marsh."
PASSWORD = "eel & lamprey é"


def _docx() -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.add_paragraph(SENTENCE)
    document.save(file)
    return file.getvalue()


def _xlsx() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append([SENTENCE])
    book.save(file)
    return file.getvalue()


def _pptx() -> bytes:
    show, file = pptx.Presentation(), io.BytesIO()
    slide = show.slides.add_slide(show.slide_layouts[6])
    slide.shapes.add_textbox(Inches(1), Inches(1), Inches(6), Inches(1)).text_frame.text = SENTENCE
    show.save(file)
    return file.getvalue()


def _locked(path: Path) -> Path:
    if path.suffix == ".pdf":
        write(path, [Page().lines(50, 60, [SENTENCE])], password=PASSWORD.encode("latin-1"))
    else:
        plain = {".docx": _docx, ".xlsx": _xlsx, ".pptx": _pptx}[path.suffix]()
        with path.open("wb") as file:
            msoffcrypto.OfficeFile(io.BytesIO(plain)).encrypt(PASSWORD, file)
    return path


@pytest.mark.parametrize("suffix", [".docx", ".xlsx", ".pptx", ".pdf"])
def test_the_right_password_of_several_opens_it(suffix: str, tmp_path: Path) -> None:
    file = _locked(tmp_path / f"locked{suffix}")
    with pytest.raises(Locked, match=r"^encrypted: only its password opens it$") as unasked:
        load(file)
    with pytest.raises(Locked, match=r"^encrypted: only its password opens it, and none that was given does$") as wrong:
        load(file, passwords=["eel", ""])
    assert is_locked(str(unasked.value)) and is_locked(str(wrong.value))
    parsed = load(file, passwords=["eel", PASSWORD])
    assert SENTENCE in parsed.text and parsed.notes[-1] == UNLOCKED


def test_a_container_that_says_nonsense_of_its_key_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    file = _locked(tmp_path / "locked.docx")
    damaged = file.read_bytes().replace(b'spinCount="100000"', b'spinCount="1e9999"')
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    with pytest.raises(LoadError, match="encrypted in a way that can't be read, or damaged"):
        load(file, passwords=[PASSWORD])


def test_a_library_reads_it_with_its_password_and_keeps_no_trace_of_that(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    _locked(folder / "lease.pdf")
    assert [is_locked(file.reason) for file in library.add([folder]).files] == [True]
    assert library.add([folder]).counts["failed"] == 1
    assert [is_locked(file.reason) for file in library.add([folder], passwords=["wrong"]).files] == [True]
    (opened,) = library.add([folder], passwords=[PASSWORD]).files
    assert opened.status == "added" and opened.notes == (UNLOCKED,)
    assert library.words("keeper", 1) and library.add([folder]).counts["unchanged"] == 1
    library.close()
    for file in library.directory.rglob("*"):
        assert file.is_dir() or not any(PASSWORD.encode(code) in file.read_bytes() for code in ("utf-8", "latin-1"))


def test_the_command_takes_passwords_from_a_file_or_from_stdin_and_from_no_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, contract = _locked(tmp_path / "lease.pdf"), _locked(tmp_path / "contract.docx")
    (tmp_path / "passwords").write_text(f"wrong\n{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))

    def ingest(*arguments: str | Path, told: str = "") -> Result:
        return CliRunner().invoke(app, [*map(str, arguments)], input=told)

    refused = ingest(lease, "--password-file", tmp_path / "absent")
    assert refused.exit_code == 2 and "absent can't be read: No such file" in refused.stderr
    assert ingest(lease, "--password-file", "-", told=f"{PASSWORD}\n").stdout.startswith("1 added")
    opened = ingest(contract, lease, "--password-file", tmp_path / "passwords")
    assert opened.exit_code == 0 and opened.stdout.startswith("1 added, 1 unchanged")
    assert PASSWORD not in opened.stdout + opened.stderr
