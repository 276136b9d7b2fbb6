"""Every date, amount, name and so on of a document, found by pattern over its whole text: nothing is left to a model's memory.

Recall comes first: a pattern takes what may be a date, and each is shown with its sentence so that a reader can strike it out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.whole.document import Whole

_MAY = r"(?:May|March|Mai|mars|mai)\b"
_FULL = r"""(?:January|February|April|June|July|August|September|October|November|December|Januar|Februar|März|Juni|Juli|Oktober|Dezember
    |janvier|février|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto
    |septiembre|octubre|noviembre|diciembre)\b"""
_MONTH = rf"(?:{_FULL}|{_MAY}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
_GAP = r"(?:[ \t]*\n?[ \t]*)"
"""Between the parts of a date, which a line's end may part but no blank line."""
_DAY = r"(?<![\d.,])(?:3[01]|[12]\d|0?[1-9])(?:\s?(?:st|nd|rd|th)\b|\.(?=\s))?"
_YEAR = r"(?:1[0-9]|20)\d\d(?!\d|[.,]\d)"
_UNIT = r"(?:IU|mg|kg|g|km|m|ml|l|cm|mm|kW|hours?|miles?|tonnes?|people|visitors|words|tokens|members|[A-Z]\w+\s(?:Street|Avenue|Road))\b"
"""What makes a number no year."""
_CURRENCY = r"(?:US\$|C\$|A\$|[$£€¥₹₩]|\b(?:USD|EUR|GBP|CHF|JPY|INR|Rs\.?|SEK|NOK|DKK|CAD|AUD)\b)"
_NUMBER = r"\d+(?:[.,'\u00a0\u202f ]\d{3})*(?:[.,]\d+)?"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|mn|bn|[kKmM]\b))?"
_TITLE = r"(?:Dr|Mrs?|Ms|Miss|Prof|Professor|Sir|Lady|Captain|Capt|Rev|Lord|Dame|Widow|St)\.?"
_PARTICLE = r"(?:of|de|van|von|der|da|di|la|le|du|al|bin)"
_CAPITALISED = r"(?:(?:[A-Z]\.){1,3}|(?:O'|Mc|Mac|D')?[A-ZÀ-ÖØ-Þ][\w'\u2019]*[a-zà-öø-ÿ](?:-[A-ZÀ-Þ]?\w+)*)"
_CAP = rf"(?:{_CAPITALISED}|[A-Z]{{2,}}\b)"
_BLANK = r"(?:[ \t]+|[ \t]*\n[ \t]*)"
"""Between a person's names, which a line's end may part."""

KINDS: dict[str, tuple[str, str]] = {
    "date": (
        r"dates?",
        rf"""{_DAY}{_GAP}(?:(?:[-\u2013]|to|and){_GAP}{_DAY}{_GAP})?(?:of\s+)?{_MONTH}(?:,?{_GAP}{_YEAR})?
        | \b{_MONTH}{_GAP}\b{_DAY}(?:,?{_GAP}{_YEAR})?(?!\s*[.:]?\d) | \b{_MONTH},?{_GAP}{_YEAR}
        | (?<![\d./-])\d{{4}}[-/.](?:0?[1-9]|1[0-2])[-/.](?:3[01]|[12]\d|0?[1-9])(?![\d-])
        | (?<![\d./-])\d{{1,2}}(?P<mark>[./-])\d{{1,2}}(?P=mark)(?:\d{{4}}|\d\d)(?![\d./-]*\d)
        | \b{_FULL} | (?:(?<=\bin\s)|(?<=\bby\s)|(?<=\bof\s)|(?<=\bto\s)|(?<=\band\s)|(?<=\bfrom\s)|(?<=\buntil\s)|(?<=\bsince\s)){_MAY}
        | \bthe\s+\d{{1,2}}(?:st|nd|rd|th)(?=\s+of\s+(?:the|each|every)\s+month)
        | (?<![\d.,/£$€#-])\b(?:1[0-9]|20)\d\d(?:s\b)?(?!\d|[.,]\d|\s?%|[-/]\w*\d{{3}}|\s?{_UNIT})\b""",
    ),
    "amount": (
        r"(?:amounts?(?:\s+of\s+money)?|sums?(?:\s+of\s+money)|prices?|costs?|money\s+amounts?|monetary\s+(?:amounts?|values?))",
        rf"""\(?[-\u2212]?{_CURRENCY}\s?[-\u2212]?{_NUMBER}{_SCALE}\)? | (?<![\w.,]){_NUMBER}{_SCALE}\s?{_CURRENCY}
        | (?<![\w.,]){_NUMBER}{_SCALE}\s?(?:dollars?|euros?|pounds?|pence|cents?|francs?|yen|rupees?|shillings?)\b
        | (?<![\w.,£$€])\d+p\b""",
    ),
    "percentage": (r"(?:percentages?|percents?|per\s+cents?)", rf"[-\u2212+]?{_NUMBER}\s?(?:%|per\s?cent\b|percent\b)"),
    "e-mail address": (r"e-?mails?(?:\s+address(?:es)?)?", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "phone number": (
        r"(?:(?:tele)?phone|fax|mobile)\s+numbers?|telephones?|phones?",
        r"(?<![\w.,/-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{2,5}(?:[\s.-]\d{2,8}){1,4}(?![\w,/-]|\.\d)|(?<![\w.,/-])0\d{8,11}(?!\w)",
    ),
    "link": (r"(?:links?|urls?|web\s?(?:site\s+)?addresses|websites?)", r"(?:https?://|ftp://|\bwww\.)[^\s<>\"')\]|]+[^\s<>\"')\]|.,;:!?]"),
    "identifier": (
        r"""(?:(?:part|serial|order|invoice|product|item|policy|account|case|reference|model|error|document|report|patient|customer)\s+
        (?:numbers?|codes?|ids?)|identifiers?|reference\s+numbers?|references|codes|ids|skus?)""",
        r"\b(?=[\w./-]*[A-Z])(?=[\w./-]*\d)(?:[A-Z]{1,8}[-/.]?)+\d[\w]*(?:[-/.][\w]+)*|\b\d+(?:[-/.]?[A-Z]+\d*)+(?:[-/]\w+)*\b",
    ),
    "person": (
        r"(?:names?\s+of\s+(?:all\s+|every\s+|each\s+|single\s+|of\s+|the\s+)*)?(?:people|persons?|everyone|everybody)",
        rf"\b{_TITLE}{_BLANK}{_CAPITALISED}(?:{_BLANK}{_CAPITALISED})*|\b{_CAPITALISED}(?:{_BLANK}{_CAPITALISED})+",
    ),
    "name": (
        r"(?:(?:personal\s+|proper\s+)?names?|companies|organi[sz]ations|places)",
        rf"\b{_TITLE}[ \t]+{_CAP}(?:[ \t]+{_CAP})*|\b{_CAP}(?:[ \t]+(?:&[ \t]+|{_PARTICLE}[ \t]+(?:(?:the|der|la)[ \t]+)?)?{_CAP})*",
    ),
    "number": (r"(?:numbers?|figures?)", rf"(?<![\w.,])[-\u2212+]?{_NUMBER}(?!\w)"),
}
"""Of each kind: the words that ask for it, and what it looks like."""
_FINDERS = {kind: re.compile(finder, re.VERBOSE * (kind in ("date", "amount"))) for kind, (_, finder) in KINDS.items()}
_BEGINS = re.compile(r"[.!?:;\n|\"\u201c(\u2022-][\s*_]*\Z")
_HEADER = re.compile(r"\|[^\n]*\n\|(?: *:?-+:? *\|)+")
_COMMON = frozenset(
    """the a an and or but if in on at of to for from by with as is are was were be it its this that these those there he she they we you i
    his her their our your my who what when where why how which not no yes all any each every some most many few other others another such
    so then than after before during since until while because although though however also only both either neither nobody nothing
    everyone everybody anyone somebody one two three four five six seven eight nine ten first second third last next new old please see do
    does did don't can could may might must shall should will would have has had let here now today once never always often sometimes
    perhaps under over up down out off about above below between into through against without within near himself herself itself
    themselves myself monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays
    sundays january february march april may june july august september october november december figure table page section chapter note
    total version later earlier meanwhile finally usd eur gbp chf""".split()
)
"""Words in lower case that begin a sentence and no name."""
_LINE = 40
"""Characters before a name that a line's end may part."""
_NO_PERSON = _COMMON - {"may", "april", "june", "august", "will"} | frozenset(
    """society club committee council company ltd inc gmbh fund trust bank partnership association university college school church museum
    office department ministry services service works street lane road avenue square bridge bay sands wood creek river lake island pond farm
    yard house hall room mill museum park market station harbour harbor north south east west northern southern eastern western united
    kingdom states head chief senior deputy assistant general annual executive officer director manager chair treasurer secretary president
    minister mayor minutes report contract meeting agreement act article book log day winter summer spring autumn christmas easter english
    handbook ticket corner café cafe lower upper sea best dear yours
    french german british american african european""".split()
)
"""Words that stand in the names of roles, bodies, places and occasions, and hardly in a person's."""


@dataclass(frozen=True)
class Item:
    """Something found, as it is written, and where: spans of the document's text, each within `sentence`."""

    kind: str
    text: str
    places: tuple[tuple[int, int], ...]


def kinds_of(text: str) -> list[str]:
    """The kinds that a text asks for: "dates and amounts"."""
    return [kind for kind, _ in _asked_for(text)]


def kind_words(text: str) -> list[str]:
    """The words of a text that ask for kinds, as they stand."""
    return [said for _, all_said in _asked_for(text) for said in all_said]


def _asked_for(text: str) -> Iterator[tuple[str, list[str]]]:
    for kind, (pattern, _) in KINDS.items():
        asks = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE | re.VERBOSE)
        if found := [match[0] for match in asks.finditer(text)]:
            yield kind, found
            text = asks.sub(" ", text)  # phone numbers are no numbers


def every(document: Whole, kind: str) -> list[Item]:
    """All of a kind in a document, in its order, each once with all of its places."""
    found: dict[str, list[tuple[int, int]]] = {}
    written: dict[str, str] = {}
    for start, end in _matches(document, kind):
        text = " ".join(document.text[start:end].split())
        key = re.sub(r"[\s,]+", " ", text.casefold()).strip(" .")
        written.setdefault(key, text)
        found.setdefault(key, []).append((start, end))
    return [Item(kind, written[key], tuple(places)) for key, places in found.items()]


def _matches(document: Whole, kind: str) -> Iterator[tuple[int, int]]:
    for match in _FINDERS[kind].finditer(document.text):
        start, end = match.span()
        if kind in ("name", "person"):
            start, end = (
                (end, end) if _HEADER.match(document.text, document.text.rfind("\n", 0, start) + 1) else _name(document, start, end)
            )
        if kind == "phone number" and not 7 <= sum(map(str.isdigit, match[0])) <= 15:
            continue
        if start < end and (kind != "person" or _is_person(document.text, start, end)):
            yield start, end


def _is_person(text: str, start: int, end: int) -> bool:
    """Whether a name is two words or more, none of them of a role, a place or a body, and no heading with the word below it."""
    said = re.findall(r"[^\W\d_]+", text[start:end])
    is_cut = "\n" in text[start:end] and start - text.rfind("\n", 0, start) < _LINE
    return len(said) > 1 and _NO_PERSON.isdisjoint(word.casefold() for word in said) and not is_cut


def _name(document: Whole, start: int, end: int) -> tuple[int, int]:
    """The name in a run of capitalised words: without the common words at its head; none where a sentence begins with one word."""
    text = document.text
    while start < end:
        word = re.compile(r"\S+").match(text, start, end)
        if word is None or word[0].strip(".'\u2019").casefold() not in _COMMON:
            break
        start = word.end() + len(text[word.end() : end]) - len(text[word.end() : end].lstrip())
    if text[start:end].endswith(("'s", "\u2019s")):
        end -= 2
    first, _, rest = text[start:end].partition(" ")
    begins = start == 0 or _BEGINS.search(text[max(0, start - 6) : start]) is not None
    if begins and " " in rest and not re.fullmatch(_TITLE, first) and text.count(rest) > text.count(text[start:end]):
        start = end - len(rest)  # "Later Ann Lee" where "Ann Lee" stands too
    alone = not re.search(r"\s", text[start:end])
    is_lower_elsewhere = begins and alone and re.search(rf"\b{re.escape(text[start:end].lower())}\b", text) is not None
    if alone and (len(text[start:end]) < 2 or is_lower_elsewhere or (begins and not _stands_inside(text, text[start:end]))):
        return end, end
    return start, end


def _stands_inside(text: str, word: str) -> bool:
    """Whether a word with a capital stands in the middle of a sentence too, or in a table's cell."""
    return re.search(rf"[a-z,]\s+{re.escape(word)}\b|\|\s*{re.escape(word)}\s*\|", text) is not None
