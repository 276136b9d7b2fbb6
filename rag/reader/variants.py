"""What is asked besides the questions of a set: the same as people type them, near misses, cells of tables, notices.

Sets of questions make a reader that knows articles. These make one that stands up to what is typed into a box over one's own files.
"""

import random
from collections.abc import Iterator, Sequence

from model.train.data import Question
from rag.reader.asked import Asked
from rag.reader.data import cut_out, found_in, joined
from rag.reader.near_miss import Names, near_misses
from rag.reader.notices import notices
from rag.reader.tables import lookups, read_table
from rag.reader.typed import typed

_EACH = 12
"""Questions for which one notice is made."""
_TYPED = 0.5
"""Of the questions are read once more as somebody types them."""
_CUT = 0.3
"""Of these are asked of the passage without its answer, too."""
_MISSED = 0.7
"""Of the questions are followed by their near misses."""
_HASTY = 0.35
"""Of what is made here is asked as somebody types it."""
_OTHERS = 30
"""Other tables whose rows and columns a table is asked for in vain."""
_AMID = 0.3
"""Of the notices stand beside half an article."""
_ARTICLE = 1200
"""Characters of a passage that a notice may stand beside."""


def variants(rows: Sequence[Question], near: Sequence[Sequence[str]], seed: int = 0) -> list[Asked]:
    """What is asked besides some questions; `near` gives each question's passages from elsewhere."""
    rng = random.Random(seed)
    names = Names(row.question for row in rows)
    out: list[Asked] = []
    for row, others in zip(rows, near, strict=True):
        if "_____" not in row.question:
            out += _of_row(row, others, names, rng)
    out += _of_tables([text for row in rows for text in row.contexts], rng)
    prose = [text for row in rows for text in row.contexts[:1] if 200 < len(text) < _ARTICLE and not text.startswith("|")]
    for told in notices(len(rows) // _EACH, rng):
        out.append(_hastily(_beside(told, rng.choice(prose), rng) if prose and rng.random() < _AMID else told, rng, _TYPED))
    return out


def _of_row(row: Question, near: Sequence[str], names: Names, rng: random.Random) -> Iterator[Asked]:
    text = next((t for t in row.contexts if found_in(row, t)), None)
    if text is None:
        return
    found = found_in(row, text)
    if rng.random() < _TYPED:
        question = typed(row.question, rng)
        yield Asked(question, text, found, True)
        if near:
            yield Asked(question, near[0], [], False)
        if row.kind == "extractive" and rng.random() < _CUT and (left := cut_out(text, row.answers)):
            yield Asked(question, left, [], False)
    if len(row.contexts) == 1 and not text.startswith("|") and rng.random() < _MISSED:
        for asked in near_misses(row.question, text, found, names, rng):
            yield _hastily(asked, rng, _HASTY)


def _of_tables(texts: Sequence[str], rng: random.Random) -> Iterator[Asked]:
    tables = [table for text in dict.fromkeys(texts) if text.startswith("|") and (table := read_table(text))]
    for table in tables:
        for asked in lookups(table, rng.sample(tables, min(_OTHERS, len(tables))), rng):
            yield _hastily(asked, rng, _HASTY)


def _hastily(asked: Asked, rng: random.Random, share: float) -> Asked:
    if rng.random() >= share:
        return asked
    return Asked(typed(asked.question, rng), asked.passage, asked.places, asked.answers)


def _beside(asked: Asked, article: str, rng: random.Random) -> Asked:
    whole, shift = joined(asked.passage, article, rng)
    return Asked(asked.question, whole, [(start + shift, end + shift) for start, end in asked.places], asked.answers)
