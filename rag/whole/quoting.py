"""Summarise and compare in the documents' own sentences, for a model that can only quote.

The most central sentences by embedding: near to the mean of their section and of the document, and unlike those already chosen
(maximal marginal relevance, Carbonell and Goldstein 1998), shown in the order of the document.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ingest import Library
from rag.answer import Answer
from rag.whole.document import Sources, Whole, flat
from rag.whole.names import words

LEAST, FEW, MOST, ONE_IN = 5, 7, 12, 5
"""Sentences quoted of a document: one of five, at the least and at the most; few where the question asks for a short summary."""
PAIRS, ALIKE = 6, 0.5
"""Pairs of sentences that a comparison quotes at the most, and how alike two must be (cosine) to speak of the same thing."""
_NEAR = 8
"""Sentences of a document that a comparison on a topic looks at."""
_READ = 800
"""Sentences of a document that are compared at the most: of a longer one, those at the head of each section."""
_OF_SECTION, _UNLIKE, _SAME_SECTION, _FIRST = 0.5, 0.5, 0.25, 0.12
"""Weights: the section's mean beside the document's, likeness to what is chosen, another of the same section, a section's first."""
_LEANS_BACK = re.compile(
    r"(?:he|she|it(?!\s+(?:was|is)\s+\w+ed\b)|they|this|that|these|those|his|her|their|but|and|so|or|such|if not|then|also|however)\b", re.I
)
_LEANS, _SHORT, _LONG, _TELLS, _FACT = 0.15, 0.1, 0.1, 0.02, 0.12
"""Taken from a sentence that leans on the one before or the list behind it and from a question, from one of fewer than nine words, and
from one of more than sixty; given for each of up to four numbers and names in it, and for a sum, a date or something decided."""
_FACTS = re.compile(
    r"[£$€]\s?\d|\d\s?(?:%|per\s+cent)|\b\d{1,2}\s+[A-Z][a-z]{2,8}\s+\d{4}\b"
    r"|\b(?:agreed|decided|resolved|elected|chosen|appointed|approved|adopted|carried|lost|votes|must|shall|price|cost|income|rent)\b",
)
_COUNT = re.compile(
    r"\b(?:(\d{1,2})|(one|two|three|four|five|six|seven|eight|nine|ten))[\s-]+(?:\w+[\s-]+)?(?:sentence|line|point|bullet)s?\b", re.I
)
_NUMBERS = "one two three four five six seven eight nine ten".split()
_FEW = re.compile(r"\b(?:in\s+(?:short|brief|a\s+nutshell)|briefly|brief|short|quick|concise|a\s+few|tl;?dr)\b", re.I)
_NUMBER_OR_NAME = re.compile(r"(?<!^)\b(?:\d[\d.,]*|[A-Z]\w+)")
QUOTES = "These are sentences of the documents, chosen and quoted: the model can't summarise in words of its own."


@dataclass(frozen=True)
class Sentence:
    document: Whole
    section: int
    start: int
    end: int

    @property
    def text(self) -> str:
        return flat(self.document.text[self.start : self.end])


@dataclass(frozen=True)
class Sentences:
    """The sentences of a document with their vectors and how central each is."""

    document: Whole
    all: list[Sentence]
    vectors: NDArray[np.float32]
    central: NDArray[np.float32]
    total: int
    """Sentences in the document, of which all but the longest documents' are compared."""


def summarise(question: str, documents: Sequence[Whole], library: Library) -> Iterator[Answer]:
    """As many sentences as the question asks for, else as suits the document's length."""
    asked, few = _COUNT.search(question), _FEW.search(question) is not None
    count = int(asked[1] or _NUMBERS.index(asked[2].casefold()) + 1) if asked else 0
    sources, shown, notes = Sources(), [], []
    for document in documents:
        sentences = yield from _read(document, library)
        chosen = _choose(sentences, count or max(LEAST, min(FEW if few else MOST, round(len(sentences.all) / ONE_IN))))
        shown += ([f"{document.name}"] if len(documents) > 1 else []) + list(_by_section(document, chosen, sources))
        notes.append(_told(sentences, len(chosen)))
    yield Answer("\n\n".join(shown), citations=tuple(sources.citations), evidence=tuple(sources.evidence), note=" ".join([*notes, QUOTES]))


def compare(topic: str, documents: Sequence[Whole], library: Library) -> Iterator[Answer]:
    """Pairs of sentences that speak of the same thing, then what is central to one alone; of a topic, if one is named."""
    sources, notes, read = Sources(), [], []
    for document in documents:
        read.append(_near(topic, (yield from _read(document, library)), library))
    first, *others = read
    shown = []
    for other in others:
        pairs = _pairs(first, other)
        shown += ["Both speak of the same thing here:"] * bool(pairs)
        shown += ["\n".join(f"- {s.document.name}: {_quoted(s, sources)}" for s in pair) for pair in pairs]
    for one in read:
        rest = [other.vectors for other in read if other is not one and len(other.vectors) and not topic]
        alone = (
            1 - np.max(one.vectors @ np.concatenate(rest).T, axis=1) if rest and len(one.vectors) else np.zeros(len(one.all), np.float32)
        )
        chosen = _choose(Sentences(one.document, one.all, one.vectors, one.central + alone, one.total), LEAST)
        shown += [f"Only {one.document.name} says:\n" + "\n".join(f"- {_quoted(s, sources)}" for s in chosen)] * bool(chosen)
        notes.append(_told(one, 0))
    yield Answer("\n\n".join(shown), citations=tuple(sources.citations), evidence=tuple(sources.evidence), note=" ".join([*notes, QUOTES]))


def _near(topic: str, sentences: Sentences, library: Library) -> Sentences:
    """Those of the sentences that are nearest to a topic in words, their heading's included, and in meaning; all where there is none."""
    if not topic or not sentences.all:
        return sentences
    said = set(words(topic))
    held = [len(said.intersection(words(f"{s.text} {s.document.heading_at(s.start)}"))) / len(said) for s in sentences.all]
    near = sentences.vectors @ library.embed([topic])[0] + np.array(held, np.float32)
    kept = sorted(map(int, np.argsort(-near)[:_NEAR]))
    central = 2 * near[kept] + sentences.central[kept] / 2
    return Sentences(sentences.document, [sentences.all[at] for at in kept], sentences.vectors[kept], central, sentences.total)


def _read(document: Whole, library: Library) -> Generator[Answer, None, Sentences]:
    sections = document.sections
    found: list[Sentence] = []
    vectors: list[NDArray[np.float32]] = []
    total = 0
    for number, section in enumerate(sections):
        spans = document.sentences(section)
        total += len(spans)
        kept = [Sentence(document, number, *span) for span in spans[: max(2, _READ // len(sections))]]
        found += kept
        if kept:
            vectors.append(library.embed([sentence.text for sentence in kept]))
        yield Answer(progress=(number + 1, len(sections), f"sections of {document.name}"))
    if not found:
        return Sentences(document, [], np.zeros((0, 1), np.float32), np.zeros(0, np.float32), total)
    means = np.concatenate([np.broadcast_to(part.mean(axis=0), part.shape) for part in vectors])
    every = np.concatenate(vectors)
    middle = np.stack([part.mean(axis=0) for part in vectors]).mean(axis=0)
    central = _OF_SECTION * np.sum(every * means, axis=1) + (1 - _OF_SECTION) * every @ middle
    heads = {sentence.section: index for index, sentence in reversed(list(enumerate(found)))}
    for index, sentence in enumerate(found):
        length = len(sentence.text.split())
        central[index] += _FIRST * (heads[sentence.section] == index) - _LONG * (length > 60) - _SHORT * (length < 9)
        leans = _LEANS_BACK.match(sentence.text) is not None or sentence.text.endswith("?") or document.leads_in(sentence.end)
        central[index] += _FACT * (_FACTS.search(sentence.text) is not None)
        central[index] += _TELLS * min(4, len(_NUMBER_OR_NAME.findall(sentence.text))) - _LEANS * leans
    return Sentences(document, found, every, central, total)


def _choose(sentences: Sentences, count: int) -> list[Sentence]:
    """The most central sentences that are unlike each other, in the order of the document."""
    chosen: list[int] = []
    score = sentences.central.copy()
    likeness = np.zeros(len(score), np.float32)
    sections = np.array([sentence.section for sentence in sentences.all])
    for _ in range(min(count, len(score))):
        best = int(np.argmax(score - _UNLIKE * likeness))
        chosen.append(best)
        likeness = np.maximum(likeness, sentences.vectors @ sentences.vectors[best])
        score[sections == sections[best]] -= _SAME_SECTION
        score[likeness > 0.95] = -np.inf  # said twice
        if not np.isfinite(score).any():
            break
    return [sentences.all[index] for index in sorted(chosen)]


def _pairs(first: Sentences, other: Sentences) -> list[tuple[Sentence, Sentence]]:
    """The most alike sentences of two documents, each in one pair, in the order of the first."""
    if not first.all or not other.all:
        return []
    alike = first.vectors @ other.vectors.T
    pairs: list[tuple[int, int]] = []
    while len(pairs) < PAIRS and alike.max() >= ALIKE:
        row, column = map(int, np.unravel_index(np.argmax(alike), alike.shape))
        pairs.append((row, column))
        alike[row], alike[:, column] = -1, -1
    return [(first.all[row], other.all[column]) for row, column in sorted(pairs)]


def _by_section(document: Whole, chosen: Sequence[Sentence], sources: Sources) -> Iterator[str]:
    for title, group in groupby(chosen, key=lambda sentence: document.heading_at(sentence.start)):
        yield "\n".join([*filter(None, [title]), *(f"- {_quoted(sentence, sources)}" for sentence in group)])


def _quoted(sentence: Sentence, sources: Sources) -> str:
    return f"{sentence.text} {sources.cite(sentence.document, sentence.start, sentence.end)}"


def _told(sentences: Sentences, quoted: int) -> str:
    sections, name = len(sentences.document.sections), sentences.document.name
    if not sentences.all:
        return f"{name} has no sentences to quote."
    left = sentences.total - len(sentences.all)
    unread = f" but for {left} of its {sentences.total} sentences, which stand late in long sections" if left else ""
    shown = f"; {quoted} of {sentences.total} sentences are quoted" if quoted else ""
    return f"Read {sections} of {sections} {'section' if sections == 1 else 'sections'} of {name}{unread}{shown}."
