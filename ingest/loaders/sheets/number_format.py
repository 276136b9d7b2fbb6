"""Numbers as a spreadsheet shows them: 0.25 under the format 0% is "25%", 45000 under yyyy-mm-dd is "2023-03-15".

A number is the decimal of 15 digits that people typed, not the binary fraction that stands for it: 1.005 is rounded up to 1.01.
Separators are English, whatever country a file is from: the file doesn't say, its reader's machine does.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from ingest.loaders.sheets.date_format import render_date
from ingest.loaders.sheets.format_codes import Token, sections

ROUNDING = Context(prec=700, rounding=ROUND_HALF_UP)
_CONDITION = re.compile(r"(<=|>=|<>|=|<|>)(-?[\d.]+(?:E[+-]?\d+)?)$", re.IGNORECASE)
_DIGIT = re.compile("[1-9]")
_AS_IT_IS: list[Token] = [("general", "General")]
_WIDEST = 11
"""Characters that a number without a format has, its sign apart."""
_MOST_INTEGER = Decimal(10**15)
"""Integers below it keep all their digits, though Excel writes 4.00638E+12 for a bar code from 12 digits on; LibreOffice doesn't."""


def general(value: float) -> str:
    """A number without a format: up to 11 characters, none of the digits that only binary fractions have."""
    number = decimal(value)
    if not number.is_finite():
        return str(value)
    if number == number.to_integral_value() and abs(number) < _MOST_INTEGER:
        return f"{number:f}".partition(".")[0] if number else "0"
    if Decimal("1E-10") < abs(number) < _MOST_INTEGER:
        whole = len(f"{abs(int(number))}")
        plain = _trimmed(f"{_rounded(number, max(0, _WIDEST - 1 - whole)):f}")
        if abs(number) >= Decimal("1E-4") or Decimal(plain) == number:
            return plain if Decimal(plain) else "0"
    mantissa, _, power = f"{value:.5E}".partition("E")
    return f"{_trimmed(mantissa)}E{power}"


def decimal(value: float) -> Decimal:
    """The decimal number of 15 digits that a binary one stands for."""
    return Decimal(f"{value:.15g}")


@lru_cache(maxsize=1 << 14)
def render(value: float, code: str, epoch_1904: bool = False) -> str:
    """A number under a format; under one that makes no sense, as it is; nothing where the format hides it."""
    try:
        parts = sections(code)
        tokens, sign = _choose(parts, value)
        kinds = {kind for kind, _ in tokens}
        if not kinds - {"condition", "locale"}:
            return "" if len(parts) > 1 else general(value)
        if kinds & {"date", "elapsed"}:
            shown = render_date(tokens, decimal(value), epoch_1904)
            return general(value) if shown is None else shown
        shown = _number(tokens, abs(decimal(value)))
        if "digit" in kinds:
            sign *= bool(_DIGIT.search(shown.partition("/")[0]))  # no zero is negative
        return _tidy(sign + shown) if shown else ""
    except (ValueError, OverflowError, IndexError, ZeroDivisionError, InvalidOperation):
        return general(value)


@lru_cache(maxsize=1 << 12)
def render_text(text: str, code: str) -> str:
    """A text under a format: `@ "kg"` adds to it, an empty fourth section hides it."""
    parts = sections(code)
    tokens = parts[3] if len(parts) > 3 else parts[-1]
    if len(parts) < 4 and ("text", "@") not in tokens:
        return text
    return _tidy("".join(text if kind == "text" else _beside(kind, part) for kind, part in tokens))


def _choose(parts: list[list[Token]], value: float) -> tuple[list[Token], str]:
    """The section for a number (positive; negative; zero; text), and the sign that it doesn't write itself."""
    if len(parts) == 1 and ("text", "@") in parts[0]:
        return _AS_IT_IS, "-" if value < 0 else ""
    conditions = [next((text for kind, text in section if kind == "condition"), "") for section in parts]
    if len(parts) in (2, 3) and ("text", "@") in parts[-1]:
        parts, conditions = parts[:-1], conditions[:-1]
    if not any(conditions):
        if len(parts) > 1 and value < 0:
            return parts[1], ""
        return (parts[2] if len(parts) > 2 and value == 0 else parts[0]), "-" if value < 0 else ""
    for index, (section, condition) in enumerate(zip(parts[:3], conditions[:3], strict=True)):
        condition = condition or (">0", "<0", "")[index] * (len(parts) > 2)
        if not condition or _holds(value, condition):
            return section, "-" if value < 0 and not _writes_sign(section, condition, conditions[:index]) else ""
    return _AS_IT_IS, "-" if value < 0 else ""


def _holds(value: float, condition: str) -> bool:
    match = _CONDITION.match(condition)
    assert match
    limit = float(match[2])
    signs = {"<": value < limit, ">": value > limit, "=": value == limit, "<>": value != limit, "<=": value <= limit, ">=": value >= limit}
    return signs[match[1]]


def _writes_sign(section: list[Token], condition: str, before: list[str]) -> bool:
    """Whether a section writes the sign of negative numbers itself: it holds no others, or has a sign for them, or words alone."""
    if condition in ("<0", "<=0") or (not condition and before in ([">0"], [">=0"])):
        return True
    signed = condition.startswith("<") and any(kind == "literal" and text[:1] in "-(" for kind, text in section if text)
    return signed or not {kind for kind, _ in section} & {"digit", "general"}


def _number(tokens: list[Token], number: Decimal) -> str:
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digit"]
    if not digits:
        return "".join(general(float(number)) if kind in ("general", "text") else _beside(kind, text) for kind, text in tokens)
    exponent = next((index for index, (kind, _) in enumerate(tokens) if kind == "exponent"), None)
    if exponent is not None:
        return _scientific(tokens, exponent, number)
    slash = next((index for index, (kind, _) in enumerate(tokens) if kind == "slash" and digits[0] < index), None)
    if slash is not None:
        return _fraction(tokens, digits, slash, number)
    percents = sum(kind == "percent" for kind, _ in tokens)
    return "".join(_places(tokens, number.scaleb(2 * percents, ROUNDING)))


def _places(tokens: list[Token], number: Decimal) -> list[str]:
    """What stands for each token, the digits of a number in their places."""
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digit"]
    point = next((index for index, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    whole = [index for index in digits if index < point]
    after = [index for index in digits if index > point]
    for last in {part[-1] for part in (whole, after) if part}:  # a comma after the last digit means thousands, two mean millions
        while last + 1 < len(tokens) and tokens[last + 1][0] == "comma":
            number, last = number.scaleb(-3, ROUNDING), last + 1
    left, _, right = f"{_rounded(number, len(after)):f}".partition(".")
    grouped = bool(whole) and any(tokens[index][0] == "comma" for index in range(whole[0], whole[-1]))
    pieces = ["" if kind == "comma" else _beside(kind, text) for kind, text in tokens]
    _fill(pieces, tokens, whole, left.lstrip("0"), grouped)
    kept = max([len(right.rstrip("0")), *(place + 1 for place, index in enumerate(after) if tokens[index][1] == "0")])
    for place, index in enumerate(after):
        pieces[index] = right[place] if place < kept else _blank(tokens[index])
    if after and not any(pieces[index] for index in after):
        pieces[point] = ""
    if not whole and left.strip("0"):
        pieces[point] = left + pieces[point]
    return pieces


def _fill(pieces: list[str], tokens: list[Token], places: list[int], digits: str, grouped: bool = False) -> None:
    """Puts digits into their places from the right; those left over go to the leftmost place, and blanks become zeros or nothing."""
    written = 0
    for index in reversed(places):
        last = index == places[0]
        here, digits = (digits, "") if last else (digits[-1:], digits[:-1])
        pieces[index] = ""
        for digit in reversed(here or _blank(tokens[index])):
            comma = "," if grouped and written and written % 3 == 0 and digit.isdecimal() else ""
            pieces[index] = digit + comma + pieces[index]
            written += 1


def _scientific(tokens: list[Token], exponent: int, number: Decimal) -> str:
    """Powers of ten, or of a thousand where three digits stand before the point."""
    before = tokens[:exponent]
    point = next((index for index, (kind, _) in enumerate(before) if kind == "point"), exponent)
    whole = sum(kind == "digit" for kind, _ in before[:point])
    after = sum(kind == "digit" for kind, _ in before[point:])
    span = max(1, whole)
    power = (number.adjusted() + (not whole)) // span * span if number else 0
    if _rounded(number.scaleb(-power, ROUNDING), after) >= 10**whole:
        power += span
    sign = "-" if power < 0 else "+" if tokens[exponent][1][1] == "+" else ""
    pieces = ["" if kind == "digit" else _beside(kind, text) for kind, text in tokens]
    pieces[:exponent] = _places(before, number.scaleb(-power, ROUNDING))
    pieces[exponent] = f"E{sign}"
    _fill(pieces, tokens, [index for index in range(exponent, len(tokens)) if tokens[index][0] == "digit"], str(abs(power)).lstrip("0"))
    return "".join(pieces)


def _fraction(tokens: list[Token], digits: list[int], slash: int, number: Decimal) -> str:
    """A fraction, behind a whole number where the format has a place for one, of the nearest denominator or a given one."""
    end = slash + 1
    while end < len(tokens) and (tokens[end][0] == "digit" or tokens[end][1].isdecimal() or tokens[end] == ("literal", " ")):
        end += 1
    below = "".join(text for _, text in tokens[slash + 1 : end]).strip()
    start = slash
    while start and tokens[start - 1][0] == "digit":
        start -= 1
    before = [index for index in digits if index < start]
    whole, rest = divmod(Fraction(number), 1) if before else (0, Fraction(number))
    if re.search("[1-9]", below):
        denominator = int(re.sub("[#?]", "0", below))
        upper = int(rest * denominator + Fraction(1, 2))
    else:
        nearest = rest.limit_denominator(10 ** min(len(below), 7) - 1)
        upper, denominator = nearest.numerator, nearest.denominator
    if before and upper == denominator:
        whole, upper = whole + 1, 0
    pieces = [_beside(kind, text) for kind, text in tokens]
    shown = f"{upper}/{denominator}" if upper or not before or "0" in (text for _, text in tokens[start:slash]) else ""
    _fill(pieces, tokens, before, str(whole) if whole or not shown else "")
    return "".join([*pieces[:start], " " * bool(before), shown, *pieces[end:]])


def _beside(kind: str, text: str) -> str:
    """What a token that isn't a digit shows."""
    return "" if kind in ("condition", "locale", "digit", "general", "text") else " " if kind == "blank" else text


def _blank(place: Token) -> str:
    return {"0": "0", "?": " "}.get(place[1], "")


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), context=ROUNDING)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _tidy(text: str) -> str:
    return " ".join(text.split())
