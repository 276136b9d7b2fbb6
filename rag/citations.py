"""Citation markers in an answer: which source each names, and what the answer says with it. Whether the source says so, verify/ finds.

Models err in their markers. One is given to another source only where no doubt is left: the model answers in the words of its
sources, exactly one source holds what stands before the marker, and that is more than a word or two.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.answer import Citation, Claim, Evidence, Support
from rag.markers import MARKER, NUMBERS
from rag.passages import by_part
from rag.quote import shown_quote
from rag.verify import Finding, Verifier
from rag.verify.sentences import sentences
from rag.verify.verbatim import Wording

_RUN = re.compile(rf"\[{NUMBERS}\](?:\s*\[{NUMBERS}\])*")
"""Markers behind the same words: [1][2]."""
_OPEN_END = re.compile(rf"\s*(?:\[{NUMBERS}\]\s*)*(?:\[(?:{NUMBERS} ?,? ?)?)?\Z")
"""Where a text ends, what may go on as white space and markers."""
_HALF_A_MARKER = re.compile(r"\s*\[[\d, ]*\Z")
_LEADING = re.compile(r"\A[\s.,;:!?)\]]+")
_CLOSED = re.compile(r"[.!?:][\"'\u201d\u2019)]*\s*\Z|\n\s*\Z")
"""A sentence's end before a marker."""
_SAYS_SOMETHING = re.compile(r"\w+\W+\w+\W+\w+")
_LEVELS: tuple[Support, ...] = ("verbatim", "supported", "unsupported")
_LAST_WORD = re.compile(r"\w[\w.]*\W*\Z")


@dataclass(frozen=True, slots=True)
class Marker:
    start: int
    end: int
    numbers: tuple[int, ...]
    claim: str
    """The words that it stands for."""


def find_markers(text: str, evidence: Sequence[Evidence]) -> Iterator[Marker]:
    """The markers of an answer; a bracketed number that is itself quoted from a source, like image[3], is none."""
    passages = _Passages(evidence)
    claim, end = "", 0
    for run in _RUN.finditer(text):
        claim += text[end : run.start()]
        end = run.start() + passages.quoted(claim, run[0])
        claim += text[run.start() : end]
        for match in MARKER.finditer(text, end, run.end()):
            yield Marker(match.start(), match.end(), _numbers(match[1]), claim.strip())
        if end < run.end():
            claim, end = "", run.end()


class CitationStream:
    """Resolves the markers of an answer while it is being written: each once, when it has ended. What was shown stays.

    Args:
        evidence: the sources, number 1 first.
        question: what was asked.
        quotes: whether the model was trained to answer in its sources' own words. Then a marker whose source doesn't hold
            them is given to the one that does, and an answer without a marker is given one, where that is certain.
    """

    def __init__(self, evidence: Sequence[Evidence], question: str = "", quotes: bool = False) -> None:
        self._evidence = evidence
        self._question = question
        self._passages = _Passages(evidence)
        self._quotes = quotes
        self._held = ""
        self._words = ""
        """Shown since the last marker."""
        self._claim = ""
        """What the last marker stands for."""
        self._goes_on = False
        """Whether the sentence of the last marker may go on behind it."""
        self._claims: list[Claim] = []
        self._findings: dict[int, list[tuple[str, Finding]]] = {}
        """Of each source named, what is said with its marker, and how it supports that."""
        self._unresolved: list[int] = []
        self._has_text = self._has_markers = False

    @property
    def citations(self) -> tuple[Citation, ...]:
        """One of each source named so far, in the order of their first naming. Where chunks are joined under one marker, one of each
        that is meant."""
        return tuple(
            _citation(number, part, passage, [(claim, finding) for claim, finding in found if claim in claims], self._question)
            for number, found in self._findings.items()
            for passage in [self._evidence[number - 1]]
            for part, claims in by_part(passage, [claim for claim, _ in found])
        )

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the answer says so far, in its order."""
        return tuple(self._claims)

    @property
    def unresolved(self) -> tuple[int, ...]:
        """The markers so far that no source has."""
        return tuple(self._unresolved)

    def push(self, piece: str) -> str:
        """Takes what the model wrote next; returns what can be shown."""
        self._held += piece
        open_end = _OPEN_END.search(self._held)
        assert open_end is not None, "it matches the empty end"
        closed, self._held = self._held[: open_end.start()], open_end[0]
        return self._show(self._resolve(closed))

    def flush(self, cut: bool = False) -> str:
        """The rest, at the end of the answer; `cut` says that the model was stopped in the middle of it."""
        rest = self._resolve((_HALF_A_MARKER.sub("", self._held) if cut else self._held).rstrip())
        self._held = ""
        if self._quotes and not self._has_markers and (number := self._only_holder(self._words)):
            rest += self._cite(f" [{number}]")
        self._note_uncited(sentences(self._words))
        return self._show(rest)

    def _show(self, text: str) -> str:
        text = text if self._has_text else text.lstrip()
        self._has_text = self._has_text or bool(text)
        return text

    def _resolve(self, text: str) -> str:
        shown, end = "", 0
        for run in _RUN.finditer(text):
            self._words += text[end : run.start()]
            start = run.start() + self._passages.quoted(self._words, run[0])
            self._words += text[run.start() : start]
            shown += text[end:start]
            if start < run.end():
                shown += self._cite(text[start : run.end()])
            end = run.end()
        self._words += text[end:]
        return shown + text[end:]

    def _cite(self, markers: str) -> str:
        """Notes what these markers stand for; returns them as they are shown."""
        self._end_claim()
        numbers = [number for match in MARKER.findall(markers) for number in _numbers(match)]
        if self._quotes and len(numbers) == 1 and not self._passages.are_verbatim(numbers[0], self._claim):
            numbers = [self._only_holder(self._claim) or numbers[0]]
            markers = MARKER.sub(f"[{numbers[0]}]", markers)
        self._has_markers = True
        self._unresolved += [number for number in numbers if not 1 <= number <= len(self._evidence)]
        named = dict.fromkeys(number for number in numbers if 1 <= number <= len(self._evidence))
        found = {number: self._passages.verifier.check(number, self._claim) for number in named}
        for number, finding in found.items():
            self._findings.setdefault(number, []).append((self._claim, finding))
        self._claims.append(
            Claim(
                self._claim,
                tuple(dict.fromkeys(numbers)),
                min((f.support for f in found.values()), key=_LEVELS.index, default="unsupported"),
            )
        )
        return markers

    def _end_claim(self) -> None:
        """The sentence that a marker ends is its claim; those before it cite nothing."""
        if re.search(r"\w", self._words):  # else there is but a comma between [1], [2]
            *before, (start, end) = sentences(self._words)
            self._note_uncited(before)
            self._claim = _LEADING.sub("", self._words[start:end])
        self._goes_on = not _CLOSED.search(self._words)
        self._words = ""

    def _note_uncited(self, spans: Sequence[tuple[int, int]]) -> None:
        """Notes the sentences that cite nothing; the first may be the rest of one that does."""
        for place, (start, end) in enumerate(spans):
            text = self._words[start:end]
            if (place or not self._goes_on) and _SAYS_SOMETHING.search(text) and not text.endswith(":") and not text.startswith("#"):
                self._claims.append(Claim(_LEADING.sub("", text)))

    def _only_holder(self, words: str) -> int | None:
        """The source that alone holds words which are too many to stand anywhere by chance."""
        if Wording(words).is_small_number:
            return None
        verifier = self._passages.verifier
        holders = [number for number in range(1, len(self._evidence) + 1) if verifier.is_verbatim(number, words, content_words=3)]
        return holders[0] if len(holders) == 1 else None


class _Passages:
    """The sources as the model was shown them."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._texts = [item.text for item in evidence]
        self.verifier = Verifier(evidence)
        self._flat: list[str] = []

    def are_verbatim(self, number: int, words: str) -> bool:
        return self.verifier.is_verbatim(number, words)

    def quoted(self, words: str, run: str) -> int:
        """How many characters at the head of a run of brackets are text like the words before it, not markers."""
        end = 0
        for match in MARKER.finditer(run):
            if not self._is_text(words + run[: match.start()], match):
                break
            end = match.end()
        return end

    def _is_text(self, words: str, bracket: re.Match[str]) -> bool:
        """Whether the bracket stands behind the same word in a passage, and is not a right marker all the same."""
        word = _LAST_WORD.search(words[-80:])
        if word is None:
            return False
        self._flat = self._flat or [_flat(text) for text in self._texts]
        written = _flat(word[0] + bracket[0])
        return any(written in text for text in self._flat) and not any(self.are_verbatim(n, words) for n in _numbers(bracket[1]))


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _numbers(listed: str) -> tuple[int, ...]:
    return tuple(map(int, listed.split(",")))


def _citation(number: int, evidence: Evidence, passage: Evidence, found: Sequence[tuple[str, Finding]], question: str) -> Citation:
    """Of the chunk of a passage that the claims stand on."""
    c = evidence.chunk
    support = max((finding.support for _, finding in found), key=_LEVELS.index)
    span = next(filter(None, (_span(evidence, passage, claim, finding) for claim, finding in found)), None) or _read_span(evidence)
    quote = shown_quote(c.text, *span, question) if span else None
    in_document = [(c.char_start + part[0], c.char_start + part[1]) if part else None for part in (span, quote)]
    return Citation(
        number,
        c.path,
        c.page_start,
        c.page_end,
        c.char_start,
        c.char_end,
        c.text,
        verified=support != "unsupported",
        span=in_document[0],
        quote=in_document[1],
        support=support,
    )


def _span(evidence: Evidence, passage: Evidence, claim: str, finding: Finding) -> tuple[int, int] | None:
    """Where the chunk's text says it: in its words, or in others."""
    if finding.span is None:
        return find_words(evidence.chunk.text, claim)
    if passage.joined:
        return find_words(evidence.chunk.text, passage.text[slice(*finding.span)])
    before = len(evidence.chunk.whole) - len(evidence.chunk.text)
    start, end = (max(0, at - before) for at in finding.span)
    return (start, end) if start < end else None


def _read_span(evidence: Evidence) -> tuple[int, int] | None:
    reading = evidence.reading
    return (reading.start, reading.end) if reading and reading.end else None


def find_words(passage: str, claim: str) -> tuple[int, int] | None:
    """Where the words of a claim stand in a row, whatever is between them but words; None where they don't."""
    words = re.findall(r"\w+", claim)
    found = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", passage, re.IGNORECASE) if words else None
    return found.span() if found else None
