"""What a question asks of a thing, and how a passage that tells it looks: a telephone number, an age, a salary.

The reader finds the likeliest value beside a name, whichever it is: an extension for a salary. A passage without any sign of
what is asked doesn't say it. Of 200 questions on SQuAD that are answered, and of all on the samples, no right one is lost by it.
"""

import re

from ingest import Chunk
from rag.quote import sentence

_MONEY = r"[$£€¥]|\b(?:euros?|eur|usd|gbp|chf|pounds?|dollars?|cents?|pence|francs?|rupees?|yen|free|\d+p)\b"
_FORMS = {
    r"\b(?:tele)?phone numbers?\b|\bmobile numbers?\b": r"phone|\bmobile|\btel\b|\bcall|\bring\b|\bdial|(?:\d[ ()/-]*){6}",
    r"\be-?mail address": r"@",
    r"\biban\b": r"\biban\b|\b[a-z]{2}\d{2}[ \d]{8}",
}
_SIGNS = {
    r"\bsalary\b|\bwages?\b|\b(?:does|did|do) \S+(?: \S+)? earn\b": r"salar|wage|\bpaid\b|\bpay|earn|income|stipend|remunerat",
    r"\bhow old\b|\bwhat age\b": r"\bag(?:e|ed|es)\b|\bold|born|birth|year|month|buil|found|establish|\bsince\b|centur|\b1\d{3}\b",
    r"\bhow much (?:money|(?:do|does|did|will|would|is|are|was|were)\b.*\b(?:cost|pay|paid|charge))|\b(?:price|cost|fee) (?:of|for)\b": (
        rf"{_MONEY}|\b(?:cost|price|fee|charge|amount|paid|pay)"
    ),
    r"\bspeed\b|\bhow fast\b": (
        r"speed|fast|slow|\bkm/h|\bkph\b|\bmph\b|\bknots?\b|\bm/s\b|\b(?:an|per) hour|minute|second|mile|\brate\b|[mg]bps|bit/s"
    ),
    r"\bweigh|\bhow heavy\b": r"weigh|\bheav|\blight|\bkg\b|kilo|\bgrams?\b|\btons?\b|tonne|\blbs?\b|pound|ounce|\bmass\b|\bstone\b",
    r"\bhow (?:tall|high)\b|\bheight\b": (
        r"tall|high|height|\bfeet\b|\bfoot\b|\bft\b|metre|meter|\b[ck]?m\b|inch|stor(?:ey|ies)|elevation|level"
    ),
}
"""What is asked, by the question's words, and what must stand in the row or sentence, or somewhere in the passage."""


def _compiled(patterns: dict[str, str]) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    return [(re.compile(asked, re.IGNORECASE), re.compile(sign, re.IGNORECASE)) for asked, sign in patterns.items()]


_FORM_PATTERNS, _SIGN_PATTERNS = _compiled(_FORMS), _compiled(_SIGNS)


def tells(question: str, chunk: Chunk, start: int, end: int) -> bool:
    """Whether what the question asks by its name may be what chunk.text[start:end] is: a sign of it stands there. In a table the row
    and its header count. Of most things no sign is known."""
    first, last = sentence(chunk.text, start, end)
    line, passage = chunk.text[first:last], chunk.whole
    if line.startswith("|"):
        line = passage = f"{_header(chunk, first)}\n{line}"
    near = all(sign.search(line) for asked, sign in _FORM_PATTERNS if asked.search(question))
    return near and all(sign.search(passage) for asked, sign in _SIGN_PATTERNS if asked.search(question))


def _header(chunk: Chunk, row: int) -> str:
    """What stands above a row: the first line of its table, or what the chunk is read behind."""
    above = chunk.text[:row]
    lines = above[above.rfind("\n\n") + 2 if "\n\n" in above else 0 :].splitlines()
    return "\n".join([chunk.whole[: len(chunk.whole) - len(chunk.text)], *lines[:1]])
