"""Mail, books and rich text give what a person reads, and say what is attached but not read."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed
from tests.ingest.office_files import paragraph, write_docx, write_ole, write_zip


def letter(subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Ann <ann@example.org>", "Bob <bob@example.org>"
    message["Date"] = "Sat, 09 Mar 2024 10:00:00 +0000"
    message.set_content(text)
    return message


HEAD = "From: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nDate: Sat, 09 Mar 2024 10:00:00 +0000\n"


def test_a_mail_gives_its_headers_and_its_letter_once(tmp_path: Path) -> None:
    message = letter("Die Mühle", "Grüße aus Mühl.\n")
    message.add_alternative("<p>Gr&uuml;&szlig;e aus <b>Mühl</b>.</p>", subtype="html")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    parsed = load(tmp_path / "a.eml")
    assert parsed.text == f"Die Mühle\n\n{HEAD}\nGrüße aus Mühl.\n\n"
    assert parsed.headings == [(0, 1, "Die Mühle")]


def test_the_page_is_read_where_the_plain_text_only_says_that_there_is_one(tmp_path: Path) -> None:
    message = letter("x", "See the HTML.\n")
    message.add_alternative(
        "<p>The quarterly figures are in the table below.</p><table><tr><td>a</td><td>1</td></tr></table>", subtype="html"
    )
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    text = load(tmp_path / "a.eml").text
    assert "quarterly" in text and "| a | 1 |" in text and "See the HTML" not in text


def alternatives(folder: Path, plain: str, page: str) -> Parsed:
    message = EmailMessage()
    message["Subject"] = "Drill"
    message.set_content(plain)
    message.add_alternative(page, subtype="html")
    (folder / "a.eml").write_bytes(message.as_bytes())
    return load(folder / "a.eml")


def test_a_short_page_is_the_letter_and_a_longer_form_left_out_is_told(tmp_path: Path) -> None:
    parsed = alternatives(
        tmp_path, "Your program shows no pages: open this letter in another, as it was meant. " * 3, "<p>Drill at 14:00.</p>"
    )
    assert parsed.text == "Drill\n\nDrill at 14:00.\n\n"
    assert parsed.notes == ["a longer form of the letter, for programs that show no pages, left out"]


def test_the_plain_text_is_the_letter_where_the_page_is_in_pictures(tmp_path: Path) -> None:
    parsed = alternatives(tmp_path, "The order of 500 bolts is confirmed for Monday.", "<img src='cid:1'><p>Unsubscribe</p>")
    assert parsed.text == "Drill\n\nThe order of 500 bolts is confirmed for Monday.\n\n"


def test_attachments_are_read_or_named(tmp_path: Path) -> None:
    message = letter("Papers", "Attached.\n")
    word = write_docx(tmp_path / "deep.docx", paragraph("The minutes"))
    message.add_attachment(word.read_bytes(), maintype="application", subtype="octet-stream", filename="minutes.docx")
    message.add_attachment(b"\x7fELF\0\0", maintype="application", subtype="octet-stream", filename="a.bin")
    message.add_attachment("a;b\n1;2\n3;4\n", filename="table.csv")
    message.add_attachment(letter("Inner", "Nested letter.\n"))
    message.add_attachment(b"x", maintype="image", subtype="png", filename="logo.png", disposition="inline")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    parsed = load(tmp_path / "a.eml")
    assert "Attachments: minutes.docx, a.bin, table.csv" in parsed.text
    for seen in ("minutes.docx\n\nThe minutes\n", "table.csv\n\n| a | b |", f"Inner\n\n{HEAD}\nNested letter."):
        assert seen in parsed.text
    assert (2, "Inner") in [(level, title) for _, level, title in parsed.headings]
    assert all(parsed.text[start:].startswith(title) for start, _, title in parsed.headings)
    assert parsed.notes == ["1 attachment not read: a.bin", "1 picture in the letter not read"]


def test_a_scanned_attachment_is_said_to_be_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the loader of PDF and pictures finds scans; it isn't this room's business how, so a stand-in reports one."""
    from ingest.loaders import text

    monkeypatch.setattr(text, "load", lambda path: Parsed("", scanned=[1, 2]))
    message = letter("Scan", "Attached.\n")
    message.add_attachment("scan", filename="scan.txt")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    parsed = load(tmp_path / "a.eml")
    assert parsed.notes == ["1 attachment not read: scan.txt (scanned: 2 pages without text)"]
    assert "Attached." in parsed.text and "\nscan.txt\n" not in parsed.text


def test_a_letter_in_the_wrong_charset_and_a_box_of_letters(tmp_path: Path) -> None:
    head = b"From: a@example.org\nSubject: x\nContent-Type: text/plain; charset=no-such\n\n"
    (tmp_path / "a.eml").write_bytes(head + "Die Mühle war größer.".encode("cp1252"))
    assert "Die Mühle war größer." in load(tmp_path / "a.eml").text
    box = b"".join(b"From x Sat Mar  9 10:00:00 2024\n" + letter(name, f"Letter {name}\n").as_bytes() + b"\n" for name in ("one", "two"))
    (tmp_path / "a.mbox").write_bytes(box)
    parsed = load(tmp_path / "a.mbox")
    assert [title for _, _, title in parsed.headings] == ["one", "two"] and "Letter two" in parsed.text
    (tmp_path / "b.eml").write_bytes(b"\n\nno mail at all")
    with pytest.raises(LoadError, match="no headers"):
        load(tmp_path / "b.eml")


def test_an_outlook_message_gives_headers_letter_and_attachments(tmp_path: Path) -> None:
    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    streams = {
        "__substg1.0_0037001F": wide("Die Mühle"),
        "__substg1.0_0C1A001F": wide("Ann"),
        "__substg1.0_5D01001F": wide("ann@example.org"),
        "__substg1.0_0E04001F": wide("Bob"),
        "__substg1.0_1000001F": wide("The letter."),
        "__attach_version1.0_#00000000/__substg1.0_3707001F": wide("note.txt"),
        "__attach_version1.0_#00000000/__substg1.0_37010102": b"An attached note".ljust(4096),
        "__attach_version1.0_#00000001/__substg1.0_3707001F": wide("b.exe"),
        "__properties_version1.0": b"\0" * 32 + b"\x40\0\x39\0" + b"\0" * 4 + (133543836000000000).to_bytes(8, "little"),
    }
    parsed = load(write_ole(tmp_path / "a.msg", streams))
    assert parsed.text.startswith("Die Mühle\n\nFrom: Ann <ann@example.org>\nTo: Bob\nDate: ")
    assert "2024" in parsed.text and "Attachments: note.txt, b.exe" in parsed.text
    assert "The letter.\n\nnote.txt\n\nAn attached note" in parsed.text
    assert parsed.notes == ["1 attachment not read: b.exe"]


def rich(path: Path, body: str) -> str:
    path.write_bytes(body.encode("latin-1"))
    return load(path).text


def test_rich_text_is_decoded_by_each_fonts_code_page(tmp_path: Path) -> None:
    fonts = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 Gothic;}{\f2\fcharset204 Cyr;}{\f3\fcharset2 Symbol;}}"
    body = (
        rf"{{\rtf1\ansi\ansicpg1252\deff0{fonts}\uc1 M\'fchle {{\f1 \'90\'85\'8e\'d4}} {{\f2\'cc\'e5\'eb}} {{\f3 a\'b3}} \u8364? "
        r"\u-10179?\u-8704? it\rquote s\~ok \{b\}\par}"
    )
    assert rich(tmp_path / "a.rtf", body) == "Mühle 水車 Мел α≥ € 😀 it’s\u00a0ok {b}\n\n"


def test_rich_text_has_tables_lists_notes_headings_and_no_deleted_text(tmp_path: Path) -> None:
    body = (
        r"{\rtf1\ansi{\stylesheet{\s1 heading 1;}}{\header Trust\par}{\*\generator secret;}"
        r"{\pard\s1 The mill\par}\pard One{\deleted  gone}{\v  hidden}{\footnote\chftn  A note} two\line three\par"
        r"{\pard{\listtext 1.\tab}first\par}{\pard{\listtext\'b7\tab}dot\par}"
        r"\trowd\cellx1\cellx2\pard\intbl Day\cell Su\par m\cell\row\trowd\pard\intbl Mon\cell 7\cell\row\pard"
        r"{\field{\*\fldinst HYPERLINK x}{\fldrslt a link}}{\pict 00ff}\bin3 {{{{\*\unknown x}\par}"
    )
    (tmp_path / "a.rtf").write_bytes(body.encode("latin-1"))
    parsed = load(tmp_path / "a.rtf")
    assert parsed.text == (
        "Trust\n\nThe mill\n\nOne two\nthree\n\n[1] A note\n\n1. first\n- dot\n\n| Day | Su m |\n| --- | --- |\n| Mon | 7 |\n\na link\n\n"
    )
    assert [(level, title) for _, level, title in parsed.headings] == [(1, "The mill")]
    assert parsed.notes == ["1 picture not read", "1 hidden passage left out"]


def test_a_book_is_read_in_its_order_with_chapters_under_its_title(tmp_path: Path) -> None:
    package = (
        '<package xmlns:dc="urn:dc"><metadata><dc:title>The Mill</dc:title></metadata><manifest>'
        '<item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/><item id="a" href="one.xhtml" media-type="text/html"/>'
        '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/><item id="c" href="gone.xhtml" media-type="text/html"/>'
        '</manifest><spine><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></spine></package>'
    )
    contents = '<ncx><navMap><navPoint><navLabel><text>Second</text></navLabel><content src="two%20b.xhtml"/></navPoint></navMap></ncx>'
    members = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/p.opf"/></rootfiles></container>',
        "OPS/p.opf": package,
        "OPS/toc.ncx": contents,
        "OPS/two b.xhtml": "<html><title>x</title><p>It burnt.</p></html>",
        "OPS/one.xhtml": "<html><h1>First</h1><p>It stood.</p></html>",
    }
    parsed = load(write_zip(tmp_path / "a.epub", members))
    assert parsed.text == "The Mill\n\nFirst\n\nIt stood.\n\nSecond\n\nIt burnt.\n\n"
    assert [(level, title) for _, level, title in parsed.headings] == [(1, "The Mill"), (2, "First"), (2, "Second")]
    assert parsed.notes == ["1 chapter missing from the file"]
    locked = members | {
        "META-INF/encryption.xml": '<e><CipherReference URI="OPS/one.xhtml"/><CipherReference URI="OPS/two%20b.xhtml"/></e>'
    }
    with pytest.raises(LoadError, match="copy-protected"):
        load(write_zip(tmp_path / "b.epub", locked))
