"""The grid of an HTML table: which cells stand in which row and column, after all that spans several."""

from collections.abc import Callable, Iterator

from bs4 import NavigableString, Tag

_MOST_COLUMNS = 1000
"""As in browsers."""
_TITLES = {"h1", "h2", "h3"}
_PARAGRAPHS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "ul", "ol", "dl"}
_LONG_CELL, _FEW_ROWS, SHORT = 1000, 3, 100
"""A table of few rows with a cell of so many characters lays out a page; a row of short cells in such a table is one line."""


def rows(table: Tag, hidden: Callable[[Tag], bool]) -> list[tuple[Tag | None, list[Tag]]]:
    """Each row's section (thead, tbody, tfoot or none) and cells: heads first, feet last, wherever they are written."""
    found = list(_rows(table, None, hidden))
    order = {"thead": 0, "tfoot": 2}
    return sorted(found, key=lambda row: order.get(row[0].name, 1) if row[0] else 1)


def _rows(parent: Tag, section: Tag | None, hidden: Callable[[Tag], bool]) -> Iterator[tuple[Tag | None, list[Tag]]]:
    loose: list[Tag] = []
    for tag in parent.children:
        if not isinstance(tag, Tag) or tag.name == "table":
            continue
        if tag.name in ("td", "th"):
            loose += [] if hidden(tag) else [tag]
        elif tag.name in ("caption", "colgroup") or hidden(tag):
            continue
        elif tag.name == "tr":
            yield section, list(_cells(tag, hidden))
        else:
            yield from _rows(tag, tag if tag.name in ("thead", "tbody", "tfoot") else section, hidden)
    if loose:  # cells without a row
        yield section, loose


def _cells(row: Tag, hidden: Callable[[Tag], bool]) -> Iterator[Tag]:
    for tag in row.children:
        if isinstance(tag, Tag) and not hidden(tag):
            if tag.name in ("td", "th"):
                yield tag
            elif tag.name not in ("table", "tr"):
                yield from _cells(tag, hidden)


def strays(table: Tag) -> Iterator[Tag | NavigableString]:
    """What stands in a table outside its cells, which browsers show before it."""
    for tag in table.children:
        if isinstance(tag, Tag) and tag.name in ("thead", "tbody", "tfoot", "tr"):
            yield from strays(tag)
        elif not isinstance(tag, Tag) or tag.name not in ("td", "th", "caption", "colgroup", "col", "form"):
            yield tag


def grid(found: list[tuple[Tag | None, list[Tag]]], read: Callable[[Tag], str]) -> list[list[str]]:
    """The texts of all rows, a cell's in the first place that it takes; the others are empty. Empty columns are left out."""
    widest = min(max((len(cells) for _, cells in found), default=0), _MOST_COLUMNS)
    taken: dict[int, int] = {}
    texts: list[list[str]] = []
    before: Tag | None = None
    for section, cells in found:
        if section is not before:
            taken, before = {}, section
        line: list[str] = []
        for cell in cells:
            while taken.get(len(line), 0):
                line.append("")
            width, height = _span(cell, "colspan", widest), _span(cell, "rowspan", len(found)) or len(found)
            for column in range(len(line), len(line) + max(width, 1)):
                taken[column] = max(taken.get(column, 0), height)
            line += [read(cell), *[""] * (width - 1)]
        line += [""] * (max((column for column, left in taken.items() if left), default=-1) + 1 - len(line))
        taken = {column: left - 1 for column, left in taken.items() if left > 1}
        texts.append(line)
    seen = [column for column in range(max(map(len, texts), default=0)) if any(column < len(line) and line[column] for line in texts)]
    return [[line[column] if column < len(line) else "" for column in seen] for line in texts]


def _span(cell: Tag, name: str, most: int) -> int:
    if name not in cell.attrs:
        return 1
    value = str(cell[name]).strip()
    return min(int(value), most) if value.isascii() and value.isdecimal() and len(value) < 10 else 1


def lays_out(table: Tag, rows: list[list[Tag]]) -> bool:
    """Whether a table only puts parts of a page in their places: it holds others, or is one column, or has paragraphs for cells."""
    cells = [cell for row in rows for cell in row]
    columns = max((len(row) for row in rows), default=0)
    headed = any(cell.name == "th" for cell in cells)
    if holds(table, {"table"}):
        return any(len(cell.get_text()) > _LONG_CELL for cell in cells if holds(cell, {"table"})) or columns == 1 or not headed
    if headed or str(table.get("border", "0")) not in ("", "0"):
        return False
    if columns == 1 or (len(rows) == 1 and any(holds(cell, _PARAGRAPHS) for cell in cells)):
        return True
    alone = [row[0] for row in rows if len(row) == 1]
    titled = any(_paragraphs(cell) > 1 or holds(cell, _TITLES) for cell in alone)
    return len(rows) <= _FEW_ROWS and (titled or any(map(_is_prose, cells)))


def _paragraphs(cell: Tag) -> int:
    return sum(isinstance(inner, Tag) and inner.name in _PARAGRAPHS for inner in cell.descendants)


def _is_prose(cell: Tag) -> bool:
    heading = cell.find(list(_TITLES))
    length = len(cell.get_text().strip())
    return length > _LONG_CELL or (heading is not None and len(heading.get_text().strip()) < length)


def holds(tag: Tag, names: set[str]) -> bool:
    return any(isinstance(inner, Tag) and inner.name in names for inner in tag.descendants)
