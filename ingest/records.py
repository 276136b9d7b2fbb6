"""The nouns that other rooms read: Document, Chunk and Hit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One file as the library holds it; `added` is UTC in ISO 8601, `pages` None where the format has none."""

    path: str
    chars: int
    pages: int | None
    chunks: int
    added: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document: `text` is the document's canonical text from `char_start` to `char_end`.

    Pages count from 1 and stand only where the format has pages; `heading` is the path of headings above it ("A > B").
    """

    id: str
    path: str
    text: str
    char_start: int
    char_end: int
    page_start: int | None
    page_end: int | None
    heading: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found, and how well: cosine similarity (dense) or BM25 (words); larger is better in both."""

    chunk: Chunk
    score: float
