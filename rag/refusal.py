"""The sentence by which a model says that the sources don't answer, however it sets its full stops and markers."""

import re

from rag.markers import strip_markers

_REFUSALS = ("thesourcesdonotsay", "sourcesdonotsay", "thesourcesdontsay")
"""grounded.REFUSAL in letters alone, and what models make of it."""


def is_refusal(text: str) -> bool:
    """Whether this is all that a model said."""
    return _letters(strip_markers(text)) in _REFUSALS


def may_become_refusal(text: str) -> bool:
    """Whether an answer that begins so could still turn out to be the refusal; it is held back until that is known."""
    begun = _letters(strip_markers(re.sub(r"\[[\d, ]*\Z", "", text)))
    return any(refusal.startswith(begun) for refusal in _REFUSALS)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
