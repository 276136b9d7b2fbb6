"""Fonts of a PDF page whose text is not language, because they don't say which letters they show.

Such a font gives glyph numbers for letters ("7KHOHDVH" for "The lease"), control characters, or nothing. Where the
numbers are those of a font's usual order, the letters are had back by counting; else its words are left out.
"""

import ctypes
import re
import unicodedata
from collections import Counter
from itertools import repeat
from math import log
from typing import Any

import numpy as np
import pypdfium2.raw as raw

from ingest.loaders.pdf.chars import direct
from ingest.loaders.pdf.words import Words, line_begins, words_of

_FREQUENCY = {
    "e": 12.5, "a": 9.5, "i": 7.8, "n": 7.6, "t": 6.5, "r": 6.5, "s": 6.2, "o": 6.2, "l": 4.6, "d": 3.9, "u": 3.7, "m": 3.0, "c": 2.5,
    "h": 2.4, "k": 2.2, "p": 2.1, "g": 1.9, "v": 1.5, "b": 1.4, "f": 1.3, "y": 1.1, "z": 0.9, "w": 0.9, "j": 0.8, "x": 0.2, "q": 0.15,
}  # fmt: skip
"""Of a hundred letters, over a dozen European languages."""
_LIKELY = {letter: log(percent / 100) for letter, percent in _FREQUENCY.items()}
_UNLIKELY, _LIKE_LANGUAGE = -3.45, -3.25
"""Means of a letter's logarithm: of 363 languages in the Declaration of Human Rights 5 are below the first, 20 below the second."""
_VOWELLESS = 0.2
"""Share of words without a vowel above which a text is no language: none of those 363 passes 0.06; letters changed at random do."""
_UNTOLD = re.compile(r"[\x00\x01\x03-\x08\x10-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
"""What stands for a glyph whose letter isn't known. TeX's old fonts have ligatures, and PDFium hyphens, at the codes left out."""
_UNTOLD_WORD = re.compile(_UNTOLD.pattern + r"\S*?" + _UNTOLD.pattern)
"""A word with more than one: a lone one is a bullet or a sign of mathematics."""
_LONE_HYPHEN = "\ufffe"
_CONSONANTS = bytes(b"."[0] if chr(code) in "bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ" else 0 for code in range(256))
"""A table to translate Latin-1 by: a tenth of what a regular expression takes to find four in a row."""
_WORD = re.compile(r"[^\W\d_]{3,15}")
_FEW = 30
"""Letters from which a font that tells none is judged by those it seems to show."""
_MANY = 120
"""The same for a font that says it tells them."""
_USUAL_ORDER = 29
"""By how much a glyph's number in most TrueType fonts is less than its letter's ASCII code."""
_EAST = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC", "KATAKANA-HIRAGANA"}

_text_object = direct(raw.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_int, result=ctypes.c_void_p)
_font = direct(raw.FPDFTextObj_GetFont, ctypes.c_void_p, result=ctypes.c_void_p)
_no_letter = direct(raw.FPDFText_HasUnicodeMapError, ctypes.c_void_p, ctypes.c_int)
_code = direct(raw.FPDFText_GetUnicode, ctypes.c_void_p, ctypes.c_int, result=ctypes.c_uint)
_is_generated = direct(raw.FPDFText_IsGenerated, ctypes.c_void_p, ctypes.c_int)


def told(text_page: Any, words: Words, seen: tuple[float, float, float, float]) -> tuple[Words, int]:
    """The words that are language, those of glyph numbers turned into letters, and how many characters are left out."""
    if not _suspicious(text_page, words):
        return words, 0
    fonts = _by_font(text_page, words)
    texts = {font: " ".join(words.text[index] for index in which) for font, which in fonts.items()}
    silent = {font for font, which in fonts.items() if _is_silent(text_page, words.char[which].tolist())}
    numbered = {font for font, text in texts.items() if _is_numbered(text, font in silent)}
    if numbered:  # and what is too short to be sure by itself: a heading above such text
        numbered |= {font for font in silent if _score(_lettered(texts[font]))[0] > _score(texts[font])[0]}
    lost = {font for font in fonts if font not in numbered and _is_lost(texts[font], font in silent)}
    if numbered:
        words = _counted(text_page, numbered, seen)
        fonts = _by_font(text_page, words)
    out = [index for font in lost for index in fonts.get(font, [])]
    kept = np.ones(len(words), dtype=bool)
    kept[out] = False
    return (words.pick(kept), sum(len(words.text[index]) for index in out)) if out else (words, 0)


def _suspicious(text_page: Any, words: Words) -> bool:
    """Quick enough for every page: what is unusual anywhere, or the first letters of some lines aren't told."""
    text = " ".join(words.text)
    vowelless = text.encode("latin-1", "replace").translate(_CONSONANTS).count(b"....")
    if len(_UNTOLD_WORD.findall(text)) > 2 or text.count(" " + _LONE_HYPHEN) > 3 or vowelless > 4 + len(text) / 120:
        return True
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    firsts = words.char[line_begins(words)].tolist()
    return bool(sum(map(_no_letter, repeat(page), firsts)) > min(2, len(firsts) // 2))


def _by_font(text_page: Any, words: Words) -> dict[int, list[int]]:
    """The words of each font, told by their first letters."""
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    fonts: dict[int, list[int]] = {}
    for index, char in enumerate(words.char.tolist()):
        if char >= 0 and (piece := _text_object(page, char)):
            fonts.setdefault(_font(piece) or 0, []).append(index)
    return fonts


def _is_silent(text_page: Any, chars: list[int]) -> bool:
    """Whether a font says of most of its characters not which they are."""
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    return sum(bool(_no_letter(page, char) == 1) for char in chars) > len(chars) / 2


def _is_numbered(text: str, silent: bool) -> bool:
    """Whether letters for glyphs' numbers certainly make a language of what is none: figures and signs would make capitals too."""
    score, letters = _score(text)
    counted = _lettered(text)
    better, new = _score(counted)
    if letters < 0.4 * len(text):
        certain = silent and new >= _FEW and better > _LIKE_LANGUAGE + 0.2
    else:
        certain = score < _UNLIKELY + 0.1 and new >= 12 and better > max(_LIKE_LANGUAGE, score + 0.4)
    plain = sum(letter.isascii() for letter in counted) > 0.8 * len(counted)
    return certain and plain and _vowelless(counted) < 0.1 and _mostly_letters(counted)


def _is_lost(text: str, silent: bool) -> bool:
    """Whether a font's text is no language; one that tells its letters is believed unless it is plain that they are wrong."""
    words = text.split(" ")
    untold = sum(number for word in words if (number := len(_UNTOLD.findall(word))) > 1) + words.count(_LONE_HYPHEN)
    if untold >= 10 and untold > 0.3 * len(text.replace(" ", "")):
        return True
    if silent and len(text) >= _FEW and (_scripts(text) > 3 or (not _mostly_letters(text, 0.4) and not _figures(text))):
        return True
    score, letters = _score(text)
    return letters >= (_FEW if silent else _MANY) and score < _UNLIKELY and _vowelless(text, lower=not silent) > _VOWELLESS


def _lettered(text: str) -> str:
    """Letters for glyphs' numbers in the usual order: ASCII from 3 on, then as in Mac OS Roman."""
    return "".join(map(_letter, text))


def _letter(character: str) -> str:
    number = ord(character)
    if character == " ":
        return " "  # between words, and not of the font
    if number < 3 or number > 225:
        return "\ufffd"
    return chr(number + _USUAL_ORDER) if number < 98 else bytes([number + 30]).decode("mac_roman")


def _counted(text_page: Any, numbered: set[int], seen: tuple[float, float, float, float]) -> Words:
    """The page's words anew, with letters for the glyph numbers of those fonts."""
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    codes = np.array([min(_code(page, char), 0xFFFD) for char in range(raw.FPDFText_CountChars(text_page))], np.uint16)
    for char, code in enumerate(codes.tolist()):
        piece = _text_object(page, char)
        if piece and _font(piece) in numbered and _is_generated(page, char) != 1:
            codes[char] = ord(_letter(chr(code)))
    return words_of(text_page, seen, codes)


def _score(text: str) -> tuple[float, int]:
    """The mean of the letters' logarithms, accents aside, and how many letters there are."""
    found = Counter(text.lower() if text.isascii() else unicodedata.normalize("NFD", text.lower()))
    count = sum(found[letter] for letter in _LIKELY)
    return sum(found[letter] * value for letter, value in _LIKELY.items()) / max(1, count), count


def _vowelless(text: str, lower: bool = False) -> float:
    """The share of words in Latin letters that have no vowel; `lower`: 0 where capitals prevail, as in lists of abbreviations."""
    words = _WORD.findall(text)
    if lower and 2 * sum(word[1:].islower() for word in words) < len(words):
        return 0.0
    plain = [unicodedata.normalize("NFD", word.lower()) for word in words]
    return sum(not set(word) & set("aeiouyæøœı") for word in plain if "a" <= word[0] <= "z") / max(1, len(words))


def _mostly_letters(text: str, share: float = 0.7) -> bool:
    solid = [character for character in text if not character.isspace()]
    return sum(character.isalnum() for character in solid) > share * len(solid)


def _figures(text: str) -> bool:
    """Whether it may be a table of figures or a formula: digits among signs."""
    return sum(character.isdigit() for character in text) > 0.3 * len(text)


def _scripts(text: str) -> int:
    """How many scripts of the world a text mixes, each with a twentieth of its letters; East Asia's count as one."""
    names = Counter(
        unicodedata.name(character, "NONE").split()[0] for character in text if not character.isascii() and not character.isspace()
    )
    names = Counter({("EAST" if name in _EAST else name): 0 for name in names}) + Counter(
        "EAST" if name in _EAST else name for name in names.elements()
    )
    return sum(count >= max(2, 0.05 * len(text)) for count in names.values())
