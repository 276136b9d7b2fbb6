"""A text as terms that can be compared one by one: words by their stems, names, numbers with units, dates.

Beside the terms stand its operators (not, may, if, most), which change what the terms near them say. Each term knows its
sentence, its segment (what punctuation and words like "while" part), and the preposition before it. No parser: a few words and
marks tell the parts of a sentence; where that leaves a doubt, a claim is rather called unsupported (paraphrase.py).
"""

import re
from dataclasses import dataclass, field, replace

from rag.verify.lexicon import keys
from rag.verify.quantity import Date, Quantity, read_date, read_quantity

_SAME_LENGTH = str.maketrans(
    dict.fromkeys("‐‑‒–−⁃", "-") | dict.fromkeys("’‘‛ʼ′`", "'") | dict.fromkeys("*_\\", " ") | dict.fromkeys("“”„«»", '"') | {"\u00a0": " "}
)
LABELS = frozenset(
    """section sections sec chapter chapters ch page pages pp figure figures fig table tables tab clause article art paragraph para
    annex appendix part item step note footnote question schedule exhibit version release § no number room bus line""".split()
)
_TOKEN = re.compile(
    r"""
    \d{4}-\d\d-\d\d(?!\d)
    | (?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)*|(?<!\w)\.\d+)(?![\w]*[/_@]\w)(?=[a-z°%]{0,8}(?![\w])|[^\w])
    | [^\W\d_][\w]*(?:'\w+)?(?:[./_@:]\w+)*(?:\+\+|\#(?!\w))? | \w+(?:[./_@:]\w+)*
    | [^\s\w]
    """,
    re.VERBOSE,
)
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st no nos nr fig figs sec ch p pp vol art eq ed e.g i.e cf vs approx ca al inc ltd jr sr dept est mt c
    jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
_END = re.compile(r"[.!?…][\"')\]]*\s+(?=[^a-z\s])|\n\s*\n|\n(?=\s*(?:[-+•|#>]|\d+[.)])\s?)|(?<=\|)\n|:\s*\n")

_ITEM = re.compile(r"[-+•]\s|\(?\d+[.)]\s")
ARTICLES = frozenset("the a an".split())
PRONOUNS = frozenset(
    """it its he she they them their theirs his her hers him we our us you your i my this these those that who which whose whom one both
    there""".split()
)
_SUBJECTS = frozenset("it he she they we you i there".split())
POSSESSIVES = frozenset("its their theirs his her our your my whose".split())
_BE = frozenset("is are was were be been being am get gets got".split())
_PREPOSITIONS = {
    word: line.split()[0]
    for line in """by|from|to into towards toward onto|than|before|after following|since|until till|over above|under below beneath|against versus
    between|behind|beyond|despite|outside|inside|of|in on at during within through throughout across for with along around near upon
    as|about""".replace("\n", "|").split("|")
    for word in line.split()
}
LOOSE = frozenset(("in", "of", "as", "about", ""))
"""Prepositions that may stand for each other; all others say where from, until when, against whom."""
_STRICT = None
_SILENT = (
    ARTICLES
    | _BE
    | frozenset(
        """and or also too so then there here do does did has have had having such very just own well as both either
        going any anyone anybody anything where how what why let s t re ve d ll etc via whether though although because since owing due while whilst whereas when yet
        however therefore thus hence moreover furthermore additionally respectively namely accordingly please yes each every up out off
        down away back on in at of for with to by""".split()
    )
)
OPERATORS = {
    word: line.split()[0].upper()
    for line in """not no never none nobody nothing nowhere neither nor without cannot non hardly scarcely rarely seldom except excluding|
    possible may might could can possibly perhaps maybe|probable probably likely presumably apparently seem seems seemed appear appears
    appeared unlikely allegedly supposedly reportedly|would|will shall|must should ought|if unless provided providing otherwise|until till|
    some several certain various partly partially sometimes occasionally|most mostly majority usually generally normally typically largely mainly often|few
    all every everything everyone everybody always entire entirely whole completely fully each|
    only solely exclusively merely|nearly almost practically virtually|least""".replace("\n", " ")
    .replace("|", "\n")
    .split("\n")
    for word in line.split()
}
_GOVERNORS = frozenset(
    k
    for word in """propose plan intend hope want try attempt refuse fail deny suggest believe think suspect assume expect claim allege doubt
    consider promise threaten offer recommend request ask aim decline forbid prohibit prevent avoid estimate predict forecast reject
    recommend scheduled supposed""".split()
    for k in keys(word)
)
_MODIFIERS = (
    ("<=", "no more than|not more than|no later than|not later than|at most|at the most|up to|as many as|as much as|never exceeds|never exceed|not exceed|must not exceed|may not exceed|does not exceed|cannot exceed|a maximum of|maximum of|not exceeding|no longer than|not longer than"),
    (">=", "no less than|not less than|no fewer than|not fewer than|at least|a minimum of|minimum of|on or after|no earlier than|not earlier than"),
    (">", "more than|over|above|exceeding|greater than|larger than|higher than|in excess of|upwards of|older than|longer than"),
    ("<", "less than|fewer than|under|below|lower than|smaller than|younger than|shorter than"),
    ("~<", "nearly|almost|just under|not quite"),
    ("~", "about|around|roughly|approximately|approx|circa|ca|c|some|~|≈|±|an estimated|estimated"),
    ("<=", "≤"), (">=", "≥"), (">", ">"), ("<", "<"),
)  # fmt: skip
_MODIFIER = {tuple(phrase.split()): sign for sign, phrases in _MODIFIERS for phrase in phrases.split("|")}
_BEHIND = {
    "or more": ">=",
    "or over": ">=",
    "or older": ">=",
    "and over": ">=",
    "or less": "<=",
    "or fewer": "<=",
    "or under": "<=",
    "or younger": "<=",
}
_REPORTS = frozenset(
    k for word in "report say announce find suggest expect propose know believe think note claim".split() for k in keys(word)
)
_NEW_SEGMENT = frozenset("but while whereas although though because when if unless until whilst till".split())
_RELATIVE = frozenset("which who whose where that".split())


@dataclass(slots=True)
class Term:
    """A word, name, number or date of a text, or an operator."""

    kind: str
    keys: frozenset[str]
    start: int
    end: int
    raw: str
    value: Quantity | Date | None = None
    modifier: str = ""
    preposition: str = ""
    link: str = ""
    """The preposition itself, where it stands just before."""
    passive: bool = False
    """Whether a form of "be" stands just before."""
    before: str = ""
    after: str = ""
    """The words around it, in lower case."""
    segment: int = 0
    sentence: int = 0
    clause: int = 0
    place: int = 0
    label: str = ""
    """The word before a number that only names a place: Section 5."""


@dataclass(slots=True)
class Segment:
    """A part of a sentence: the places of its terms, and the words that open it."""

    sentence: int
    opening: tuple[str, ...]
    terms: list[int] = field(default_factory=list)
    pronouns: list[tuple[int, str]] = field(default_factory=list)
    """Each with the place of the term behind it."""


@dataclass(slots=True)
class Terms:
    terms: list[Term]
    operators: list[Term]
    segments: list[Segment]
    sentences: list[tuple[int, int]]
    questions: frozenset[int]
    """The sentences that ask."""


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of a text's sentences, list items and rows."""
    cuts = [0]
    for found in _END.finditer(text):
        before = re.search(r"([\w.]+)\Z", text[max(0, found.start() - 12) : found.start()])
        word = before[1].casefold() if before else ""
        if found[0][0] == "." and (word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())):
            continue
        cuts.append(found.end())
    spans = []
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        body = text[start:end]
        if body.strip():
            spans.append((end - len(body.lstrip()), start + len(body.rstrip())))
    return spans


def read_terms(text: str) -> Terms:
    """All that a text says, in its order."""
    text = text.translate(_SAME_LENGTH)
    spans = sentences(text)
    out = Terms([], [], [], spans, frozenset(n for n, (_, end) in enumerate(spans) if text[end - 1] == "?"))
    denied: list[Term] = []
    """The negations of the line that leads in to a list."""
    for number, (start, end) in enumerate(spans):
        known = len(out.operators)
        _Sentence(text, start, end, number, out).read()
        if _ITEM.match(text, start):
            out.operators += [replace(o, segment=len(out.segments) - 1, sentence=number, place=len(out.terms) - 1) for o in denied]
        else:
            leads = text[start] == "#" or text[end - 1] == ":"
            denied = [o for o in out.operators[known:] if "NOT" in o.keys] if leads else []
    return out


class _Sentence:
    def __init__(self, text: str, start: int, end: int, number: int, out: Terms) -> None:
        found = [m for m in _TOKEN.finditer(text, start, end) if not _is_joint(text, m)]
        self.raw = [m[0] for m in found]
        self.spans = [m.span() for m in found]
        self.words = [w.casefold() for w in self.raw]
        self._negated_forms()
        self.number, self.out = number, out
        self.preposition, self.since_preposition = "", 0
        self.clause = out.terms[-1].clause + 1 if out.terms else 0
        self.modifier = self.link = ""

    def _negated_forms(self) -> None:
        for at in range(len(self.words) - 1):
            if self.words[at] in ("go", "goes", "went", "gone", "going") and self.words[at + 1] in ("up", "down"):
                self.words[at] = "rise" if self.words[at + 1] == "up" else "fall"
        self.words = ["not" if w.endswith("n't") else w for w in self.words]
        for at in range(1, len(self.words) - 1):
            if self.words[at] == "-" and self.words[at - 1][-1].isdigit() and self.words[at + 1][0].isdigit():
                self.words[at] = "to"

    def read(self) -> None:
        self._open(0)
        at = 0
        while at < len(self.words):
            at = self._step(at)

    def _open(self, at: int) -> None:
        self.segment = Segment(self.number, tuple(self.words[at : at + 3]))
        self.out.segments.append(self.segment)
        self.preposition = ""

    def _step(self, at: int) -> int:
        word, raw = self.words[at], self.raw[at]
        if not re.match(r"[\w£€$¥₹%°~≈±<>≤≥-]|\.\d", word):
            return self._mark(at)
        for length in (3, 2, 1):
            phrase = tuple(self.words[at : at + length])
            sign = _MODIFIER.get(phrase)
            if sign and len(phrase) == length:
                following = at + length
                while (
                    self.words[following : following + 1] in (["the"], ["a"])
                    and length > 1
                    and following - at < length + 1
                    and not read_quantity(self.words, following)
                ):
                    following += 1
                if (
                    following < len(self.words)
                    and self._number(following)
                    and (length > 1 or word not in ("c", "some") or self.words[following][0].isdigit())
                ):
                    self.modifier = sign
                    return at + length
        if word == "by" and at + 1 < len(self.words) and self._number(at + 1, dates_only=True):
            self.modifier = "<="
            return at + 1
        if word == "by" and self.words[at + 1 : at + 4] == ["the", "end", "of"]:
            self.modifier = ""
        if found := self._number(at):
            value, end = found
            return self._quantity(value, at, end)
        if word in ARTICLES and self.since_preposition:
            self.preposition = ""
        if (
            (word in _NEW_SEGMENT and not (word in ("until", "till") and at + 1 < len(self.words) and self._number(at + 1)))
            or (word == "that" and at and self._is_report(at))
            or self._is_new_subject(at)
        ):
            if self.segment.terms or word not in ("when", "if", "while", "although", "because", "unless", "until", "though", "whereas"):
                self._open(at)
        if self.words[at : at + 2] in (
            ["has", "to"],
            ["have", "to"],
            ["had", "to"],
            ["is", "to"],
            ["are", "to"],
            ["was", "to"],
            ["were", "to"],
            ["need", "to"],
            ["needs", "to"],
        ):
            return self._operator("MUST", at, at + 2)
        if self.words[at : at + 3] in (["not", "have", "to"], ["not", "need", "to"], ["not", "required", "to"]):
            return self._operator("UNNEEDED", at, at + 3)
        if self.words[at : at + 2] == ["need", "not"]:
            return self._operator("UNNEEDED", at, at + 2)
        if word in ("allowed", "permitted"):
            return self._operator("POSSIBLE", at, at + 1 + (self.words[at + 1 : at + 2] == ["to"]))
        if word in ("forbidden", "prohibited", "banned"):
            self._operator("POSSIBLE", at, at + 1)
            return self._operator("NOT", at, at + 1)
        if word in ("required", "obliged", "supposed") and self.words[at + 1 : at + 2] == ["to"]:
            return self._operator("MUST", at, at + 2)
        if word == "not" and self.words[at + 1 : at + 2] in (["only"], ["just"], ["merely"]):
            return at + 2
        if word == "no" and self.words[at + 1 : at + 2] == ["."]:
            return at + 1
        if word == "no" and self.words[at + 1 : at + 2] == ["longer"]:
            return self._operator("NOT", at, at + 2)
        if (
            word in OPERATORS
            and not (word == "may" and raw == "May" and at)
            and not (word == "can" and self.words[at - 1 : at] in (["the"], ["a"]))
        ):
            return self._operator(OPERATORS[word], at, at + 1)
        if word in PRONOUNS:
            self.segment.pronouns.append((len(self.out.terms), word))
            if word in _SUBJECTS:
                self.preposition = ""
            return at + 1
        if word in _PREPOSITIONS:
            if word != "of" or not self.preposition or self.since_preposition > 3:
                self.preposition = _PREPOSITIONS[word]
            self.link, self.since_preposition = word, 0
            if word in _SILENT or word in (
                "within",
                "through",
                "during",
                "across",
                "along",
                "around",
                "near",
                "upon",
                "throughout",
                "as",
                "about",
                "between",
                "than",
                "from",
                "into",
                "onto",
            ):
                return at + 1
            if word in (
                "before",
                "after",
                "following",
                "since",
                "over",
                "under",
                "above",
                "below",
                "beneath",
                "against",
                "versus",
                "towards",
                "toward",
                "despite",
            ):
                return at + 1
        if word in _SILENT or word in _NEW_SEGMENT or not any(map(str.isalnum, word)):
            if word in _BE or word in ("and", "or", "has", "have", "had", "do", "does", "did"):
                self.preposition = ""
            return at + 1
        return self._word(at)

    def _is_report(self, at: int) -> bool:
        return bool(keys(self.words[at - 1]) & _REPORTS)

    def _is_new_subject(self, at: int) -> bool:
        if self.words[at] in ("and", "or") and any(OPERATORS.get(w) == "NOT" for w in self.words[at + 1 : at + 4]):
            return True
        return self.words[at] in ("and", "or") and self.words[at + 1 : at + 2] in (
            ["it"],
            ["he"],
            ["she"],
            ["they"],
            ["we"],
            ["you"],
            ["i"],
            ["this"],
            ["these"],
        )

    def _mark(self, at: int) -> int:
        mark = self.words[at]
        if mark == "-" and not (self.spans[at][0] and self._spaced(at)):
            return at + 1
        if mark in ",;:()-—|" and self.segment.terms:
            behind = self.words[at + 1 : at + 2]
            if mark == ";" or (mark == "," and behind and behind[0] in ("but", "whereas", "while")):
                self.clause += 1
            self._open(at + 1)
        return at + 1

    def _spaced(self, at: int) -> bool:
        gap_before = self.spans[at][0] > self.spans[at - 1][1] if at else True
        gap_behind = at + 1 < len(self.spans) and self.spans[at + 1][0] > self.spans[at][1]
        return gap_before and gap_behind

    def _number(self, at: int, dates_only: bool = False) -> tuple[Quantity | Date, int] | None:
        if self.words[at] == "-":
            signed = (
                at + 1 < len(self.words)
                and self.spans[at + 1][0] == self.spans[at][1]
                and (at == 0 or self.spans[at - 1][1] < self.spans[at][0])
            )
            if not signed:
                return None
        if self.words[at] == "one" and self.words[at - 1 : at] in (["the"], ["this"], ["that"], ["no"], ["any"], ["which"]):
            return None
        if date := read_date(self.words, self.raw, at):
            return date[0], date[1]
        if dates_only:
            return None
        return read_quantity(self.words, at)

    def _quantity(self, value: Quantity | Date, at: int, end: int) -> int:
        modifier = self.modifier
        self.modifier = ""
        if not modifier:
            modifier = _BEHIND.get(" ".join(self.words[end : end + 2]), "")
            end += 2 * bool(modifier)
        kind = "date" if isinstance(value, Date) else "number"
        unit = keys(self.words[end - 1]) if self.words[at] in ("a", "an", "per", "each", "every") and kind == "number" else frozenset()
        term = Term(kind, unit, self.spans[at][0], self.spans[end - 1][1], " ".join(self.raw[at:end]), value, modifier)
        term.label = self.words[at - 1] if at and self.words[at - 1] in LABELS and kind == "number" else ""
        self._add(term, at, end)
        return end

    def _word(self, at: int) -> int:
        raw, word = self.raw[at], self.words[at]
        is_name = raw[0].isupper() and (
            bool(at)
            or (self.raw[at + 1 : at + 2] and self.raw[at + 1][0].isupper())
            or (not raw.islower() and len(raw) > 1 and raw[1].isupper())
        )
        term = Term("name" if is_name else "word", keys(word), *self.spans[at], raw)
        before = [w for w in self.words[max(0, at - 3) : at] if w not in ("not", "also", "never", "only") and not w.endswith("ly")]
        term.passive = (bool(before) and before[-1] in _BE) or self.words[at + 1 : at + 2] == ["by"]
        self._add(term, at, at + 1)
        return at + 1

    def _operator(self, what: str, at: int, end: int) -> int:
        self.preposition = ""
        term = Term("operator", frozenset((what,)), self.spans[at][0], self.spans[end - 1][1], self.words[at])
        term.segment, term.sentence, term.clause, term.place = len(self.out.segments) - 1, self.number, self.clause, len(self.out.terms)
        self.out.operators.append(term)
        return end

    def _add(self, term: Term, at: int, end: int) -> None:
        term.before = self.words[at - 1] if at else ""
        term.after = self.words[end] if end < len(self.words) else ""
        term.link = "" if self.since_preposition else self.link
        self.since_preposition += 1
        term.preposition = self.preposition if self.since_preposition <= 4 else ""
        term.segment, term.sentence, term.clause, term.place = len(self.out.segments) - 1, self.number, self.clause, len(self.out.terms)
        self.segment.terms.append(term.place)
        self.out.terms.append(term)


def _is_joint(text: str, mark: re.Match[str]) -> bool:
    """Whether it is a hyphen within a word, or the full stop of a month's or a unit's short form."""
    before, behind = text[max(0, mark.start() - 5) : mark.start()], text[mark.end() : mark.end() + 1]
    if mark[0] == "-":
        return (before[-1:].isalnum() and behind.isalpha()) or (before[-1:].isalpha() and behind.isalnum())
    return (
        mark[0] == "." and re.search(r"\b(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|a\.m|p\.m)\Z", before, re.IGNORECASE) is not None
    )
