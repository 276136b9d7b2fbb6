"""Numbers with their units, dates and times of day, as values that can be compared however they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_ONES = dict(
    zip(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
        nineteen""".split(),
        range(20),
        strict=True,
    )
)
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12, "dozen": 12}
_ORDINALS = {
    word: n for n, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 1)
}
_SHARES = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
MONTHS = {
    name: n
    for n, names in enumerate(
        """january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct|november nov
        |december dec""".split("|"),
        1,
    )
    for name in names.split()
}
_ALSO_WORDS = frozenset("may march mar dec jan".split())
"""Months that are a verb or somebody's name too."""
ORDINAL, TIME = "th", "time"
"""Units of "third" and of "half past two"."""
UNITS = {
    name: (base, Fraction(factor))
    for base, units in {
        "m": "1 m metre meter|1000 km kilometre kilometer|1/100 cm centimetre centimeter|1/1000 mm millimetre millimeter",
        "foot": "1 foot feet ft|1/12 inch inches|3 yard yd",
        "mile": "1 mile mi",
        "nautical mile": "1 nautical-mile nm",
        "m2": "1 square-metre square-meter|10000 hectare ha|1000000 square-kilometre square-kilometer",
        "m3": "1 cubic-metre cubic-meter",
        "acre": "1 acre",
        "g": "1 g gram gramme|1000 kg kilo kilogram kilogramme|1/1000 mg milligram|1/1000000 μg microgram|1000000 t tonne",
        "ton": "1 ton",
        "lb": "1 lb|1/16 ounce oz",
        "l": "1 l litre liter|1/1000 ml millilitre milliliter|1/100 cl centilitre",
        "s": "1 second sec s|60 minute min|3600 hour hr h|86400 day|604800 week|1209600 fortnight|1/1000 millisecond ms",
        "month": "1 month|3 quarter|12 year yr|120 decade|1200 century centuries",
        "%": "1 % percent per-cent",
        "pp": "1 percentage-point",
        "‰": "1 ‰",
        "£": "1 £ gbp pound|1/100 p pence penny",
        "€": "1 € eur euro",
        "$": "1 $ usd dollar",
        "cent": "1 cent",
        "°c": "1 °c °-c degree-celsius degrees-celsius degree-centigrade degrees-centigrade celsius",
        "°f": "1 °f °-f degree-fahrenheit degrees-fahrenheit fahrenheit",
        "°": "1 ° degree",
        "db": "1 db decibel",
        "byte": "1 byte b|1000 kb kilobyte|1000000 mb megabyte|1000000000 gb gigabyte|1000000000000 tb terabyte",
        "hz": "1 hz hertz",
        "w": "1 w watt|1000 kw kilowatt",
        "kwh": "1 kwh",
        "v": "1 v volt",
        "a": "1 amp ampere",
        "mmhg": "1 mmhg",
    }.items()
    for unit in units.split("|")
    for factor, *names in [unit.split()]
    for name in names
}
"""Each to its base unit and how much of it; only what converts exactly."""
_BEHIND_FIGURES = frozenset("m g t l s h p v w b μg min sec mi nm ha".split())
"""Units only straight behind a figure."""
_RATES = {"yearly": "year", "annual": "year", "annually": "year", "monthly": "month", "weekly": "week", "daily": "day", "hourly": "hour",
          "quarterly": "quarter", "fortnightly": "fortnight"}  # fmt: skip
_CURRENCIES = frozenset("£€$¥₹")
Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, in its base unit; `times` are the minutes of the day that it may mean."""

    value: Fraction
    unit: str = ""
    times: frozenset[int] = frozenset()

    def says(self, claim: "Quantity") -> bool:
        if self.times and claim.times and TIME in (self.unit, claim.unit):
            return bool(self.times & claim.times)
        return self.unit == claim.unit and self.value == claim.value

    def is_like(self, other: "Quantity") -> bool:
        """Whether both count or measure the same."""
        return self.unit == other.unit or {self.unit, other.unit} <= {"s", "month"}


@dataclass(frozen=True, slots=True)
class Date:
    day: int | None
    month: int | None
    year: int | None

    def says(self, claim: "Date") -> bool:
        """Whether it says all that the claim says."""
        parts = ((self.day, claim.day), (self.month, claim.month), (self.year, claim.year))
        return all(claimed is None or claimed == found for found, claimed in parts)


def read_date(words: Words, raw: Words, at: int) -> tuple[Date, int] | None:
    """The date that begins at a word, and where it ends: 3 Feb. 1766, May 10, 2020, March 2015, 1766, 2024-05-10."""
    if iso := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", words[at]):
        return Date(int(iso[3]), int(iso[2]), int(iso[1])), at + 1
    if re.fullmatch(r"1\d{3}|20\d\d", words[at]):
        return Date(None, None, int(words[at])), at + 1
    day, end = _day(words, at)
    end += day is not None and words[end : end + 1] == ["of"]
    if end >= len(words) or words[end] not in MONTHS or not raw[end][0].isupper():
        return None
    month, end = MONTHS[words[end]], end + 1
    if day is None:
        day, end = _day(words, end)
    comma = day is not None and words[end : end + 1] == [","]
    if end + comma < len(words) and re.fullmatch(r"\d{4}", words[end + comma]):
        return Date(day, month, int(words[end + comma])), end + comma + 1
    if day is None and not _is_month(words, raw, at, end):
        return None
    return Date(day, month, None), end


def _is_month(words: Words, raw: Words, at: int, end: int) -> bool:
    """Whether a month's name alone is the month: not that of March Lane, nor May the person."""
    if end < len(raw) and raw[end][0].isupper() and words[end] not in MONTHS:
        return False
    before = words[at - 1] if at else ""
    return words[at] not in _ALSO_WORDS or before in "in since until by of from to during before after last next and".split()


def _day(words: Words, at: int) -> tuple[int | None, int]:
    if at < len(words) and re.fullmatch(r"[0-3]?\d", words[at]) and 1 <= int(words[at]) <= 31:
        return int(words[at]), at + 1 + _is_ordinal(words, at + 1)
    return None, at


def _is_ordinal(words: Words, at: int) -> bool:
    return at < len(words) and words[at] in ("st", "nd", "rd", "th")


def read_quantity(words: Words, at: int) -> tuple[Quantity, int] | None:
    """The number with its unit that begins at a word, and where it ends."""
    if words[at] in _RATES:
        base, factor = UNITS[_RATES[words[at]]][0], UNITS[_RATES[words[at]]][1]
        return Quantity(factor, base), at + 1
    if words[at] == "twice":
        return Quantity(Fraction(2)), at + 1
    if found := _share(words, at) or _one(words, at):
        return found
    if words[at] in _ORDINALS:
        return Quantity(Fraction(_ORDINALS[words[at]]), ORDINAL), at + 1
    currency = words[at] if words[at] in _CURRENCIES else ""
    start = at + bool(currency)
    sign = -1 if words[start : start + 1] and words[start] in ("-", "minus") else 1
    start += sign < 0
    number = _figures(words, start) or _spelled(words, start)
    if number is None:
        return None
    value, times, end = number
    while end < len(words) and words[end] in SCALES:
        value, end = value * SCALES[words[end]], end + 1
    quantity, last = _measured(words, end, sign * value, currency, times)
    joints = ("to", "or", "and") if at and words[at - 1] == "between" else ("to", "or")
    if last == number[2] and end + 1 < len(words) and words[end] in joints:
        quantity = _as_range(words, end + 1, quantity)
    return quantity, last


def _as_range(words: Words, at: int, first: Quantity) -> Quantity:
    """The first number of "9.1 to 7.6 million dollars", which is millions of dollars too."""
    start = at + (words[at] in _CURRENCIES)
    number = (_figures(words, start) or _spelled(words, start)) if start < len(words) else None
    second = read_quantity(words, at)
    if number is None or second is None or not number[0] or second[0].unit in (TIME, ORDINAL) or first.unit not in ("", second[0].unit):
        return first
    return Quantity(first.value * second[0].value / number[0], second[0].unit)


def _measured(words: Words, end: int, value: Fraction, currency: str, times: frozenset[int]) -> tuple[Quantity, int]:
    """A number with what stands behind it."""
    behind = words[end] if end < len(words) else ""
    if currency:
        return Quantity(value, currency), end
    if _is_ordinal(words, end):
        return Quantity(value, ORDINAL), end + 1
    if behind in ("am", "pm", "a.m", "p.m", "o'clock"):
        hours = times or frozenset({int(value) * 60})
        return Quantity(value, TIME, frozenset(t + 720 * (behind[0] == "p" and t < 720) for t in hours)), end + 1
    if unit := _unit(words, end, is_figure=words[end - 1][0].isdigit()):
        base, factor, end = unit
        return Quantity(value * factor, base), end
    return Quantity(value, TIME if ":" in words[end - 1] else "", times), end


def _one(words: Words, at: int) -> tuple[Quantity, int] | None:
    """An hour, per mile, each year."""
    unit = _unit(words, at + 1, is_figure=words[at] == "/")
    if unit and (words[at] in ("a", "an", "per", "one", "/") or (words[at] in ("each", "every") and unit[0] in ("s", "month"))):
        return Quantity(unit[1], unit[0]), unit[2]
    return None


def _share(words: Words, at: int) -> tuple[Quantity, int] | None:
    """Half, a third of, three quarters, half an hour."""
    name = words[at + 1].removesuffix("s") if at + 1 < len(words) else ""
    if words[at] == "half" and (unit := _unit(words, at + 1, is_figure=False)):
        return Quantity(unit[1] / 2, unit[0]), unit[2]
    if words[at] == "half" and words[at + 1 : at + 2] and words[at + 1] in "of a an the its their his her".split():
        share, end = Fraction(1, 2), at + 1
    elif name in _SHARES and words[at] in _ONES and words[at] != "one":
        share, end = Fraction(_ONES[words[at]], _SHARES[name]), at + 2
    elif name in _SHARES and words[at] in ("a", "one") and words[at + 2 : at + 3] and words[at + 2] in "of are is was were . ,".split():
        share, end = Fraction(1, _SHARES[name]), at + 2
    else:
        return None
    of = end + (words[end : end + 1] == ["of"])
    if words[of : of + 1] and words[of] in ("a", "an") and (unit := _unit(words, of + 1, is_figure=False)):
        return Quantity(share * unit[1], unit[0]), unit[2]
    return Quantity(share), end


def _unit(words: Words, at: int, is_figure: bool) -> tuple[str, Fraction, int] | None:
    """The base unit that a word or two name, how much of it, and where they end."""
    for end in (at + 2, at + 1):
        name = "-".join(words[at:end])
        name = name if name in UNITS else name.removesuffix("s").removesuffix("'")
        if end <= len(words) and name in UNITS and (is_figure or name not in _BEHIND_FIGURES):
            return *UNITS[name], end
    return None


def _figures(words: Words, at: int) -> tuple[Fraction, frozenset[int], int] | None:
    word = words[at] if at < len(words) else ""
    clock = re.fullmatch(r"([01]?\d|2[0-4])[.:]([0-5]\d)", word)
    times = frozenset({int(clock[1]) * 60 + int(clock[2])}) if clock else frozenset[int]()
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d*\.?\d+", word):
        return Fraction(word.replace(",", "")), times, at + 1
    return (Fraction(int(clock[1]) * 60 + int(clock[2]), 60), times, at + 1) if clock else None


def _spelled(words: Words, at: int) -> tuple[Fraction, frozenset[int], int] | None:
    """A number in words: two hundred and five thousand."""
    total, part, end = 0, 0, at
    while end < len(words):
        word = words[end]
        if word in _ONES and part % 10 == 0 and not (part % 100 and _ONES[word] > 9):
            part += _ONES[word]
        elif word in _TENS and part % 100 == 0:
            part += _TENS[word]
        elif end > at and word in SCALES:
            total, part = (total, part * SCALES[word]) if SCALES[word] <= 100 else (total + part * SCALES[word], 0)
        elif not (word == "and" and end > at and words[end - 1] in SCALES and words[end + 1 : end + 2] and words[end + 1] in _ONES | _TENS):
            break
        end += 1
    return (Fraction(total + part), frozenset(), end) if end > at else None
