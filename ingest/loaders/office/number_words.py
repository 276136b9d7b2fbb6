"""Numbers in words and in other scripts than ours, as Word's lists and notes can write them."""

from collections.abc import Callable

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen".split()
_ONES.append("nineteen")
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}


def cardinal(number: int) -> str:
    """Up to 9,999: twenty-one, one hundred five."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens]
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    whole, rest = divmod(number, size)
    return f"{cardinal(whole)} {name}{f' {cardinal(rest)}' if rest else ''}"


def ordinal(number: int) -> str:
    """Up to 9,999: twenty-first."""
    words = cardinal(number)
    last = words.replace("-", " ").rpartition(" ")[2]
    return words.removesuffix(last) + _ORDINALS.get(last, f"{last.removesuffix('y')}ieth" if last.endswith("y") else f"{last}th")


def _counted(number: int, digits: str, units: str, one: bool = False, zero: str = "") -> str:
    """By tens, hundreds and thousands, 二十一; `one` where 1 is said before them too (save in 10 to 19), `zero` for a gap."""
    text = ""
    gap = False
    for unit, figure in zip(reversed(("", *units)), f"{number:0{len(units) + 1}}", strict=True):
        if figure == "0":
            gap = bool(text)
            continue
        said = figure != "1" or not unit or (one and (bool(text) or unit != units[0]))
        text += (zero if gap else "") + (digits[int(figure)] if said else "") + unit
        gap = False
    return text


def _ideographs(number: int) -> str:
    return _counted(number, "〇一二三四五六七八九", "十百千", one=True, zero="零")


def _positional(number: int, digits: str) -> str:
    return "".join(digits[int(figure)] for figure in str(number))


def _below_hundred(number: int, digits: str, units: str = "十百千") -> str:
    return _counted(number, digits, units) if number < 100 else _positional(number, digits)


_KOREAN_ONES = ["", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"]
_KOREAN_TENS = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"]
_VIETNAMESE = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"


def _korean(number: int) -> str:
    return _KOREAN_TENS[number // 10] + _KOREAN_ONES[number % 10] if number < 100 else str(number)


def _vietnamese(number: int) -> str:
    if number >= 100:
        return str(number)
    tens, ones = divmod(number, 10)
    lead = "" if not tens else "mười" if tens == 1 else f"{_VIETNAMESE[tens]} mươi"
    return f"{lead} {_VIETNAMESE[ones] if ones else ''}".strip()


def _hebrew(number: int) -> str:
    """By the value of the letters; 15 and 16 avoid God's name."""
    text = "ת" * (number // 400)
    number %= 400
    text += " קרש"[number // 100].strip()
    number %= 100
    if number in (15, 16):
        return text + ("טו" if number == 15 else "טז")
    return text + (" יכלמנסעפצ"[number // 10] + " אבגדהוזחט"[number % 10]).replace(" ", "")


_SERIES = {
    "aiueo": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "iroha": "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン",
    "ganada": "가나다라마바사아자차카타파하",
    "chosung": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "russianLower": "абвгдежзиклмнопрстуфхцчшщэюя",
    "hebrew2": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabicAlpha": "أبتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "arabicAbjad": "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ",
    "thaiLetters": "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
    "hindiConsonants": "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
    "hindiVowels": "अआइईउऊऋएऐओऔ",
    "ideographTraditional": _STEMS,
    "ideographZodiac": _BRANCHES,
    "chicago": "*†‡§",
}
_SERIES |= {"russianUpper": _SERIES["russianLower"].upper(), "aiueoFullWidth": _SERIES["aiueo"], "irohaFullWidth": _SERIES["iroha"]}
"""Letters one after another, doubled after the last."""
_ENCLOSED = {
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese"), "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "decimalEnclosedParen": "⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇",
    "decimalEnclosedFullstop": "⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛",
    "ideographEnclosedCircle": "㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉",
}
"""Signs of their own for the first numbers; figures after that."""
_WRITTEN: dict[str, Callable[[int], str]] = {
    "cardinalText": lambda n: cardinal(n).capitalize(),
    "ordinalText": lambda n: ordinal(n).capitalize(),
    "hex": lambda n: f"{n:X}",
    "numberInDash": lambda n: f"- {n} -",
    "hebrew1": _hebrew,
    "thaiNumbers": lambda n: _positional(n, "๐๑๒๓๔๕๖๗๘๙"),
    "hindiNumbers": lambda n: _positional(n, "०१२३४५६७८९"),
    "koreanLegal": _korean,
    "vietnameseCounting": _vietnamese,
    "koreanDigital": lambda n: _positional(n, "영일이삼사오육칠팔구"),
    "koreanCounting": lambda n: _counted(n, "영일이삼사오육칠팔구", "십백천"),
    **dict.fromkeys(("chineseCountingThousand", "taiwaneseCountingThousand"), _ideographs),
    **dict.fromkeys(("chineseCounting", "taiwaneseCounting"), lambda n: _below_hundred(n, "○一二三四五六七八九")),
    **dict.fromkeys(("ideographDigital", "japaneseDigitalTenThousand", "koreanDigital2"), lambda n: _positional(n, "〇一二三四五六七八九")),
    "taiwaneseDigital": lambda n: _positional(n, "○一二三四五六七八九"),
    "japaneseCounting": lambda n: _counted(n, "〇一二三四五六七八九", "十百千"),
    "chineseLegalSimplified": lambda n: _counted(n, "零壹贰叁肆伍陆柒捌玖", "拾佰仟", one=True, zero="零"),
    "ideographLegalTraditional": lambda n: _counted(n, "零壹貳參肆伍陸柒捌玖", "拾佰仟", one=True, zero="零"),
    "japaneseLegal": lambda n: _counted(n, "〇壱弐参四伍六七八九", "拾百阡"),
    "ideographZodiacTraditional": lambda n: _STEMS[(n - 1) % 10] + _BRANCHES[(n - 1) % 12],
}


STYLES = ("ordinal", *_WRITTEN, *_SERIES, *_ENCLOSED)


def in_words(number: int, style: str) -> str | None:
    """A number from 1 to 9,999 in one of the styles known here; None for any other style."""
    if (series := _SERIES.get(style)) is not None:
        return series[(number - 1) % len(series)] * (1 + (number - 1) // len(series))
    if (signs := _ENCLOSED.get(style)) is not None:
        return signs[number - 1] if number <= len(signs) else str(number)
    write = _WRITTEN.get(style)
    return write(number) if write else None
