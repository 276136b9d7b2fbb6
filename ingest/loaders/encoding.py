"""Text of bytes: by its mark, by the charset declared for it, as UTF, else by what chardet takes it for.

A declared charset is read as browsers read it (the Encoding Standard of WHATWG): pages and letters that say iso-8859-1 or gb2312
are mostly written in Windows' larger sets of the same kind, and hold their quotes, euro signs and names.
"""

import codecs
import re
from itertools import cycle

import chardet
from chardet.registry import lookup_encoding

from ingest.loaders.parsed import LoadError

_MARKS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")]
_MARKS += [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
_LARGER = {
    **dict.fromkeys(("ascii", "iso8859-1"), "cp1252"),
    "iso8859-9": "cp1254",
    **dict.fromkeys(("iso8859-11", "tis-620"), "cp874"),
    "shift_jis_2004": "cp932",
    "euc_jis_2004": "euc_jp",
    **dict.fromkeys(("iso2022_jp_2", "iso2022_jp_2004"), "iso2022_jp_ext"),
    "euc_kr": "cp949",
}
"""What browsers read in place of an encoding (by the name that chardet gives it)."""
_LABELS = {
    "utf8mb4": "utf-8",
    "x-user-defined": "cp1252",
    "x-mac-ce": "mac-latin2",
    **dict.fromkeys(("cp51932", "cp20932", "eucjp-ms", "eucjpms"), "euc-jp"),
    **dict.fromkeys(("cp50220", "cp50221", "cp50222"), "iso-2022-jp"),
    **{f"cp{28590 + part}": f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)},
    **{"cp1200": "utf-16-le", "cp1201": "utf-16-be", "cp20127": "ascii", "cp20866": "koi8-r", "cp21866": "koi8-u", "cp51949": "euc-kr"},
    **{"cp10000": "mac-roman", "cp10007": "mac-cyrillic", "cp51936": "gb2312", "cp52936": "hz", "cp54936": "gb18030", "cp65000": "utf-7"},
}
"""Names that mail programs and Windows use and the standard lacks."""
_CODE_PAGE = re.compile(r"(?:x-|windows|win|cp|ibm|ansi|[-_])+(\d{3,5})")
_META = re.compile(
    rb"""<meta\b[^>]*?[\s"';]charset\s*=\s*["']?\s*([\w.:+-]+)|<\?xml\b[^>]*?\sencoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE
)
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)

_CONTROLS = re.compile(rb"[\0-\x06\x0e-\x19\x1c-\x1f\x7f]")
_CUT = re.compile(rb"(?:[\xc3-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
_SAMPLE = 1 << 15
_RIVALS = ["cp1250", "cp1254", "cp1257", "cp1258", "iso8859-2", "cp852"]
_LATIN = ["cp1252", *_RIVALS, "iso8859-15", "mac-roman", "cp850"]
_GUESSED = [
    *_LATIN,
    *("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic", "cp1253", "iso8859-7", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jis_2004", "gb18030", "big5hkscs", "cp949"),
]
"""What files of text are found in; without a list, rare encodings of DOS and of mainframes win on short texts."""
_C1 = re.compile(rb"[\x80-\x9f]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_SIGNS = re.compile(
    rb"[\x80\x85\x92\x95-\x97\x99\xa0\xa7\xb0\xb7\xd7]"
    rb"|(?<![A-Za-z])[\x82\x84\x8b\x91\x93\xab\xb5]|[\x94\x9b\xa3\xa9\xae\xb1\xbb-\xbe](?![a-z])|(?<=m)[\xb2\xb3]"
)
"""Quotes, dashes and signs of cp1252 where such signs stand: all that most English texts have outside ASCII."""
_UTF8_IN_LATIN = re.compile(rb"((?:[\xc2\xc3][\x80-\xbf]|\xe2\x80[\x90-\xbf]|\xe2\x82\xac)+)")
"""Letters and signs in UTF-8 that no text in an older Latin encoding holds side by side: Ã©, â€™."""
_HALF_LATIN = re.compile(r"[A-Za-z][\u0370-\u0e7f]|[\u0370-\u0e7f][A-Za-z]")
_NOT_LATIN = re.compile(r"[\u0370-\u0e7f]+")


def decode(data: bytes, charset: str = "") -> str:
    """Text of bytes that may have a mark, and a charset that is declared for them, rightly or not.

    Raises:
        LoadError: the bytes aren't text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    declared = codec(charset)
    is_wide = declared.startswith(("utf-16", "utf-32"))
    if b"\0" in data[:8192]:
        if wide := _wide(data):
            return wide
        data = data if is_wide else _unpadded(data)
    text = data.decode("utf-8", errors="replace")
    foreign, broken = _foreign(text)
    if is_wide and not broken and "\0" not in text:
        declared = ""
    if declared not in ("", "utf-8"):
        if foreign and not broken and (_is_charmap(declared) or max(text) > "\u07ff"):
            return text
        if not _misread(said := _read(data, declared)):
            return said
    if b"\x1b$" in data and "\ufffd" not in (japanese := _read(data, "iso2022_jp_ext")):
        return japanese
    if not broken:
        return text
    if _CONTROLS.search(data[:8192]) and (wide := _wide(data)):
        return wide
    encoding = guessed(data)
    if foreign and (foreign >= 2 * broken or _is_charmap(encoding)):
        return _by_line(data, text)
    return _read(data, encoding)


def decode_part(data: bytes, charset: str = "") -> str:
    """As `decode`, for a part of a file that isn't refused for a zero byte in it."""
    try:
        return decode(data, charset)
    except LoadError:
        return decode(data.replace(b"\0", b""), charset)


def as_utf8(document: bytes) -> bytes:
    """An XML document in UTF-8, without its declaration: parsers of XML know the charsets' narrow forms only."""
    return _DECLARATION.sub("", decode(document, declared(document)), count=1).encode(errors="replace")


def codec(charset: str) -> str:
    """Python's codec for a charset's name as people write it; empty where nobody knows it."""
    name = charset.strip().strip("'\"").lower()
    if page := _CODE_PAGE.fullmatch(name):
        name = f"cp{page[1]}"
    known = lookup_encoding(_LABELS.get(name, name)) or ""
    return _LARGER.get(known, known)


def declared(page: bytes) -> str:
    """The charset that a page of HTML or XML says it is in; empty where it says nothing."""
    found = _META.search(_COMMENT.sub(b"", page[:4096]))
    name = (found[1] or found[2]).decode("ascii", errors="replace") if found else ""
    return "utf-8" if codec(name).startswith(("utf-16", "utf-32")) else name  # it was found as ASCII


def guessed(data: bytes) -> str:
    """The encoding, from before Unicode, in which bytes read most like a language."""
    first = next((found.start() for found in _HIGH.finditer(data)), 0)
    start = data.rfind(b"\n", 0, first) + 1
    sample = data[start : start + _SAMPLE]
    if not _HIGH.search(_SIGNS.sub(b"", sample)):
        return "cp1252"
    best = _chardet(sample, _GUESSED)
    text = _read(sample, best)
    if 2 * len(_HALF_LATIN.findall(text)) >= max(1, len(_NOT_LATIN.findall(text))):
        return _chardet(sample, _LATIN)
    return best


def _chardet(sample: bytes, encodings: list[str]) -> str:
    """What chardet takes bytes for; the commonest encoding where that does nearly as well, as it does on a name or two."""
    if _C1.search(sample):  # ISO's sets have nothing there that a text holds
        encodings = [encoding for encoding in encodings if not encoding.startswith("iso")]
    found = chardet.detect_all(sample, ignore_threshold=True, include_encodings=encodings, compat_names=False, no_match_encoding="cp1252")
    best, confidence = found[0]["encoding"] or "cp1252", found[0]["confidence"]
    enough = min(confidence - 0.003, confidence * (0.85 if best in _RIVALS else 1))
    usual = any(one["encoding"] == "cp1252" and one["confidence"] >= enough for one in found)
    return "cp1252" if usual else codec(best)


def _read(data: bytes, encoding: str) -> str:
    return data.decode(encoding, errors="octavo-jis" if encoding in ("euc_jp", "iso2022_jp_ext") else "replace")


def _nec(error: UnicodeError) -> tuple[str, int]:
    """Two bytes of a row of JIS X 0208 that only NEC and IBM filled (①, ㈱, 髙): Windows has them in the same order."""
    assert isinstance(error, UnicodeDecodeError)
    row, cell = (byte & 0x7F for byte in (error.object[error.start : error.start + 2] + b"\0\0")[:2])
    if 0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E:
        lead = (row - 0x21) // 2 + (0x81 if row < 0x5F else 0xC1)
        trail = cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)
        try:
            return bytes((lead, trail)).decode("cp932"), error.start + 2
        except UnicodeDecodeError:
            pass
    return "\ufffd", error.end


codecs.register_error("octavo-jis", _nec)


def _is_charmap(encoding: str) -> bool:
    """Whether an encoding has one byte a character."""
    return len(bytes(range(0xA1, 0xA9)).decode(encoding, errors="replace")) == 8


def _foreign(text: str) -> tuple[int, int]:
    """Characters of UTF-8 outside ASCII that came out well, and those that didn't."""
    broken = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", errors="ignore")) - broken, broken


def _misread(text: str) -> bool:
    """Whether text has so many characters that weren't in its encoding that it was in another."""
    foreign, broken = _foreign(text)
    return 9 * broken > foreign


def _by_line(data: bytes, text: str) -> str:
    """UTF-8 with lines of an older encoding among it, as logs and joined files have them. A bad byte in a line of good
    characters, or a character cut at the end, stays a gap."""
    lines, shown = data.split(b"\n"), text.split("\n")
    old = [place for place, line in enumerate(shown) if (counts := _foreign(line))[1] and counts[0] < 2 * counts[1]]
    if old and old[-1] == len(lines) - 1 and _CUT.search(lines[-1]) and shown[-1].count("\ufffd") == 1:
        old.pop()
    encoding = guessed(_UTF8_IN_LATIN.sub(b"", b"\n".join(lines[place] for place in old)))
    for place in old:
        pieces = _UTF8_IN_LATIN.split(lines[place]) if encoding in _LATIN else [lines[place]]
        shown[place] = "".join(_read(piece, "utf-8" if odd else encoding) for odd, piece in zip(cycle((False, True)), pieces, strict=False))
    return "\n".join(shown)


def _unpadded(data: bytes) -> bytes:
    """Text without zero bytes, which programs that crashed leave in their logs.

    Raises:
        LoadError: it isn't text.
    """
    data = data.replace(b"\0", b"")
    if not data or _CONTROLS.search(data[:8192]):
        raise LoadError("not text: there are zero bytes in it")
    return data


def _wide(data: bytes) -> str:
    """Text of two or four bytes a character without a mark, told by where its zero bytes stand, or by its kana; else nothing."""
    sample = data[:4096]
    for encoding, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        if _reads(sample[: len(sample) // width * width], encoding, width):
            return data.decode(encoding, errors="replace")
    return ""


def _reads(sample: bytes, encoding: str, width: int) -> bool:
    """Whether nearly all characters are letters, figures or marks of at most a few scripts."""
    text = sample.decode(encoding, errors="replace")
    if b"\0" not in sample and (sample.isascii() or sum("\u3000" <= character <= "\u30ff" for character in text) < 0.1 * len(text)):
        return False
    good = sum((character.isprintable() and character != "\ufffd") or character in "\t\r\n\f" for character in text)
    blocks = {ord(character) >> 8 for character in text}
    scripts = {block for block in blocks if not 0x30 <= block <= 0x9F and not 0xAC <= block <= 0xD7}
    return good >= 0.98 * len(text) and len(scripts) <= 6 and (width == 4 or not blocks.isdisjoint({0, 0x20, 0x30}))
