"""The grid of an HTML table: which cells stand in which row and column, after all that spans several."""

from collections.abc import Callable, Iterator

from bs4 import NavigableString, Tag

_MOST_COLUMNS = 1000
"""As in browsers."""


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
            loose.append(tag)
        elif tag.name in ("caption", "colgroup", "script", "style", "template") or hidden(tag):
            continue
        elif tag.name == "tr":
            yield section, list(_cells(tag))
        else:
            yield from _rows(tag, tag if tag.name in ("thead", "tbody", "tfoot") else section, hidden)
    if loose:  # cells without a row
        yield section, loose


def _cells(row: Tag) -> Iterator[Tag]:
    for tag in row.children:
        if isinstance(tag, Tag):
            if tag.name in ("td", "th"):
                yield tag
            elif tag.name not in ("table", "tr"):
                yield from _cells(tag)


def strays(table: Tag) -> Iterator[Tag | NavigableString]:
    """What stands in a table outside its cells, which browsers show before it."""
    for tag in table.children:
        if isinstance(tag, Tag) and tag.name in ("thead", "tbody", "tfoot", "tr"):
            yield from strays(tag)
        elif not isinstance(tag, Tag) or tag.name not in ("td", "th", "caption", "colgroup", "col", "form"):
            yield tag


def grid(found: list[tuple[Tag | None, list[Tag]]], read: Callable[[Tag], str]) -> list[list[str]]:
    """The texts of all rows, a cell's in the first place that it takes; the other places are empty."""
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
    return texts


def _span(cell: Tag, name: str, most: int) -> int:
    if name not in cell.attrs:
        return 1
    value = str(cell[name]).strip()
    return min(int(value), most) if value.isascii() and value.isdecimal() and len(value) < 10 else 1
