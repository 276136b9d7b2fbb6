"""Words that every question has, in English, greetings among them, and that say nothing of what it is about."""

from ingest.text.scripts import terms

STOP_WORDS = frozenset(
    """a about after all an and any are as at be been before being between both but by can could did do does during each far for
    from had has have having he hello her hey hi him his how i in into is it its long many may me might more most much must my
    name no not of often ok okay old on or other our over please s shall she should so some such t than thank thanks that the
    their them then there these they this those to under us was we were what when where which who whom whose why will with would
    you your""".split()
)
_OTHERS_TOO = frozenset("a am an as be do has in me on so was will".split())
"""Of these, words that are written like words of other languages."""


def says_it_is_english(text: str) -> bool:
    """Whether a text has a stop word that only English has."""
    return any(word in STOP_WORDS and word not in _OTHERS_TOO for word in terms(text))
