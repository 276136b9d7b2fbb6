"""A letter is read as its reader sees it, however its parts, headers and names are put together."""

import base64
from pathlib import Path

import compressed_rtf
import pytest

from ingest.loaders import load
from ingest.loaders.mail.headers import decoded
from ingest.loaders.mail.message import unflowed
from ingest.loaders.parsed import Parsed
from tests.ingest.office_files import write_ole


def read(folder: Path, data: bytes, name: str = "a.eml") -> Parsed:
    (folder / name).write_bytes(data)
    return load(folder / name)


def part(text: str, kind: str = "plain", charset: str = "utf-8") -> str:
    return f"Content-Type: text/{kind}; charset={charset}\n\n{text}\n"


def multi(kind: str, *parts: str) -> str:
    mark = f"m{abs(hash((kind, parts)))}"
    body = "".join(f"--{mark}\n{inner}\n" for inner in parts)
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\n\n{body}--{mark}--\n'


def letter(body: str, headers: str = "From: a@example.org\nSubject: x\n") -> bytes:
    return f"{headers}MIME-Version: 1.0\n{body}".encode()


PAGE, PLAIN, FOOTER = part("<p>Please order <b>12</b> gaskets.</p>", "html"), part("Please order 12 gaskets."), part("List footer.")
BOTH = "Please order 12 gaskets.\n\nList footer.\n\n"


@pytest.mark.parametrize(
    "body",
    [
        multi("mixed", PAGE, FOOTER),
        multi("mixed", PLAIN, FOOTER),
        multi("mixed", multi("alternative", PLAIN, PAGE), FOOTER),
        multi("mixed", multi("alternative", PAGE, PLAIN), FOOTER),
        multi("mixed", multi("related", PAGE, "Content-Type: image/png\nContent-ID: <a>\n\nx\n"), FOOTER),
        multi("mixed", multi("alternative", PLAIN, multi("related", PAGE)), part("<p>List footer.</p>", "html")),
        multi("alternative", PLAIN, multi("mixed", PAGE, FOOTER)),
        multi("signed", multi("mixed", PAGE, FOOTER), "Content-Type: application/pgp-signature; name=s.asc\n\nx\n"),
        multi("mixed", multi("mixed", PAGE), multi("mixed", FOOTER)),
        multi("mixed", multi("alternative", part(" "), PAGE), FOOTER),
        multi("mixed", multi("alternative", PLAIN, part("<img src=x>", "html")), FOOTER),
        multi("mixed", multi("alternative", PLAIN, part("<b>Offer!</b>", "x-amp-html"), PAGE), FOOTER),
    ],
)
def test_each_piece_of_a_letter_is_shown_once_and_in_order(tmp_path: Path, body: str) -> None:
    assert read(tmp_path, letter(body)).text.endswith("\n\n" + BOTH)


def test_pages_around_an_attachment_are_all_shown(tmp_path: Path) -> None:
    file = "Content-Type: text/plain\nContent-Disposition: attachment; filename=n.txt\n\nThe note.\n"
    below = multi("mixed", part("<p>Above.</p>", "html"), file, part("<p>Below.</p>", "html"))
    parsed = read(tmp_path, letter(multi("alternative", part("Above. Below."), below)))
    assert parsed.text.endswith("Attachments: n.txt\n\nAbove.\n\nBelow.\n\nn.txt\n\nThe note.\n\n")


def test_an_invitation_among_the_forms_is_read_too(tmp_path: Path) -> None:
    event = part("BEGIN:VEVENT\nSUMMARY:Board\\, open\nEND:VEVENT", "calendar")
    parsed = read(tmp_path, letter(multi("alternative", PLAIN, PAGE, event)))
    assert parsed.text.count("12 gaskets") == 1 and "SUMMARY: Board, open" in parsed.text


def test_a_report_on_a_delivery_and_the_letter_that_came_back(tmp_path: Path) -> None:
    status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; b@example.org\nStatus: 5.1.1\n"
    returned = "Content-Type: message/rfc822\n\nSubject: =?utf-8?q?M=C3=BChle?=\n\nThe letter.\n"
    text = read(tmp_path, letter(multi("report", part("It came back."), status, returned))).text
    assert (
        "It came back.\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; b@example.org\nStatus: 5.1.1\n\nMühle\n\nThe letter." in text
    )


def test_a_mail_packed_as_a_file_is_read(tmp_path: Path) -> None:
    inner = base64.encodebytes("Subject: Inner\n\nNested ä.\n".encode()).decode()
    text = read(tmp_path, letter(multi("mixed", PLAIN, f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}"))).text
    assert "Inner\n\nNested ä." in text


def test_flowed_lines_are_paragraphs_again(tmp_path: Path) -> None:
    text = "One line that \ngoes on.\nNew one.\n> quoted \n> goes on\n From here\n-- \nAnn\n"
    assert unflowed(text) == "One line that goes on.\nNew one.\n> quoted goes on\nFrom here\n-- \nAnn\n"
    assert unflowed("水車 \n小屋", joined=True) == "水車小屋"
    head = "From: a@example.org\nContent-Type: text/plain; format=flowed\n"
    assert "the price \nis" not in read(tmp_path, f"{head}\nSo the price \nis 5.\n".encode()).text


@pytest.mark.parametrize(
    ("charset", "subject", "name"),
    [
        ("iso-8859-1", "Rechnung für März", "Jürgen Müller"),
        ("utf-8", "Rechnung für März – 5 €", "Jürgen Müller"),
        ("windows-1251", "Счёт за март", "Юрий Петров"),
        ("koi8-r", "Счёт за март", "Юрий Петров"),
        ("gb18030", "三月的发票", "朱镕基"),
        ("iso-2022-jp", "三月の請求書", "山田"),
    ],
)
def test_headers_with_bare_bytes_are_read_in_the_letters_charset(tmp_path: Path, charset: str, subject: str, name: str) -> None:
    head = f"Subject: {subject}\nFrom: {name} <a@example.org>\nContent-Type: text/plain; charset={charset}\n\n{name}\n"
    parsed = read(tmp_path, head.encode(charset))
    assert parsed.text == f"{subject}\n\nFrom: {name} <a@example.org>\n\n{name}\n\n"


def test_headers_with_bare_bytes_are_read_where_no_charset_is_named(tmp_path: Path) -> None:
    head = "Subject: Счёт за март\nFrom: Юрий Петров <a@example.org>\n\nМельница была построена у реки.\n"
    assert "Счёт за март\n\nFrom: Юрий Петров" in read(tmp_path, head.encode("cp1251")).text
    assert "Счёт за март" in read(tmp_path, b"\xef\xbb\xbf\r\n" + head.encode()).text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=?iso-8859-1?Q?5_=80_=96_ok?=", "5 € – ok"),
        ("=?ISO-2022-JP?B?GyRCLSEycTVEGyhC?=", "①会議"),
        ("=?gb2312?B?1uzpRrv5?=", "朱镕基"),
        ("=?utf-8?B?TcO8?= =?utf-8?B?aGxl?=\n is", "Mühle is"),
        ("=?utf-8?Q?M=C3?=\r\n =?UTF-8?Q?=BChle?=", "Mühle"),
        ("=?utf-8*de?Q?M=C3=BChle?=", "Mühle"),
        ("=?no-such?Q?M=FChle?= x", "Mühle x"),
        ("=?utf-8?Q?What's_up??=", "What's up?"),
        ("=?utf-8?B?TcO8aGxl", "=?utf-8?B?TcO8aGxl"),
        ("=?utf-8?B?TcO8aGxl===?= x", "Mühle x"),
        ("a =?utf-8?Q?b?=c", "a bc"),
        ("plain =? text ?=", "plain =? text ?="),
    ],
)
def test_encoded_words_are_read(value: str, shown: str) -> None:
    assert decoded(value) == shown


@pytest.mark.parametrize(
    "field",
    [
        'filename="=?UTF-8?B?UHLDvGZ1bmcudHh0?="',
        "filename==?iso-8859-1?Q?Pr=FCfung.txt?=",
        "filename*=UTF-8''Pr%C3%BCfung.txt",
        "filename*=iso-8859-1'de'Pr%FCfung.txt; filename=x.txt",
        "filename*0*=UTF-8''Pr%C3%BC; filename*1=fung.txt",
        'filename="Prüfung.txt"',
    ],
)
def test_names_of_attached_files_are_read_in_every_form(tmp_path: Path, field: str) -> None:
    file = f"Content-Type: text/plain; charset=utf-8\nContent-Disposition: attachment; {field}\n\nDer Druck.\n"
    assert "Attachments: Prüfung.txt\n\nPlease order 12 gaskets.\n\nPrüfung.txt\n\nDer Druck." in (
        read(tmp_path, letter(multi("mixed", PLAIN, file))).text
    )


def test_what_is_attached_and_not_read_is_named(tmp_path: Path) -> None:
    files = ("application/ms-tnef; name=winmail.dat", "application/pkcs7-mime; name=smime.p7m", "application/x-thing")
    parsed = read(tmp_path, letter(multi("mixed", PLAIN, *(f"Content-Type: {file}\n\nx\n" for file in files))))
    assert parsed.notes == ["3 attachments not read: winmail.dat, smime.p7m, one without a name (application/x-thing)"]
    unnamed = read(tmp_path, letter(multi("mixed", PLAIN, "Content-Type: text/csv\n\na;b\n1;2\n3;4\n")))
    assert "| a | b |" in unnamed.text


def test_a_file_within_the_text_is_left_out_and_named(tmp_path: Path) -> None:
    parsed = read(tmp_path, letter(part("See below.\nbegin 644 a.txt\n%:&5L;&\\`\n`\nend\nbegin well\nend")))
    assert parsed.text.endswith("See below.\n\nbegin well\nend\n\n") and parsed.notes == ["1 attachment not read: a.txt"]


BOX = """\
From ann@example.org Mon Jan  1 00:00:00 2024
From: Ann <ann@example.org>
Subject: Plans

From time to time we meet.
Note: 500 EUR.

From May on: the plant is shut.
Deadline: 4 June.

From Monday 4 May 2024 10:30 on: shut.
Deadline: later.

From bob@example.org Mon Jan  1 00:00:00 2024 the mill stood.
Date: kept

From ann@example.org Mon Jan  1 00:00:00 2024
and no header below.
>From now on
>>From quoted

From {envelope}
Subject: Second

ok
"""


@pytest.mark.parametrize(
    "envelope",
    [
        "b@example.org Tue Jan  2 10:00:00 2024",
        "b@example.org  Tue Jan 02 10:00 2024",
        "- Tue Jan 02 10:00:00 2024",
        "MAILER-DAEMON Tue Jan  2 10:00:00 CET 2024",
        "1234@xxx Tue Jan 02 10:00:00 +0000 2024",
        "bob at example.org  Tue Jan  2 10:00:00 2024",
        "b@example.org Tue, 2 Jan 2024 10:00:00 +0100",
        "b@example.org Tue Jan  2 10:00:00 2024 remote from mx",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_a_line_with_sender_and_date_begins_a_letter_in_a_box(tmp_path: Path, envelope: str, end: str) -> None:
    parsed = read(tmp_path, BOX.format(envelope=envelope).replace("\n", end).encode(), "a.mbox")
    assert [title for _, _, title in parsed.headings] == ["Plans", "Second"]
    for line in (
        "From time to time",
        "From May on: the plant",
        "Deadline: 4 June.",
        "Date: kept",
        "and no header",
        "\nFrom now on\n>From quoted",
    ):
        assert line in parsed.text
    assert parsed.text.endswith("Second\n\nok\n\n") and envelope not in parsed.text


def test_a_box_without_envelopes_is_one_letter(tmp_path: Path) -> None:
    assert read(tmp_path, b"\n\nSubject: One\n\nok\n", "a.mbox").text == "One\n\nok\n\n"


def properties(*fixed: tuple[int, int]) -> bytes:
    return b"\0" * 32 + b"".join(b"\x03\0" + tag.to_bytes(2, "little") + b"\0" * 4 + value.to_bytes(8, "little") for tag, value in fixed)


@pytest.mark.parametrize(
    ("tag", "page", "encoding", "text"),
    [
        (0x3FFD, 1252, "cp1252", "the child’s birth"),
        (0x3FDE, 1251, "cp1251", "Счёт"),
        (0x3FFD, 932, "cp932", "①会議"),
        (0x3FFD, 65001, "utf-8", "Müller"),
        (0x3FDE, 28591, "cp1252", "5 €"),
        (0x3FFD, 50220, "iso2022_jp", "会議"),
        (0x3FFD, 20866, "koi8_r", "Счёт"),
        (0x3FFD, 1250, "cp1250", "źdźbło"),
        (0x3FFD, 936, "gbk", "朱镕基"),
    ],
)
def test_an_outlook_message_is_read_in_the_code_page_that_it_states(tmp_path: Path, tag: int, page: int, encoding: str, text: str) -> None:
    streams = {
        "__properties_version1.0": properties((tag, page)),
        "__substg1.0_0037001E": text.encode(encoding),
        "__substg1.0_1000001E": text.encode(encoding),
        "__attach_version1.0_#00000000/__substg1.0_3707001E": text.encode(encoding) + b".bin",
        "__attach_version1.0_#00000000/__properties_version1.0": b"\0" * 8,
    }
    parsed = load(write_ole(tmp_path / "a.msg", streams))
    assert parsed.text == f"{text}\n\nAttachments: {text}.bin\n\n{text}\n\n"


def test_an_outlook_message_shows_its_page_its_text_or_its_rich_text(tmp_path: Path) -> None:
    page = b"<p>Sum</p><table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>"
    plain = {"__substg1.0_0037001F": "x".encode("utf-16-le"), "__substg1.0_1000001F": "Sum a 1 b 2".encode("utf-16-le")}
    rich = {"__substg1.0_0037001F": "x".encode("utf-16-le"), "__substg1.0_10090102": compressed_rtf.compress(rb"{\rtf1 Die M\'fchle\par}")}
    assert "| a | 1 |" in load(write_ole(tmp_path / "a.msg", plain | {"__substg1.0_10130102": page})).text
    assert "Sum a 1" in load(write_ole(tmp_path / "b.msg", plain | {"__substg1.0_10130102": b"<img src=x>"})).text
    assert "Die Mühle" in load(write_ole(tmp_path / "c.msg", rich)).text
    damaged = load(write_ole(tmp_path / "d.msg", rich | {"__substg1.0_10090102": b"\x20\0\0\0\x20\0\0\0LZFu\1\2\3\4damaged"}))
    assert damaged.notes == ["the letter isn't read: its rich text is damaged"] and damaged.text == "x\n\n"


def test_a_zero_byte_costs_no_letter(tmp_path: Path) -> None:
    head = b"Subject: =?no?B?AABNAAA=?= \xfc\0\nFrom: a@example.org\n\nThe \0\1letter.\n"
    assert "The \1letter." in read(tmp_path, head).text


@pytest.mark.parametrize("value", ['"\\' * 50_000, '"' * 100_000, "=?utf-8?q?" * 50_000, "=?utf-8?q?a?= " * 20_000])
def test_a_header_without_end_is_read_in_one_go(tmp_path: Path, value: str) -> None:
    """Each of these took minutes while an expression began anew at each mark and ran to the end."""
    assert read(tmp_path, f"Subject: x\nFrom: {value}\n\nok\n".encode()).text.endswith("\n\nok\n\n")
