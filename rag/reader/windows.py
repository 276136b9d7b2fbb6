"""Texts as word pieces that know where they stand, and how a question and a passage share the 320 that are read at once.

A longer passage is read in windows that overlap; in a table each window begins with the table's header.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

LONGEST = 320
OVERLAP = 128
QUESTION = 64
"""Word pieces of a question that are read; what follows is dropped."""
_HEADER = re.compile(r"\s*\|[^\n]*\|\n\|(?: *:?-+:? *\|)+\n")


@dataclass(frozen=True, slots=True)
class Text:
    """A text's word pieces: piece i is text[starts[i]:ends[i]]."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    header: int = 0
    """Pieces of the header of the table that the text begins with."""


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces first to last of a passage, behind `header` pieces of its beginning."""

    first: int
    last: int
    header: int = 0

    @property
    def length(self) -> int:
        return self.header + self.last - self.first


class Pieces:
    """A tokenizer that neither cuts nor pads.

    Attributes:
        cls, sep, pad: the ids of BERT's marks.
    """

    def __init__(self, file: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(file))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.cls, self.sep, self.pad = (self.tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]", "[PAD]"))
        self.tokenizer.encode_special_tokens = True  # "[SEP]" in a document is text

    def read(self, texts: Sequence[str]) -> list[Text]:
        out = []
        for text, encoding in zip(texts, self.tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
            offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
            table = _HEADER.match(text)
            header = int(np.searchsorted(offsets[:, 0], table.end())) if table else 0
            out.append(Text(np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1], header))
        return out


def windows(question: Text, passage: Text) -> list[Window]:
    """All of a passage, in windows that fit beside the question; at least one."""
    room = LONGEST - 3 - min(len(question.ids), QUESTION)
    length = len(passage.ids)
    out = [Window(0, min(room, length))]
    header = passage.header if passage.header <= room // 3 else 0
    while out[-1].last < length:
        first = out[-1].last - OVERLAP
        out.append(Window(first, min(first + room - header, length), header))
    return out


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of [CLS] question [SEP] passage [SEP], padded.

    Attributes:
        ids, types: (batch, length)
        lengths: (batch,)
        allowed: (batch, length) where a span may begin or end: in the passage, or at [CLS], which says "nowhere".
        shifts: (batch,) what is added to a passage's piece to find it in its row; not for a header that is repeated.
    """

    ids: Tensor
    types: Tensor
    lengths: Tensor
    allowed: Tensor
    shifts: Tensor

    def to(self, device: torch.device) -> "Batch":
        moved = (getattr(self, name).to(device, non_blocking=True) for name in ("ids", "types", "lengths", "allowed", "shifts"))
        return Batch(*moved)


def batch(pieces: Pieces, rows: Sequence[tuple[Text, Text, Window]], multiple: int = 1) -> Batch:
    """Questions beside windows of passages; the length is a multiple of `multiple`."""
    parts = []
    for question, passage, window in rows:
        asked = question.ids[:QUESTION]
        read = np.concatenate([passage.ids[: window.header], passage.ids[window.first : window.last]])
        parts.append((asked, read))
    longest = max(len(asked) + len(read) + 3 for asked, read in parts)
    length = -(-longest // multiple) * multiple
    ids = np.full((len(rows), length), pieces.pad, dtype=np.int64)
    types, allowed = np.zeros_like(ids), np.zeros(ids.shape, dtype=bool)
    lengths, shifts = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    for row, ((asked, read), (_, _, window)) in enumerate(zip(parts, rows, strict=True)):
        begin = len(asked) + 2
        end = begin + len(read)
        ids[row, : end + 1] = [pieces.cls, *asked, pieces.sep, *read, pieces.sep]
        types[row, begin : end + 1] = 1
        allowed[row, 0], allowed[row, begin + window.header : end] = True, True
        lengths[row], shifts[row] = end + 1, begin + window.header - window.first
    tensors = (torch.from_numpy(a) for a in (ids, types, lengths, allowed, shifts))
    return Batch(*tensors)
