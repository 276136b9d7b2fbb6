"""How deeply list items are nested, as a reader sees it: a deeper level of one list, or another list set further in."""

from dataclasses import dataclass

_APART = 100
"""Twentieths of a point by which a nested list stands further in at least."""

_DEEPEST = 8
"""As many levels as office programs have; files can name any."""


@dataclass(frozen=True, slots=True)
class _Item:
    list_id: str
    level: int
    indent: int
    depth: int


class Nesting:
    """The items that are open: the one read last and those that it is nested in."""

    def __init__(self) -> None:
        self._open: list[_Item] = []
        self._above: dict[str, int] = {}

    def item(self, list_id: str, level: int, indent: int) -> int:
        """The depth of a list's next item: its level in the list, and how far from the margin it stands."""
        while self._open and not self._holds(self._open[-1], list_id, level, indent):
            self._open.pop()
        if not self._open:
            depth = max(0, level - self._above.get(list_id, 0))
        else:
            outer = self._open[-1]
            depth = outer.depth + (level - outer.level if outer.list_id == list_id else 1)
        depth = min(depth, _DEEPEST)
        self._open.append(_Item(list_id, level, indent, depth))
        return depth

    def _holds(self, outer: _Item, list_id: str, level: int, indent: int) -> bool:
        return level > outer.level if outer.list_id == list_id else indent >= outer.indent + _APART

    def heading(self, list_id: str = "", level: int = 0) -> None:
        """A heading ends all items; one that a list numbers leaves the list's other levels to be its items."""
        self._open.clear()
        if list_id:
            self._above[list_id] = level + 1

    def text(self, indent: int) -> None:
        """A paragraph ends the items that don't stand further out than itself."""
        while self._open and self._open[-1].indent >= indent:
            self._open.pop()
