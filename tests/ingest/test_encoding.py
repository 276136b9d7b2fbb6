"""The encoding of text is the one that its mark or its page says, read as browsers read it; else UTF-8; else a good guess."""

import unicodedata

import pytest

from ingest.loaders.encoding import as_utf8, codec, declared, decode
from ingest.loaders.web.html import parse
from tests.ingest.languages import LANGUAGES

ENGLISH = """
the child’s birth
the report—revised
It’s
“Go,” he said.
price – 5 €
the first day after the child’s birth counts
don’t open the tenant’s cupboard
the landlord’s agent—if any—shall give notice
“Premises” means the house; “Rent” means £500
see pages 12–19…
Smith’s café – naïve, but “good”
a 30° slope, ± 2 mm, 4 m² in all
© 2019 The Owners’ Association
the ‘old’ mill—burnt in ’74—stood here
trade mark™ and registered® names
• first point
• second point
Zoë’s café
naïve £20
§ 5 of the Act
the boys’ school
20 ½ hours · paid weekly
""".strip().splitlines()


@pytest.mark.parametrize("text", ENGLISH)
def test_curly_quotes_and_dashes_are_read_as_windows_writes_them(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def encoded(text: str, encoding: str) -> bytes:
    """Vietnamese is written with its tones after their letters there."""
    if encoding != "cp1258":
        return text.encode(encoding)
    letters = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = "".join(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
        letters.append(unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones)) + tones)
    return "".join(letters).encode(encoding)


def test_forty_languages_are_read_in_their_old_encodings() -> None:
    """A measure: one sentence is little to tell an encoding by, and chardet knows no Albanian (12 of the 19 that are wrong)."""
    samples = [
        (text, encoded(text, encoding))
        for encodings, sentences in LANGUAGES.values()
        for encoding in encodings
        for text in (*sentences, " ".join(sentences))
    ]
    right = sum(unicodedata.normalize("NFC", decode(data)) == unicodedata.normalize("NFC", text) for text, data in samples)
    assert len(LANGUAGES) == 40 and len(samples) == 333
    assert right >= 314


@pytest.mark.parametrize(
    ("label", "written", "text"),
    [
        ("ISO-8859-1", "cp1252", "“Price”: 100 € – Smith’s"),
        ("us-ascii", "cp1252", "It’s 5 €"),
        (" latin1 ", "cp1252", "œuvre…"),
        ("iso-8859-9", "cp1254", "“İş”"),
        ("tis-620", "cp874", "“ไทย”"),
        ("iso-8859-11", "cp874", "ไทย…"),
        ("gb2312", "gb18030", "总经理：朱镕基"),
        ("x-gbk", "gb18030", "朱镕基"),
        ("Shift_JIS", "cp932", "①会議は㈱山田、髙橋様と"),
        ("x-sjis", "cp932", "№1 ㈱"),
        ("windows-31j", "cp932", "Ⅲ 髙"),
        ("euc-kr", "cp949", "똠방각하 펲시콜라"),
        ("ks_c_5601-1987", "cp949", "뷁"),
        ("'windows-1251'", "cp1251", "Привет"),
        ("win-1251", "cp1251", "Привет"),
        ("cp-850", "cp850", "Mühle"),
        ("macintosh", "mac_roman", "été"),
        ("koi8-ru", "koi8_u", "їжак"),
        ("Big5", "big5hkscs", "磨坊着"),
        ("visual", "iso8859_8", "שלום"),
        ("utf-16", "utf-16-le", "磨坊"),
        ("cp65001", "utf-8", "Müller"),
        ("cp28605", "iso8859_15", "5 €"),
    ],
)
def test_a_declared_charset_is_read_as_browsers_read_it(label: str, written: str, text: str) -> None:
    assert decode(text.encode(written), label) == text


def test_rows_that_nec_and_ibm_added_are_read_in_the_encodings_of_unix_and_of_mail() -> None:
    assert decode(b"\xad\xa1\xb2\xf1\xb5\xc4 \xad\xea\xb5\xae \xfc\xe2", "euc-jp") == "①会議 ㈱貴 髙"
    assert decode(b"\x1b$B-!2q5D\x1b(B and \x1b$B-j\x1b(B", "iso-2022-jp") == "①会議 and ㈱"
    assert decode(b"\x1b$B-!2q5D\x1b(B") == "①会議"
    assert decode(b"\x8f\xb0\xa1\x8e\xb1", "cp51932") == "丂ｱ"


@pytest.mark.parametrize("label", ["no-such", "", "x-unknown", "8bit", "idna", "rot13", "\x1b$B"])
def test_a_charset_that_nobody_knows_leaves_the_text_to_speak_for_itself(label: str) -> None:
    assert codec(label) == ""
    assert decode("Die Mühle war größer.".encode("cp1252"), label) == "Die Mühle war größer."


@pytest.mark.parametrize("label", ["iso-8859-1", "us-ascii", "windows-1251", "gb2312", "shift_jis", "euc-kr"])
def test_utf_8_under_a_wrong_name_is_still_utf_8(label: str) -> None:
    text = "第0条：甲方应当付款" if label[:2] in ("gb", "sh", "eu") else "Müller’s café"
    assert decode(text.encode(), label) == text


def test_a_name_that_hardly_fits_is_not_believed() -> None:
    assert decode("Мельница была построена у реки".encode("koi8_r"), "utf-8") == "Мельница была построена у реки"
    assert decode("Müller, plain".encode(), "utf-16") == decode("Müller, plain".encode("utf-16-be"), "utf-16") == "Müller, plain"
    assert decode("Die Mühle wurde größer und schöner".encode("cp1252"), "shift_jis") == "Die Mühle wurde größer und schöner"


def test_one_bad_byte_costs_one_character_of_utf_8() -> None:
    assert decode(b"M\xc3\xbcller and Jos\xc3\xa9 met Ren\xe9e.\n") == "Müller and José met Ren\ufffde.\n"
    late = "Plain text, line by line.\n" * 4000 + "Müller, Zoë, Łukasz.\n"
    assert decode(late.encode() + "é".encode()[:1]) == late + "\ufffd"
    assert decode("水車小屋は1874年".encode()[:-1]).startswith("水車小屋は1874")


def test_lines_of_an_older_encoding_among_utf_8_are_read_in_theirs() -> None:
    old = "Zoë ist größer – naïve.\n".encode("cp1252")
    assert decode("Müller\n".encode() + old + old + "José\n".encode()) == "Müller\n" + 2 * "Zoë ist größer – naïve.\n" + "José\n"
    assert decode("Мельница\n".encode() + "построена у реки\n".encode("cp1251")) == "Мельница\nпостроена у реки\n"


def test_a_page_says_its_charset_in_its_head() -> None:
    for head in ('<meta charset="gbk">', "<META content='text/html; charset=gbk' http-equiv=x>", "<?xml version='1.0' encoding='gbk'?>"):
        assert declared(head.encode()) == "gbk"
        assert "朱镕基" in parse(f"{head}<p>朱镕基</p>".encode("gbk")).text
    assert declared(b"<!-- <meta charset=koi8-r> --><meta charset=utf-16>") == "utf-8"
    assert declared(b"<meta name=charset content=x><p>charset=koi8-r") == ""
    assert "é" in parse("\ufeff<meta charset=koi8-r><p>é".encode()).text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_needs_no_mark_and_may_be_cut(encoding: str) -> None:
    text = "Die Mühle\nwurde 1874 gebaut\n"
    assert decode(text.encode(encoding)) == text
    assert decode((text + "x").encode(encoding)[:-1]).startswith(text)


def test_wide_japanese_needs_no_zero_byte_and_stray_zero_bytes_no_wide_text() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert decode("水車小屋は建てられました".encode(encoding)) == "水車小屋は建てられました"
    assert decode(b"it stopped\0\0\0\0\nand went on") == "it stopped\nand went on"


def test_xml_is_read_in_the_charset_that_it_declares() -> None:
    assert as_utf8('<?xml version="1.0" encoding="gb2312"?><a>朱镕基</a>'.encode("gbk")) == "<a>朱镕基</a>".encode()


def test_letters_of_utf_8_beside_older_ones_in_a_short_line_are_read_each_in_their_own() -> None:
    assert decode("20 °C, 5 €, ".encode() + b"caf\xe9, fa\xe7ade") == "20 °C, 5 €, café, façade"
