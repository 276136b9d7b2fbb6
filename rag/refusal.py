"""How a model says that the sources don't answer: by the sentence that it was told, however it sets its full stops and markers, or
in a sentence of its own."""

import re

from rag.markers import strip_markers

_REFUSALS = ("thesourcesdonotsay", "sourcesdonotsay", "thesourcesdontsay")
"""grounded.REFUSAL in letters alone, and what models make of it."""


_SOURCES = r"(?:sources?|passages?|documents?|texts?|excerpts?|context|information)(?:\ (?:provided|given|above|here))?"
_OWN_WORDS = re.compile(
    rf"""\W*(?:(?:i\ am|i['\u2019]m)?\ *(?:very\ |so\ )?sorry\W+(?:but\ )?|i\ apologi[sz]e\W+(?:but\ )?|unfortunately\W+)?
    (?:(?:based\ on|according\ to|in|from)\ [^.,]{{0,40}},\ *)?
    (?:none\ of\ (?:(?:the|these|your|provided|given)\ )*{_SOURCES}
        |(?:(?:the|these|those|your|any|provided|given|available|numbered|supplied)\ )*{_SOURCES}\ (?:do|does|did)(?:\ not|n['\u2019]t))
    \ (?:say|state|contain|mention|provide|include|specify|give|answer|tell|address)s?\b
    (?:(?!\b(?:but|however|though|although)\b)[^.!?\[])*[.!?]?\W*""",
    re.IGNORECASE | re.VERBOSE,
)
"""A sentence that cites nothing."""


def is_refusal(text: str) -> bool:
    """Whether this is all that a model said."""
    return _letters(strip_markers(text)) in _REFUSALS or _OWN_WORDS.fullmatch(text) is not None


def may_become_refusal(text: str) -> bool:
    """Whether an answer that begins so could still turn out to be the refusal; it is held back until that is known."""
    begun = _letters(strip_markers(re.sub(r"\[[\d, ]*\Z", "", text)))
    return any(refusal.startswith(begun) for refusal in _REFUSALS)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
