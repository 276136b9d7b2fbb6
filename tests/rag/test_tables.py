"""Every date and amount by pattern, and sums over parsed rows, on tiny documents of several formats."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.chain import AnswerChain
from rag.whole.document import Whole
from rag.whole.patterns import every, kinds_of
from rag.whole.tables import comma_is_decimal, number

DATES = """# Log

Signed on 3 February 1766 and on 3 Feb. 1766, then on March 4th, 2021. Due 2024-05-06, 7/8/2023 or 09.10.22; in May it may rain.
Open from April
to October, the 20th of each month, in 1974 and the 1930s, Sept 2025. Not dates: 3.14, 1,234, £2,024, version 2.0, SKU-2023-11, 30 March

6. A list goes on.
"""
MIXED = """Paid £1,200.50 to Ann-Marie O'Neill (ann.oneill@example.org, +44 1632 960214), -$5, (€3.000,00), 12 USD, 45p a mile and 15 %.
Dr Orla Finch of Baines & Daughter ordered part B-7731/3; see https://example.org/a_b?c=1. Later Ann-Marie O'Neill paid £1,200.50 again.
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Whole]]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "dates.md").write_text(DATES, encoding="utf-8")
    (folder / "mixed.md").write_text(MIXED, encoding="utf-8")
    with Library.open(folder / "library", create=True) as library:
        assert library.add([folder / "dates.md", folder / "mixed.md"]).ok
        with library.snapshot() as view:
            yield {Path(path).name: Whole.read(view, path) for path in view.paths()}


def test_every_date_is_found_however_it_is_written_and_no_number_beside(texts: dict[str, Whole]) -> None:
    written = ["3 February 1766", "3 Feb. 1766", "March 4th, 2021", "2024-05-06", "7/8/2023", "09.10.22", "May", "April", "October"]
    found = [item.text for item in every(texts["dates.md"], "date")]
    assert found == [*written, "the 20th", "1974", "1930s", "Sept 2025", "30 March"]


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        ("amount", ["£1,200.50", "-$5", "(€3.000,00)", "12 USD", "45p"]),
        ("percentage", ["15 %"]),
        ("e-mail address", ["ann.oneill@example.org"]),
        ("phone number", ["+44 1632 960214"]),
        ("link", ["https://example.org/a_b?c=1"]),
        ("identifier", ["B-7731/3"]),
        ("name", ["Ann-Marie O'Neill", "Dr Orla Finch", "Baines & Daughter"]),
    ],
)
def test_every_item_of_a_kind_is_found_once(texts: dict[str, Whole], kind: str, items: list[str]) -> None:
    assert [item.text for item in every(texts["mixed.md"], kind)] == items


@pytest.mark.parametrize(
    ("cell", "value", "unit"),
    [
        ("1,234.50", "1234.50", ""),
        ("£1,234", "1234", "£"),
        ("(1,234.50)", "-1234.50", ""),
        ("($5)", "-5", "$"),
        ("-3", "-3", ""),
        ("\u22123.5", "-3.5", ""),
        ("12 %", "12", "%"),
        ("5 kg", "5", "kg"),
        ("1 234 567", "1234567", ""),
        ("12 USD", "12", "USD"),
        (".5", "0.5", ""),
    ],
)
def test_a_cells_number_is_read_with_its_sign_and_unit(cell: str, value: str, unit: str) -> None:
    parsed = number(cell)
    assert parsed is not None and (parsed.value, parsed.unit) == (Decimal(value), unit)


@pytest.mark.parametrize("cell", ["Free", "", "n/a", "12 to 14", "2024-05-06", "3 hours 15 minutes", "A-12", "(5"])
def test_a_cell_that_is_no_number_is_none(cell: str) -> None:
    assert number(cell) is None


def test_a_comma_is_the_decimal_sign_where_the_column_writes_it_so() -> None:
    assert comma_is_decimal(["1.234,50", "7,5"]) and not comma_is_decimal(["1,234.50", "1,234"])
    parsed = number("1.234,50", comma=True)
    assert parsed is not None and parsed.value == Decimal("1234.50")


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswerChain]:
    folder = tmp_path_factory.mktemp("sheets")
    rows = [f'INV-{n:03},{"open" if n % 3 == 0 else "paid"},{"Travel" if n % 2 else "Rent"},"{n * 1000:,}.50"' for n in range(1, 61)]
    (folder / "invoices.csv").write_text("\n".join(["Number,Status,Kind,Amount", *rows, 'Total,,,"1,830,030.00"']) + "\n")
    wide = (
        "Pump,Flow rate in litres,Head in metres,Year of building,Power of motor,Place where it stands,Maker of it,Last service done,Hours"
    )
    (folder / "pumps.csv").write_text("\n".join([wide, *(f"P-{n},{n * 10},5,1990,7,yard {n},Acme,2020,{n}" for n in range(1, 31))]) + "\n")
    (folder / "mixed.md").write_text(
        "# Prices\n\n| Item | Price | Stock |\n|---|---|---|\n| Cog | £5 | 4 |\n| Belt | $7 | (2) |\n\n"
        "# Costs\n\n| Job | Cost |\n|---|---|\n| Paint | 10 |\n| Total Fitness fee | 7 |\n| All | 17 |\n|  | 34 |\n"
    )
    (folder / "page.html").write_text(
        "<table><tr><th>Fruit</th><th>Grams</th></tr><tr><td>Fig</td><td>40 g</td></tr><tr><td>Plum</td><td>55.5 g</td></tr></table>"
    )
    with Library.open(folder / "library", create=True) as library:
        assert library.add([folder / name for name in ("invoices.csv", "pumps.csv", "mixed.md", "page.html")]).ok
        yield build_chain(library, "starter")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "What is the total of the Amount column in invoices.csv?",
            "Sum of 'Amount' over 60 rows of invoices.csv (a total of the table's own is not counted): 1,830,030.00",
        ),
        (
            "total amount in invoices.csv where status is open",
            "Sum of 'Amount' over 20 rows of invoices.csv where 'Status' is 'open': 630,010.00",
        ),
        ("How many rows of invoices.csv have status open?", "Rows of invoices.csv where 'Status' is 'open': 20"),
        ("How many rows have the kind Travel?", "Rows of invoices.csv where 'Kind' is 'Travel': 30"),
        ("average of the flow rate in litres column in pumps.csv", "Average of 'Flow rate in litres' over 30 rows of pumps.csv: 155"),
        (
            "highest hours in pumps.csv",
            "Highest of 'Hours' over 30 rows of pumps.csv: 30 (P-30 | 300 | 5 | 1990 | 7 | yard 30 | Acme | 2020 | 30)",
        ),
        ("Sum of the stock column in mixed.md", "Sum of 'Stock' over 2 rows of mixed.md: 2"),
        ("What is the median of the grams column?", "Median of 'Grams' over 2 rows of page.html: 47.75 g"),
    ],
)
def test_a_column_is_computed_over_all_rows(sheets: AnswerChain, question: str, answer: str) -> None:
    computed = sheets.invoke(question)
    assert computed.mode == "compute" and not computed.refused
    assert computed.text.partition(" [")[0] == answer
    assert computed.citations and all(citation.path.endswith((".csv", ".md", ".html")) for citation in computed.citations)


def test_the_rows_that_a_sum_stands_on_are_all_cited(sheets: AnswerChain) -> None:
    cited = sheets.invoke("total of the amount column in invoices.csv").citations
    said = "".join(citation.quoted()[1] for citation in cited)
    assert len(cited) > 1 and all(f"INV-{n:03}" in said for n in range(1, 61)) and "Total" not in said


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("What is the sum of the weight column in invoices.csv?", ["The column isn't there", "Number, Status, Kind, Amount"]),
        ("What is the sum of the price column in mixed.md?", ["mixes £ and $"]),
        ("What is the sum of the status column in invoices.csv?", ["has no numbers"]),
    ],
)
def test_what_cannot_be_computed_is_refused_plainly(sheets: AnswerChain, question: str, says: Sequence[str]) -> None:
    answer = sheets.invoke(question)
    assert answer.refused and all(part in answer.text for part in says)


def test_phone_numbers_are_not_numbers() -> None:
    assert kinds_of("e-mail addresses and phone numbers") == ["e-mail address", "phone number"]
