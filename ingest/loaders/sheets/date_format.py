"""Dates and times as a spreadsheet shows them, with the months, weekdays and eras of the language that a format names."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from ingest.loaders.sheets.format_codes import Token

_LAST_DAY = 2958466
"""The day after the last of the year 9999."""
_EXACT = Context(prec=40, rounding=ROUND_HALF_UP)
_LANGUAGES = {0x04: "zh", 0x06: "da", 0x07: "de", 0x0A: "es", 0x0C: "fr", 0x10: "it", 0x11: "ja", 0x12: "ko"}
_LANGUAGES |= {0x13: "nl", 0x14: "nb", 0x16: "pt", 0x1D: "sv"}
"""By the last ten bits of Windows' numbers of countries."""
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "zh": "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
}
_SHORT_MONTHS = {
    "de": "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "da": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "ja": "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
    "ko": "월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "nb": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "sv": "måndag tisdag onsdag torsdag fredag lördag söndag",
    "zh": "星期一 星期二 星期三 星期四 星期五 星期六 星期日",
}
_SHORT_DAY = {"de": 2, "nl": 2, "ja": 1, "ko": 1}
_HALVES = {"ja": "午前/午後", "zh": "上午/下午", "ko": "오전/오후"}
_ERAS = [(date(2019, 5, 1), "R令和"), (date(1989, 1, 8), "H平成"), (date(1926, 12, 25), "S昭和"), (date(1912, 7, 30), "T大正")]
_ERAS.append((date.min, "M明治"))
_TAIWAN, _THAI_CALENDAR = 0x0404, 0x07


class _Moment(NamedTuple):
    year: int
    month: int
    day: int
    weekday: int
    seconds: int
    fraction: str


class _Locale(NamedTuple):
    language: str
    country: int
    calendar: int


def render_date(tokens: list[Token], value: Decimal, epoch_1904: bool) -> str | None:
    """Days since the epoch under a format; None where they are no date that a spreadsheet can show."""
    elapsed = any(kind == "elapsed" for kind, _ in tokens)
    if not (0 <= value < _LAST_DAY or elapsed):
        return None
    point = next((index for index, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    digits = sum(kind == "digit" for kind, _ in tokens[point:])
    total = (abs(value) * 86400).quantize(Decimal(1).scaleb(-digits), context=_EXACT)
    moment = _moment(total, epoch_1904)
    locale = _locale(next((text for kind, text in reversed(tokens) if kind == "locale"), ""))
    half = any(kind == "half" for kind, _ in tokens)
    units = [text[0].lower() if kind in ("date", "elapsed") else "" for kind, text in tokens]
    out = ["-"] if value < 0 else []
    for index, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            out.append(f"{int(total // {'h': 3600, 'm': 60, 's': 1}[text[0]]):0{len(text)}}")
        elif kind == "date":
            minutes = next(filter(None, reversed(units[:index])), "") == "h" or next(filter(None, units[index + 1 :]), "") == "s"
            out.append(_field(text.lower(), moment, locale, half, minutes))
        elif kind == "half":
            names = text if "/" in text and not text.isascii() else _HALVES.get(locale.language, text) if len(text) > 3 else text
            out.append(names.split("/")[moment.seconds >= 43200])
        elif kind == "point" and digits:
            out.append(f".{moment.fraction}")
        elif kind in ("literal", "point", "comma", "slash", "percent"):
            out.append(text)
        elif kind == "blank":
            out.append(" ")
    return " ".join("".join(out).split())


def _moment(total: Decimal, epoch_1904: bool) -> _Moment:
    whole, _, fraction = f"{total:f}".partition(".")
    days, seconds = divmod(int(whole), 86400)
    weekday = (days + 4 if epoch_1904 else days - 2) % 7
    if days >= _LAST_DAY:
        return _Moment(0, 0, 0, weekday, seconds, fraction)
    if not epoch_1904 and days in (0, 60):  # days that only Excel knows: it believes that 1900 was a leap year
        return _Moment(1900, *((1, 0) if not days else (2, 29)), weekday, seconds, fraction)
    epoch = date(1904, 1, 1) if epoch_1904 else date(1899, 12, 31) if days < 60 else date(1899, 12, 30)
    day = epoch + timedelta(days)
    return _Moment(day.year, day.month, day.day, weekday, seconds, fraction)


def _locale(text: str) -> _Locale:
    """What `-411`, `-D07041E` or `-ja-JP,107` says."""
    try:
        number = int(text.partition(",")[0], 16)
    except ValueError:
        return _Locale(text[:2].lower() if text[2:3] in ("", "-", "_", ",") else "en", _TAIWAN * text.upper().startswith("ZH-TW"), 0)
    return _Locale(_LANGUAGES.get(number & 0x3FF, "en"), number & 0xFFFF, number >> 16 & 0xFF)


def _field(text: str, moment: _Moment, locale: _Locale, half: bool, minutes: bool) -> str:
    width, hour = len(text), moment.seconds // 3600
    match text[0]:
        case "y":
            year = moment.year + 543 * (locale.calendar == _THAI_CALENDAR)
            return f"{year:04}" if width > 2 else f"{year % 100:02}"
        case "m" if minutes and width < 3:
            return f"{moment.seconds // 60 % 60:0{width}}"
        case "m":
            return _month(moment.month, width, locale.language)
        case "d" if width < 3:
            return f"{moment.day:0{width}}"
        case "d" | "a":
            return _weekday(moment.weekday, width, "ja" if text[0] == "a" and locale.language == "en" else locale.language)
        case "h":
            return f"{(hour % 12 or 12) if half else hour:0{width}}"
        case "s":
            return f"{moment.seconds % 60:0{width}}"
        case "b":
            return f"{moment.year + 543}" if width > 2 else f"{(moment.year + 543) % 100:02}"
        case _:
            return _era(text[0], width, moment, locale)


def _month(month: int, width: int, language: str) -> str:
    if width < 3:
        return f"{month:0{width}}"
    if language in ("ja", "ko") or (language == "zh" and width == 3):
        return f"{month}{'월' if language == 'ko' else '月'}"
    name = _MONTHS.get(language, _MONTHS["en"]).split()[month - 1]
    if width == 3:
        return _SHORT_MONTHS[language].split()[month - 1] if language in _SHORT_MONTHS else name[:3]
    return name[0] if width == 5 else name


def _weekday(weekday: int, width: int, language: str) -> str:
    name = _DAYS.get(language, _DAYS["en"]).split()[weekday]
    if width > 3:
        return name
    return "周" + name[-1] if language == "zh" else name[: _SHORT_DAY.get(language, 3)] + "." * (language == "fr")


def _era(letter: str, width: int, moment: _Moment, locale: _Locale) -> str:
    """The name of an era (g) or the year in it (e), in Japan and Taiwan; elsewhere e is the year."""
    if locale.country == _TAIWAN:
        return ("", "", "民國", "中華民國")[min(width, 3)] if letter == "g" else f"{moment.year - 1911:0{width}}"
    if locale.language not in ("ja", "en") or (locale.language == "en" and letter == "e"):
        return "" if letter == "g" else f"{moment.year:04}"
    today = date(moment.year, moment.month, max(1, min(moment.day, 28 if moment.month == 2 else moment.day)))
    start, name = next((start, name) for start, name in _ERAS if start <= today)
    if letter == "g":
        return (name[0], name[1], name[1:])[min(width, 3) - 1]
    return f"{moment.year - (1868 if start == date.min else start.year) + 1:0{width}}"
