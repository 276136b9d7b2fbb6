"""English stop words, and the words of a question that say what it is about."""

from ingest.text.scripts import terms

STOP_WORDS = frozenset(
    """a about after all an and any are as at be been before being between both but by can could did do does during each far for
    from had has have having he her him his how i in into is it its long many may me might more most much must my name no not of
    often old on or other our over s shall she should so some such t than that the their them then there these they this those to
    under us was we were what when where which who whom whose why will with would you your""".split()
)


def content_words(question: str) -> list[str]:
    """The words of a question that say what it is about, each once."""
    return [word for word in dict.fromkeys(terms(question)) if word not in STOP_WORDS and len(word) > 1]
