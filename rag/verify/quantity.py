"""Numbers with their units, dates and times of day, as values that can be compared however they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_ONES = {word: n for n, word in enumerate(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen""".split()
)}  # fmt: skip
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12, "dozen": 12}
_ORDINALS = {word: n for n, word in enumerate(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 1
)}  # fmt: skip
ORDINAL = "th"
MONTHS = {name: n for n, names in enumerate(
    "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct|november nov|december dec".split("|"), 1
) for name in names.split()}  # fmt: skip
_UNITS = {
    name: (base, Fraction(factor))
    for base, factor, names in (
        ("m", "1", "m metre meter"), ("m", "1000", "km kilometre kilometer"), ("m", "0.01", "cm centimetre centimeter"),
        ("m", "0.001", "mm millimetre millimeter"), ("mile", "1", "mile mi"), ("nautical mile", "1", "nautical-mile nm"),
        ("foot", "1", "foot feet ft"), ("foot", "1/12", "inch"), ("foot", "3", "yard yd"), ("acre", "1", "acre"), ("m2", "10000", "hectare ha"),
        ("g", "1", "g gram gramme"), ("g", "1000", "kg kilo kilogram kilogramme"), ("g", "0.001", "mg milligram"),
        ("g", "1000000", "t tonne"), ("ton", "1", "ton"), ("lb", "1", "lb"), ("oz", "1", "ounce oz"),
        ("l", "1", "l litre liter"), ("l", "0.001", "ml millilitre milliliter"), ("l", "0.01", "cl centilitre"), ("pint", "1", "pint"),
        ("s", "1", "second sec s"), ("s", "60", "minute min"), ("s", "3600", "hour hr h"), ("s", "86400", "day"), ("s", "604800", "week"),
        ("s", "1209600", "fortnight"), ("s", "0.001", "millisecond ms"),
        ("month", "1", "month"), ("month", "3", "quarter"), ("month", "12", "year yr"), ("month", "120", "decade"), ("month", "1200", "century"),
        ("%", "1", "% percent"), ("pp", "1", "percentage-point"), ("‰", "1", "‰"),
        ("£", "1", "£ gbp pound"), ("£", "0.01", "p pence penny"), ("€", "1", "€ eur euro"), ("$", "1", "$ usd dollar"), ("cent", "1", "cent"),
        ("°c", "1", "°c degree-celsius degree-centigrade celsius"), ("°f", "1", "°f degree-fahrenheit fahrenheit"), ("°", "1", "° degree"),
        ("db", "1", "db decibel"), ("byte", "1", "byte b"), ("byte", "1000", "kb kilobyte"), ("byte", "1000000", "mb megabyte"),
        ("byte", "1000000000", "gb gigabyte"), ("byte", "1000000000000", "tb terabyte"), ("hz", "1", "hz hertz"),
        ("w", "1", "w watt"), ("w", "1000", "kw kilowatt"), ("v", "1", "v volt"), ("a", "1", "amp ampere"), ("bar", "1", "bar"),
        ("kwh", "1", "kwh"), ("mph", "1", "mph"),
    )
    for name in names.split()
}  # fmt: skip
"""Each to its base unit and how much of it; only what converts exactly."""
_SHORT = frozenset("m g t l s h p v w b a min sec mi nm".split())
"""Units only straight behind a figure."""
_RATES = {"yearly": "year", "annual": "year", "annually": "year", "monthly": "month", "weekly": "week", "daily": "day", "hourly": "hour",
          "quarterly": "quarter", "fortnightly": "fortnight"}  # fmt: skip
_CURRENCY = "£€$¥₹"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number; `times` are the minutes of day that it may mean."""

    value: Fraction
    unit: str = ""
    times: frozenset[int] = frozenset()

    def says(self, other: "Quantity") -> bool:
        if self.times and other.times and (self.times == other.times or self.unit == other.unit == "time"):
            return bool(self.times & other.times)
        return self.unit == other.unit and self.value == other.value


@dataclass(frozen=True, slots=True)
class Date:
    day: int | None
    month: int | None
    year: int | None

    def says(self, claim: "Date") -> bool:
        """Whether it says all that the claim says."""
        pairs = ((claim.day, self.day), (claim.month, self.month), (claim.year, self.year))
        return all(wanted is None or wanted == found for wanted, found in pairs)


def read_date(words: Sequence[str], raw: Sequence[str], at: int) -> tuple[Date, int] | None:
    """The date that begins at a word, and where it ends; None where none does."""
    if iso := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", words[at]):
        return Date(int(iso[3]), int(iso[2]), int(iso[1])), at + 1
    end, day, month = at, None, None
    if (number := _day(words, end)) is not None:
        day, end = number
        end += words[end : end + 1] == ["of"]
    if end < len(words) and words[end] in MONTHS and raw[end][0].isupper():
        month, end = MONTHS[words[end]], end + 1
    elif day is not None:
        return None
    if month is None:
        if re.fullmatch(r"1[0-9]\d\d|20\d\d", words[at]):
            return Date(None, None, int(words[at])), at + 1
        return None
    if day is None and (number := _day(words, end)) is not None:
        day, end = number
    if end + 1 < len(words) and day and words[end] == "," and re.fullmatch(r"\d{4}", words[end + 1]):
        end += 1
    if end < len(words) and re.fullmatch(r"\d{4}", words[end]):
        return Date(day, month, int(words[end])), end + 1
    if day is None and end < len(raw) and raw[end][0].isupper() and words[end] not in MONTHS:
        return None  # Market Street, March Lane
    if day is None and words[at] in ("may", "march", "mar", "sep", "dec", "jan"):  # a verb, or somebody's name
        return (
            (Date(None, month, None), end)
            if at and words[at - 1] in ("in", "since", "until", "by", "of", "from", "to", "during", "before", "after", "last", "and")
            else None
        )
    return Date(day, month, None), end


def _day(words: Sequence[str], at: int) -> tuple[int, int] | None:
    if at < len(words) and re.fullmatch(r"[0-3]?\d", words[at]) and 1 <= int(words[at]) <= 31:
        return int(words[at]), at + 1 + (words[at + 1 : at + 2] in (["st"], ["nd"], ["rd"], ["th"]))
    return None


def read_quantity(words: Sequence[str], at: int) -> tuple[Quantity, int] | None:
    """The number with its unit that begins at a word, and where it ends; None where none does."""
    currency, end = "", at
    if words[end] in _CURRENCY and end + 1 < len(words):
        currency, end = words[end], end + 1
    sign = 1
    if words[end] in ("-", "minus", "negative") and end + 1 < len(words):
        sign, end = -1, end + 1
    if part := _part(words, at):
        return part
    if words[at] in _RATES:
        base, factor = _UNITS[_RATES[words[at]]]
        return Quantity(factor, base), at + 1
    if words[at] in ("a", "an", "per", "each", "every", "one", "the") and (unit := _unit(words, at + 1, False)):
        (base, factor), end = unit
        dimension_of_time = base in ("s", "month")
        if words[at] == "one" or (words[at] in ("a", "an", "per")) or (words[at] in ("each", "every") and dimension_of_time):
            return Quantity(factor, base), end
        return None
    if words[at] in _ORDINALS:
        return Quantity(Fraction(_ORDINALS[words[at]]), ORDINAL), at + 1
    number = _figures(words, end) or _spelled(words, end)
    if number is None:
        return None
    value, times, end = number
    while end < len(words) and words[end] in _SCALES:
        value, end = value * _SCALES[words[end]], end + 1
    value *= sign
    if words[end : end + 1] in (["st"], ["nd"], ["rd"], ["th"]):
        return Quantity(value, ORDINAL), end + 1
    if words[end : end + 1] in (["am"], ["pm"], ["a.m"], ["p.m"], ["o'clock"]):
        hour = times or frozenset({int(value) * 60})
        if words[end].startswith("p"):
            hour = frozenset(t if t >= 720 else t + 720 for t in hour)
        return Quantity(value, "time", hour), end + 1
    if currency:
        return Quantity(value, currency), end
    figure = words[end - 1][0].isdigit()
    if unit := _unit(words, end, figure):
        (base, factor), end = unit
        return Quantity(value * factor, base), end
    return Quantity(value, "time" if ":" in words[end - 1] else "", times), end


_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}


def _part(words: Sequence[str], at: int) -> tuple[Quantity, int] | None:
    """Half, a third of, three quarters; half an hour."""
    count, end = 1, at
    if words[at] in ("a", "one") or (
        words[at] in _ONES and words[at + 1 : at + 2] and words[at + 1].removesuffix("s") in _PARTS and words[at + 1].endswith("s")
    ):
        count, end = _ONES.get(words[at], 1), at + 1
    name = words[end].removesuffix("s") if end < len(words) else ""
    following = words[end + 1] if end + 1 < len(words) else "."
    if (
        name not in _PARTS
        or (name != "half" and end == at)
        or (name not in ("half",) and count == 1 and following not in ("of", "are", "is", "was", "were", ".", ",", "less", "more"))
    ):
        return None
    share, end = Fraction(count, _PARTS[name]), end + 1
    behind = end + (following == "of")
    if words[behind : behind + 1] in (["a"], ["an"]) and (unit := _unit(words, behind + 1, False)):
        return Quantity(share * unit[0][1], unit[0][0]), unit[1]
    return Quantity(share), end


def _unit(words: Sequence[str], at: int, behind_figure: bool) -> tuple[tuple[str, Fraction], int] | None:
    for length in (3, 2, 1):
        part = list(words[at : at + length])
        if len(part) < length:
            continue
        name = "-".join(part)
        for form in (
            name,
            name.removesuffix("s"),
            name.replace("degrees", "degree"),
            name.replace("per-cent", "percent"),
            {"inches": "inch", "centuries": "century"}.get(name, ""),
        ):
            if form == "°-c" or form == "°-f":
                form = form.replace("-", "")
            if form in _UNITS and (behind_figure or form not in _SHORT):
                return _UNITS[form], at + length
    return None


def _figures(words: Sequence[str], at: int) -> tuple[Fraction, frozenset[int], int] | None:
    word = words[at] if at < len(words) else ""
    if not re.fullmatch(r"\d[\d.,:]*|\.\d+", word):
        return None
    times: frozenset[int] = frozenset()
    if clock := re.fullmatch(r"([01]?\d|2[0-4])[.:]([0-5]\d)", word):
        times = frozenset({int(clock[1]) * 60 + int(clock[2])})
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", word):
        return Fraction(word.replace(",", "")), times, at + 1
    if re.fullmatch(r"\d*\.?\d+", word):
        return Fraction(word), times, at + 1
    if clock:
        return Fraction(int(clock[1])) + Fraction(int(clock[2]), 60), times, at + 1
    return None


def _spelled(words: Sequence[str], at: int) -> tuple[Fraction, frozenset[int], int] | None:
    total, now, end = 0, None, at
    while end < len(words):
        word = words[end]
        if (
            (word in _ONES and word != "one")
            or (word == "one" and (now is not None or (words[end + 1 : end + 2] and words[end + 1] in _SCALES)))
            or word in ("one",)
        ):
            if now is not None and now % 10 and _ONES[word] < 20:
                break
            now = (now or 0) + _ONES[word]
        elif word in _TENS:
            if now is not None and now % 100:
                break
            now = (now or 0) + _TENS[word]
        elif word in _SCALES and now is not None:
            if _SCALES[word] in (100, 12):
                now *= _SCALES[word]
            else:
                total, now = total + now * _SCALES[word], 0
        elif (
            word == "and"
            and now
            and end + 1 < len(words)
            and (words[end + 1] in _ONES or words[end + 1] in _TENS)
            and words[end - 1] in _SCALES
        ):
            pass
        else:
            break
        end += 1
    return (Fraction(total + (now or 0)), frozenset(), end) if now is not None or total else None
