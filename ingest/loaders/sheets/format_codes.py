"""The codes of spreadsheets' number formats: their sections cut into tokens, and those that a file names by number only."""

import re
from functools import lru_cache

_ACCOUNT, _MONEY = '_(* #,##0{0}_);_(* (#,##0{0});_(* "-"{1}_);_(@_)', '_("$"* #,##0{0}_);_("$"* (#,##0{0});_("$"* "-"{1}_);_(@_)'
_DAY, _TIME = "[<1]h:mm:ss;yyyy-mm-dd", "[<1]h:mm:ss;yyyy-mm-dd h:mm:ss"
BUILT_IN = {
    **{1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??"},
    **dict.fromkeys((5, 6), '"$"#,##0_);("$"#,##0)'),
    **dict.fromkeys((7, 8), '"$"#,##0.00_);("$"#,##0.00)'),
    **{14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss"},
    **dict.fromkeys((27, 28, 29, 30, 31, 34, 35, 36, *range(50, 59)), _DAY),
    **{22: "yyyy-mm-dd h:mm", 32: _TIME, 33: _TIME},
    **dict.fromkeys((37, 38), "#,##0_);(#,##0)"),
    **dict.fromkeys((39, 40), "#,##0.00_);(#,##0.00)"),
    **{41: _ACCOUNT.format("", ""), 42: _MONEY.format("", ""), 43: _ACCOUNT.format(".00", "??"), 44: _MONEY.format(".00", "??")},
    **{45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@"},
    **{59: "0", 60: "0.00", 61: "#,##0", 62: "#,##0.00", 67: "0%", 68: "0.00%", 69: "# ?/?", 70: "# ??/??", 71: _DAY, 72: _DAY},
    **{73: "d-mmm-yy", 74: "d-mmm", 75: "mmm-yy", 76: "h:mm", 77: "h:mm:ss", 78: "yyyy-mm-dd h:mm"},
    **{79: "mm:ss", 80: "[h]:mm:ss", 81: "mm:ss.0"},
}
"""Money is in dollars, as the standard has it. Dates that follow their reader's own country (14, 22, and those of East Asia and
Thailand from 27 on, which mean other dates in each of its countries) we write year first."""

Token = tuple[str, str]
"""What a piece of a format is, and its characters.

Kinds: literal, blank (the width of a character), digit, point, comma, percent, slash, exponent, general, text (@), date, elapsed,
half (of a day), condition, locale.
"""

_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)" | \\(?P<escaped>.) | (?P<blank>_.) | (?P<fill>\*.) | \[(?P<bracket>[^\]]*)\]
    | (?P<general>General|Standard) | (?P<half>AM/PM|A/P|上午/下午|午前/午後|오전/오후) | (?P<exponent>E[+-])
    | B[12](?=[ymdhs]) | (?P<date>y+|m+|d+|h+|s+|g+|e+|b+|a{3,4}) | (?P<digit>[0#?]) | (?P<mark>[.,%/@;]) | (?P<other>.)
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_MARKS = {".": "point", ",": "comma", "%": "percent", "/": "slash", "@": "text"}
_CURRENCY = re.compile(r"\$([^-]*)(?:-(.*))?", re.DOTALL)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CONDITION = re.compile(r"(?:<=|>=|<>|=|<|>)-?\d*\.?\d+(?:E[+-]?\d+)?", re.IGNORECASE)


@lru_cache(maxsize=1024)
def sections(code: str) -> list[list[Token]]:
    """A format's sections, each as its tokens; colours are left out, and letters that mean no date here are literals."""
    found: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match[match.lastgroup or 0]
        if text == ";" and kind == "mark":
            found.append([])
        elif kind == "bracket":
            found[-1] += _bracket(text)
        elif kind == "fill":
            beside = found[-1][-1:]
            found[-1].append(("literal", " " if beside and beside[0][1][-1:].isalnum() and beside[0][0] == "literal" else ""))
        elif kind:
            found[-1].append((_MARKS[text] if kind == "mark" else "literal" if kind in ("quoted", "escaped", "other") else kind, text))
    return [section if _is_date(section) else [_undated(token) for token in section] for section in found]


def _bracket(text: str) -> list[Token]:
    if currency := _CURRENCY.match(text):
        return [("literal", currency[1])] * bool(currency[1]) + [("locale", currency[2])] * bool(currency[2])
    if _ELAPSED.fullmatch(text):
        return [("elapsed", text.lower())]
    condition = text.replace(" ", "")
    return [("condition", condition)] if _CONDITION.fullmatch(condition) else []


def _is_date(section: list[Token]) -> bool:
    """Whether its letters mean parts of a date; digits are then fractions of a second only."""
    kinds = [kind for kind, _ in section]
    if not any(kind == "elapsed" or (kind == "date" and text[0] in "aymdhsgAYMDHSG") for kind, text in section):
        return False
    return "digit" not in kinds or "point" in kinds[: kinds.index("digit")]


def _undated(token: Token) -> Token:
    return ("literal", token[1]) if token[0] in ("date", "elapsed", "half") else token
