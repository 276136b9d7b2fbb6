"""Fonts that don't say which letters they show: their letters are counted where that is certain, else left out and noted."""

import random
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.pages import Page, write
from tests.ingest.scans import GLYPHS, GLYPHS_OF, LEASE, PROSE, numbers, with_font


def read(tmp_path: Path, page: Page, font: str = GLYPHS, *more: str) -> Parsed:
    write(tmp_path / "a.pdf", [page], more=[font, GLYPHS_OF, *more])
    (tmp_path / "a.pdf").write_bytes(with_font((tmp_path / "a.pdf").read_bytes()))
    return load(tmp_path / "a.pdf")


def mapped(pairs: str) -> tuple[str, str]:
    """The font with a /ToUnicode of these entries."""
    cmap = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    cmap += f"{pairs} endcmap end"
    return GLYPHS.replace("/Subtype /Type0", "/Subtype /Type0 /ToUnicode 7 0 R"), f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream"


def lines(texts: list[str], order: dict[str, int] | None = None) -> Page:
    page = Page()
    for number, text in enumerate(texts):
        numbers(page, 50, 60 + 14 * number, text, order)
    return page


def test_glyph_numbers_in_the_usual_order_become_letters(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(LEASE))
    assert parsed.text.split() == " ".join(LEASE).split()
    assert (parsed.notes, parsed.scanned) == ([], [])


@pytest.mark.parametrize(
    "texts",
    [
        ["Leieavtalen for lageret på Bergen begynner", "og løper fra året før, skatt på næring"],
        ["Die Miete für das Lagerhaus beträgt jährlich", "480 000 Kronen; größer als zuvor"],
        ["THE LEASE OF THE WAREHOUSE IN BERGEN BEGINS", "ON THE FIRST OF MARCH"],
        ['"Don\'t," said the keeper (twice) & left; *all*', "the men & women of the mill: 'no'"],
    ],
    ids=["Norwegian", "German", "capitals", "signs"],
)
def test_letters_with_accents_capitals_and_signs_are_counted_too(tmp_path: Path, texts: list[str]) -> None:
    order = {letter: ord(letter) - 29 if letter.isascii() else letter.encode("mac_roman")[0] - 30 for letter in "".join(texts)}
    assert read(tmp_path, lines(texts, order)).text.split() == " ".join(texts).split()


@pytest.mark.parametrize("names", ["<< /Type /Encoding /Differences [1 NAMES] >>", "/WinAnsiEncoding"])
def test_a_simple_font_whose_glyphs_have_no_names_is_left_out_and_noted(tmp_path: Path, names: str) -> None:
    everything = sorted(set("".join(LEASE)))
    encoding = names.replace("NAMES", " ".join(f"/g{number}" for number in range(len(everything))))
    page = Page()
    for number, line in enumerate(LEASE):
        codes = "".join(f"{everything.index(letter) + 1:02X}" for letter in line)
        page.content += f"BT /F9 11 Tf 50 {780 - 14 * number} Td <{codes}> Tj ET\n"
    parsed = read(tmp_path, page, f"<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+Body /Encoding {encoding} >>")
    assert not parsed.text.strip() and parsed.scanned == [1] and "font" in parsed.notes[0]


def test_so_do_those_of_a_heading_and_a_map_that_repeats_them(tmp_path: Path) -> None:
    page = lines(LEASE)
    numbers(page, 50, 30, "Lease", size=20)
    assert read(tmp_path, page).text.startswith("Lease\n")
    font, cmap = mapped("1 beginbfrange <0000> <00FF> <0000> endbfrange")
    assert "The lease of the warehouse" in read(tmp_path, lines(LEASE), font, cmap).text


@pytest.mark.parametrize(
    "pairs",
    ["1 beginbfrange <0000> <00FF> <E000> endbfrange", "1 beginbfrange <0000> <00FF> <0000> endbfrange"],
    ids=["private use", "control characters"],
)
def test_letters_mapped_to_nothing_are_left_out_and_noted(tmp_path: Path, pairs: str) -> None:
    everything = sorted(set("".join(LEASE)))
    random.Random(1).shuffle(everything)
    order = {letter: code for code, letter in enumerate(everything, 1)}  # as a program numbers a font's part anew
    page = lines(LEASE, order)
    parsed = read(tmp_path, page.text(50, 400, "Typed in another font"), *mapped(pairs))
    assert parsed.text == "Typed in another font\n\n"
    assert parsed.notes == ["page 1: a font does not say which letters it shows; its text is not read"]
    assert parsed.scanned == [1]


def test_letters_mapped_to_nul_or_to_the_sign_for_the_unknown_are_left_out_and_noted(tmp_path: Path) -> None:
    for target in ("0000", "FFFD"):
        entries = " ".join(f"<{code:04X}> <{target}>" for code in range(1, 99))
        parsed = read(tmp_path, lines(LEASE), *mapped(f"98 beginbfchar {entries} endbfchar"))
        assert not parsed.text.strip() and parsed.scanned == [1] and "font" in parsed.notes[0]


def test_letters_mapped_to_other_letters_are_left_out_and_noted(tmp_path: Path) -> None:
    small = "abcdefghijklmnopqrstuvwxyz"
    other = dict(zip(small, "qxzjkvbpygwfmucldrhsnioate"[::-1], strict=True))
    text = [" ".join(PROSE).lower()[at : at + 70] for at in range(0, 490, 70)]
    entries = " ".join(f"<{ord(letter) - 29:04X}> <{ord(new):04X}>" for letter, new in other.items())
    font, cmap = mapped(f"27 beginbfchar <0003> <0020> {entries} endbfchar")
    parsed = read(tmp_path, lines(text).text(50, 400, "Typed in another font"), font, cmap)
    assert parsed.text == "Typed in another font\n\n" and "font" in parsed.notes[0]


KEPT = {
    "Finnish": "kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan heille on annettu järki ja omatunto",
    "Basque": "gizon emakume guztiak aske jaiotzen dira duintasun eta eskubide berberak dituztela eta ezaguera eta kontzientzia dutenez",
    "Czech": "strč prst skrz krk vlk zmrzl hrst zrn prv zhltl čtvrt hrst zrn všichni lidé rodí se svobodní a sobě rovní co do důstojnosti",
    "Welsh": "genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau fe'u cynysgaeddir â rheswm a chydwybod cwm hwn",
    "capitals": "NOTICE OF THE ANNUAL MEETING OF THE SHAREHOLDERS OF THE BERGEN WAREHOUSE AND STORAGE COMPANY LTD PLC GMBH BV",
    "part numbers": "XKR-4471-B2 HJW-9920-T QZT-1180-K7 PLM-3301-X BTR-7728-GG FKS-0041-W XKR-4472-B2 HJW-9921-T QZT-1181-K7 BTR-7729",
    "abbreviations": "XML HTTP CSS SQL PDF JSON HTML FTP SSH TLS SSL TCP DNS XSLT RTF CSV PNG JPG GDPR HMRC BBC NHS VAT NGO XLSX DKK",
    "figures": "1 204 1 311 998 4 401 77 % 12.5 13.9 14.2 (3) (4) 1/2 3/4 7 001 6 112 98 % 0.17 0.25 3.1415 2.7182 1 000 000 17:45",
    "mathematics": "x = (a + b) / 2 , f(x) = 3x - 7 , sum of k = 1 to n , p < 0.05 , dy/dx = ky , |z| < r , ln x + ln y = ln xy , cos kt",
}


@pytest.mark.parametrize("kind", KEPT)
def test_other_languages_codes_and_figures_are_kept(tmp_path: Path, kind: str) -> None:
    text = KEPT[kind]
    typed = [text[at : at + 60] for at in range(0, len(text), 60)] * 3
    page = Page().lines(50, 60, [line.encode("cp1252", "replace").decode("latin-1") for line in typed])
    parsed = read(tmp_path, page)
    assert parsed.notes == [] and parsed.text.split()[:3] == [
        word.encode("cp1252", "replace").decode("cp1252") for word in text.split()[:3]
    ]


def test_chinese_is_kept(tmp_path: Path) -> None:
    text = "人人生而自由在尊嚴和權利上一律平等他們賦有理性和良心並應以兄弟關係的精神相對待"
    entries = " ".join(f"<{code:04X}> <{ord(letter):04X}>" for code, letter in enumerate(text, 1))
    font, cmap = mapped(f"{len(text)} beginbfchar {entries} endbfchar")
    order = {letter: code for code, letter in enumerate(text, 1)}
    parsed = read(tmp_path, lines([text, text], order), font, cmap)
    assert parsed.notes == [] and "自由" in parsed.text
