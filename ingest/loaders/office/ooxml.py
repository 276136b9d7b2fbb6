"""What Word, Excel and PowerPoint files have in common: parts related to each other, and drawings with text in them."""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from ingest.loaders.linear import lifted, settled
from ingest.loaders.office import omml
from ingest.loaders.office.symbols import in_font, is_symbol_font
from ingest.loaders.parsed import LoadError
from ingest.loaders.web.xmltree import Element, child, children, descendants, integer, local, parse
from ingest.loaders.zipped import Zipped


@dataclass(frozen=True, slots=True)
class Relation:
    """How one part refers to another: `kind` is the last word of the relation's type."""

    kind: str
    target: str
    external: bool


class Package:
    """An office file: XML parts in a zip, found through relations rather than by name."""

    def __init__(self, path: Path, kind: str) -> None:
        self._zipped = Zipped(path, kind)
        self._fault = f"not a readable {kind}: its main part is missing"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zipped.__exit__()

    @property
    def zipped(self) -> Zipped:
        return self._zipped

    def main(self, usual: str) -> str:
        """The name of the part that everything else hangs on.

        Raises:
            LoadError: there is none.
        """
        for relation in self.relations("").values():
            if relation.kind == "officeDocument" and relation.target in self._zipped:
                return relation.target
        if usual in self._zipped:
            return usual
        raise LoadError(self._fault)

    def relations(self, part: str) -> dict[str, Relation]:
        """A part's relations by their id; "" means the package itself."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, Relation] = {}
        if rels not in self._zipped:
            return found
        for element in children(parse(self._zipped.read(rels)), "Relationship"):
            target = unquote(element.get("Target", ""))
            external = element.get("TargetMode") == "External"
            path = target if external else posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[element.get("Id", "")] = Relation(element.get("Type", "").rpartition("/")[2], path, external)
        return found

    def content_type(self, part: str) -> str:
        """What the package says that a part is, in lower case and without parameters; "" where it doesn't."""
        types = self.root("[Content_Types].xml")
        for element in children(types, "Override"):
            if element.get("PartName", "").lstrip("/").lower() == part.lower():
                return _plain_type(element)
        suffix = part.rpartition(".")[2].lower()
        return next((_plain_type(found) for found in children(types, "Default") if found.get("Extension", "").lower() == suffix), "")

    def related(self, part: str, kind: str) -> list[str]:
        """The parts inside the file that a part refers to by one kind of relation."""
        targets = (relation.target for relation in self.relations(part).values() if relation.kind == kind and not relation.external)
        return [target for target in targets if target in self._zipped]

    def root(self, part: str) -> Element | None:
        """A part's XML, or None where the file lacks it."""
        return parse(self._zipped.read(part)) if part in self._zipped else None


def _plain_type(element: Element) -> str:
    return str(element.get("ContentType", "")).partition(";")[0].strip().lower()


def alternatives(element: Element) -> list[Element]:
    """Of several ways to show one thing (mc:AlternateContent), the first: the others repeat its text."""
    first = child(element, "Choice")
    if first is None:
        first = child(element, "Fallback")
    return list(first) if first is not None else []


def drawing_lines(body: Element | None) -> list[str]:
    """Text of a drawing's text body, a line for each paragraph."""
    return [drawing_line(paragraph) for paragraph in descendants(body, "p")]


def drawing_line(paragraph: Element) -> str:
    """Text of a drawing's paragraph: raised figures, formulas and symbols as they read."""
    return settled("".join(_pieces(paragraph))).strip()


def _pieces(elements: Iterable[Element]) -> Iterator[str]:
    for element in elements:
        match local(element):
            case "r" | "fld":
                properties = child(element, "rPr")
                text = "".join(inner.text or "" for inner in children(element, "t"))
                yield lifted(in_font(text, _font(properties)), 0 if properties is None else _rise(properties))
            case "br":
                yield "\n"
            case "tab":
                yield "\t"
            case "t":
                yield element.text or ""
            case "oMath" | "oMathPara":
                yield omml.linear(element)
            case "AlternateContent":
                yield from _pieces(alternatives(element))
            case "m" | "ins" | "p":
                yield from _pieces(element)


def _rise(properties: Element) -> int:
    """Over 0 for a superscript: thousandths of the letters' size, or per cents in the strict format."""
    text = properties.get("baseline", "0").rstrip("%").partition(".")[0]
    return int(text) if text.removeprefix("-").isdecimal() else 0


def _font(properties: Element | None) -> str:
    """A symbol font, where a run is in one: as the font of its letters, or as that of its symbols."""
    fonts = [child(properties, name) for name in ("latin", "sym")]
    return next((name for font in fonts if font is not None and is_symbol_font(name := font.get("typeface", ""))), "")


def smartart_lines(data: Element | None) -> list[str]:
    """Text of a SmartArt diagram: its points in order, without those that only hold its layout together."""
    points = [point for point in descendants(data, "pt") if point.get("type", "node") in ("node", "asst")]
    lines = [" ".join(filter(None, drawing_lines(child(point, "t")))) for point in points]
    return [line for line in lines if line]


def chart_rows(chart: Element | None) -> tuple[str, list[list[str]]]:
    """A chart's title, and its figures as a table: a row for each category, a column for each series."""
    title = " ".join(filter(None, drawing_lines(child(chart, "chart", "title"))))
    names: list[str] = []
    columns: list[dict[int, str]] = []
    categories: dict[int, str] = {}
    for series in descendants(chart, "ser"):
        name = _cached(child(series, "tx"))
        names.append(" ".join(name.values()))
        categories = categories or _cached(_first(series, "cat", "xVal"))
        columns.append(_cached(_first(series, "val", "yVal")))
    numbers = sorted({*categories, *(number for column in columns for number in column)})
    rows = [[categories.get(number, ""), *(column.get(number, "") for column in columns)] for number in numbers]
    return title, [["", *names], *rows] if rows else []


def _first(element: Element, *names: str) -> Element | None:
    return next((found for name in names if (found := child(element, name)) is not None), None)


def _cached(element: Element | None) -> dict[int, str]:
    """Values that a chart keeps of the cells it draws; of several levels of labels, all, outermost first."""
    values: dict[int, str] = {}
    for point in reversed(list(descendants(element, "pt"))):
        number = integer(point, "idx", 0)
        text = point.findtext("{*}v") or ""
        values[number] = f"{values[number]} {text}" if number in values else _plain(text)
    if not values and element is not None and (plain := child(element, "v")) is not None:
        values[0] = plain.text or ""
    return values


def _plain(text: str) -> str:
    """A number without the digits that only binary fractions have: 8.2, not 8.1999999999999993."""
    try:
        return f"{float(text):.12g}" if len(text) > 12 else text
    except ValueError:
        return text
