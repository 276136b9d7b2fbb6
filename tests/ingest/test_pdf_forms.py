"""Forms in PDFs: what is ticked, chosen and typed stands beside its label, once; XFA forms give their values or say so."""

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed
from tests.ingest.pages import HEIGHT, Page, write

BOX = "<< /N << /Yes 5 0 R /Off 5 0 R >> >>"
STREAM = "<< /Type /XObject /Subtype /Form /BBox [0 0 12 12] /Length 20 >>\nstream\n0 0 12 12 re S      \nendstream"


def widget(x: float, y: float, body: str, width: float = 12, height: float = 12) -> str:
    return f"<< /Type /Annot /Subtype /Widget /F 4 /Rect [{x} {HEIGHT - y} {x + width} {HEIGHT - y + height}] {body} >>"


def box(x: float, y: float, name: str, state: str) -> str:
    return widget(x, y, f"/FT /Btn /T ({name}) /V /{state} /AS /{state} /AP {BOX}")


def read(tmp_path: Path, page: Page, form: str = "", more: list[str] | None = None) -> Parsed:
    first = 6 + len(more or [])  # after the fixed objects and the picture of a box
    fields = " ".join(f"{first + number} 0 R" for number in range(1, 1 + len(page.objects)))
    catalog = f"/AcroForm << /Fields [{fields}] /DA (/Helv 11 Tf 0 g) /DR << /Font << /Helv 3 0 R >> >> {form} >>"
    write(tmp_path / "a.pdf", [page], catalog, more=[STREAM, *(more or [])])
    return load(tmp_path / "a.pdf")


def test_boxes_and_buttons_are_told_beside_their_labels(tmp_path: Path) -> None:
    page = Page().text(50, 100, "Smoker").text(50, 140, "Vegetarian").text(50, 180, "Married").text(166, 180, "yes").text(226, 180, "no")
    page.objects = [box(140, 100, "smoker", "Off"), box(140, 140, "vegetarian", "Yes")]
    page.objects += [widget(x, 180, f"/FT /Btn /Ff 49152 /T (m{x}) /V /{on} /AS /{on} /AP {BOX}") for x, on in ((150, "Yes"), (210, "Off"))]
    assert read(tmp_path, page).text.split() == "Smoker ☐ Vegetarian ☒ Married ☒ yes ☐ no".split()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_boxes_of_a_turned_page_are_told_too(tmp_path: Path, turn: int) -> None:
    turned = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[turn]
    page = Page(extra=f"/Rotate {turn}").text(300, 400, "Smoker", turn=turned)
    x, y = {90: (290, 420), 180: (320, 392), 270: (298, 365)}[turn]
    page.objects = [widget(x, y, f"/FT /Btn /T (a) /V /Yes /AS /Yes /AP {BOX}")]
    assert "☒" in read(tmp_path, page).text.split()


def test_boxes_that_the_form_does_not_list_are_told_by_their_state(tmp_path: Path) -> None:
    page = Page().text(66, 100, "Smoker").text(66, 140, "Vegetarian")
    page.objects = [box(50, 100, "a", "Off"), box(50, 140, "b", "Yes")]
    write(tmp_path / "a.pdf", [page], more=[STREAM])
    assert load(tmp_path / "a.pdf").text.split() == ["☐", "Smoker", "☒", "Vegetarian"]


def test_a_box_without_an_appearance_is_told_by_its_value(tmp_path: Path) -> None:
    page = Page().text(50, 100, "Smoker").text(50, 140, "Vegetarian")
    page.objects = [widget(140, 100, "/FT /Btn /T (a) /V /Off"), widget(140, 140, "/FT /Btn /T (b) /V /Yes")]
    assert read(tmp_path, page, "/NeedAppearances true").text.split() == ["Smoker", "☐", "Vegetarian", "☒"]


def test_columns_of_boxes_stay_in_their_columns(tmp_path: Path) -> None:
    page = Page().text(50, 100, "Question", 11).text(300, 100, "Agree").text(400, 100, "Disagree")
    rows = ["The room was warm", "The food was good", "The staff were kind", "The price was fair"]
    for number, row in enumerate(rows, 1):
        page.text(50, 100 + 20 * number, row)
        page.objects += [box(310, 100 + 20 * number, f"a{number}", "Yes" if number % 2 else "Off")]
        page.objects += [box(410, 100 + 20 * number, f"d{number}", "Off" if number % 2 else "Yes")]
    text = read(tmp_path, page).text
    assert "| The room was warm | ☒ | ☐ |" in text and "| The food was good | ☐ | ☒ |" in text


def test_values_are_told_once_with_an_appearance_or_without(tmp_path: Path) -> None:
    page = Page().text(50, 100, "Name").text(50, 140, "Country").text(50, 180, "Colours").text(50, 260, "Password")
    appearance = "<< /Type /XObject /Subtype /Form /BBox [0 0 200 16] /Resources << /Font << /Helv 3 0 R >> >> /Length 43 >>"
    appearance += "\nstream\nBT /Helv 11 Tf 2 4 Td (Kari Nordmann) Tj ET   \nendstream"
    page.objects = [
        widget(140, 104, "/FT /Tx /T (name) /V (Kari Nordmann) /AP << /N 6 0 R >>", 200, 16),
        widget(140, 144, "/FT /Ch /Ff 131072 /T (country) /V (Norway) /Opt [(Norway) (Sweden)]", 100, 16),
        widget(140, 224, "/FT /Ch /Ff 2097152 /T (colours) /V [(red) (blue)] /I [0 2] /Opt [(red) (green) (blue)]", 100, 60),
        widget(140, 264, "/FT /Tx /Ff 8192 /T (secret) /V (hunter2)", 100, 16),
    ]
    text = read(tmp_path, page, more=[appearance]).text
    assert text.count("Kari Nordmann") == text.count("Norway") == 1
    assert "red, blue" in text and "green" not in text and "hunter2" not in text
    assert text.index("Kari") < text.index("Country") < text.index("Norway") < text.index("Colours")


def test_a_label_under_a_field_is_not_doubled_and_a_hidden_field_is_said_to_be_left_out(tmp_path: Path) -> None:
    page = Page().text(50, 100, "Name: Ola").text(50, 140, "After")
    page.objects = [
        widget(45, 104, "/FT /Tx /T (name)", 200, 16),
        widget(45, 204, "/FT /Tx /T (note) /V (not to be seen)", 200, 16).replace("/F 4", "/F 2"),
    ]
    parsed = read(tmp_path, page)
    assert parsed.text.split() == ["Name:", "Ola", "After"]
    assert parsed.notes == ["1 hidden field left out"]


XFA = (
    '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.3/"/>'
    '<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form1>DATA</form1></xfa:data></xfa:datasets></xdp:xdp>'
)


def xfa(tmp_path: Path, data: str, page: Page, fields: str = "", rendering: str = "/NeedsRendering true") -> Parsed:
    body = XFA.replace("DATA", data)
    stream = f"<< /Length {len(body)} >>\nstream\n{body}\nendstream"
    look = "/DA (/Helv 11 Tf 0 g) /DR << /Font << /Helv 3 0 R >> >>"
    write(tmp_path / "a.pdf", [page], f"{rendering} /AcroForm << /Fields [{fields}] {look} /XFA [(datasets) 5 0 R] >>", more=[stream])
    return load(tmp_path / "a.pdf")


def test_an_xfa_form_gives_its_values_and_says_that_its_pages_are_not_read(tmp_path: Path) -> None:
    filled = "<Applicant><Surname>Nordmann</Surname><Born>1970-01-02</Born><Empty/></Applicant>"
    parsed = xfa(tmp_path, filled, Page().text(50, 60, "Please wait..."))
    assert "Surname: Nordmann\nBorn: 1970-01-02" in parsed.text and "Empty" not in parsed.text
    assert parsed.notes[0].startswith("XFA form:")


def test_an_xfa_form_without_a_page_or_value_fails_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="XFA form"):
        xfa(tmp_path, "", Page())


def test_an_xfa_form_with_fields_for_other_readers_is_read_by_those(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = Page().text(50, 60, "Surname")
    page.objects = [widget(140, 64, "/FT /Tx /T (surname) /V (Nordmann)", 200, 16)]
    parsed = xfa(tmp_path, "<Surname>Nordmann</Surname>", page, "7 0 R", "")
    assert parsed.text.split() == ["Surname", "Nordmann"] and not parsed.notes and not caplog.records
    assert "Surname: Nordmann" in xfa(tmp_path, "<Surname>Nordmann</Surname>", Page().text(50, 60, "Please wait..."), "", "").text
