"""RTF's paragraphs and tables, as they come out of the words that end them."""

import re
from dataclasses import dataclass, field

from ingest.loaders.parsed import Block, table_rows

_LIST_MARK = re.compile(r"[•·▪◦o§➢✓❖-]\s*$")


@dataclass
class Flow:
    """Where text goes: the document itself, a note, a header; paragraphs so far and the one being written."""

    kind: str = ""
    blocks: list[Block] = field(default_factory=list)
    after: list[Block] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    listed: bool = False

    def paragraph(self, level: int | None, in_table: bool) -> None:
        """Ends a paragraph; one within a cell only ends a line of it."""
        if in_table:
            self.pieces.append("\n")
            return
        self.end_table()
        text = _whole("".join(self.pieces)).strip()
        self.pieces.clear()
        if text and level is not None:
            self.blocks.append(Block("heading", text, level))
        elif text and self.listed:
            mark, _, rest = text.partition("\t")
            self.blocks.append(Block("item", f"{'-' if _LIST_MARK.match(mark) else mark} {rest.strip()}"))
        elif text:
            self.blocks.append(Block("text", text))
        self.listed = False
        self.blocks += self.after
        self.after.clear()

    def cell(self) -> None:
        self.cells.append(_whole("".join(self.pieces)).strip())
        self.pieces.clear()
        self.listed = False

    def row(self) -> None:
        if self.cells:
            self.rows.append(self.cells)
        self.cells = []

    def end_table(self) -> None:
        self.row()
        if self.rows:
            single = all(len(row) < 2 for row in self.rows)
            self.blocks += [Block("text", row[0]) for row in self.rows] if single else [Block("table", table_rows(self.rows))]
        self.rows = []

    def text(self) -> str:
        """All of it in a line."""
        self.paragraph(None, False)
        return " ".join(block.flat for block in self.blocks)


def _whole(text: str) -> str:
    """Pairs of surrogates, as RTF writes characters beyond U+FFFF, made into one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors="replace")
