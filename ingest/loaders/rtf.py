"""Rich Text Format: text in the code page of each font, tables, lists, notes, headers; no deleted or hidden text.

Written here since striprtf decodes by one code page, drops notes and headers, and shows deleted text.
"""

import codecs
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.loaders.parsed import Block, Builder, LoadError, Parsed, counted
from ingest.loaders.rtf_flow import Flow
from ingest.loaders.symbols import is_symbol_font, symbol

_TOKEN = re.compile(r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)", re.DOTALL)
_SKIPPED = set(
    """
    colortbl info pict objdata fldinst nonshppict listtable listoverridetable rsidtbl generator xe tc sn sv bkmkstart bkmkend
    pntxta pntxtb filetbl revtbl themedata datastore latentstyles datafield atnid atnref atndate atrfstart atrfend ftnsep ftnsepc
    aftnsep aftnsepc mmathPr xmlnstbl txe rxe background private panose falt fontemb do objclass objname formfield template
    passwordhash mhtmltag
    """.split()
)
_STARRED = {"shpinst", "annotation", "atnauthor", "footnote", "ud", "shppict"}
"""Destinations that a reader who doesn't know them should skip, and that hold text or pictures all the same."""
_SIDE = set("footnote annotation atnauthor header headerl headerr headerf footer footerl footerr footerf".split())
_SIGNS = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
}
_SIGNS |= {"rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " "}
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
}
_CHARSETS |= {177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp850"}
_PAGES = {0: "cp1252", 10000: "mac_roman", 65001: "utf-8", 936: "gbk", 949: "cp949", 1361: "johab"}


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


@dataclass(frozen=True)
class _State:
    """What a group inherits and gives back at its end."""

    flow: Flow
    skip: bool = False
    destination: str = ""
    font: int = -1
    fallback: int = 1
    hidden: bool = False
    level: int | None = None
    in_table: bool = False


class _Reader:
    def __init__(self) -> None:
        self._body = Flow()
        self._state = _State(self._body)
        self._stack: list[_State] = []
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
        self._author = ""
        self._around: dict[str, list[Block]] = {"header": [], "footer": []}

    def parsed(self) -> Parsed:
        self._flush()
        while self._stack:  # a file that was cut short
            self._close()
        self._body.paragraph(self._state.level, False)
        builder = Builder()
        for block in [*self._around["header"], *self._body.blocks, *self._around["footer"]]:
            builder.add(block)
        builder.note(counted(self._pictures, "picture", "not read"))
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
            font = self._state.font if self._state.font >= 0 else self._default_font
            name = self._font_names.get(font, "")
            if is_symbol_font(name) and self._state.destination not in ("fonttbl", "stylesheet"):
                text = "".join(symbol(name, code) for code in self._bytes)
            else:
                text = self._bytes.decode(self._fonts.get(font, self._page), errors="replace")
            self._bytes.clear()
            self._put(text)

    def _put(self, text: str) -> None:
        if not self._state.skip and not self._state.hidden:
            self._state.flow.pieces.append(text)

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
            self._put(chr(number & 0xFFFF))
            self._skipping = self._state.fallback
            return
        self._flush()
        starred, self._starred = self._starred, False
        if (starred and word not in _STARRED and word not in _SIDE) or word in _SKIPPED:
            self._pictures += word == "pict" and not self._state.skip
            self._state = replace(self._state, skip=True)
        elif word in _SIDE or word in ("fonttbl", "stylesheet"):
            self._state = replace(self._state, flow=Flow(word), destination=word, level=None, in_table=False)
            if word == "footnote" and not self._state.skip:
                self._notes += 1
        elif not self._state.skip or word == "uc":
            self._apply(word, number)

    def _apply(self, word: str, number: int | None) -> None:
        state, flow = self._state, self._state.flow
        if word in _SIGNS:
            self._put(_SIGNS[word])
        elif word in ("par", "sect", "page"):
            flow.paragraph(state.level, state.in_table and word == "par")
        elif word in ("cell", "nestcell"):
            flow.cell() if word == "cell" else flow.pieces.append(" ")
        elif word == "row":
            flow.row()
        elif word in ("listtext", "pntext"):
            flow.listed = True
        elif word == "chftn":
            self._put(f"[{self._notes + (flow is self._body)}]")
        else:
            self._property(word, number)

    def _property(self, word: str, number: int | None) -> None:
        on = number is None or number != 0
        match word:
            case "f" if self._state.destination == "fonttbl":
                self._style = number or 0
            case "f":
                self._state = replace(self._state, font=number if number is not None else -1)
            case "fcharset" if number in _CHARSETS:
                self._fonts[self._style] = _CHARSETS[number]
            case "cpg" if number:
                self._fonts[self._style] = _page(number)
            case "ansicpg" if number:
                self._page = _page(number)
            case "mac":
                self._page = "mac_roman"
            case "pc" | "pca":
                self._page = "cp437" if word == "pc" else "cp850"
            case "deff":
                self._default_font = number if number is not None else -1
            case "uc":
                self._state = replace(self._state, fallback=max(0, number or 0))
            case "plain":
                self._state = replace(self._state, font=-1, hidden=False)
            case "v" | "deleted" | "htmlrtf":
                self._state = replace(self._state, hidden=on)
            case "pard":
                self._state = replace(self._state, level=None, in_table=False)
            case "intbl":
                self._state = replace(self._state, in_table=on)
            case "s" if self._state.destination == "stylesheet":
                self._style = number or 0
            case "s":
                self._state = replace(self._state, level=self._styles.get(number or 0))
            case "outlinelevel" if number is not None:
                self._state = replace(self._state, level=number + 1 if 0 <= number < 9 else None)

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
            mark = f"[{self._notes}]"
            into.after.append(Block("text", f"{mark} {text.removeprefix(mark).strip()}"))
        else:
            around = self._around[flow.kind[:6]]
            around += [block for block in flow.blocks if block not in around and not block.text.isdecimal()]


def _page(number: int) -> str:
    name = _PAGES.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
