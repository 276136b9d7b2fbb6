"""The nouns of an answer: Evidence that was found, the Ledger of what was packed, Citations that were checked.

An Answer is also its own stream: parts add up to the whole (`part + part`), as LangChain's chunks do. The first part
carries ledger and evidence, the following ones text, the last one the citations.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from langchain_core.messages import AIMessage

from ingest import Box, Chunk

NOT_FOUND = "Your documents don't say."
"""Shown when the evidence doesn't answer the question. A refusal is an answer."""


Support = Literal["verbatim", "supported", "unsupported"]
"""How a source stands by a claim: it holds its words as they are, says it in other words, or neither could be seen (verify/)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a passage says to a question: passage[start:end] is its best span.

    Attributes:
        score: log-odds of the span against "nowhere".
        answerable: probability that the passage answers the question, calibrated.
    """

    start: int
    end: int
    score: float
    answerable: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A retrieved chunk with its fused score and what went into it. A score that isn't known is None, never 0."""

    chunk: Chunk
    score: float | None
    dense: float | None = None
    """Cosine similarity; None where the chunk is not among those nearest in meaning, or has no vector yet."""
    words: float | None = None
    """BM25; None where it is not among those that rank by words."""
    reading: Reading | None = None
    """What the reader found in the chunk's text; None where it was not read (read.py)."""
    copies: tuple[str, ...] = ()
    """Paths of documents that have the same text, and in which it is not shown again (passages.py)."""
    joined: tuple["Evidence", ...] = ()
    """Its neighbours in the document that stand with it under one marker (passages.py)."""

    @property
    def parts(self) -> list["Evidence"]:
        """It and its neighbours, in the order of the document."""
        return sorted((self, *self.joined), key=lambda part: part.chunk.char_start)

    @property
    def text(self) -> str:
        """What a model reads under its marker: the span of the document, behind its table's header."""
        text, end = "", -1
        for chunk in (part.chunk for part in self.parts):
            gap = "\n" * min(2, max(0, chunk.char_start - end))
            text = f"{text}{gap}{chunk.text[max(0, end - chunk.char_start) :]}" if text else chunk.whole
            end = max(end, chunk.char_end)
        return text


@dataclass(frozen=True, slots=True)
class Citation:
    """Marker n of the answer, and the span of a document's canonical text that it stands for."""

    marker: int
    path: str
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    text: str
    verified: bool
    """Whether the source supports all that the answer says with this marker (verify/)."""
    span: tuple[int, int] | None = None
    """The words of the source that answer, as characters of the document's canonical text: the answer's own where they stand
    there, else those that the reader points at."""
    quote: tuple[int, int] | None = None
    """The sentence, table row or list that holds them, to be shown first (quote.py)."""
    support: Support = "unsupported"
    """The least of its claims' support."""
    boxes: tuple[Box, ...] = field(default=(), kw_only=True)
    """Where the span, else the quote, else the passage stands on its pages (boxes.py); none where the format has no pages."""
    on: tuple[int, int] | None = field(default=None, kw_only=True)
    """Its first and last page, where the passage has several and there are no boxes."""

    @property
    def pages(self) -> tuple[int, int] | None:
        """The first and last page of its words, where that is known, else of the passage; None where the format has no pages."""
        if self.boxes:
            return self.boxes[0].page, self.boxes[-1].page
        if self.on:
            return self.on
        return None if self.page_start is None else (self.page_start, self.page_end or self.page_start)

    def quoted(self) -> tuple[str, str, str]:
        """The quote in three: before the span, the span, behind it; the whole passage and nothing more where none is known."""
        if self.quote is None or self.span is None:
            return self.text, "", ""
        first, start, end, last = (max(0, at - self.char_start) for at in (self.quote[0], *self.span, self.quote[1]))
        return self.text[first:start], self.text[start:end], self.text[end:last]


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer says before a marker, or a sentence of it without one.

    Attributes:
        markers: the sources that it names; () for a sentence that cites nothing.
        support: by that of them which supports it best.
    """

    text: str
    markers: tuple[int, ...] = ()
    support: Support = "unsupported"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    what: str
    tokens: int
    path: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The token bill of one prompt: total = sum of the lines, and total + reserve <= window."""

    window: int
    reserve: int
    lines: tuple[LedgerLine, ...]
    left_out: tuple[LedgerLine, ...]
    estimated: bool
    """True for a model behind a server, whose tokenizer isn't here: tokens are then counted high, by the starter's."""

    @property
    def total(self) -> int:
        return sum(line.tokens for line in self.lines)


@dataclass(frozen=True, slots=True)
class Timings:
    retrieve_s: float = 0.0
    first_token_s: float = 0.0
    total_s: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Both None where the model's server doesn't say."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str = ""
    refused: bool = False
    citations: tuple[Citation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    """What was packed, in the order of the markers: evidence[n - 1] is source [n]."""
    ledger: Ledger | None = None
    pointed: bool = False
    """Whether the text is the documents' own words, found by the reader: its sentences (Citation.quote) are shown in its place."""
    probability: float | None = None
    """That the evidence answers, as the gate took it (gate.py); None where it can't be known."""
    timings: Timings = field(default_factory=Timings)
    raw: str = ""
    """What the model wrote, where that differs from the text shown."""
    searched: str = ""
    """What was looked up, where that is not the question itself (follow_up.py)."""
    note: str = ""
    """What the answer may miss: the library is still being filled, or the model was cut off."""
    mode: str = "answer"
    """The kind of task that the question was taken for: one of `query.MODES` but auto."""
    progress: tuple[int, int, str] | None = None
    """How far a task over whole documents is: (3, 41, "sections of report.pdf")."""
    claims: tuple[Claim, ...] = ()
    unresolved: tuple[int, ...] = ()
    """Markers that no source has, each as often as the text has it."""

    def __add__(self, part: "Answer") -> "Answer":
        return replace(
            self,
            text=self.text + part.text,
            refused=self.refused or part.refused,
            searched=self.searched or part.searched,
            citations=self.citations + part.citations,
            claims=self.claims + part.claims,
            unresolved=self.unresolved + part.unresolved,
            evidence=self.evidence + part.evidence,
            ledger=part.ledger or self.ledger,
            pointed=self.pointed or part.pointed,
            probability=self.probability if part.probability is None else part.probability,
            timings=part.timings if part.timings.total_s else self.timings,
            raw=self.raw + part.raw,
            note=" ".join(filter(None, (self.note, part.note))),
            mode=self.mode if part.mode == "answer" else part.mode,
            progress=part.progress or self.progress,
        )

    def uncited(self) -> tuple[str, ...]:
        """The sentences that cite nothing."""
        return tuple(claim.text for claim in self.claims if not claim.markers)

    def shown(self) -> str:
        """What a reader sees first: what the model wrote, or the sentences that it stands for; then what its sources say of it."""
        quotes = [f"{''.join(citation.quoted())} [{citation.marker}]" for citation in self.citations]
        return "\n\n".join(quotes if self.pointed else [self.text, *(quotes if self.mode == "answer" else [])])

    def __str__(self) -> str:
        """The answer, and where each marker leads: what a model reads that has the chain as a tool."""
        places = (f"[{c.marker}] {c.path}" + (f", page {c.pages[0]}" if c.pages else "") for c in self.citations)
        return "\n".join([self.text, *places])

    def to_message(self) -> AIMessage:
        """As a message of a conversation; its `response_metadata` has the citations."""
        shown = self.to_dict()
        return AIMessage(self.text, response_metadata={name: shown[name] for name in ("refused", "citations", "searched", "note")})

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `octavo ask --json`."""
        ledger = asdict(self.ledger) | {"total": self.ledger.total} if self.ledger else None
        return {
            "answer": self.text,
            "refused": self.refused,
            "searched": self.searched,
            "citations": [_as_dict(c) for c in self.citations],
            "claims": [asdict(c) for c in self.claims],
            "unresolved": self.unresolved,
            "ledger": ledger,
            "pointed": self.pointed,
            "probability": self.probability,
            "timings": asdict(self.timings),
            "note": self.note,
            "mode": self.mode,
        }


def _as_dict(citation: Citation) -> dict[str, Any]:
    """A citation's fields, and the pages of its words."""
    told = asdict(citation) | {"pages": citation.pages}
    del told["on"]
    return told
