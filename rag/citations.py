"""Citation markers in an answer: which source each names, and whether that source holds the words before it (verify.py).

Models err in their markers. One is given to another source only where no doubt is left: the model answers in the words of its
sources, exactly one source holds what stands before the marker, and that is more than a word or two.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.answer import Citation, Evidence
from rag.passages import by_part
from rag.quote import shown_quote
from rag.verify import Claim, Source

_NUMBERS = r"\d{1,3}(?: ?, ?\d{1,3})*"
MARKER = re.compile(rf"\[({_NUMBERS})\]")
_RUN = re.compile(rf"\[{_NUMBERS}\](?:\s*\[{_NUMBERS}\])*")
"""Markers behind the same words: [1][2]."""
_OPEN_END = re.compile(rf"\s*(?:\[{_NUMBERS}\]\s*)*(?:\[(?:{_NUMBERS} ?,? ?)?)?\Z")
"""Where a text ends, what may go on as white space and markers."""
_HALF_A_MARKER = re.compile(r"\s*\[[\d, ]*\Z")
_LAST_WORD = re.compile(r"\w[\w.]*\W*\Z")


@dataclass(frozen=True, slots=True)
class Marker:
    start: int
    end: int
    numbers: tuple[int, ...]
    claim: str
    """The words that it stands for."""


def strip_markers(text: str) -> str:
    """The text without its markers, and without the spaces that stood around them."""
    return re.sub(r" +(?= |[.,;:!?]|\Z)", "", MARKER.sub(" ", text)).strip()


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


def claims(text: str, number: int, evidence: Sequence[Evidence]) -> list[str]:
    """What an answer says with this source behind it."""
    return [marker.claim for marker in find_markers(text, evidence) if number in marker.numbers]


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
        self._claim = Claim("")
        """What the last marker stands for."""
        self._verbatim: dict[int, bool] = {}
        self._claims: dict[int, list[str]] = {}
        self._has_text = self._has_markers = False

    @property
    def citations(self) -> tuple[Citation, ...]:
        """One of each source named so far, in the order of their first naming; verified where all that it stands for is verbatim.
        Where chunks are joined under one marker there is one of each that is meant."""
        return tuple(
            _citation(number, part, verbatim, claims, self._question)
            for number, verbatim in self._verbatim.items()
            for part, claims in by_part(self._evidence[number - 1], self._claims[number])
        )

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
        if self._quotes and not self._has_markers and (number := self._only_holder(Claim(self._words))):
            self._verbatim[number] = True
            self._claims[number] = [self._words]
            rest += f" [{number}]"
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
        claim = Claim(self._words)
        self._claim = claim if claim.tokens else self._claim  # there is but a comma between [1], [2]
        self._words, self._has_markers = "", True
        numbers = [number for match in MARKER.findall(markers) for number in _numbers(match)]
        if self._quotes and len(numbers) == 1 and not self._passages.hold(numbers[0], self._claim):
            numbers = [self._only_holder(self._claim) or numbers[0]]
            markers = MARKER.sub(f"[{numbers[0]}]", markers)
        for number in numbers:
            if 1 <= number <= len(self._evidence):
                self._verbatim[number] = self._verbatim.get(number, True) and self._passages.hold(number, self._claim)
                self._claims.setdefault(number, []).append(self._claim.text)
        return markers

    def _only_holder(self, claim: Claim) -> int | None:
        """The source that alone holds a claim which is too much to stand anywhere by chance."""
        if claim.is_small_number:
            return None
        holders = [number for number in range(1, len(self._evidence) + 1) if self._passages.hold(number, claim, content_words=3)]
        return holders[0] if len(holders) == 1 else None


class _Passages:
    """The sources as the model was shown them, each normalised once, when it is first asked about."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._texts = [item.text for item in evidence]
        self._sources: dict[int, Source] = {}
        self._flat: list[str] = []

    def hold(self, number: int, claim: Claim, content_words: int = 2) -> bool:
        """Whether source `number` is there and holds the claim."""
        if not 1 <= number <= len(self._texts):
            return False
        if number not in self._sources:
            self._sources[number] = Source(self._texts[number - 1])
        return self._sources[number].holds(claim, content_words)

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
        return any(written in text for text in self._flat) and not any(self.hold(n, Claim(words)) for n in _numbers(bracket[1]))


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _numbers(listed: str) -> tuple[int, ...]:
    return tuple(map(int, listed.split(",")))


def _citation(number: int, evidence: Evidence, verified: bool, claims: Sequence[str], question: str) -> Citation:
    c, reading = evidence.chunk, evidence.reading
    span = next(filter(None, (find_words(c.text, claim) for claim in claims)), None)
    if span is None and reading and reading.end:
        span = reading.start, reading.end
    quote = shown_quote(c.text, *span, question) if span else None
    placed = [(c.char_start + part[0], c.char_start + part[1]) if part else None for part in (span, quote)]
    return Citation(number, c.path, c.page_start, c.page_end, c.char_start, c.char_end, c.text, verified, *placed)


def find_words(passage: str, claim: str) -> tuple[int, int] | None:
    """Where the words of a claim stand in a row, whatever is between them but words; None where they don't."""
    words = re.findall(r"\w+", claim)
    found = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", passage, re.IGNORECASE) if words else None
    return found.span() if found else None
