"""Takes a text apart into terms and operators.

No parser of grammar: a few words and marks tell the parts of a sentence. Where that leaves a doubt, a claim is rather called
unsupported than supported.
"""

import re
from dataclasses import replace

from rag.verify import grammar
from rag.verify.lexicon import keys
from rag.verify.quantity import Date, Quantity, read_date, read_quantity
from rag.verify.sentences import sentences
from rag.verify.terms import Operator, Place, Segment, Term, Terms

_SAME_LENGTH = str.maketrans(
    dict.fromkeys("‐‑‒–−⁃", "-") | dict.fromkeys("’‘‛ʼ′`", "'") | dict.fromkeys("*_\\", " ") | dict.fromkeys("“”„«»", '"') | {"\u00a0": " "}
)
_TOKEN = re.compile(
    r"""
    \d{4}-\d\d-\d\d(?!\d)                                                                     # 2024-05-10
    | (?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)*|(?<!\w)\.\d+)(?!\w*[/_@]\w)              # 1,200.50  10:30  .5
    | (?<![\w/.])[kmcdnµμ]?[gmlsbhwn]{1,2}(?=/[^\W\d_]{1,2}\b)                                   # mg/l
    | [^\W\d_]\w*(?:'\w+)?(?:[./_@:]\w+)*(?:\+\+|\#(?!\w))? | \w+(?:[./_@:]\w+)*               # miller's  p.m  v1/orders  C++
    | [^\s\w]
    """,
    re.VERBOSE,
)
_SAYS = re.compile(r"[\w/£€$¥₹%°~≈±<>≤≥-]|\.\d")
_SHORT_FORM = re.compile(r"\b(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|a\.m|p\.m)\Z", re.IGNORECASE)
_ITEM = re.compile(r"[-+•]\s|\(?\d+[.)]\s")
_BETWEEN = grammar.ARTICLES | {"not", "also", "never", "only"}
"""They may stand between a form of "be" and what it is the verb of."""
_REACH = 4
"""Terms that stand under one preposition, at the most."""


def read_terms(text: str) -> Terms:
    """All that a text says, in its order."""
    text = text.translate(_SAME_LENGTH)
    spans = sentences(text)
    out = Terms(sentences=spans, questions=frozenset(n for n, (_, end) in enumerate(spans) if text[end - 1] == "?"))
    denied: list[Operator] = []
    """The negations of the line that leads in to a list."""
    for number, (start, end) in enumerate(spans):
        known = len(out.operators)
        _Sentence(text, start, end, number, out).read()
        if _ITEM.match(text, start):
            here = {"segment": len(out.segments) - 1, "sentence": number, "index": len(out.terms) - 1}
            out.operators += [replace(o, at=replace(o.at, **here)) for o in denied]
        else:
            leads = text[start] == "#" or text[end - 1] == ":"
            denied = [o for o in out.operators[known:] if o.what == "not"] if leads else []
    return out


class _Sentence:
    """Reads one sentence, a word at a time."""

    def __init__(self, text: str, start: int, end: int, number: int, out: Terms) -> None:
        found = [match for match in _TOKEN.finditer(text, start, end) if not _is_joint(text, match)]
        self._text = text
        self._raw = [match[0] for match in found]
        self._spans = [match.span() for match in found]
        self._words = _plain([raw.casefold() for raw in self._raw])
        self._number, self._out = number, out
        self._clause = out.terms[-1].at.clause + 1 if out.terms else 0
        self._preposition = self._link = self._modifier = ""
        self._under = 0
        """Terms since the last preposition."""
        self._is_range = False
        """Whether "between" came last, so that "and" means "to"."""

    def read(self) -> None:
        self._open_segment(0)
        at = 0
        while at < len(self._words):
            at = self._step(at)

    def _step(self, at: int) -> int:
        """Reads what begins at a word; returns where the next begins."""
        if not _SAYS.match(self._words[at]) or (self._words[at] == "-" and self._is_apart(at) and self._is_apart(at - 1)):
            return self._mark(at)
        if end := self._modifier_end(at) or self._range_end(at) or self._value_end(at):
            return end
        word = self._words[at]
        if word in grammar.ARTICLES and self._under:
            self._preposition = ""
        if self._opens_segment(at):
            self._open_segment(at)
        if end := self._operator_end(at):
            return end
        if word in grammar.PRONOUNS:
            self._segment.pronouns.append((len(self._out.terms), word))
            if word in grammar.SUBJECTS:
                self._preposition = ""
        elif word in grammar.PREPOSITIONS:
            if word != "of" or not self._preposition or self._under >= _REACH:
                self._preposition = grammar.PREPOSITIONS[word]
            self._link, self._under = word, 0
        elif word in grammar.AUXILIARIES or word in ("and", "or"):
            self._preposition = ""
        elif word not in grammar.SILENT and word[0].isalnum():
            self._add_word(at)
        return at + 1

    def _mark(self, at: int) -> int:
        mark, behind = self._words[at], self._word(at + 1)
        if mark in ",;:()—|-" and self._segment.terms:
            self._clause += mark == ";" or (mark == "," and behind in ("but", "whereas", "while"))
            self._open_segment(at + 1)
        return at + 1

    def _modifier_end(self, at: int) -> int:
        """Notes "at most" and the like before a number; 0 where there is none."""
        for length in (3, 2, 1):
            end = at + length
            sign = grammar.MODIFIERS.get(tuple(self._words[at:end]))
            if not sign or (length == 1 and self._words[at] in ("c", "some") and not self._word(end)[:1].isdigit()):
                continue
            if length > 1 and self._word(end) in grammar.ARTICLES and not self._value(end):
                end += 1
            if self._value(end):
                self._modifier = sign
                return at + length
        if self._words[at] == "by" and isinstance(value := self._value(at + 1), tuple) and isinstance(value[0], Date):
            self._modifier = "<="
            return at + 1
        return 0

    def _range_end(self, at: int) -> int:
        """Reads "between 9 and 17" as "from 9 to 17"; 0 where it isn't so."""
        word = self._words[at]
        if not (word == "between" or (word == "and" and self._is_range)) or not self._value(at + 1):
            return 0
        self._is_range = word == "between"
        self._preposition = self._link = "from" if self._is_range else "to"
        self._under = 0
        return at + 1

    def _value_end(self, at: int) -> int:
        """Reads a number or a date; 0 where there is none."""
        found = self._value(at)
        if found is None:
            return 0
        value, end = found
        last, sign = end, self._modifier
        if not sign and self._word(end) == "or" and (sign := grammar.MODIFIERS_BEHIND.get(self._word(end + 1), "")):
            sign, end = {"more": ">=", "less": "<="}.get(sign, sign), end + 2
        self._modifier = ""
        is_number = isinstance(value, Quantity)
        unit = keys(self._words[last - 1]) if is_number and self._words[at] in ("a", "an", "per", "each", "every") else frozenset[str]()
        term = Term("number" if is_number else "date", unit, " ".join(self._raw[at:last]), self._place(at, last), value, sign)
        term.label = self._word(at - 1) if is_number and self._word(at - 1) in grammar.LABELS else ""
        self._add(term, at, end)
        return end

    def _value(self, at: int) -> tuple[Quantity | Date, int] | None:
        word, before = self._word(at), self._word(at - 1)
        if not word or (word == "one" and before in ("the", "this", "that", "no", "any", "which")):
            return None
        if word == "-" and (self._is_apart(at) or not self._is_apart(at - 1)):
            return None
        return read_date(self._words, self._raw, at) or read_quantity(self._words, at)

    def _is_apart(self, at: int) -> bool:
        """Whether a space, or an end, stands behind a word."""
        return not 0 <= at < len(self._spans) - 1 or self._spans[at][1] < self._spans[at + 1][0]

    def _opens_segment(self, at: int) -> bool:
        word, behind = self._words[at], self._words[at + 1 : at + 4]
        if word in grammar.SUBORDINATORS:
            return bool(self._segment.terms) and not (word in ("until", "till") and self._value(at + 1) is not None)
        if word in ("and", "or"):
            return self._word(at + 1) in grammar.SUBJECTS or any(grammar.OPERATORS.get(w) == "not" for w in behind)
        return word == "but" or (word == "that" and bool(keys(self._word(at - 1)) & grammar.REPORTS))

    def _open_segment(self, at: int) -> None:
        self._segment = Segment(self._number, self._word(at))
        self._out.segments.append(self._segment)
        self._preposition = ""

    def _operator_end(self, at: int) -> int:
        """Notes an operator; 0 where there is none."""
        for length in (3, 2):
            what = grammar.PHRASES.get(tuple(self._words[at : at + length]))
            if what is not None:
                return self._add_operator(what, at, at + length)
        word = self._words[at]
        if word in grammar.FORBIDDEN:
            self._add_operator("possible", at, at + 1)
            return self._add_operator("not", at, at + 1)
        is_month = word == "may" and self._raw[at] == "May" and at > 0
        is_thing = word == "can" and self._word(at - 1) in grammar.ARTICLES
        is_short_form = word == "no" and self._word(at + 1) == "."
        is_seen = word.startswith("appear") and self._word(at + 1) in grammar.PREPOSITIONS and self._word(at + 1) != "to"
        if word in grammar.OPERATORS and not (is_month or is_thing or is_short_form or is_seen):
            return self._add_operator(grammar.OPERATORS[word], at, at + 1)
        return 0

    def _add_operator(self, what: str, at: int, end: int) -> int:
        self._preposition = ""
        if what:
            self._out.operators.append(Operator(what, self._words[at], self._place(at, end)))
        return end

    def _add_word(self, at: int) -> None:
        raw, following = self._raw[at], self._raw[at + 1 : at + 2]
        is_name = raw[0].isupper() and (at > 0 or raw[1:2].isupper() or bool(following and following[0][0].isupper()))
        term = Term("name" if is_name else "word", keys(self._words[at]), raw, self._place(at, at + 1))
        before = [w for w in self._words[max(0, at - 3) : at] if w not in _BETWEEN and not w.endswith("ly")]
        term.passive = (bool(before) and before[-1] in grammar.BE) or self._word(at + 1) == "by"
        self._add(term, at, at + 1)

    def _add(self, term: Term, at: int, end: int) -> None:
        term.before, term.after = self._word(at - 1), self._word(end)
        term.link = "" if self._under else self._link
        term.is_joined = at > 0 and self._text[self._spans[at - 1][1] : self._spans[at][0]] == "-"
        self._under += 1
        term.preposition = self._preposition if self._under <= _REACH else ""
        self._segment.terms.append(term.at.index)
        self._out.terms.append(term)

    def _place(self, at: int, end: int) -> Place:
        start, stop = self._spans[at][0], self._spans[end - 1][1]
        return Place(start, stop, len(self._out.terms), len(self._out.segments) - 1, self._clause, self._number)

    def _word(self, at: int) -> str:
        return self._words[at] if 0 <= at < len(self._words) else ""


def _plain(words: list[str]) -> list[str]:
    """The words with some forms written out: n't, 9-17, goes up."""
    words = ["not" if word.endswith("n't") else word for word in words]
    for at in range(len(words) - 1):
        if words[at] in ("go", "goes", "went", "gone", "going") and words[at + 1] in ("up", "down"):
            words[at] = "rise" if words[at + 1] == "up" else "fall"
        if words[at] == "-" and at and words[at - 1][-1].isdigit() and words[at + 1][0].isdigit():
            words[at] = "to"
    return words


def _is_joint(text: str, mark: re.Match[str]) -> bool:
    """Whether it is a hyphen within a word, or the full stop of a short form."""
    before, behind = text[max(0, mark.start() - 5) : mark.start()], text[mark.end() : mark.end() + 1]
    if mark[0] == "-":
        return (before[-1:].isalnum() and behind.isalpha()) or (before[-1:].isalpha() and behind.isalnum())
    return mark[0] == "." and _SHORT_FORM.search(before) is not None
