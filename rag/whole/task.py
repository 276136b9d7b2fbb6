"""What kind of task a question is.

A question is three things: documents that it names (names.py), words that ask for a kind of task, and what is left when those and the
small words are taken away. A rule looks for its kind's words and says what may be left: nothing for a summary, the question itself for
"each". So "What does the handbook say about dogs?" stays a question like any other.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Literal, NamedTuple

from rag.query import Query
from rag.whole.names import Named, Names, words
from rag.whole.patterns import KINDS, kind_words, kinds_of
from rag.whole.tables import is_sheet

Mode = Literal["answer", "summarise", "compare", "every", "each", "which", "compute"]


class Task(NamedTuple):
    """
    Attributes:
        documents: those to be read, whole; for "compute" none where it names none.
        what: what is wanted of them: the kinds for "every", the question for "each", the topic for "which" and "compare".
        unclear: why it can't be done, in a sentence; "" where it can.
    """

    mode: Mode
    documents: tuple[str, ...] = ()
    what: str = ""
    unclear: str = ""


def _set(text: str) -> frozenset[str]:
    return frozenset(words(text))


_SMALL = _set(
    """please pls could can would will you i we me us my our your d like want need a an the of in on at to for from by with into is are
    was were be been do does did has have had there it its so and or also then just now thanks kindly what whats which that this these
    those them as give show tell make write get send provide create let see ask read go walk through look take put brief briefly short
    quick concise executive general detail detailed good very long simple plain english word sentence line paragraph bullet few single
    one two three four five six seven eight nine ten some all any whole entire up out how between"""
)
"""Words that say nothing of what is asked for."""
_SUMMARY = _set(
    """summarise summarize summary summarization sum recap outline condense tldr overview gist synopsis essence digest highlight takeaway
    nutshell boil"""
)
_KEY, _POINT = (
    _set("main key important most central essential major principal chief core"),
    _set("point idea message topic theme finding conclusion argument fact insight content takeaway"),
)
_ABOUT = _set("about say cover contain deal")
_COMPARE = _set(
    "compare comparison contrast differ difference different similarity similar versus vs common alike changed side way compared against"
)
_LIST = _set("all every each list extract find collect enumerate pull any everyone everybody")
_LISTED = _set(
    """mention mentioned name named state stated list listed give given use used find found occur appear stand enter entered note noted
    recorded something anything different distinct individual full person within across throughout come came contain written who where
    both"""
)
_MENTION = _set(
    """mention mentioned mentioning name named use using discuss discussed contain talk refer cite cited describe described deal include
    speak about concern say said touch appear occur turn come found speaking regarding"""
)
_DUTY = _set("i we must should need may can someone people")
"""Words that make "which papers" a question of what to do with papers."""
_OPERATION = re.compile(
    r"\b(?:add(?:s|ed)?\s+(?:it|them|these|up|together)|sum\s+(?:of|the|all)|average|median|mean(?:\s+\w+)?\s+of)\b", re.I
)
_COUNT = re.compile(r"(?:please\s+)?count\s", re.I)
_OF_A_COLUMN = re.compile(
    r"\b(?:sum|totals?|add\s+up|count|how\s+many|number\s+of|highest|largest|biggest|max(?:imum)?|lowest|smallest|min(?:imum)?|most|fewest)\b",
    re.I,
)
_A_TABLE = re.compile(r"\b(?:(?<!many )(?<!which )column|rows\s+(?:have|has|where|with|contain)|rows?\s+(?:in|of))\b", re.I)
_QUANTIFIER = re.compile(
    r"\b(each|every|all|any|both|per)(?:\s+(?:one|single|of|the|these|those|my|our|two|three|four|sets?|copies|\d+))*\s+\Z", re.I
)
_DETERMINER = re.compile(r"\b(?:(?:of|the|these|those|this|that|my|our|two|three|sets?)\s+)+\Z", re.I)


def speaks_of_a_table(question: str) -> bool:
    """Whether it names a column or rows, so that nothing but a table can answer."""
    return _A_TABLE.search(question) is not None


class Asked:
    """A question with the documents that it names.

    Attributes:
        names: called only where a rule's words fit.
    """

    def __init__(self, query: Query, names: Callable[[], Names]) -> None:
        self.text = re.sub(r"\btl;\s?dr\b:?", "tldr", query.question, flags=re.I).strip()
        self.words = frozenset(words(self.text))
        self.follows = bool(query.turns)
        self._names = names

    @cached_property
    def names(self) -> Names:
        return self._names()

    @cached_property
    def named(self) -> list[Named]:
        return self.names.within(self.text)

    def quantifier(self, named: Named) -> str:
        """The word before a name that says how many are meant: "each of the leases"; "" where there is none."""
        found = _QUANTIFIER.search(self.text, 0, named.start) or _QUANTIFIER.search(self.text[: named.start])
        return found[1].casefold() if found else ""

    def phrase(self, named: Named) -> tuple[int, int]:
        """Where a name stands, with its quantifier and article."""
        found = _QUANTIFIER.search(self.text[: named.start]) or _DETERMINER.search(self.text[: named.start])
        return (found.start() if found else named.start), named.end

    @cached_property
    def rest(self) -> str:
        """The question without the documents that it names."""
        rest = self.text
        for named in reversed(self.named):
            start, end = self.phrase(named)
            rest = f"{rest[:start]} {rest[end:]}"
        return rest

    def left(self, *less: frozenset[str]) -> list[str]:
        """The words of the rest, as they are written, that are neither small nor in some sets."""
        gone = _SMALL.union(*less)
        return [word for word in re.findall(r"[^\W_]+", re.sub(r"['\u2019]\w?\b", "", self.rest)) if gone.isdisjoint(words(word))]

    def about(self, mode: Mode, what: str = "") -> Task | None:
        """The task on all documents that it names; None where it names none."""
        documents: list[str] = []
        for named in self.named:
            if len(named.paths) != 1 and not named.any_kind and self.quantifier(named) not in ("all", "each", "every", "both"):
                joined = " and " in self.text[named.start : named.end] and named.paths
                if not joined:
                    return Task(mode, (), what, _unclear(self.text[slice(*self.phrase(named))], named.paths, self.names))
            documents += named.paths
        return Task(mode, tuple(dict.fromkeys(documents)), what) if documents else None


def recognise(query: Query, names: Callable[[], Names]) -> Task | None:
    """The task that a question is, or that `query.mode` makes of it; None for a question like any other."""
    if query.mode == "answer":
        return None
    asked = Asked(query, names)
    if query.mode != "auto":
        return _given(query.mode, asked) if query.within is not None else _told(query.mode, asked)
    return next(filter(None, (rule(asked) for rule in _RULES.values())), None)


def _summarise(asked: Asked) -> Task | None:
    said = asked.words
    strong = not said.isdisjoint(_SUMMARY) or not (said.isdisjoint(_KEY) or said.isdisjoint(_POINT))
    weak = "what" in said and (not said.isdisjoint(_ABOUT) or re.match(r"what(?:'?s|\s+is)\s+in\b", asked.text, re.I))
    if not (strong or weak) or not all(map(str.isdigit, asked.left(_SUMMARY, _KEY, _POINT, _ABOUT, _set("down")))):
        return None
    if strong and not asked.named and len(asked.names.paths) == 1:
        return Task("summarise", tuple(asked.names.paths))
    return asked.about("summarise")


def _compare(asked: Asked) -> Task | None:
    if asked.words.isdisjoint(_COMPARE) or len({path for named in asked.named for path in named.paths}) < 2:
        return None
    if len(asked.named) == 1 and not asked.named[0].any_kind and len(asked.named[0].paths) == 2:
        return Task("compare", asked.named[0].paths, " ".join(asked.left(_COMPARE)))
    several = len(asked.named) > 1 or asked.named[0].any_kind or asked.quantifier(asked.named[0])
    return asked.about("compare", " ".join(asked.left(_COMPARE, _ABOUT))) if several else None


def _every(asked: Asked) -> Task | None:
    """All of a kind that has a pattern, or of what the document has a list or column of."""
    listing = not asked.words.isdisjoint(_LIST)
    asks = listing or asked.words & {"what", "which", "show", "give", "name"}
    if not asks or not (kind_words(asked.text) or asked.words & {"all", "every", "each"}) or not asked.named:
        return None
    kinds = kind_words(asked.rest)
    if kinds and (not words(asked.rest) or not ({*words(asked.rest)} & _LIST or any(kind.endswith(("s", "people")) for kind in kinds))):
        return None
    left = [word for word in asked.left(_LIST, _LISTED) if not any(words(word)[0] in words(kind) for kind in kinds)]
    if kinds and not left:
        return asked.about("every", " ".join(kinds))
    quantified = re.search(r"\b(?:all|every|each)\s+(?:(?:of|the|single)\s+)*(\w+)", asked.rest, re.I)
    if not kinds and quantified and left == [quantified[1]] and not asked.words & _set("who how when why where"):
        return asked.about("every", left[0])
    return None


def _which(asked: Asked) -> Task | None:
    """ "Which of the reports", or of documents of any kind where it goes on with a word like "mention"."""
    if asked.words.isdisjoint(_set("which what list find show name any")):
        return None
    mentions = not asked.words.isdisjoint(_MENTION) and asked.words.isdisjoint(_DUTY)
    if not mentions and "which" not in asked.words:
        return None
    topic = " ".join(asked.left(_MENTION, _set("list find show name something anything up whether")))
    if re.match(r"(?:in\s+)?which\s+of\s+(?:these|those|them)\b", asked.text, re.I) and not asked.named and not asked.follows:
        return Task("which", tuple(asked.names.paths), topic) if mentions and topic else None
    for named in asked.named:
        before = asked.text[: asked.phrase(named)[0]]
        wanted = (
            re.search(r"(?:\b(?:which|what|list|find|show(?:\s+me)?|name|any)\s+|\A)\Z", before, re.I) or asked.quantifier(named) == "any"
        )
        if wanted and topic and len(named.paths) > 1 and (mentions or (not named.any_kind and re.search(r"\bwhich\s+\Z", before, re.I))):
            return Task("which", named.paths, topic)
    return None


def _each(asked: Asked) -> Task | None:
    """A question of each of several documents: what is asked is the question without them."""
    if asked.words.isdisjoint(_set("each every per both")):
        return None
    for named in asked.named:
        quantifier = asked.quantifier(named)
        if len(named.paths) < 2 or not (quantifier in ("each", "every", "per", "both") or (quantifier == "all" and "each" in asked.words)):
            continue
        start, end = asked.phrase(named)
        before, after = asked.text[:start], asked.text[end:]
        if ":" in after:
            what = after.partition(":")[2]
        elif asks := re.match(r"\s*,?\s+and\s+(?:tell|say|show|give|list|find|ask)(?:\s+(?:me|us|out))?\s+(.+)", after, re.S | re.I):
            what = asks[1]
        elif bare := re.fullmatch(r"(.*?)[\s,]*(?:\b(?:for|in|of|from|by|ask))?\s*", before, re.S | re.I):
            gone = len(bare[1]) < len(before.rstrip()) or not bare[1]
            what = f"{bare[1]}{'' if gone else ' the ' + words(asked.text[named.start : named.end])[-1]}{after}"
        what = what.strip(" ,:")
        if [word for word in words(what) if word not in _SMALL]:
            return Task("each", named.paths, what)
    return None


def _compute(asked: Asked) -> Task | None:
    if re.match(r"(?:who|when|where|why)\b(?!.*\bmost\b)", asked.text, re.I) or not (
        _OPERATION.search(asked.text) or _COUNT.match(asked.text) or _OF_A_COLUMN.search(asked.text)
    ):
        return None
    documents = tuple(path for named in asked.named if len(named.paths) == 1 for path in named.paths)
    surely = _OPERATION.search(asked.text) or _COUNT.match(asked.text) or speaks_of_a_table(asked.text)
    if surely or (documents and all(map(is_sheet, documents))):
        return Task("compute", tuple(dict.fromkeys(documents)), asked.rest)
    return None


_RULES: dict[str, Callable[[Asked], Task | None]] = {
    "compare": _compare,
    "summarise": _summarise,
    "every": _every,
    "which": _which,
    "each": _each,
    "compute": _compute,
}


def _given(mode: str, asked: Asked) -> Task:
    """The task where the caller says both what it is and on which documents: on all of these, and the question as it stands."""
    if mode in ("every", "compute"):
        return _told(mode, asked)
    what = " ".join(asked.left(_COMPARE, _ABOUT)) if mode == "compare" else asked.text
    return Task(mode, tuple(asked.names.paths), what)  # type: ignore[arg-type]


def _told(mode: str, asked: Asked) -> Task:
    """The task that the caller says it is, on the documents that the question names, else on those that it is asked of."""
    if task := _RULES[mode](asked):
        return task
    what = asked.text
    if mode == "every" and not kinds_of(what):
        return Task("every", unclear=f"It isn't clear what to list. Octavo finds every {', '.join(KINDS)}.")
    if task := asked.about(mode, what):  # type: ignore[arg-type]
        return task
    paths = tuple(asked.names.paths)
    if mode in ("summarise", "every") and len(paths) != 1:
        return Task(mode, (), what, _unclear("", (), asked.names))  # type: ignore[arg-type]
    return Task(mode, paths, what)  # type: ignore[arg-type]


def _unclear(phrase: str, among: tuple[str, ...], names: Names) -> str:
    listed = [path.rpartition("/")[2] for path in among or names.paths]
    shown = ", ".join(sorted(listed)[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    meant = f'which document "{phrase.strip()}" is' if phrase.strip() else "which document is meant"
    return f"It isn't clear {meant}. {'It may be' if among else 'There are'}: {shown}."
