"""Whatever becomes of a file's bytes, a loader gives text or a reason, and raises nothing else."""

import json
import zipfile
from pathlib import Path

import openpyxl
import pptx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders import load
from ingest.loaders.parsed import LoadError
from tests.ingest.office_files import paragraph, write_docx, write_odf, write_ole, write_zip

FORMATS = ["docx", "xlsx", "pptx", "odt", "ods", "epub", "rtf", "msg", "eml", "html", "ipynb", "json", "xml", "csv", "srt", "txt"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A sound file of each format."""
    folder = tmp_path_factory.mktemp("sound")
    item = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    numbering = '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:lvlText w:val="%1."/></w:lvl></w:abstractNum>'
    numbering += '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    write_docx(folder / "a.docx", paragraph("Word", item) + paragraph("more"), numbering=numbering)
    book = openpyxl.Workbook()
    book.active.append(["a", 1.5, True])
    book.save(folder / "a.xlsx")
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text_frame.text = "Slide"
    deck.save(str(folder / "a.pptx"))
    write_odf(folder / "a.odt", "text", '<text:h text:outline-level="2">Title</text:h><text:p>Text<text:s text:c="2"/></text:p>')
    row = '<table:table-row table:number-rows-repeated="2"><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row>'
    write_odf(folder / "a.ods", "spreadsheet", f'<table:table table:name="S">{row}</table:table>')
    package = (
        '<package><manifest><item id="a" href="a.html" media-type="text/html"/></manifest><spine><itemref idref="a"/></spine></package>'
    )
    write_zip(folder / "a.epub", {"p.opf": package, "a.html": "<h1>Chapter</h1><p>Text</p>"})
    write_ole(folder / "a.msg", {"__substg1.0_0037001F": "Subject".encode("utf-16-le"), "__properties_version1.0": b"\x40\0\x39\0" * 8})
    texts = {
        "rtf": r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}}\uc1\u8364? M\'fchle\cell\row{\footnote x}\par}",
        "eml": 'Subject: =?utf-8?q?x?=\nContent-Type: multipart/mixed; boundary="b"\n'
        "\n--b\n\ntext\n--b\nContent-Type: text/html\n\n<p>x\n--b--",
        "html": '<html><meta charset="utf-8"><h1>T</h1><table><tr><td>a</td></tr></table><ul><li>x</ul></html>',
        "ipynb": json.dumps({"cells": [{"cell_type": "code", "source": ["x"], "outputs": [{"data": {"text/plain": "1"}}]}]}),
        "json": '{"a": [{"b": 1}, {"b": 2}], "c": {"d": "e"}}',
        "xml": '<a x="1"><b>c</b><d>e <f>g</f></d></a>',
        "csv": 'a,b\n1,"two ""2"""\n',
        "srt": "1\n00:00:01,000 --> 00:00:02,000\nHello\n",
        "txt": "Mühle\n",
    }
    for suffix, text in texts.items():
        (folder / f"a.{suffix}").write_text(text, encoding="utf-8")
    return {suffix: (folder / f"a.{suffix}").read_bytes() for suffix in FORMATS}


def survives(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        assert load(path).text.strip()
    except LoadError as error:
        assert str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", FORMATS)
@given(data=st.data())
def test_damaged_bytes_raise_nothing_else(
    suffix: str, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    sound = files[suffix]
    place = data.draw(st.integers(0, len(sound)))
    gap = data.draw(st.integers(0, 50) | st.integers(0, len(sound)))
    patch = data.draw(st.binary(max_size=20))
    survives(tmp_path_factory.getbasetemp() / f"damaged.{suffix}", sound[:place] + patch + sound[place + gap :])


@pytest.mark.parametrize("suffix", ["docx", "xlsx", "pptx", "odt", "ods", "epub"])
@given(data=st.data())
def test_senseless_values_in_sound_xml_raise_nothing_else(
    suffix: str, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Office programs write what no schema allows; so do people who mean harm."""
    path = tmp_path_factory.getbasetemp() / f"senseless.{suffix}"
    path.write_bytes(files[suffix])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(name for name in members if name.endswith((".xml", ".rels", ".opf")))))
    pieces = members[name].decode().split('"')
    places = range(1, len(pieces), 2)
    if places:
        pieces[data.draw(st.sampled_from(places))] = data.draw(st.sampled_from(["", "-1", "9" * 12, "x", "1e9", "0", "²", "\u0663"]))
    members[name] = '"'.join(pieces).encode()
    survives(path, write_zip(path, members).read_bytes())


def test_nesting_without_end_raises_nothing_else(tmp_path: Path) -> None:
    deep = 1200
    survives(tmp_path / "a.html", b"<div>" * deep + b"text")
    survives(tmp_path / "b.html", b"<table><tr><td>" * deep + b"text")
    survives(tmp_path / "a.xml", b"<a>" * deep + b"text" + b"</a>" * deep)
    survives(tmp_path / "a.json", b'{"a":' * deep + b"1" + b"}" * deep)
    survives(tmp_path / "b.rtf", b"{\\rtf1 text {\\mmath{\\*\\moMath" + b"{\\mf{\\mnum " * deep + b"x" + b"}}" * deep + b"}} end\\par}")
    survives(tmp_path / "c.rtf", b"{\\rtf1 text {\\field{\\*\\fldinst EQ " + b"\\\\f(" * deep + b")" * deep + b"}} end\\par}")
    survives(tmp_path / "a.rtf", b"{\\rtf1 text" + b"{" * deep + b"}" * deep + b"}")
    survives(
        tmp_path / "a.eml",
        b"Subject: x\n" + b"".join(b"Content-Type: message/rfc822\n\nSubject: %d\n" % n for n in range(deep)) + b"\ntext",
    )
