"""Text in whatever encoding it has: by its mark, as UTF, else as the legacy one in which it reads most like a language.

charset-normalizer got 44 of 62 short samples right ("Café" became Chinese): it wants long texts, and people's old files are
often short. So each encoding that fits is tried, and judged by how well the letters outside ASCII go together: all from one
language's alphabet, capitals only where capitals stand, no foreign letter inside a word.
"""

import codecs
import unicodedata
from functools import lru_cache

from ingest.loaders.parsed import LoadError

_MARKS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")]
_MARKS += [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
_SAMPLE = 1 << 15

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_UKRAINIAN = "оанівиертслкдмпуязьгбчйхїжшєцющфґ"
_SERBIAN = "аиоентсрвлдкмјпузгбчњцшхљћфђжџ"
_GREEK = "αοιετσνηυρπκμλςωάίέόήδγθχφβύώξζψϊϋΐΰ"
_HEBREW = "יוהלאתרבשמנםעדחקפכגטןסצזךףץ"
_ARABIC = "اليمنرتوبةدسعهفكقحجأشطصخضزذئغىءإثظؤآپچژگًٌَُِّْ،؛؟"
_THAI = "านรกเงอมยลวดทส่้ิตะัปบคหแจพีชุขูใไโ์็ืผถซำึ๊ศญฟณธษภฉฝฎฏฐฑฒฌฆฤฬฮๆฯฃฅ๋"
_WESTERN = ["äöüß", "àâçèéêëîïôùûüœæ", "áéíóúñü¿¡ª", "áâãàçéêíóôõúªº", "àèéìòù", "åäöé", "æøåéö", "éëïöüá", "áðéíóúýþæö", "àçèéíïòóúü"]
_CENTRAL = ["áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţ", "äöüß"]
_ALPHABETS: dict[str, list[str]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1251": [_RUSSIAN, _UKRAINIAN, _SERBIAN],
    "koi8-r": [_RUSSIAN],
    "cp1253": [_GREEK],
    "cp1254": ["çğıöşüâî"],
    "cp1255": [_HEBREW],
    "cp1256": [_ARABIC],
    "cp1257": ["āčēģīķļņšūž", "ąčęėįšųūž", "äöõüšž"],
    "cp874": [_THAI],
    "iso8859-2": _CENTRAL,
    "iso8859-7": [_GREEK],
    "koi8-u": [_UKRAINIAN],
    "cp866": [_RUSSIAN],
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
"""Encodings of one byte a character, in the order in which they are believed, and alphabets of the languages written in them;
those that share no letters with Latin have their commonest letters first."""
_RARE = {"mac_roman": 0.35, "cp850": 0.35, "cp852": 0.4, "cp866": 0.2, "cp1257": 0.1, "cp874": 0.1, "koi8-u": 0.05, "cp1252": -0.1}
"""How much less an encoding is believed than the others: few files are left from DOS and old Macs."""
_MANY_BYTES = ["cp932", "gb18030", "cp949", "euc_jp", "big5"]
_FIGURES = set("\u00a0“”‘’–—…€£§°«»©®·•½¼¾²³¹№µ±×™†")
_HANZI = set(
    "的一是不了在人有我他这個个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如"
    "都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意无力它与长把机十民第公此已工使情明性知全三关点正业外将两高间由问很最重"
    "并物应文体政相见被利二等产或新制身加西月话合回特代内信表化老给世位次度門门任常先海通教原东提立及比员解水名真论处义各入口认条平系题更别"
)
_HANGUL = set("이다는을를의에가하고은로도기사지한리대인어나자시스정부그일들서해수보안녕요세입니습있것")


def decode(data: bytes) -> str:
    """Text of bytes in an encoding that isn't told.

    Raises:
        LoadError: the bytes aren't text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if b"\0" in data[:8192]:
        return _wide(data)
    if b"\x1b$" in data and (text := _try(data, "iso2022_jp_2")):
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    patched = data.decode("utf-8", errors="replace")
    broken = patched.count("\ufffd")
    if sum(not character.isascii() for character in patched[:_SAMPLE]) > 4 * broken:
        return patched  # UTF-8 that was cut or damaged in a place or two
    return data.decode(legacy(data), errors="replace")


def legacy(data: bytes) -> str:
    """The encoding, from before Unicode, in which bytes read most like a language."""
    first = next((place for place, byte in enumerate(data) if byte > 0x7F), 0)
    start = data.rfind(b"\n", 0, first) + 1
    sample = data[start : start + _SAMPLE]
    scores = {
        encoding: _letters(text, alphabets) - _RARE.get(encoding, 0)
        for encoding, alphabets in _ALPHABETS.items()
        if (text := _try(sample, encoding))
    }
    scores |= {encoding: _ideographs(text, encoding) for encoding in _MANY_BYTES if (text := _try(sample, encoding))}
    return max(scores, key=lambda encoding: scores[encoding], default="latin-1")


def _try(data: bytes, encoding: str) -> str:
    """Text, or nothing where bytes don't fit; a character cut at the end of the sample is no reason."""
    for end in (len(data), len(data) - 1, len(data) - 2, len(data) - 3) if len(data) == _SAMPLE else (len(data),):
        try:
            return data[:end].decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _letters(text: str, alphabets: list[str]) -> float:
    """How well text goes with the best of some alphabets: 1 where every letter outside ASCII belongs, less for oddities."""
    latin = "é" in "".join(alphabets) or "ü" in "".join(alphabets) or "č" in "".join(alphabets)
    counts: dict[str, int] = {}
    odd = 0.0
    before = " "
    for place, letter in enumerate(text):
        if letter > "\x7f":
            after = text[place + 1 : place + 2] or " "
            counts[letter] = counts.get(letter, 0) + 1
            within = before.isalpha() and after.isalpha()
            if not letter.isalpha():
                odd += 1.5 if within and letter != "’" else 0
            elif not latin and ((before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())):
                odd += 1.5
            elif before.islower() and letter.isupper():
                odd += 1
        before = letter
    total = sum(counts.values())
    capitals = sum(count for letter, count in counts.items() if letter.isupper())
    odd += 0.3 * capitals if capitals > 0.6 * total else 0  # Hebrew read as a DOS Cyrillic is all capitals
    best = max(sum(count * _belongs(letter, alphabet, latin) for letter, count in counts.items()) for alphabet in alphabets)
    return (best - odd) / total if total else 0.0


@lru_cache(maxsize=1 << 14)
def _belongs(letter: str, alphabet: str, latin: bool) -> float:
    place = alphabet.find(letter.lower())
    if place >= 0:
        return 1.0 if latin or place <= len(alphabet) * 0.55 else 0.6
    if letter in _FIGURES:
        return 0.6
    return -0.5 if letter.isalpha() else -2.0 if unicodedata.category(letter) in ("Cc", "Cn", "Co") else -1.0


def _ideographs(text: str, encoding: str) -> float:
    """How common the characters of text are in the language that an encoding of several bytes is for."""
    foreign = [letter for letter in text if letter > "\x7f"]
    if not foreign:
        return 0.0
    return sum(_common(letter, encoding) for letter in foreign) / len(foreign)


@lru_cache(maxsize=1 << 14)
def _common(letter: str, encoding: str) -> float:
    if "\u3000" <= letter <= "\u303f" or "\uff01" <= letter <= "\uff5e":
        return 0.7
    japanese = encoding in ("cp932", "euc_jp")
    if "\u3041" <= letter <= "\u30ff":
        return 1.0 if japanese else -0.2
    if "\uff61" <= letter <= "\uff9f":
        return 0.3 if encoding == "cp932" else -0.5
    try:
        lead = letter.encode({"cp932": "euc_jp", "gb18030": "gb2312", "cp949": "euc_kr"}.get(encoding, encoding))[0]
    except UnicodeEncodeError:
        return -0.6
    if "\uac00" <= letter <= "\ud7a3":
        if not 0xB0 <= lead <= 0xC8:
            return -0.8
        return (1.1 if letter in _HANGUL else 0.9) if encoding == "cp949" else -1.0
    if "\u4e00" <= letter <= "\u9fff":
        levels = {"cp932": 0xCF, "euc_jp": 0xCF, "gb18030": 0xD7, "big5": 0xC6, "cp949": 0}
        value = (0.75 if japanese else 0.85) if lead <= levels[encoding] else -0.3 if encoding == "cp949" else 0.1
        return value + (0.3 if letter in _HANZI and not japanese and encoding != "cp949" else 0)
    return 0.3 if letter in _FIGURES or letter in "×÷→←↑↓■□●○◎★☆※ー" else -0.4


def _wide(data: bytes) -> str:
    """Text of two or four bytes a character without a mark, told by where its zero bytes stand.

    Raises:
        LoadError: it isn't such text.
    """
    sample = data[:4096]
    for encoding, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        if len(data) % width == 0 and _reads(sample[: len(sample) // width * width], encoding, width):
            return data.decode(encoding, errors="replace")
    raise LoadError("not text: there are zero bytes in it")


def _reads(sample: bytes, encoding: str, width: int) -> bool:
    """Whether nearly all characters are letters, figures or marks of at most a few scripts."""
    text = sample.decode(encoding, errors="replace")
    good = sum((character.isprintable() and character != "\ufffd") or character in "\t\r\n\f" for character in text)
    blocks = {ord(character) >> 8 for character in text}
    scripts = {block for block in blocks if not 0x30 <= block <= 0x9F and not 0xAC <= block <= 0xD7}
    return good >= 0.98 * len(text) and len(scripts) <= 6 and (width == 4 or not blocks.isdisjoint({0, 0x20, 0x30}))
