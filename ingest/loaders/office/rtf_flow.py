"""RTF's paragraphs and tables, as they come out of the words that end them."""

import re
from dataclasses import dataclass, field

from ingest.loaders.linear import settled
from ingest.loaders.office.nesting import Nesting
from ingest.loaders.office.rtf_table import Row, aligned
from ingest.loaders.office.symbols import TICKS
from ingest.loaders.parsed import Block, table_rows

_TYPED_MARK = re.compile(r"(?:[•·▪◦➢❖■●–-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]+)[.)]) *\t")


@dataclass(frozen=True)
class Shape:
    """What is said of a paragraph: a heading's level, its place in a list, how far from the margin it stands."""

    level: int | None = None
    in_table: bool = False
    list_id: int = 0
    list_level: int = 0
    left: int = 0
    first: int = 0


@dataclass
class Flow:
    """Where text goes: the document itself, a note, a header; paragraphs so far and the one being written."""

    kind: str = ""
    blocks: list[Block] = field(default_factory=list)
    after: list[Block] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    left: int = 0
    nesting: Nesting = field(default_factory=Nesting)
    listed: bool = False
    size: int = 24
    """Of the letters on the line, in half points."""

    def paragraph(self, shape: Shape, in_table: bool) -> None:
        """Ends a paragraph; one within a cell only ends a line of it."""
        if in_table:
            self.pieces.append("\n")
            return
        self.end_table()
        text = self._text()
        if text and shape.level is not None:
            self.nesting.heading()
            self.blocks.append(Block("heading", text, shape.level))
        elif text and (self.listed or (shape.first < 0 and _TYPED_MARK.match(text))):
            mark, _, rest = text.partition("\t" if "\t" in text else " ")
            key = str(shape.list_id or f"at {shape.left}")  # lists from before 1997 are told by their indents only
            depth = self.nesting.item(key, shape.list_level, shape.left + shape.first)
            self.blocks.append(Block("item", f"{_shown(mark.strip())} {rest.strip()}", depth))
        elif text:
            self.nesting.text(shape.left + shape.first)
            self.blocks.append(Block("text", text))
        self.listed = False
        self.blocks += self.after
        self.after.clear()

    def _text(self) -> str:
        text = _whole(settled("".join(self.pieces))).strip()
        self.pieces.clear()
        return text

    def cell(self) -> None:
        self.cells.append(self._text())
        self.listed = False

    def row(self) -> None:
        if self.cells:
            self.rows.append(Row(self.cells, self.ends, self.left))
        self.cells = []

    def end_table(self) -> None:
        self.row()
        if self.rows:
            single = all(len(row.cells) < 2 for row in self.rows)
            texts = [Block("text", row.cells[0]) for row in self.rows]
            self.blocks += texts if single else [Block("table", table_rows(aligned(self.rows)))]
        self.rows = []

    def text(self) -> str:
        """All of it in a line."""
        self.paragraph(Shape(), False)
        return " ".join(block.flat for block in self.blocks)


def _shown(mark: str) -> str:
    """A list's mark: a bullet of any look is a dash, unless it tells what is ticked."""
    bullet = mark == "o" or (len(mark) == 1 and not mark.isalnum() and mark not in TICKS)
    return "-" if bullet else mark


def _whole(text: str) -> str:
    """Pairs of surrogates, as RTF writes characters beyond U+FFFF, made into one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors="replace")
