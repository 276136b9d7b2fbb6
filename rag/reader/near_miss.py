"""Questions that a passage nearly answers: of another year, another name, another thing of the same kind, or another attribute.

A passage that speaks of 2023 and 2024 doesn't say how it was in 2022, and one that names the secretary doesn't give her telephone
number. Each way of missing has its counterpart that is answered, so that the question alone doesn't give it away.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rag.reader.asked import Asked

MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_SIBLINGS = [
    MONTHS,
    DAYS,
    *(
        line.split()
        for line in (
            "first second third fourth fifth last",
            "oldest youngest",
            "largest smallest",
            "highest lowest",
            "longest shortest",
            "most least",
            "north south east west",
            "northern southern eastern western",
            "mother father brother sister wife husband son daughter uncle aunt",
            "president secretary treasurer chairman director mayor governor manager minister ambassador",
            "king queen prince princess emperor",
            "author director producer composer actor editor",
            "breakfast lunch dinner supper",
            "morning afternoon evening night",
            "spring summer autumn winter",
            "red blue green yellow black white purple",
            "adults children students seniors families",
            "men women boys girls",
            "car bus train bicycle boat plane",
            "phone email address website postcode",
            "born married buried baptised",
            "opened closed sold burned moved flooded",
            "won lost",
            "start end",
            "begin finish",
            "import export",
            "height weight width length depth",
            "population area",
            "gold silver bronze",
            "university college school hospital museum library church",
            "city village province county",
            "river lake mountain island",
            "book film song album play painting",
            "win lose",
        )
    ),
]
_SIBLINGS_OF = {word.lower(): group for group in _SIBLINGS for word in group}
_WORD = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"(?<![\w.,$£€])\d+(?![\w,.]*\d|\w)")
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z'\u2019-]+(?: (?:of |the |de |van |von )?[A-Z][a-z'\u2019-]+){0,3}")
_TIMED = re.compile(
    r"^(?:who|what|where|how many|how much|which)\b(?!.*\b(?:in|during|since|before|after|year|date|when)\b)", re.IGNORECASE
)
_CLAUSE = re.compile(r"[^.!?\n]+")
_ATTRIBUTES = (
    (("What is {}'s phone number?", "How can I call {}?", "{} telephone"), r"phone|call|mobile|\btel\b|\d{3}[ -]\d{3}"),
    (("What is {}'s e-mail address?", "How do I e-mail {}?", "{} email"), r"mail|@"),
    (("What is the address of {}?", "What is the postcode of {}?"), r"address|street|road|avenue|lane|\bst\b|postcode|located"),
    (("When was {} born?", "How old is {}?", "{} date of birth"), r"born|birth|\bage|years old|\(\d{4}|\d{4}[\u2013-]"),
    (("Who is {}'s wife?", "Who is {} married to?", "Who was {}'s husband?"), r"wife|husband|married|marri|spouse|widow|wed"),
    (("Who is {}'s father?", "What is {}'s mother called?"), r"father|mother|parent|son\b|daughter|born"),
    (
        ("How much does {} cost?", "What is the price of {}?", "{} ticket price"),
        r"cost|price|pay|paid|fee|free|charge|[$£€]|dollar|pound|euro",
    ),
    (("When does {} open?", "What are the opening hours of {}?", "{} opening times"), r"open|clos|hours|daily|a\.?m\.?\b|p\.?m\.?\b"),
    (("What colour is {}?",), r"colou?r|red|blue|green|black|white|yellow|brown|grey|gray|gold|silver"),
    (("How tall is {}?", "What does {} weigh?"), r"tall|height|high|weigh|\bkg|feet|foot|metre|meter|pound|inch"),
    (("Where can I buy {}?", "Who sells {}?"), r"buy|sell|sold|sale|shop|store|available|market"),
    (("What does {} eat?",), r"\beat|food|feed|diet|meal|prey"),
    (("Who designed {}?", "Who built {}?"), r"design|buil|architect|construct|creat|found|made"),
    (("Where is {} buried?", "When did {} die?"), r"buri|die|death|grave|killed|dead|tomb|\d{4}[\u2013-]"),
)
"""What may be asked of a name, and the words one of which stands in a passage that could tell."""


class Names:
    """The names in some questions, by the word before them: "in" goes before places, "did" before persons."""

    def __init__(self, questions: Iterable[str]) -> None:
        self._after: defaultdict[str, list[str]] = defaultdict(list)
        for question in questions:
            for found in NAME.finditer(question):
                self._after[_before(question, found.start())].append(found[0])

    def another(self, question: str, start: int, rng: random.Random) -> str | None:
        known = self._after.get(_before(question, start))
        return rng.choice(known) if known else None


def _before(text: str, at: int) -> str:
    return text[:at].split()[-1].lower()


def near_misses(
    question: str, passage: str, found: Sequence[tuple[int, int]], names: Names, rng: random.Random, most: int = 2
) -> Iterator[Asked]:
    """Up to `most` questions that the passage doesn't answer, made from one that it does, and where a time was added one that it does.

    Args:
        found: where the question's answer stands in the passage.
    """
    ways = [_another_number, _another_of_its_kind, _another_name]
    rng.shuffle(ways)
    altered = (text for way in ways if (text := way(question, passage, names, rng)))
    missed = [text for text, _ in zip(altered, range(most), strict=False)]
    yield from (Asked(text, passage, [], False) for text in missed)
    if len(missed) < most:
        yield from _timed(question, passage, found, rng)
        if rng.random() < 0.4 and (wrong := wrong_attribute(passage, rng)):
            yield Asked(wrong, passage, [], False)


def _stands(word: str, passage: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", passage, re.IGNORECASE) is not None


def _another_number(question: str, passage: str, _: Names, rng: random.Random) -> str | None:
    """Another year or number than the one that stands in both."""
    for found in _NUMBER.finditer(question):
        value = int(found[0])
        if not _stands(found[0], passage) or len(found[0]) > 7:
            continue
        other = str(abs(value + rng.choice((-1, 1)) * rng.randint(1, 12 if _YEAR.fullmatch(found[0]) else 3 + value // 2)))
        if other != found[0] and not _stands(other, passage):
            return question[: found.start()] + other + question[found.end() :]
    return None


def _another_of_its_kind(question: str, passage: str, _: Names, rng: random.Random) -> str | None:
    """Another of a few things that exclude each other, which the passage doesn't speak of."""
    for found in _WORD.finditer(question):
        others = [w for w in _SIBLINGS_OF.get(found[0].lower(), ()) if w.lower() != found[0].lower() and not _stands(w, passage)]
        if others and _stands(found[0], passage) and (found[0].lower() != "may" or found[0] == "May"):
            return question[: found.start()] + rng.choice(others) + question[found.end() :]
    return None


def _another_name(question: str, passage: str, names: Names, rng: random.Random) -> str | None:
    """Another name than the one that stands in both: all of it, or one of its words."""
    for found in NAME.finditer(question):
        other = names.another(question, found.start(), rng)
        if other is None or not _stands(found[0], passage):
            continue
        ours, theirs = found[0].split(), other.split()
        if len(ours) == 2 and len(theirs) == 2 and rng.random() < 0.5:
            changed = rng.randrange(2)
            theirs[1 - changed] = ours[1 - changed]
            other, theirs = " ".join(theirs), [theirs[changed]]
        if not any(_stands(word, passage) for word in theirs):
            return question[: found.start()] + other + question[found.end() :]
    return None


def _timed(question: str, passage: str, found: Sequence[tuple[int, int]], rng: random.Random) -> Iterator[Asked]:
    """A question asked of the year that stands in its answer's sentence, and of a year that the passage doesn't know."""
    if len(found) != 1 or not _TIMED.match(question):
        return
    start, end = found[0]
    sentence = next((m for m in _CLAUSE.finditer(passage) if m.start() <= start and end <= m.end()), None)
    years = list(_YEAR.finditer(sentence[0])) if sentence else []
    if sentence is None or len(years) != 1 or start <= sentence.start() + years[0].start() < end:
        return
    year = int(years[0][0])
    other = str(year + rng.choice((-1, 1)) * rng.randint(1, 5))
    plain = question.rstrip("? ")
    yield Asked(f"{plain} in {year}?", passage, list(found), True)
    if not _stands(other, passage):
        yield Asked(f"{plain} in {other}?", passage, [], False)


def wrong_attribute(passage: str, rng: random.Random) -> str | None:
    """A question about a name in the passage after something that no word of the passage could tell."""
    named = list(dict.fromkeys(m[0] for m in NAME.finditer(passage) if " " in m[0]))
    untold = [forms for forms, cues in _ATTRIBUTES if not re.search(cues, passage, re.IGNORECASE)]
    return rng.choice(rng.choice(untold)).format(rng.choice(named)) if named and untold else None
