"""Rich Text Format: text in the code page of each font, tables, lists, notes, headers; no deleted or hidden text.

Written here since striprtf decodes by one code page, drops notes and headers, and shows deleted text.
"""

import re
from dataclasses import replace
from pathlib import Path

from ingest.loaders.linear import lifted
from ingest.loaders.office import omml
from ingest.loaders.office.rtf_field import Field, add_text, begin_formula, within
from ingest.loaders.office.rtf_flow import Flow, Shape
from ingest.loaders.office.rtf_state import State
from ingest.loaders.office.rtf_words import CHARSETS, FIELD, SIDE, SIGNS, SKIPPED, STARRED, page
from ingest.loaders.office.symbols import is_symbol_font, symbol
from ingest.loaders.parsed import Block, Builder, LoadError, Parsed, counted

_TOKEN = re.compile(r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)", re.DOTALL)


def load(path: Path) -> Parsed:
    return parse(path.read_bytes())


def parse(data: bytes) -> Parsed:
    """Text that lies in another file, a letter, say.

    Raises:
        LoadError: it isn't RTF.
    """
    if not data.lstrip()[:5].startswith(b"{\\rt"):
        raise LoadError("not a readable RTF file: damaged, or another format")
    reader = _Reader()
    reader.read(data.decode("latin-1"))
    return reader.parsed()


_DEEPEST = 200
"""Groups within groups up to which a formula's parts are told apart."""
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32)])


class _Reader:
    def __init__(self) -> None:
        self._body = Flow()
        self._state = State(self._body)
        self._stack: list[State] = []
        self._bytes = bytearray()
        self._page = "cp1252"
        self._default_font = -1
        self._fonts: dict[int, str] = {}
        self._font_names: dict[int, str] = {}
        self._styles: dict[int, int] = {}
        self._style = 0
        self._skipping = 0
        self._starred = False
        self._pictures = 0
        self._notes = 0
        self._note_mark = self._chftn = ""
        self._hidden = 0
        self._in_hidden = False
        self._author = ""
        self._around: dict[str, list[Block]] = {"header": [], "footer": []}

    def parsed(self) -> Parsed:
        self._flush()
        while self._stack:  # a file that was cut short
            self._close()
        self._body.paragraph(self._state.shape, False)
        builder = Builder()
        for block in [*self._around["header"], *self._body.blocks, *self._around["footer"]]:
            builder.add(block)
        builder.note(counted(self._pictures, "picture", "not read"))
        builder.note(counted(self._hidden, "hidden passage", "left out"))
        return builder.parsed()

    def read(self, text: str) -> None:
        """Goes through the whole file, token by token."""
        place = 0
        while match := _TOKEN.match(text, place):
            place = match.end()
            word, number, byte, sign, brace, plain = match.groups()
            if word == "bin":
                place += max(0, int(number or 0))
            elif plain is not None:
                self._characters(plain)
            elif byte is not None:
                self._characters(chr(int(byte, 16)))
            elif brace == "{":
                self._flush()
                self._stack.append(self._state)
                if self._state.in_upr:  # the half for readers that don't know Unicode; \\ud is the other
                    self._state = replace(self._state, skip=True, in_upr=False)
                self._skipping = 0
            elif brace == "}":
                self._flush()
                self._close()
            elif word is not None:
                self._word(word, int(number) if number else None)
            elif sign is not None:
                self._sign(sign)

    # Characters

    def _characters(self, text: str) -> None:
        if self._skipping:  # what stands for a \\u in readers that don't know Unicode
            dropped = min(self._skipping, len(text))
            self._skipping -= dropped
            text = text[dropped:]
        if text and not self._state.skip:
            self._bytes += text.encode("latin-1")

    def _flush(self) -> None:
        """Decodes the bytes gathered, in the code page of the font in force."""
        if self._bytes:
            if font := self._symbol_font():
                text = "".join(symbol(font, code) for code in self._bytes)
            else:
                text = self._bytes.decode(self._fonts.get(self._font(), self._page), errors="replace")
            self._bytes.clear()
            self._put(text)

    def _font(self) -> int:
        return self._state.font if self._state.font >= 0 else self._default_font

    def _symbol_font(self) -> str:
        """The name of the font in force where its codes aren't letters."""
        name = self._font_names.get(self._font(), "")
        return name if is_symbol_font(name) and self._state.destination not in ("fonttbl", "stylesheet") else ""

    def _put(self, text: str, mark: bool = False) -> None:
        """Text that is seen; the mark of a note isn't raised."""
        state = self._state
        if state.skip or not text:
            return
        if state.hidden:
            self._hidden += state.noted and not self._in_hidden and bool(text.strip())
            self._in_hidden = state.noted
            return
        self._in_hidden = False
        if state.math is not None:
            add_text(state.math, text)
            return
        if state.field and state.destination not in FIELD:
            state.field.got_result()
        text = text.translate(_CONTROLS)
        raised = state.raised(state.flow.size)
        if not raised:
            state.flow.size = state.size
        state.flow.pieces.append(text if mark else lifted(text, raised))

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._starred = True
        elif sign in "\\{}":
            self._characters(sign)
        elif sign in "~_":
            self._flush()
            self._put("\u00a0" if sign == "~" else "\u2011")
        elif sign in "\r\n":
            self._word("par", None)

    # Words

    def _word(self, word: str, number: int | None) -> None:
        if word == "u" and number is not None:
            self._flush()
            font = self._symbol_font()
            self._put(symbol(font, number & 0xFFFF) if font else chr(number & 0xFFFF))
            self._skipping = self._state.fallback
            return
        self._flush()
        starred, self._starred = self._starred, False
        if word == "ud" and self._stack:
            self._state = replace(self._state, skip=self._stack[-1].skip)
        elif word in FIELD:
            self._state = replace(self._state, flow=Flow(word), destination=word)
        elif (starred and word not in STARRED and word not in SIDE) or word in SKIPPED:
            self._pictures += word == "pict" and not self._state.skip
            self._state = replace(self._state, skip=True)
        elif word in SIDE or word in ("fonttbl", "stylesheet"):
            self._state = replace(self._state, flow=Flow(word), destination=word, shape=Shape(), rise=0, field=None)
            if word == "footnote":
                self._note_mark, self._chftn = self._chftn, ""
        elif not self._state.skip or word == "uc":
            self._apply(word, number)

    def _apply(self, word: str, number: int | None) -> None:
        state, flow = self._state, self._state.flow
        if word in SIGNS:
            self._put(SIGNS[word])
        elif word in ("par", "sect", "page"):
            flow.paragraph(state.shape, state.shape.in_table and word == "par")
        elif word in ("cell", "nestcell"):
            flow.cell() if word == "cell" else flow.pieces.append(" ")
        elif word == "row":
            flow.row()
        elif word == "trowd":
            flow.ends, flow.left = [], 0
        elif word == "trleft":
            flow.left = number or 0
        elif word == "cellx":
            flow.ends = [*flow.ends, number or 0]
        elif word in ("listtext", "pntext"):
            flow.listed = True
        elif word == "chftn":
            self._put(self._mark(state.destination == "footnote"), mark=True)
        elif word == "upr":
            self._state = replace(state, in_upr=True)
        elif word == "field":
            self._state = replace(state, field=Field(state.field))
        elif state.field and word in ("fftype", "ffres", "ffdefres"):
            state.field.take(word, number or 0)
        elif word == "moMath":
            self._state = replace(state, math=begin_formula())
        elif state.math is not None and word[0] == "m" and 0 < len(self._stack) < _DEEPEST and self._stack[-1].math is state.math:
            self._state = replace(state, math=within(state.math, word))
        else:
            self._property(word, number)

    def _mark(self, within_note: bool) -> str:
        """The mark of the note that follows, or of the one that this is in."""
        if not within_note or not self._note_mark:
            self._notes += 1
            mark = f"[{self._notes}]"
            if within_note:
                self._note_mark = mark
            else:
                self._chftn = mark
            return mark
        return self._note_mark

    def _property(self, word: str, number: int | None) -> None:
        destination = self._state.destination
        match word:
            case "f" if destination == "fonttbl":
                self._style = number or 0
            case "fcharset" if number in CHARSETS:
                self._fonts[self._style] = CHARSETS[number]
            case "cpg" if number:
                self._fonts[self._style] = page(number)
            case "ansicpg" if number:
                self._page = page(number)
            case "mac":
                self._page = "mac_roman"
            case "pc" | "pca":
                self._page = "cp437" if word == "pc" else "cp850"
            case "deff":
                self._default_font = number if number is not None else -1
            case "s" if destination == "stylesheet":
                self._style = number or 0
            case "s":
                self._state = self._state.shaped(level=self._styles.get(number or 0))
            case _:
                self._state = self._state.changed(word, number)

    # Groups

    def _close(self) -> None:
        if not self._stack:
            return
        ended, self._state = self._state, self._stack.pop()
        self._skipping = 0
        self._starred = False
        if ended.destination in ("fonttbl", "stylesheet"):
            self._name("".join(ended.flow.pieces), ended.destination)
            ended.flow.pieces.clear()
        elif ended.flow is not self._state.flow and not ended.skip:
            self._side(ended.flow)
        if ended.math is not None and self._state.math is None:
            self._put(omml.linear(ended.math))
        if ended.field and ended.field is not self._state.field and ended.flow is self._state.flow:
            self._put(ended.field.shown())

    def _name(self, name: str, destination: str) -> None:
        """A font's or style's name, at the end of the group that tells of it."""
        name = name.strip().rstrip(";").strip()
        if destination == "fonttbl" and name:
            self._font_names[self._style] = name.partition(";")[0]
        elif match := re.match(r"heading ([1-9])$", name, re.IGNORECASE):
            self._styles[self._style] = int(match[1])
        elif name.lower() == "title":
            self._styles[self._style] = 1

    def _side(self, flow: Flow) -> None:
        text = flow.text().strip()
        into = self._state.flow
        if flow.kind == "atnauthor":
            self._author = text
        elif flow.kind == "annotation":
            into.after.append(Block("text", f"[Comment by {self._author or 'a reader'}: {text}]"))
        elif flow.kind == "footnote":
            mark, self._note_mark = self._note_mark, ""
            into.after.append(Block("text", f"{mark} {text.removeprefix(mark).strip()}"))
        elif flow.kind in FIELD:
            if self._state.field:
                self._state.field.describe(flow.kind, text)
        else:
            around = self._around[flow.kind[:6]]
            around += [block for block in flow.blocks if block not in around and not block.text.isdecimal()]
