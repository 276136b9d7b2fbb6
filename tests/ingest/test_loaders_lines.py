"""Logs without their terminal's codes, calendars and address cards without their files' marks."""

import json
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import Parsed


def read(folder: Path, name: str, data: str | bytes) -> Parsed:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return load(path)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\x1b[31mERROR\x1b[0m pump", "ERROR pump"),
        ("\x1b[1;33;48;5;17mWARN\x1b[m hot", "WARN hot"),
        ("\x1b[38:2::255:0:0mred\x1b[39m", "red"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("\x1b[?25lbusy\x1b[?25h", "busy"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(B\x1b)0text\x1b=\x1b7", "text"),
        ("N\bNA\bAME and _\bx", "NAME and x"),
        ("\x9b31mred\x9b0m", "red"),
        ("a[0] = b[31m]; // no code", "a[0] = b[31m]; // no code"),
        ("lost end \x1b]0;never\nnext line", "lost end \nnext line"),
    ],
)
def test_what_only_a_terminal_sees_is_left_out(tmp_path: Path, written: str, seen: str) -> None:
    for name in ("a.log", "a.txt", "a.conf"):
        assert read(tmp_path, name, written).text == seen
    assert read(tmp_path, "a.jsonl", json.dumps({"log": written})).text.strip() == f"log: {seen}"


def test_a_calendar_is_read_without_folds_escapes_and_time_zones(tmp_path: Path) -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Oslo\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    event = (
        "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Oslo:20240501T090000\r\nDTEND;VALUE=DATE:20240502\r\nDTSTAMP:20240401T080000Z\r\n"
        "SUMMARY:Quarterly main\r\n tenance\\, hall \\\\ 7\\; \r\n\tM\xfc"
        'hle\r\nDESCRIPTION:Bring\\nthe keys\\Nand\r\n  badge\r\nATTENDEE;CN="Lee; Bob":mailto:bob@example.org\r\n'
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA\r\n BBBB\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\nEND:VEVENT\r\n"
    )
    parsed = read(tmp_path, "a.ics", f"BEGIN:VCALENDAR\r\n{zone}{event}END:VCALENDAR\r\n")
    assert parsed.text == (
        "DTSTART (TZID=Europe/Oslo): 2024-05-01 09:00\nDTEND: 2024-05-02\nDTSTAMP: 2024-04-01 08:00 UTC\n"
        "SUMMARY: Quarterly maintenance, hall \\ 7; Mühle\nDESCRIPTION: Bring\nthe keys\nand badge\n"
        "ATTENDEE (CN=Lee; Bob): mailto:bob@example.org\nRRULE: FREQ=WEEKLY;BYDAY=MO\n\n"
    )
    assert parsed.notes == ["1 picture or file in it not read"]


def test_a_fold_within_a_letter_is_undone(tmp_path: Path) -> None:
    folded = b"SUMMARY:M" + b"\xc3\r\n \xbc" + b"hle\r\n"
    assert read(tmp_path, "a.ics", folded).text == "SUMMARY: Mühle\n"
    assert read(tmp_path, "b.ics", "SUMMARY:Müh\r\n le\r\n".encode("utf-16")).text == "SUMMARY: Mühle\n"


def test_an_old_address_card_is_read_in_its_encodings(tmp_path: Path) -> None:
    card = (
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;\n"
        "FN;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:J=FCrgen M=FCller =80\nNOTE;ENCODING=QUOTED-PRINTABLE:Die M=C3=BChle=0D=0Awurde =\n"
        "ge=\nbaut: 1=2B1\nTEL;CELL:20240501\nitem1.ADR;TYPE=work:;;Street 1\\, back;Oslo;;0150;Norway\n"
        "PHOTO;ENCODING=BASE64;TYPE=JPEG:/9j/4AAQSkZJ\n AAAQABAAD\n/2wBDAAMCAg==\n\nBDAY:19700412\nEND:VCARD\n"
    )
    parsed = read(tmp_path, "a.vcf", card)
    assert parsed.text == (
        "VERSION: 2.1\nN: Müller, Jürgen\nFN: Jürgen Müller €\nNOTE: Die Mühle\nwurde gebaut: 1+1\nTEL (CELL): 20240501\n"
        "ADR (TYPE=work): Street 1, back, Oslo, 0150, Norway\nBDAY: 1970-04-12\n\n"
    )
    assert parsed.notes == ["1 picture or file in it not read"]
    assert read(tmp_path, "b.vcf", "N;CHARSET=windows-1251:Петров;Юрий\n".encode("cp1251")).text == "N: Петров, Юрий\n"


def test_numbers_in_json_are_shown_as_they_are_written(tmp_path: Path) -> None:
    assert read(tmp_path, "a.json", '{"price": 1.10, "big": 12345678901234567890.12, "e": 1e400, "n": 3}').text == (
        "price: 1.10\nbig: 12345678901234567890.12\ne: 1e400\nn: 3\n\n"
    )


def test_one_broken_line_costs_json_lines_that_line_only(tmp_path: Path) -> None:
    parsed = read(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 2, "b"\n{"a": 3}\n{"a": {"b"')
    assert parsed.text == 'a: 1\n\n{"a": 2, "b"\n\na: 3\n\n{"a": {"b"\n\n'
