"""Fields of Word and RTF that show something without a result of their own: formulas (EQ), symbols, buttons."""

import re
from collections.abc import Callable

from ingest.loaders.linear import fraction, lowered, raised, root
from ingest.loaders.office import formula
from ingest.loaders.office.symbols import symbol

_SYMBOL = re.compile(r'SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,6}|\S)(?:.*?\\f\s+(?:"([^"]+)"|(\S+)))?', re.IGNORECASE | re.DOTALL)
_BUTTON = re.compile(r"(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s+(.+)", re.IGNORECASE | re.DOTALL)
_EQ = re.compile(r"EQ\s+(.+)", re.IGNORECASE | re.DOTALL)
_SWITCH = re.compile(r"\\([abdfilorsx])(?![a-z])", re.IGNORECASE)
_OPTION = re.compile(
    r"\s*\\(?:(up|do|ai|di|fo|ba|co|vs|hs)\s?-?\d*|(lc|rc|bc|fc|vc)\\?(.)|(al|ac|ar|su|pr|in|to|bo|le|ri|li))",
    re.IGNORECASE,
)
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def shown(code: str) -> str:
    """What a reader sees of a field that has no result; mostly nothing."""
    code = code.strip()
    if match := _EQ.fullmatch(code):
        try:
            return formula.row(_Equation(match[1]).parts())
        except RecursionError:  # nobody writes a formula so deep
            return match[1]
    if match := _SYMBOL.match(code):
        sign, font = match[1], match[2] or match[3] or "Symbol"
        return symbol(font, _number(sign))
    match = _BUTTON.fullmatch(code)
    return match[1].strip() if match else ""


def _number(sign: str) -> int:
    """A symbol's code, in any of the ways in which Word takes it."""
    if sign[:2].lower() == "0x":
        return int(sign, 16)
    return int(sign) if sign.isdecimal() else ord(sign)


class _Equation:
    """Word's formulas from before Office Math: `\\f(7,8)` is a fraction, `\\r(3,8)` a root, `x\\s\\up8(2)` a power."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._place = 0

    def parts(self, ends: str = "") -> list[str]:
        """What stands up to one of the signs that end it."""
        found: list[str] = []
        while self._place < len(self._code) and self._code[self._place] not in ends:
            if match := _SWITCH.match(self._code, self._place):
                self._place = match.end()
                found.append(self._switch(match[1].lower(), "".join(found)))
                continue
            escaped = self._code[self._place] == "\\" and self._place + 1 < len(self._code)
            start = self._place + escaped
            stop = start + 1
            while not escaped and stop < len(self._code) and self._code[stop] not in f"{ends}\\":
                stop += 1
            found += formula.tokens(self._code[start:stop])
            self._place = stop
        return found

    def _switch(self, kind: str, before: str) -> str:
        options: dict[str, str] = {}
        while match := _OPTION.match(self._code, self._place):
            options[(match[1] or match[2] or match[4]).lower()] = match[3] or ""
            self._place = match.end()
        inside = self._arguments()
        first, last = inside[0], inside[-1]
        if kind == "b":
            opening = options.get("bc") or options.get("lc") or ("" if "rc" in options else "(")
            return f"{opening}{first}{options.get('rc') or (_CLOSING.get(opening, opening) if 'lc' not in options else '')}"
        if kind == "s":
            return lowered(first, before) if "do" in options else raised(first)
        if kind == "i":
            sign = "∑" if "su" in options else "∏" if "pr" in options else options.get("fc") or options.get("vc") or "∫"
            return formula.limits(sign, first, inside[1] if len(inside) > 2 else "", last if len(inside) > 1 else "")
        return _KINDS[kind](inside)

    def _arguments(self) -> list[str]:
        while self._code[self._place : self._place + 1].isspace():
            self._place += 1
        if self._code[self._place : self._place + 1] != "(":
            return [""]
        found = []
        while self._place < len(self._code) and self._code[self._place] in "(,;":
            self._place += 1
            found.append(formula.row(self.parts(",;)")))
        self._place += 1
        return found


_KINDS: dict[str, Callable[[list[str]], str]] = {
    "f": lambda inside: fraction(inside[0], inside[-1]),
    "r": lambda inside: root(inside[-1], inside[0] if len(inside) > 1 else ""),
    "a": lambda inside: formula.table([inside]),
    "o": "".join,
    "l": ", ".join,
    "d": lambda inside: " ",
    "x": lambda inside: inside[0],
}
