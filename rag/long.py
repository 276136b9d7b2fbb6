"""A long question, such as a whole letter, is searched for by the part of it that asks.

The reader knows questions of a line. Of a letter of 150 words it finds the right passage and takes it for no answer.
"""

import re

from ingest.text.stop_words import says_it_is_english

_LONG = 40
"""Words above which a question is looked into."""
_MOST, _LEAST = 30, 3
"""Words of what asks, at the most and at the least."""
_ASKS = r"(?:who|whom|whose|when|where|why|how|what|which)"
_QUESTION = re.compile(
    rf"(?<![^\s(])(?={_ASKS}\b|is\b|are\b|was\b|were\b|do\b|does\b|did\b|can\b|could\b|may\b|must\b|should\b|will\b)", re.IGNORECASE
)
_TOLD = re.compile(rf"\b(?:tell me|know|ask|asking|wonder|wondering|say|find out|explain|learn)\s+(?:\w+\s+)?(?={_ASKS}\b)", re.IGNORECASE)


def asking_part(question: str) -> str | None:
    """What a long English question asks: its first clause that ends with a question mark, else the one that it wants to be told
    ("please tell me how ..."); None for a short one, or where there is no such clause."""
    if len(question.split()) <= _LONG or not says_it_is_english(question):
        return None
    clauses = [_clause(question, start.end()) for start in _QUESTION.finditer(question)]
    asked = [clause for clause in clauses if clause.endswith("?")] + [_clause(question, told.end()) for told in _TOLD.finditer(question)]
    return next((clause for clause in asked if _LEAST <= len(clause.split()) <= _MOST), None)


def _clause(text: str, start: int) -> str:
    """From there to the next mark that ends a clause, with it where it is a question mark."""
    found = re.match(r"[^.?!;:\n]*\??", text[start:])
    return " ".join(found[0].split()) if found else ""
