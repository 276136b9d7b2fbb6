"""The nouns that other rooms read: Document, Folder, Removed, Chunk, Hit and Box."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One file as the library holds it.

    `added` is UTC in ISO 8601, `pages` None where the format has none; `unread_pages` are pictures that wait for OCR.
    """

    path: str
    chars: int
    pages: int | None
    chunks: int
    added: str
    unread_pages: int = 0


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was added: what was left out of it, whether the page follows it, and when it was last read to its end (UTC)."""

    path: str
    exclude: tuple[str, ...]
    followed: bool
    read: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that was taken out, by its path, and when (UTC)."""

    path: str
    removed: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document: `text` is the document's canonical text from `char_start` to `char_end`.

    Pages count from 1 and stand only where the format has pages; `heading` is the path of headings above it ("A > B").
    `header` is the first row of the table in whose middle the chunk begins.
    """

    id: str
    path: str
    text: str
    char_start: int
    char_end: int
    page_start: int | None
    page_end: int | None
    heading: str
    header: str = ""

    @property
    def whole(self) -> str:
        """Its text as it should be read: behind its table's header."""
        return f"{self.header}\n{self.text}" if self.header else self.text


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found, and how well: cosine similarity (dense) or BM25 (words); larger is better in both."""

    chunk: Chunk
    score: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, which counts from 1: one line's characters, or a part of one.

    Sides are shares of the page as it is shown, turned and cropped, from its upper left corner; so a picture of any size can be marked.
    """

    page: int
    x0: float
    y0: float
    x1: float
    y1: float
