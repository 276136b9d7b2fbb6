"""The words of a document's pages, from where they are read to where they stand in its canonical text.

Between a page and the text much happens to a word: it is put in order, joined over a line's end, spelt without ligatures, written
into a table's row. Its letters and digits stay, and their order: so a loader tells of each block of the text which words it is made
of, and counting letters says which characters each of them became. Some pages are looked at together: a page alone is too little
work for NumPy.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.loaders.parsed import spelt_out
from ingest.loaders.places import SCALE, Codes, Ints, Runs, codes_of, pack, words_in

Floats = NDArray[np.float64]

_TOGETHER = 64
"""Pages."""
_CUT = ("\ufffe", "\u00ad", "-")
"""How the first half of a word ends that the end of a line parts."""


class Block(NamedTuple):
    """A stretch of the canonical text, from the page that it stands on to the numbers of the words that it is made of, in its order.

    `rest` is the place of the block that the end of this one was taken from, on the next page; -1 for none.
    """

    page: int
    start: int
    end: int
    numbers: Sequence[Ints | list[int]]
    rest: int = -1


@dataclass(slots=True)
class Spots:
    """The words of a document's pages, numbered from 0; `add` is called once a page."""

    _texts: list[str] = field(default_factory=list)
    _boxes: list[NDArray[np.int16]] = field(default_factory=list)
    _ways: list[Ints] = field(default_factory=list)
    _counts: list[Ints] = field(default_factory=list)
    _length: int = 0

    def __len__(self) -> int:
        return self._length

    def add(self, words: str, boxes: Floats, ways: Ints, counts: Ints | None = None) -> None:
        """Adds a page's words.

        Args:
            words: a line each.
            boxes: left, top, right, bottom of each as shares of the page as it is shown.
            ways: to where each is read, as `Runs.way`.
            counts: how many of them share each number, where it isn't one.
        """
        self._texts.append(words)
        self._boxes.append(np.rint(boxes * SCALE).clip(0, SCALE).astype(np.int16))
        self._ways.append(ways)
        self._counts.append(np.ones(len(boxes), np.int64) if counts is None else counts)
        self._length += len(self._counts[-1])

    def skip_to(self, page: int) -> None:
        """Makes that page, counted from 1, the last one, if it is not there yet: it has no words."""
        if len(self._texts) < page:
            self.add("", np.zeros((0, 4)), np.zeros(0, np.int64))

    def packed(self, text: str, starts: Sequence[int], blocks: Sequence[Block]) -> list[str]:
        """The places of a text's words, packed and in Base64, for each page.

        Args:
            starts: where the text of each page begins.
            blocks: in the text's order; what no block tells stands nowhere.
        """
        if not self._length:
            return [""] * len(starts)
        words = _Words(self._texts, self._boxes, self._ways, self._counts)
        numbers, sizes = words.of(blocks, text)
        found: list[bytes] = []
        bounds = [*starts, len(text)]
        place, told = 0, 0
        for page in range(0, len(starts), _TOGETHER):
            here = np.array(bounds[page : page + _TOGETHER + 1])
            begin = place
            while place < len(blocks) and blocks[place].page < page + _TOGETHER:
                place += 1
            first, last = int(here[0]), int(here[-1])
            spans = np.array([(block.start, block.end) for block in blocks[begin:place]]).reshape(-1, 2) - first
            count = sum(sizes[begin:place])
            found += words.packed(text[first:last], spans, numbers[told : told + count], sizes[begin:place], page, here - first)
            told += count
        return [b64encode(packed).decode() for packed in found]


class _Words:
    """All words of a document, as arrays."""

    def __init__(self, texts: list[str], boxes: list[NDArray[np.int16]], ways: list[Ints], counts: list[Ints]) -> None:
        self._texts = texts
        self._boxes, self._ways, parts = np.concatenate(boxes), np.concatenate(ways), np.concatenate(counts)
        sizes = np.array(list(map(len, ways)))
        self._first = np.cumsum(sizes) - sizes
        self._page = np.repeat(np.arange(len(sizes)), sizes)
        self._letters = np.concatenate(list(_letters(texts, sizes)))
        self._parts = None if len(parts) == len(self._page) else parts

    def of(self, blocks: Sequence[Block], text: str) -> tuple[Ints, list[int]]:
        """The words of all blocks in a row, and how many each has."""
        sizes = [sum(map(len, block.numbers)) for block in blocks]
        numbers = np.concatenate([np.zeros(0, np.int64), *(part for block in blocks for part in block.numbers if len(part))])
        if self._parts is None and not any(block.rest >= 0 for block in blocks):
            return numbers, sizes
        told = np.split(numbers, np.cumsum(sizes)[:-1])
        if self._parts is not None:
            told = [self._each(numbers, self._parts) for numbers in told]
        for above, block in enumerate(blocks):
            if block.rest >= 0:
                here, there = told[above], told[block.rest]
                lacking = int(_is_letter(codes_of(text[block.start : block.end])).sum() - self._letters[here].sum())
                count = int(np.searchsorted(np.cumsum(self._letters[there]), lacking)) + 1 if lacking > 0 else 0
                told[above], told[block.rest] = np.append(here, there[:count]), there[count:]
        return np.concatenate(told), list(map(len, told))

    def _each(self, numbers: Ints, parts: Ints) -> Ints:
        """The words that some numbers stand for."""
        counts = parts[numbers]
        before = np.cumsum(counts) - counts
        return np.asarray(np.repeat((np.cumsum(parts) - parts)[numbers] - before, counts) + np.arange(counts.sum()))

    def packed(self, text: str, spans: Ints, numbers: Ints, sizes: list[int], page: int, bounds: Ints) -> list[bytes]:
        """The places of the words of some pages, from `page` on, which begin and end at `bounds`; blocks have these spans and words."""
        codes = codes_of(text)
        letters = np.flatnonzero(_is_letter(codes))
        limits, ends = np.searchsorted(letters, spans), np.cumsum(sizes, dtype=np.int64)
        counts = self._letters[numbers]
        sums = np.append(0, np.cumsum(counts))
        if not np.array_equal(np.diff(sums[ends], prepend=0), limits[:, 1] - limits[:, 0]):
            told = zip(limits.tolist(), np.split(numbers, ends[:-1]), strict=True)
            parts = [self._agreeing(text, letters[a:b], words) for (a, b), words in told]
            numbers, letters = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            counts = self._letters[numbers]
        numbers, counts = numbers[counts > 0], counts[counts > 0]
        ends = np.cumsum(counts)
        first, last = letters[ends - counts], letters[ends - 1]
        words = words_in(codes)
        stop = np.minimum(words.end[words.place[last]], np.append(first[1:], len(codes))[: len(first)])
        start = np.maximum(words.start[words.place[first]], np.append(0, stop)[: len(first)])
        where = self._page[numbers] - page - (np.searchsorted(bounds, start, "right") - 1)
        return pack(Runs(start, stop, where, self._ways[numbers], self._boxes[numbers]), words, bounds)

    def _agreeing(self, text: str, letters: Ints, numbers: Ints) -> tuple[Ints, Ints]:
        """Of a block and its words those that agree, where some letters were lost or added: the words, and where their letters are."""
        if int(self._letters[numbers].sum()) == len(letters):
            return numbers, letters
        words: list[tuple[str, list[int]]] = []
        for number in numbers.tolist():
            page = int(self._page[number])
            word = self._texts[page].split("\n")[number - int(self._first[page])]
            if words and words[-1][0].endswith(_CUT):
                words[-1] = words[-1][0] + word, [*words[-1][1], number]
            else:
                words.append((word, [number]))
        tokens: list[list[int]] = []
        for at in letters.tolist():
            if tokens and not any(map(str.isspace, text[tokens[-1][-1] : at])):
                tokens[-1].append(at)
            else:
                tokens.append([at])
        spelt = ["".join(text[at] for at in token) for token in tokens]
        read = ["".join(filter(str.isalnum, unicodedata.normalize("NFC", spelt_out(word)))) for word, _ in words]
        found_numbers, found_letters = list[int](), list[int]()
        for a, b, size in SequenceMatcher(None, read, spelt).get_matching_blocks():
            found_numbers += [number for _, parts in words[a : a + size] for number in parts]
            found_letters += [at for token in tokens[b : b + size] for at in token]
        return np.array(found_numbers, np.int64), np.array(found_letters, np.int64)


def _letters(texts: list[str], sizes: Ints) -> Iterator[Ints]:
    """How many letters and digits the words of some pages have."""
    told = [text for text, size in zip(texts, sizes.tolist(), strict=True) if size]
    for page in range(0, len(told), _TOGETHER):
        joined = "\n".join(told[page : page + _TOGETHER]) + "\n"
        if not joined.isascii():
            joined = unicodedata.normalize("NFC", spelt_out(joined))
        codes = codes_of(joined)
        yield np.diff(np.cumsum(_is_letter(codes))[np.flatnonzero(codes == 10)], prepend=0)


def _is_letter(codes: Codes) -> NDArray[np.bool_]:
    return _letter_table().take(codes, mode="clip")


@cache
def _letter_table() -> NDArray[np.bool_]:
    """Of each of the first 65,536 characters whether it is a letter or digit; all others count as such."""
    return np.array([*(chr(code).isalnum() for code in range(0x10000)), True])
