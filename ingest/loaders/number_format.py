"""Numbers as a spreadsheet shows them: 0.25 under the format 0% is "25%", 45000 under yyyy-mm-dd is "2023-03-15"."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

BUILT_IN = {
    **{1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??"},
    **{14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss"},
    **{22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)"},
    **{45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@"},
}
"""Formats that a file names by number only. Dates under 14 and 22 follow the reader's own country: we write them year first."""

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|(General)|(AM/PM|A/P|am/pm|a/p)|(E[+-])|([yYmMdDhHsS]+)|([0#?])|(.)', re.DOTALL)
_LOCALE = re.compile(r"\$([^-]*)")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CONDITION = re.compile(r"(<=|>=|<>|=|<|>)(-?[\d.]+)$")
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_Token = tuple[str, str]
"""What a piece of a format is (literal, date, elapsed, digit, half, exponent, condition, general), and its characters."""


def general(value: float) -> str:
    """A number without a format: no digits that only binary fractions have."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.11g}"


@lru_cache(maxsize=1 << 14)
def render(value: float, code: str, epoch_1904: bool = False) -> str:
    """A number under a format; under one that makes no sense, as it is."""
    try:
        sections = _sections(code)
        tokens, value = _choose(sections, value)
        kinds = {kind for kind, _ in tokens}
        if kinds & {"date", "elapsed"}:
            return _date(tokens, value, epoch_1904)
        if "general" in kinds or ("digit" not in kinds and ("literal", "@") in tokens) or not kinds & {"digit", "literal"}:
            around = "".join(general(value) if kind == "general" else text if kind == "literal" else "" for kind, text in tokens)
            return (around if "general" in kinds else general(value)).strip()
        return _number(tokens, value).strip()
    except (ValueError, OverflowError, IndexError, ZeroDivisionError):
        return general(value) if abs(value) < 1e300 else str(value)


@lru_cache(maxsize=1024)
def _sections(code: str) -> list[list[_Token]]:
    sections: list[list[_Token]] = [[]]
    for match in _TOKEN.finditer(code):
        quoted, escaped, bracket, plain, half, exponent, date, digit, other = match.groups()
        if other == ";":
            sections.append([])
        elif quoted is not None or escaped is not None:
            sections[-1].append(("literal", quoted if quoted is not None else escaped))
        elif bracket is not None:
            sections[-1] += _bracket(bracket)
        else:
            named = {"general": plain, "half": half, "exponent": exponent, "date": date and date.lower(), "digit": digit, "literal": other}
            sections[-1] += [(kind, text) for kind, text in named.items() if text]
    return sections


def _bracket(text: str) -> list[_Token]:
    if currency := _LOCALE.match(text):
        return [("literal", currency[1])]
    if _ELAPSED.fullmatch(text):
        return [("elapsed", text.lower())]
    return [("condition", text)] if _CONDITION.match(text) else []


def _choose(sections: list[list[_Token]], value: float) -> tuple[list[_Token], float]:
    """The section for a number (positive; negative; zero; text), and the number as that section shows it."""
    conditions = [next((text for kind, text in section if kind == "condition"), "") for section in sections]
    if any(conditions):
        for section, condition in zip(sections, conditions, strict=True):
            if not condition or _holds(value, condition):
                return section, value
        return sections[-1], value
    if len(sections) > 1 and value < 0:
        return sections[1], -value
    if len(sections) > 2 and value == 0:
        return sections[2], value
    return sections[0], value


def _holds(value: float, condition: str) -> bool:
    match = _CONDITION.match(condition)
    assert match
    limit = float(match[2])
    return {"<": value < limit, ">": value > limit, "=": value == limit, "<>": value != limit}.get(match[1], False) or (
        match[1] in ("<=", ">=") and (value == limit or (value < limit) == (match[1] == "<="))
    )


# Numbers


def _number(tokens: list[_Token], value: float) -> str:
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digit"]
    if not digits:
        return ("-" if value < 0 else "") + "".join(text for kind, text in tokens if kind == "literal")
    exponent = next((index for index, (kind, _) in enumerate(tokens) if kind == "exponent"), None)
    if exponent is not None:
        return _scientific(tokens, digits, exponent, value)
    slash = next((index for index, token in enumerate(tokens) if token == ("literal", "/") and digits[0] < index < digits[-1]), None)
    if slash is not None:
        return _fraction(tokens, digits, slash, value)
    value *= 100 ** sum(token == ("literal", "%") for token in tokens)
    point = next((index for index, token in enumerate(tokens) if token == ("literal", ".") and index < digits[-1]), None)
    whole = [index for index in digits if point is None or index < point]
    after = [index for index in digits if point is not None and index > point]
    end = whole[-1] if whole else point or 0
    commas = [index for index, token in enumerate(tokens) if token == ("literal", ",") and digits[0] < index]
    for last in {end, digits[-1]}:  # a comma after the last digit means thousands, two mean millions
        while last + 1 in commas:
            value /= 1000
            last += 1
    text = f"{abs(value):.{len(after)}f}"
    left, _, right = text.partition(".")
    grouped = any(index < end for index in commas)
    pieces = ["" if index in commas else text if kind == "literal" else "" for index, (kind, text) in enumerate(tokens)]
    _fill_whole(pieces, tokens, whole, left, grouped)
    kept = len(right.rstrip("0"))
    for place, index in enumerate(after):
        pieces[index] = right[place] if place < kept or tokens[index][1] == "0" else ""
    if point is not None and not any(pieces[index] for index in after):
        pieces[point] = ""
    return ("-" if value < 0 and float(text) else "") + "".join(pieces)


def _fill_whole(pieces: list[str], tokens: list[_Token], places: list[int], digits: str, grouped: bool) -> None:
    """Puts digits into their places from the right; those left over go to the leftmost place, and blanks become zeros or nothing."""
    digits = digits.lstrip("0")
    needed = max((len(places) - order for order, index in enumerate(places) if tokens[index][1] == "0"), default=0)
    digits = digits.rjust(needed, "0")
    if grouped and places:
        pieces[places[0]] = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", digits)
        return
    for index in reversed(places):
        last = index == places[0]
        pieces[index] = digits if last else digits[-1:]
        digits = "" if last else digits[:-1]


def _scientific(tokens: list[_Token], digits: list[int], exponent: int, value: float) -> str:
    decimals = 0
    if ("literal", ".") in tokens[:exponent]:
        point = tokens.index(("literal", "."))
        decimals = sum(point < index < exponent for index in digits)
    mantissa, _, power = f"{value:.{decimals}E}".partition("E")
    width = sum(index > exponent for index in digits)
    sign = "-" if int(power) < 0 else "+" if tokens[exponent][1] == "E+" else ""
    return f"{mantissa}E{sign}{abs(int(power)):0{width}}"


def _fraction(tokens: list[_Token], digits: list[int], slash: int, value: float) -> str:
    below = "".join(text for _, text in tokens[slash + 1 :]).strip()
    number = abs(value)
    numerator_places = [index for index in digits if index < slash]
    has_whole = any(tokens[index] == ("literal", " ") for index in range(numerator_places[0], numerator_places[-1]))
    whole = int(number) if has_whole else 0
    if below.isdecimal() and int(below):
        denominator = int(below)
    else:
        most = 10 ** min(len(below), 4) - 1
        denominator = min(range(1, most + 1), key=lambda lower: (abs(round((number - whole) * lower) / lower - (number - whole)), lower))
    upper = round((number - whole) * denominator)
    if has_whole and upper == denominator:
        whole, upper = whole + 1, 0
    shown = f"{upper}/{denominator}" if upper or not has_whole else ""
    text = " ".join(filter(None, [str(whole) if has_whole and (whole or not shown) else "", shown]))
    return f"-{text}" if value < 0 else text


# Dates


def _date(tokens: list[_Token], value: float, epoch_1904: bool) -> str:
    if not 0 <= value < 2958466 and not any(kind == "elapsed" for kind, _ in tokens):
        return general(value)
    fraction = next((sum(kind == "digit" for kind, _ in tokens[i:]) for i, token in enumerate(tokens) if token == ("literal", ".")), 0)
    seconds = round(value * 86400, fraction)
    days, rest = divmod(seconds, 86400)
    if not epoch_1904 and days < 60:
        days += 1  # Excel believes that 1900 was a leap year
    moment = datetime(1904 if epoch_1904 else 1899, 1 if epoch_1904 else 12, 1 if epoch_1904 else 30) + timedelta(days=days, seconds=rest)
    half = any(kind == "half" for kind, _ in tokens)
    kinds = [(kind, text) for kind, text in tokens if kind in ("date", "elapsed")]
    out = []
    seen = 0
    for kind, text in tokens:
        if kind == "literal" and text != "@":
            out.append(text)
        elif kind == "half":
            out.append("AM" if moment.hour < 12 else "PM")
        elif kind == "digit":
            out.append(f"{rest % 1:.{fraction}f}"[2:] if out and out[-1] == "." else "")
        elif kind == "elapsed":
            whole = seconds // {"h": 3600, "m": 60, "s": 1}[text[0]]
            out.append(f"{int(whole):0{len(text)}}")
            seen += 1
        elif kind == "date":
            before = kinds[seen - 1][1][0] if seen else ""
            after = kinds[seen + 1][1][0] if seen + 1 < len(kinds) else ""
            out.append(_field(text, moment, half, before == "h" or after == "s"))
            seen += 1
    return "".join(out).strip()


def _field(text: str, moment: datetime, half: bool, minutes: bool) -> str:
    hour = (moment.hour % 12 or 12) if half else moment.hour
    match text[0]:
        case "y":
            return f"{moment.year:04}" if len(text) > 2 else f"{moment.year % 100:02}"
        case "m" if minutes and len(text) < 3:
            return f"{moment.minute:0{len(text)}}"
        case "m":
            name = _MONTHS[moment.month - 1]
            return (f"{moment.month:0{len(text)}}", name[:3], name, name[0])[max(0, min(len(text), 5) - 2)]
        case "d":
            name = _DAYS[moment.weekday()]
            return (f"{moment.day:0{len(text)}}", name[:3], name)[max(0, min(len(text), 4) - 2)]
        case "h":
            return f"{hour:0{len(text)}}"
        case _:
            return f"{moment.second:0{len(text)}}"
