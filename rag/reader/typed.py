"""Questions as people type them: in lower case, without a question mark, in keywords, with slips of the fingers.

The questions that a reader learns from were written with care, by people who were paid to write questions; those that it is asked
were not.
"""

import random
import re

_OPENERS = (
    "hi, can you tell me",
    "can you tell me",
    "could you tell me",
    "i want to know",
    "i'd like to know",
    "please tell me",
    "hello, do you know",
    "do you know",
    "quick question:",
    "just wondering,",
)
_SHORT = {
    "what is": "whats",
    "who is": "whos",
    "where is": "wheres",
    "when is": "whens",
    "i am": "im",
    "do not": "dont",
    "does not": "doesnt",
}
_SMALL = set("a an the is are was were be been do does did has have had can could will would should shall there it its this that".split())
_STANDS_FOR = (
    (r"(?:on |in )?(?:what|which) (year|month|day|date)\b", r"\1"),
    (r"when\b", "date"),
    (r"(?:what|at what|which) time\b", "time"),
    (r"where\b", "location"),
    (r"who(?:m)?\b", "name"),
    (r"how many\b", "number of"),
    (r"how much\b", "how much"),
    (r"how long\b", "how long"),
    (r"how old\b", "age"),
    (r"why\b", "reason"),
    (r"(?:what|which)\b", ""),
)
"""What is left of a question word among keywords."""
_BEFORE = ("number of", "how much", "how long")
_WORD = re.compile(r"[A-Za-z]{4,}")


def typed(question: str, rng: random.Random) -> str:
    """A question as somebody in a hurry types it; it asks the same."""
    asked = " ".join(question.split())
    if rng.random() < 0.9:
        asked = asked.rstrip("?. ")
    way = rng.random()
    if way < 0.3:
        asked = keywords(asked, rng)
    elif way < 0.5:
        asked = f"{rng.choice(_OPENERS)} {asked[:1].lower()}{asked[1:]}"
    elif way < 0.65:
        asked = " ".join(w for w in asked.split() if w.lower() not in _SMALL or rng.random() < 0.3) or asked
    if rng.random() < 0.85:
        asked = asked.lower()
        for long, short in _SHORT.items():
            asked = re.sub(rf"\b{long}\b", short, asked) if rng.random() < 0.5 else asked
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        asked = slip(asked, rng)
    return asked


def keywords(question: str, rng: random.Random) -> str:
    """What is left of a question in a search box: "When is the next fair?" becomes "next fair date"."""
    asked = question.rstrip("?. ")
    for pattern, word in _STANDS_FOR:
        found = re.match(pattern, asked, re.IGNORECASE)
        if found:
            stands, left = found.expand(word), asked[found.end() :]
            break
    else:
        stands, left = "", asked
    kept = " ".join(w for w in left.split() if w.lower() not in _SMALL)
    if not kept:
        return asked
    first = stands in _BEFORE or rng.random() < 0.3
    return f"{stands} {kept}".strip() if first else f"{kept} {stands}".strip()


def slip(text: str, rng: random.Random) -> str:
    """One word of four letters or more misspelt: two letters in the wrong order, one doubled, left out or said once instead of twice."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    twice = re.search(r"([a-z])\1", word[0])
    if twice and rng.random() < 0.5:
        at = word.start() + twice.start()
        return text[:at] + text[at + 1 :]
    way = rng.randrange(3)
    if way == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at] + text[at:] if way == 1 else text[:at] + text[at + 1 :]
