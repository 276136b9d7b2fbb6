"""What kind of task a question is, told by a few plain rules.

A rule asks for two things: words that want a whole document ("summarise", "every date in"), and behind them a phrase that names a
document (names.py) and nothing else. So "What is the summary judgment date?" stays a question like any other.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rag.query import Query
from rag.whole.names import Names
from rag.whole.patterns import KINDS, kinds_of

Mode = Literal["answer", "summarise", "compare", "every", "each", "which", "compute"]


@dataclass(frozen=True)
class Task:
    """
    Attributes:
        documents: those to be read, whole.
        what: what is wanted of them: the kinds for "every", the question for "each", the topic for "which".
        unclear: why it can't be done, in a sentence; "" where it can.
    """

    mode: Mode
    documents: tuple[str, ...] = ()
    what: str = ""
    unclear: str = ""


_I = re.IGNORECASE | re.VERBOSE
_ASK = r"""\s*(?:(?:please|now|kindly|and|so|then|also|(?:can|could|would|will)\s+you|i\s+(?:want|need)|i(?:'d|\s+would)\s+like|you\s+to
    |let's|(?:give|show|send|write|make|tell|get)(?:\s+(?:me|us))?|provide|create|list|what(?:'s|\s+is|\s+are|\s+were)|which\s+are)[\s,]+)*"""
_AN = r"(?:(?:the|a|an|all|its)\s+)?"
_ADJECTIVE = (
    r"""(?:(?:brief|short|quick|concise|executive|general|detailed|good|[\w-]+[\s-](?:sentence|line|paragraph|page|word|point))\s+)*"""
)
_END = re.compile(
    r"""[\s,]*(?:\b(?:please|briefly|for\s+me|thanks|in\s+(?:brief|short|general|detail|bullet\s+points|(?:plain|simple)\s+(?:words|english)
    |(?:a|one|two|three|four|five|six|ten|\d+|a\s+few)\s+(?:short\s+)?(?:words?|sentences?|lines?|bullet\s+points?|points?|paragraphs?))))?
    [\s.?!]*\Z""",
    _I,
)
_SUMMARISE = [
    re.compile(_ASK + pattern, _I)
    for pattern in (
        r"(?:summari[sz]e|sum\s+up|recap|outline|condense|tl;?dr:?)(?:\s+of)?(?:\s+for\s+me)?\s+(?P<document>.+)",
        _AN
        + _ADJECTIVE
        + r"(?:summary|overview|gist|synopsis|outline|essence|digest|tl;?dr|highlights|summarization)\s+(?:of|for)\s+(?P<document>.+)",
        _AN
        + r"""(?:\w+\s+)?(?:main|key|most\s+important|principal|chief|central|essential|major|core)\s+(?:points?|ideas?|messages?|takeaways?
        |topics?|themes?|findings?|conclusions?|arguments?|facts|insights|contents?)\s+(?:(?:made|raised|discussed)\s+)?(?:of|in|from)\s+
        (?P<document>.+)""",
        r"(?P<document>.+?)\s+(?:all\s+)?about",
        r"what\s+does\s+(?P<document>.+?)\s+(?:say|cover|contain|deal\s+with|talk\s+about|tell\s+us)",
        r"(?:in|inside)\s+(?P<document>.+)",
    )
]
_COMPARE = [
    re.compile(_ASK + pattern, _I)
    for pattern in (
        r"(?:compare|contrast)\s+(?P<documents>.+)",
        _AN + r"(?:main\s+|key\s+)?(?:differences?|similarit(?:y|ies))\s+(?:between|of)\s+(?P<documents>.+)",
        r"how\s+(?:do|does|did|is|are)\s+(?P<documents>.+?)(?:\s+(?:differ|compare))?",
    )
]
_BETWEEN = re.compile(r"\s*,?\s+(?:and|with|to|against|versus|vs\.?|differ(?:s|ent)?\s+from|compare(?:d)?\s+(?:to|with))\s+", re.I)
_KIND = "|".join(sorted((pattern for pattern, _ in KINDS.values()), key=len, reverse=True))
_EVERY = re.compile(
    rf"""{_ASK}(?:(?:extract|find|collect|enumerate|pull\s+out|list)\s+)?(?P<all>(?:all|every|each|any|what|which)\s+|(?:(?:of|the)\s+)?)
    (?:(?:of|the|single|different|distinct|individual|full|mentioned)\s+)*(?P<kinds>(?:{_KIND})(?:\s*(?:,|and|or|,\s*and)\s+(?:all\s+)?
    (?:the\s+)?(?:{_KIND}))*)\s+(?:(?:that\s+)?(?:is|are)\s+)?(?:there\s+|mentioned\s+|named\s+|given\s+|stated\s+|listed\s+|used\s+|found\s+
    |(?:that\s+)?(?:occur|occurs|appear|appears|stand|stands)\s+)*(?:in|of|from|within|throughout|across)\s+(?P<document>.+)""",
    _I,
)
_LISTS = re.compile(r"\b(?:list|extract|find|collect|enumerate|all|every|each|any|what|which|give|show|get)\b|pull\s+out", re.I)
_MANY = r"(?:documents?|files?|pdfs?|papers?)"
_EACH = [
    re.compile(pattern, _I)
    for pattern in (
        rf"\s*(?:for|in|of|from|ask)\s+(?:each|every)(?:\s+one)?\s+(?:of\s+(?:the|these|those|my|our)\s+)?{_MANY}\s*[,:]?\s+(?P<what>.+)",
        rf"(?P<what>.+?)\s*[,:]?\s+(?:for|in|of|from|by)\s+(?:each|every)\s+(?:of\s+(?:the|these|those|my|our)\s+)?{_MANY}(?:\s+separately)?",
    )
]
_VERB = r"""mention|use|discuss|contain|talk\s+about|refer\s+to|cite|describe|deal\s+with|include|speak\s+of|are\s+about|concern|name
    |say\s+(?:something|anything)\s+about|touch\s+on|write\s+about"""
_PLURAL = r"(?:documents|files|pdfs|papers|reports|contracts|articles|minutes|letters|invoices|manuals)"
_WHICH = [
    re.compile(pattern, _I)
    for pattern in (
        rf"{_ASK}(?:which|what)\s+(?:of\s+(?:the|these|those|my|our)\s+)?{_PLURAL}\s+(?:{_VERB})\s+(?P<what>.+)",
        rf"\s*which\s+of\s+(?:these|them|those)\s+(?:{_VERB})s?\s+(?P<what>.+)",
        rf"\s*in\s+which\s+{_PLURAL}\s+(?:is|are|do\s+you\s+find)\s+(?P<what>.+?)(?:\s+(?:mentioned|used|discussed|described|named|found))?",
    )
]
_OPERATION = re.compile(
    r"\b(?:sum|totals?|add\s+up|average|mean|median|count|how\s+many|number\s+of|highest|largest|biggest|maximum|max|lowest|smallest|minimum|min)\b",
    _I,
)
_OF_A_TABLE = re.compile(r"\b(?:(?<!many )(?<!which )column|rows\s+(?:have|has|where|with|contain)|rows?\s+(?:in|of))\b", re.I)
_SHEET = re.compile(r"\.(?:csv|tsv|xlsx?|xlsm|xlsb|ods)\Z", re.I)
_CONDITION = re.compile(r"\s+(?:where|with|whose|that|which|have|has|having|for|is|are)\b.*", re.I | re.S)
_BEFORE = re.compile(r"\b(?:in|of|from|for|on|about|within)\s+", re.I)


def recognise(query: Query, names: Callable[[], Names]) -> Task | None:
    """The task that a question is, or that `query.mode` makes of it; None for a question like any other.

    Args:
        names: called only where a rule's words fit.
    """
    question = _END.sub("", query.question)
    if query.mode == "answer":
        return None
    if query.mode != "auto":
        return _told(query.mode, question, names())
    return next(filter(None, (rule(question, names) for rule in (_each, _which(query), _every, _compare, _compute, _summarise))), None)


def _each(question: str, names: Callable[[], Names]) -> Task | None:
    found = next(filter(None, (rule.fullmatch(question) for rule in _EACH)), None)
    return Task("each", tuple(names().paths), found["what"].strip()) if found else None


def _which(query: Query) -> Callable[[str, Callable[[], Names]], Task | None]:
    rules = _WHICH if not query.turns else [_WHICH[0], _WHICH[2]]  # in a conversation "these" may be anything

    def rule(question: str, names: Callable[[], Names]) -> Task | None:
        found = next(filter(None, (rule.fullmatch(question) for rule in rules)), None)
        return Task("which", tuple(names().paths), found["what"].strip()) if found else None

    return rule


def _every(question: str, names: Callable[[], Names]) -> Task | None:
    found = _EVERY.fullmatch(question)
    if not found or not (found["all"].strip() not in ("", "of", "the") or _LISTS.match(question[: found.start("kinds")].lstrip())):
        return None
    return _about("every", found["document"], names(), found["kinds"])


def _compare(question: str, names: Callable[[], Names]) -> Task | None:
    found = next(filter(None, (rule.fullmatch(question) for rule in _COMPARE)), None)
    return _pair(found["documents"], names()) if found else None


def _pair(phrase: str, names: Names) -> Task | None:
    if len(together := names.all_of(phrase)) > 1:
        return Task("compare", together)
    for split in _BETWEEN.finditer(phrase):
        sides = [names.find(phrase[: split.start()]), names.find(phrase[split.end() :])]
        if None in sides:
            continue
        for side, said in zip(sides, (phrase[: split.start()], phrase[split.end() :]), strict=True):
            if side is None or len(side) != 1:
                return Task("compare", unclear=_unclear(said, side or (), names))
        return Task("compare", tuple(dict.fromkeys(path for side in sides for path in side or ())))
    return None


def _summarise(question: str, names: Callable[[], Names]) -> Task | None:
    for rule in _SUMMARISE:
        if (found := rule.fullmatch(question)) and (task := _about("summarise", found["document"], names())):
            return task
    return None


def _about(mode: Mode, phrase: str, names: Names, what: str = "") -> Task | None:
    """The task on the one document that a phrase names, or on all that it means."""
    if several := names.all_of(phrase) or names.several(phrase):
        return Task(mode, several, what)
    found = names.find(phrase)
    if found is None:
        return None
    if len(found) == 1:
        return Task(mode, found, what)
    return Task(mode, (), what, _unclear(phrase, found, names))


def _compute(question: str, names: Callable[[], Names]) -> Task | None:
    """A column or rows must be spoken of, or a sheet named."""
    if not _OPERATION.search(question):
        return None
    speaks_of_a_table = _OF_A_TABLE.search(question) is not None
    if not speaks_of_a_table and not re.search(r"\.\w|sheet|csv|table|workbook", question, re.I):
        return None
    documents = _at_the_end(question, names())
    if not documents and not speaks_of_a_table:
        return None
    if not speaks_of_a_table and not all(_SHEET.search(path) for path in documents):
        return None
    return Task("compute", documents or tuple(names().paths), question)


def _told(mode: str, question: str, names: Names) -> Task:
    """The task that the caller says it is, on the documents that the question names, else on those that it is asked of."""
    rules: dict[str, Callable[[str, Callable[[], Names]], Task | None]] = {
        "summarise": _summarise,
        "compare": _compare,
        "every": _every,
        "each": _each,
        "which": _which(Query(question)),
        "compute": _compute,
    }
    if task := rules[mode](question, lambda: names):
        return task
    if mode == "compare" and (pair := _pair(question, names)):
        return pair
    found = (
        names.find(question)
        or _at_the_end(question, names)
        or (() if mode in ("summarise", "every") and len(names.paths) > 1 else tuple(names.paths))
    )
    what = (kinds_of(question) and question) if mode == "every" else question
    if mode == "every" and not what:
        return Task("every", unclear=f"It isn't clear what to list. Octavo finds every {', '.join(KINDS)}.")
    if mode in ("summarise", "every") and len(found) != 1:
        return Task(mode, (), what, _unclear("", found, names))  # type: ignore[arg-type]
    return Task(mode, found, what)  # type: ignore[arg-type]


def _at_the_end(question: str, names: Names) -> tuple[str, ...]:
    """The document that stands behind a preposition in a question."""
    for place in _BEFORE.finditer(question):
        found = names.find(_CONDITION.sub("", question[place.end() :]))
        if found and len(found) == 1:
            return found
    return ()


def _unclear(phrase: str, among: tuple[str, ...], names: Names) -> str:
    listed = [path.rpartition("/")[2] for path in among or names.paths]
    shown = ", ".join(sorted(listed)[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    meant = f'which document "{phrase.strip()}" is' if phrase.strip() else "which document is meant"
    return f"It isn't clear {meant}. {'It may be' if among else 'There are'}: {shown}."


def modes() -> Iterator[str]:
    yield from ("auto", *Mode.__args__)  # type: ignore[attr-defined]
