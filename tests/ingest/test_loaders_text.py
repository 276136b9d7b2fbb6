"""Text in any encoding, tables, JSON, XML, notebooks and the like give what a person reads."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.loaders import load
from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean
from ingest.loaders.rst import headings
from ingest.loaders.sheets.number_format import render

SAMPLES = {
    "cp1252": [
        "Die Mühle wurde 1874 gebaut und später größer.",
        "Café",
        "“Quotes” – and dashes — cost 5 €.",
        "São Paulo é a maior",
        "naïve £20",
    ],
    "cp1250": ["Příliš žluťoučký kůň úpěl ďábelské ódy.", "Zażółć gęślą jaźń. Łódź jest dużym miastem.", "Árvíztűrő tükörfúrógép"],
    "cp1251": ["Мельница была построена в 1874 году у реки.", "Привет, мир"],
    "koi8-r": ["Мельница была построена в 1874 году у реки.", "Привет, мир"],
    "cp866": ["Договор поставки от 12 марта 2020 года между сторонами"],
    "cp1253": ["Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και η μεγαλύτερη πόλη."],
    "cp1254": ["İstanbul Türkiye'nin en kalabalık şehridir, ağaç çiçek güneş ışık."],
    "cp1255": ["ירושלים היא עיר הבירה של מדינת ישראל והעיר הגדולה ביותר"],
    "cp1256": ["القاهرة هي عاصمة جمهورية مصر العربية وأكبر مدنها"],
    "cp850": ["Die Mühle wurde 1874 gebaut und später größer gemacht."],
    "mac_roman": ["L'été dernier, nous avons visité le château près de la forêt"],
    "shift_jis": ["水車小屋は1874年に建てられました。", "こんにちは世界", "契約書"],
    "euc_jp": ["水車小屋は1874年に建てられました。", "こんにちは世界"],
    "iso2022_jp": ["水車小屋は1874年に建てられました。"],
    "gb18030": ["磨坊建于1874年，位于河边。", "你好，世界"],
    "big5": ["磨坊建於1874年，位於河邊。"],
    "euc_kr": ["방앗간은 1874년에 강가에 지어졌습니다.", "안녕하세요 세계"],
    "utf-16-le": ["The mill was built.", "Мельница была построена"],
    "utf-16-be": ["The mill was built.", "水車小屋は\n建てられました。"],
    "utf-32-le": ["The mill"],
    "utf-32": ["Mühle"],
    "utf-16": ["水車小屋"],
    "utf-8-sig": ["Mühle"],
}


def read(folder: Path, name: str, data: str | bytes) -> Parsed:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return load(path)


@pytest.mark.parametrize(("encoding", "text"), [(encoding, text) for encoding, texts in SAMPLES.items() for text in texts])
def test_text_is_read_in_any_encoding(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff"), min_size=1))
def test_unicode_comes_back_whole_whatever_the_text(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert decode(text.encode(encoding)) == text
    assert "\x1b$" in text or decode(text.encode()) == text


@given(st.binary(max_size=300).filter(lambda data: b"\0" not in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_no_bytes_without_zeros_are_refused_or_cut(data: bytes) -> None:
    text = decode(data)
    assert len(text) >= len(data) // 4
    assert [c for c in text if c.isascii() and c.isalnum()] or not (data.isascii() and any(chr(byte).isalnum() for byte in data))


def test_utf_8_with_a_broken_byte_stays_utf_8() -> None:
    assert decode("Die Mühle ist größer als früher, ja überall.".encode().replace("ü".encode(), b"\xc3", 1)).endswith(
        "größer als früher, ja überall."
    )


# Tables


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_of_a_table_is_found(tmp_path: Path, separator: str) -> None:
    rows = [["Day", "Sum", "Note"], ["Mon", "1,5", 'said "no"'], ["Tue", "2", ""]]
    written = io.StringIO()
    csv.writer(written, delimiter=separator).writerows(rows)
    parsed = read(tmp_path, "a.csv", written.getvalue())
    assert parsed.text == '| Day | Sum | Note |\n| --- | --- | --- |\n| Mon | 1,5 | said "no" |\n| Tue | 2 |  |\n\n'


def test_titles_blank_rows_and_ragged_rows(tmp_path: Path) -> None:
    parsed = read(tmp_path, "a.csv", 'sep=;\r\nVisitors 2024;;\r\n\r\nDay;Sum;\r\nMon;"two\r\nlines"\r\nTue;1;2;3\r\n')
    table = "| Day | Sum |  |  |\n| --- | --- | --- | --- |\n| Mon | two lines |  |  |\n| Tue | 1 | 2 | 3 |"
    assert parsed.text == f"Visitors 2024\n\n{table}\n\n"


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\x85"), max_size=12)


@given(st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=1, max_size=8))
@example([["", ""], ["", "", "|"]])
def test_every_cell_of_a_table_is_found(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(rows)
    path = tmp_path_factory.getbasetemp() / "cells.tsv"
    path.write_text("one\ttwo\n" + written.getvalue(), encoding="utf-8-sig", newline="")
    text = load(path).text
    for cell in (clean(" ".join(cell.split())) for row in rows for cell in row):
        assert cell.replace("|", "\\|") in text or cell in text  # what is alone in its row is a line of text


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.25, "0%", "25%"),
        (-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
        (45000.5, "d-mmm-yy h:mm AM/PM", "15-Mar-23 12:00 PM"),
        (1.5, "[h]:mm", "36:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (12.3, "[$€-407] #,##0.00", "€ 12.30"),
        (1234.5, '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_)', "$1,234.50"),
        (0, '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_)', "$-"),
        (1.75, "# ?/?", "1 3/4"),
        (12345, "0.00E+00", "1.23E+04"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1234567, '0.0,,"M"', "1.2M"),
        (0.1 + 0.2, "General", "0.3"),
        (7, "000", "007"),
        (4, '[>=5]"big";"small"', "small"),
        (0.001, "mm:ss.0", "01:26.4"),
    ],
)
def test_numbers_look_as_in_the_sheet(value: float, code: str, shown: str) -> None:
    assert render(value, code) == shown


@given(st.floats(allow_nan=True, allow_infinity=True), st.text(max_size=20))
def test_no_number_format_stops_a_sheet(value: float, code: str) -> None:
    assert isinstance(render(value, code), str)


# Structures


def test_json_is_lines_that_name_their_path_and_tables_of_equal_records(tmp_path: Path) -> None:
    value = {
        "name": "Mill",
        "open": True,
        "tags": ["old", "stone"],
        "place": {"town": "Mühl", "none": None},
        "visits": [{"day": "Mon", "sum": 3}, {"day": "Tue", "sum": 1.5}],
        "people": [{"name": "Ann", "posts": [{"title": "Chair"}]}],
    }
    assert read(tmp_path, "a.json", json.dumps(value)).text == (
        "name: Mill\nopen: true\ntags: old, stone\n\nplace.town: Mühl\n\n"
        "visits:\n\n| day | sum |\n| --- | --- |\n| Mon | 3 |\n| Tue | 1.5 |\n\n"
        "people[0].name: Ann\n\npeople[0].posts[0].title: Chair\n\n"
    )


def test_json_lines_are_a_table_or_records_and_no_json_stays_as_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 2, "b": "x"}\n').text == "| a | b |\n| --- | --- |\n| 1 |  |\n| 2 | x |\n\n"
    assert read(tmp_path, "b.json", '{"a": {"b": 1}}\n{"a": {"b": 2}}').text == "a.b: 1\n\na.b: 2\n\n"
    assert read(tmp_path, "c.json", '{"a": 1, // no\n}').text == '{"a": 1, // no\n}'
    assert read(tmp_path, "d.json", "[" * 100_000).text == "[" * 100_000


def test_a_messenger_conversation_is_who_said_what(tmp_path: Path) -> None:
    messages = [
        {"sender_name": "J\u00c3\u00bcrgen", "timestamp_ms": 1700000100000, "content": "Gr\u00c3\u00bc\u00c3\u009fe"},
        {"sender_name": "Ann", "timestamp_ms": 1700000000000, "content": "Hello"},
        {"sender_name": "Ann", "timestamp_ms": 1699999999999, "photos": []},
    ]
    parsed = read(tmp_path, "message_1.json", json.dumps({"participants": [{"name": "Ann"}], "title": "Trip", "messages": messages}))
    assert parsed.text.index("Ann on 2023-11-1") < parsed.text.index("Jürgen on 2023-11-1")
    assert "Grüße" in parsed.text and parsed.headings == [(0, 1, "Trip")]
    assert parsed.notes == ["1 message without text (a picture, a call)"]


def test_xml_names_its_leaves(tmp_path: Path) -> None:
    page = '<?xml version="1.0"?><shop place="Mühl"><item id="7"><name>Flour</name><price>3</price></item><p>A <b>fine</b> mill.</p></shop>'
    assert read(tmp_path, "a.xml", page).text == "shop (place=Mühl)\n\nitem (id=7)\nname: Flour\nprice: 3\n\nA fine mill.\n\n"
    bomb = '<!DOCTYPE a [<!ENTITY x "yyyy"><!ENTITY z "&x;&x;">]><a><b>&z;</b><c>kept</c></a>'
    assert "yyyy" not in read(tmp_path, "b.xml", bomb).text
    assert read(tmp_path, "c.xml", "<a><b>open").text == "<a><b>open"


def test_a_notebook_gives_text_code_and_output(tmp_path: Path) -> None:
    table = "<table><tr><td>a</td><td>b</td></tr></table>"
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Text"]},
        {
            "cell_type": "code",
            "source": "print(1)",
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"image/png": "x", "text/plain": "<Figure>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no"},
                {
                    "output_type": "execute_result",
                    "data": {"text/html": table, "text/plain": "a b"},
                },
            ],
        },
    ]
    parsed = read(tmp_path, "a.ipynb", json.dumps({"cells": cells}))
    assert parsed.text == "# Title\nText\n\nprint(1)\n\n1\n\nValueError: no\n\n| a | b |\n\n"
    assert parsed.headings == [(0, 1, "Title")] and parsed.notes == ["1 picture not read"]


def test_rst_has_headings_by_underline_in_order() -> None:
    text = "=====\nTitle\n=====\n\nPart\n----\n\ntext\n\n- item\n\nDeep\n~~~~\n\nPart two\n--------\n\n::\n\n  code\n  ----\n"
    assert [(level, title) for _, level, title in headings(text)] == [(1, "Title"), (2, "Part"), (3, "Deep"), (2, "Part two")]
    assert all(text[start:].startswith(title) for start, _, title in headings(text))


def test_subtitles_give_what_is_said_and_when(tmp_path: Path) -> None:
    assert read(tmp_path, "a.srt", "1\r\n00:01:02,500 --> 00:01:04,000\r\n<i>Hello</i>\r\nthere\r\n\r\n").text == "[00:01:02] Hello there\n"
    assert read(tmp_path, "a.vtt", "WEBVTT\n\nNOTE x\n\n01:02.500 --> 01:04.000 align:left\nHello\n").text == "[00:01:02] Hello\n"


def test_source_code_stays_as_it_is(tmp_path: Path) -> None:
    code = "def mill():\n    return '# no heading'\n"
    for name in ("a.py", "a.TOML", "a.rs", "a.yaml", "a.tex", "a.log"):
        parsed = read(tmp_path, name, code)
        assert parsed.text == code and not parsed.headings
