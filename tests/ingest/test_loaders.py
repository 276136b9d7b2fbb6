"""Each format gives the text that a person sees."""

from pathlib import Path

import docx
import pytest

from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed
from ingest.loaders.web.markdown import headings
from tests.ingest.files import write_pdf


def _titles(parsed: Parsed) -> list[tuple[int, str]]:
    for start, _, title in parsed.headings:
        assert parsed.text[start:].startswith(title)
    return [(level, title) for _, level, title in parsed.headings]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Mühle – 5 €".encode(), "Mühle – 5 €"),
        ("\ufeffMühle".encode(), "Mühle"),
        ("Mühle".encode("utf-16"), "Mühle"),
        ("Mühle – 5 €".encode("cp1252"), "Mühle – 5 €"),
        (b"a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        (b"M\x81hle, from DOS", "Mühle, from DOS"),
        (b"\xff\xfe\x00\xd8a\x00", "\ufffda"),
    ],
)
def test_text_is_read_in_the_encoding_it_has(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert load(path).text == text


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\x7fELF\x00\x00")
    with pytest.raises(LoadError, match="not text"):
        load(path)


def test_markdown_stays_as_it_is_and_code_has_no_headings() -> None:
    text = "# One #\n\n```\n# no heading\n```\nTwo\n---\n\n### Three\ntext\n---\n"
    assert [(level, title) for _, level, title in headings(text)] == [(1, "One"), (2, "Two"), (3, "Three"), (2, "text")]


def test_html_gives_what_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        "<html><head><title>T</title><style>p{}</style></head><body><nav>Menu</nav><!-- no --><script>alert(1)</script>"
        "<h1>The <b>mill</b></h1><p>One<br>two\n three</p><ul><li>a</li><li>b <i>c</i></li></ul>tail"
        "<table><tr><th>Day</th><th>Hours</th></tr><tr><td>Mon|Tue</td><td>9</td></tr></table></body></html>"
    )
    parsed = load(path)
    assert parsed.text == ("The mill\n\nOne\ntwo three\n\n- a\n- b c\n\ntail\n\n| Day | Hours |\n| --- | --- |\n| Mon\\|Tue | 9 |\n\n")
    assert _titles(parsed) == [(1, "The mill")]


def test_pdf_gives_its_pages_blank_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    write_pdf(path, ["The first page", "", "The third page"])
    parsed = load(path)
    assert parsed.pages == [(0, 1), (16, 2), (16, 3)]
    assert parsed.text == "The first page\n\nThe third page\n\n"


def test_docx_gives_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Minutes", 0)
    document.add_heading("Present", 2)
    document.add_paragraph("Nine members.")
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(table.row_cells(0), ["Post", "Name", "Name"], strict=True):
        cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Name"
    table.cell(1, 0).text = "Chair"
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    document.add_paragraph("Closed at nine.")
    path = tmp_path / "a.docx"
    document.save(str(path))
    parsed = load(path)
    assert parsed.text == (
        "Minutes\n\nPresent\n\nNine members.\n\n"
        "| Post | Name |  |\n| --- | --- | --- |\n| Chair |  |  |\n\n- first\n- second\n\nClosed at nine.\n\n"
    )
    assert _titles(parsed) == [(1, "Minutes"), (2, "Present")]


def test_a_saved_web_page_gives_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mhtml"
    path.write_text(
        'From: <Saved>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n--b\n'
        "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
        "<html><head><title>Mill</title></head><body><script>no()</script><p>Caf=C3=A9 open</p></body></html>\n--b--\n"
    )
    parsed = load(path)
    assert "Café open" in parsed.text and "no()" not in parsed.text
    assert _titles(parsed) == [(1, "Mill")]


def test_files_that_give_no_text_say_why(tmp_path: Path) -> None:
    write_pdf(tmp_path / "locked.pdf", ["secret"], encrypted=True)
    write_pdf(tmp_path / "blank.pdf", ["", ""])
    write_pdf(tmp_path / "cut.pdf", ["text"])
    (tmp_path / "cut.pdf").write_bytes((tmp_path / "cut.pdf").read_bytes()[:60])
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.md").write_text(" \n\t\n")
    (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04 not a zip")
    (tmp_path / "old.docx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 500)
    reasons = {}
    for path in tmp_path.iterdir():
        with pytest.raises(LoadError) as raised:
            load(path)
        reasons[path.name] = str(raised.value)
    assert "password" in reasons["locked.pdf"]
    assert reasons["blank.pdf"] == "its pages are blank"
    assert "cut short" in reasons["cut.pdf"]
    assert reasons["empty.txt"] == reasons["blank.md"] == "no text in it"
    assert "not a readable Word document" in reasons["broken.docx"]
    assert "encrypted" in reasons["old.docx"]


def test_html_breaks_separate_words_and_inline_tags_do_not(tmp_path: Path) -> None:
    page = """<h2>C<em>af</em>é</h2><ul><li>First line<br>Second line</li></ul><pre>a<br>b</pre>
    <table><tr><th>Name</th><th>Sum</th></tr><tr><td>H<sub>2</sub>O</td><td><p>one</p><p>two</p></td></tr></table>"""
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    text = load(tmp_path / "page.html").text
    for expected in ("Café", "- First line Second line", "a\nb", "| H2O | one two |"):
        assert expected in text
