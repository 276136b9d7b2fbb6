"""What the end of a line breaks: main-/tenance is one word, COVID-/19 and low-/pressure keep their hyphens, Chinese has no blank there.

PDFium marks a hyphen that ends a line, whichever it is. What the rest of the document writes decides; then digits and
capitals around it, and the parts of which compounds are commonly made.
"""

import re
from collections.abc import Callable
from itertools import pairwise

MARK = "\ufffe"
"""A hyphen at the end of a line, not yet decided on; no blank and no line break follows it."""
_MARKS = frozenset("\ufffe\u00ad")
_MARKED = tuple(_MARKS)
_HYPHENS = frozenset("-\u2010\u2011\ufe63\uff0d")
"""After a figure PDFium doesn't mark a hyphen, and never one that isn't the keyboard's."""
_DASHES = frozenset("\u2012\u2013\u2014")
_ADDRESS_ENDS = frozenset("/._=&?#%+~:@")
_SPECIAL = _MARKS | _HYPHENS | _DASHES | _ADDRESS_ENDS
_ASCII_SPECIAL = re.compile(r"[-/._=&?#%+~:@]\n")
_ADDRESS = re.compile(r"(?:\w+://|www\.)\S*$|\b10\.\d{4,9}/\S*$")
_MAIL = re.compile(r"[\w.+-]+@(?:[\w-]*\.)?$")
_GOES_ON = re.compile(
    r"\w\S*[/=&?#%_-]\S|\w\S*\.\w|(?=\w*\d)(?=\w*[^\W\d_])\w|[\w-]+/$|[/?&#=%]\w"
    r"|(?:html?|php|pdf|aspx?|txt|xml|com|org|net|edu|gov)\b"
)
_WITHOUT_BLANKS = "\u2e80"
"""From here on stand the scripts that are written without blanks, and Korean."""
_IDEOGRAPH = re.compile(r"[\u2e80-\u2fdf\u3001-\u312f\u31a0-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\U00020000-\U0003ffff]")
_SENTENCE_ENDS = frozenset("\u3002\uff01\uff1f!?.\u300d\u300f\uff09)\u201d\uff1a:")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc]")
_ITEM = re.compile(
    r"[\u3000・•●○■□◆◇▪▶※★☆①-⑳❶-❿Ⅰ-Ⅹⅰ-ⅹ*]|[-–—] |[(（]?[0-9０-９]{1,3}[.)、．）]|第[0-9０-９一二三四五六七八九十百]+[条章節项項条款編部]"
    r"|[（(]?[一二三四五六七八九十]+[、．)）]|[a-zA-Zア-ン][.)）．]"
)
_LAST, _FIRST = re.compile(r"[\w'\u2019-]*\Z"), re.compile(r"[\w'\u2019-]*")
_LONGEST_WORD = 60
_LOWER = re.compile(r"[a-z\u00df-\u00ff]")
_PUNCTUATION = ".,;:!?()[]\"'\u201c\u201d\u2018\u2019"

_FIRST_PARTS = frozenset(
    "low high long short self well non half full single double triple quasi large small medium deep slow much cross"
    " first second third fourth one two three four five six seven eight nine twelve twenty thirty forty fifty"
    " sixty seventy eighty ninety hundred user peer decision evidence government customer client energy quality computer".split()
)
_SECOND_PARTS = frozenset(
    "based like free friendly made wide scale level term related specific oriented dependent driven effective efficient"
    " resistant reviewed owned funded making defined known sized sided conditioned controlled called".split()
)
_PREFIXES = frozenset("dis cor mis pre".split())
_PARTICLES = frozenset("in up on off by to".split())
_CLOSED = frozenset("with there here where".split())
_ENDINGS = re.compile(
    r"(?:er(?:s|ed|ing|cased?)?|est|ly|ing|ings|ed|en\w{0,3}|ness|ish|less|ful|ity|y|s|es|ages?|ships?|ways?|lands?|hand\w*|ary|arily"
    r"|lights?|lighted|fall\w*|cut\w*|coming\w*|list\w*|itud\w*|evity|same|sense\w*|etheless|chalan\w*|self|fold|t?een\w*|ty|th|ton|d|e)"
)
_SUSPENDED = frozenset("and or to und oder bis sowie et ou y o e och eller og en of".split())


def joined(lines: list[str], run_on: Callable[[int], bool] = lambda line: False) -> str:
    """Lines of a paragraph as one text.

    Args:
        lines: without blanks at their ends.
        run_on: whether the line of that number goes on in the next one, if its script has no blanks.
    """
    text = "\n".join(lines)
    if text.isascii() and not _ASCII_SPECIAL.search(text):
        return text
    text = lines[0]
    for number, (above, below) in enumerate(pairwise(lines)):
        end, begin = above[-1:], below[:1]
        if end not in _SPECIAL and begin not in _DASHES and max(end, begin) < _WITHOUT_BLANKS:
            text += "\n" + below
        elif end in _MARKS or (end in _HYPHENS and begin.isalnum() and above[-2:-1].isalnum()):
            text = text[:-1] + MARK + below
        else:
            dash = _is_dashed(above, below) if end in _DASHES or begin in _DASHES else False
            cut = end in _ADDRESS_ENDS and _is_cut(above.rpartition(" ")[2], below)
            unbroken = max(end, begin) >= _WITHOUT_BLANKS and _is_run_on(above, below) and run_on(number)
            text += below if dash or cut or unbroken else "\n" + below
    return text[:-1] + MARK if text.endswith(_MARKED) else text


def cell_of(lines: list[str], run_on: Callable[[int], bool] = lambda line: True) -> str:
    """A table's cell, which is one line; as `joined`."""
    return joined(lines, run_on).replace("\n", " ") if lines else ""


def _is_run_on(above: str, below: str) -> bool:
    """Whether nothing but the end of a line, no blank, stands between two lines of Chinese or Japanese."""
    beside = above[-1:] + below[:1]
    return bool(_IDEOGRAPH.search(beside)) and not _HANGUL.search(beside) and not _ITEM.match(below)


def is_cut_sentence(above: str, below: str) -> bool:
    """Whether a sentence of Chinese or Japanese goes on in another paragraph."""
    return above[-1:] not in _SENTENCE_ENDS and _is_run_on(above, below)


def _is_dashed(above: str, below: str) -> bool:
    """Whether a dash without blanks, as between two years, stands at the end of a line or begins the next one."""
    if above[-1:] in _DASHES:
        return below[:1].isalnum() and not above[-2:-1].isspace()
    return below[1:2].isalnum() and (above[-1:].isdigit() or (below[0] == "\u2014" and above[-1:].isalpha()))


def _is_cut(last: str, below: str) -> bool:
    """Whether an address or a name with underscores goes on in the next line."""
    following = below.partition(" ")[0]
    if last.endswith("_") or _MAIL.search(last):
        return following[:1].isalnum()
    return _is_address(last) and bool(_GOES_ON.match(following) or (last[-1] in "-=&?%" and following[:1].isalnum()))


def mend(texts: list[str]) -> list[str]:
    """A document's texts with the words whole that were broken at a line's end."""
    if not any(MARK in text for text in texts):
        return texts
    known = {word.strip(_PUNCTUATION) for word in set().union(*(text.lower().split() for text in texts))}
    return [_mended(text, known) if MARK in text else text for text in texts]


def _mended(text: str, known: set[str]) -> str:
    done, *rest = text.split(MARK)
    for after in rest:
        first, second = _LAST.search(done, max(0, len(done) - _LONGEST_WORD)), _FIRST.match(after)
        assert first and second
        if second[0].lower() in _SUSPENDED:
            done += "- " + after
        elif _is_address(done[-200:]) or _is_compound(first[0], second[0], done[-40:] + after[:40], known):
            done += "-" + after
        else:
            done += after
    return done


def _is_address(text: str) -> bool:
    return ("://" in text or "www." in text or "10." in text) and bool(_ADDRESS.search(text))


def _is_compound(first: str, second: str, around: str, known: set[str]) -> bool:
    """Whether the hyphen belongs to the word; `around` is the text beside it."""
    if not first or not second or not first[-1].isalpha() or not second[0].isalpha():
        return True
    left, right = first.lower().rpartition("-")[2], second.lower().partition("-")[0]
    whole, compound = left + right, f"{left}-{right}"
    if (whole in known) != (compound in known):
        return compound in known
    if first.isupper() and second.isupper() and not _LOWER.search(around):
        return len(left) < 2 or len(right) < 3
    if second[0].isupper() or (first.isupper() and len(first) > 1) or len(left) == 1 or "-" in first + second:
        return True
    if right in _PARTICLES:
        return left not in _CLOSED
    made = right in _SECOND_PARTS and (len(left) > 2 or left == "so") and left not in _PREFIXES
    return made or (left in _FIRST_PARTS and not _ENDINGS.fullmatch(right))
