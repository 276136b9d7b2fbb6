"""What is shown first of an answer: the sentence that holds it, or the list or table, as it stands in the document.

A span of a few words is easily misread; its sentence says what it is about, and a table's row says little without its header. A
long list or table is shown whole where a question asks for several things, else the item or row.
"""

import re

from ingest.text.chunking import NUMBER, PARAGRAPH, SENTENCE
from ingest.text.items import items
from ingest.text.stop_words import says_it_is_english

_SENTENCE_END = re.compile(rf"(?<!\b[a-z]\.)(?:{SENTENCE})")
_BLANK_LINE = re.compile(PARAGRAPH)
_ITEM = re.compile(rf"^[ \t]*(?:[-*+•]|{NUMBER})[ \t]+", re.MULTILINE)
_LONGEST, _ENOUGH = 1500, 500
"""Characters of a list or table that is shown whole: for a question that asks for several things, and for any other; the second also
of sentences that are shown in a row."""
_YES_NO = re.compile(
    r"\s*(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|(?:is|are|do|does|did|ca)n't)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\bor(?:\s+\S+){1,4}\s*\??\s*$", re.IGNORECASE)
_WANTS_EXPLANATION = re.compile(
    r"""\s*(?:why|how\ come|explain|describe|tell\ me
    |how\ (?!many|much|long|old|far|often|tall|high|deep|wide|big|large|heavy|fast|late|early|soon))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SEVERAL = re.compile(
    r"""^\s*(?:list|name)\b | \b(?:all|both|each|every|several|two|three|four|five|six|seven|eight|nine|ten)\b
    | \b(?:what|which|whose)\s+(?:[a-z]+\s+)?(?!does\b|this\b)[a-z]{2,}[a-rt-z]s\b | \b(?:what|who)\s+(?:are|were)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def shown_quote(text: str, start: int, end: int, question: str) -> tuple[int, int]:
    """What is shown of a passage whose text[start:end] answers the question, as a span of the text."""
    several = wants_several(question)
    if found := whole_list(text, start, end, _LONGEST if several else _ENOUGH):
        return found
    first, last = sentence(text, start, end)
    return _with_its_paragraph(text, first, last) if several or not wants_a_span(question) else (first, last)


def sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentences, rows or items that hold text[start:end], as a span of the text."""
    first, last = _paragraph(text, start, end)
    cuts = _cuts(text, first, last)
    begin = max(cut for cut in cuts if cut <= start)
    finish = min((cut for cut in cuts if cut >= end and cut > begin), default=last)
    return _trimmed(text, begin, finish)


def _cuts(text: str, first: int, last: int) -> list[int]:
    """Where a paragraph's sentences, rows and items begin and end."""
    cuts = {
        first,
        last,
        *(head.start() for head in items(text, first, last)),
        *(m.end() for m in _SENTENCE_END.finditer(text, first, last)),
    }
    if text.startswith("|", first):
        cuts |= {m.end() for m in re.finditer("\n", text[:last]) if m.end() > first}
    return sorted(cuts)


def _with_its_paragraph(text: str, first: int, last: int) -> tuple[int, int]:
    """A quote with as many whole sentences of its paragraph as are _ENOUGH characters, those that
    follow first: the answer often stands in what comes next."""
    begin, end = _paragraph(text, first, last)
    cuts = _cuts(text, begin, end)
    last = max([last, *(cut for cut in cuts if cut - first <= _ENOUGH)])
    first = min([first, *(cut for cut in cuts if last - cut <= _ENOUGH)])
    return _trimmed(text, first, last)


def whole_list(text: str, start: int, end: int, longest: int) -> tuple[int, int] | None:
    """The list or table that holds text[start:end], with the line that leads in to it; None where it stands in neither, or it is
    longer than `longest` characters."""
    first, last = _paragraph(text, start, end)
    while _ITEM.match(text, first) and (above := _paragraph(text, first - 1, first - 1))[0] < first and _ITEM.match(text, above[0]):
        first = above[0]
    while _ITEM.match(text, first) and _ITEM.match(text, (below := _paragraph(text, last + 2, last + 2))[0]) and below[1] > last:
        last = below[1]
    if len(list(items(text, first, last))) < 2 and not text.startswith("|", first):
        return None
    before = text[:first].rstrip()
    if before.endswith(":"):
        first = before.rfind("\n\n") + 2 if "\n\n" in before else 0
    return _trimmed(text, first, last) if last - first <= longest else None


def wants_several(question: str) -> bool:
    """Whether a question asks for more than one thing."""
    return _SEVERAL.search(question) is not None


def asks_to_judge(question: str) -> bool:
    """Whether a yes or no is asked for, or one of two things: words that need not stand in a source."""
    return says_it_is_english(question) and bool(_YES_NO.match(question) or _CHOICE.search(question))


def wants_a_span(question: str) -> bool:
    """Whether a few words can answer: who, when, how much; not why, or whether."""
    return not (asks_to_judge(question) or _WANTS_EXPLANATION.match(question))


def _paragraph(text: str, start: int, end: int) -> tuple[int, int]:
    first, last = 0, len(text)
    for gap in _BLANK_LINE.finditer(text):
        if gap.end() <= start:
            first = gap.end()
        elif gap.start() >= end:
            last = gap.start()
            break
    return first, last


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    return end - len(body.lstrip()), start + len(body.rstrip())
