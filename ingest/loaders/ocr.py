"""Text from pictures, by RapidOCR (the optional extra `ocr`): its models come in its package, and nothing is fetched.

A page may lie on its side or on its head. Lines are found first; if they stand upright the page is turned, and a
classifier that looks at a few of them says whether it is upside down. What was read is laid out as a PDF's words are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.loaders.pdf.chars import Floats, Ints
from ingest.loaders.pdf.columns import Piece
from ingest.loaders.pdf.layout import Line, ordered

_THREADS = 2
_SPLIT_WORD = re.compile(r"(?<=[a-z]{2})-\n(?=[a-z]{2})")
_SIDE = 1800
"""Pixels of a page's longer side: finding lines takes time by the pixel, and 11 inches at 160 dots are read as well as at 300."""
_SURE = 0.5
_FRAME = 0.2
"""Of a line's height: how far the box that is found reaches beyond its letters."""
_HALF, _RIM = 0.3, 0.1
"""Of the way from the middle of a word's last letter to that of the next word's first: a letter's half. Of a line's height: what of its
box is above and below its letters."""
_ASKED = 9
"""Lines that are asked whether they are upside down."""

Picture = NDArray[np.uint8]


@dataclass(slots=True)
class Found:
    """Lines of a picture.

    Attributes:
        pieces: each with its box in pixels as it is read: of the picture turned upright, if it lay on its side or its head.
        boxes: left, top, right, bottom of each in the picture as it was given.
        words: those of the words of each.
        way: to where they are read there: 0 to the right, 1 up, 2 to the left, 3 down.
    """

    pieces: list[Piece]
    boxes: Floats
    words: list[Floats]
    way: int = 0

    def pick(self, which: Sequence[int]) -> "Found":
        """Some of them."""
        return Found([self.pieces[index] for index in which], self.boxes[which], [self.words[index] for index in which], self.way)

    def text(self) -> tuple[str, list[int]]:
        """Paragraphs with a blank line between, and the numbers of their pieces."""
        lines = ordered(self.pieces)
        return _paragraphs(lines), [number for line in lines for number in line.numbers]

    def places(self, wide: float, high: float) -> tuple[list[str], Floats, Ints, Ints]:
        """For a page of that size, what `Spots.add` takes: words, their boxes, their ways, how many each piece has."""
        texts = [word for piece in self.pieces for word in piece.text.split()]
        boxes = np.concatenate([np.zeros((0, 4)), *self.words]) / (wide, high, wide, high)
        return texts, boxes, np.full(len(boxes), self.way), np.array(list(map(len, self.words)), np.int64)


NOTHING = Found([], np.zeros((0, 4)), [])


def find(picture: Picture) -> Found:
    """The lines of a picture (rows, columns, blue-green-red)."""
    engine = _engine()
    small = _shrunk(picture)
    scale = picture.shape[1] / small.shape[1]
    crops, corners = _lines(engine, small)
    asked, side = corners, bool(crops) and _stands(corners)
    if side:
        small = np.ascontiguousarray(np.rot90(small))
        crops, corners = _lines(engine, small)
        asked = np.stack([small.shape[0] - corners[:, :, 1], corners[:, :, 0]], axis=2)
    if upside_down := bool(crops) and _upside_down(engine, crops):
        crops = [np.ascontiguousarray(crop[::-1, ::-1]) for crop in crops]
        corners = np.array([small.shape[1], small.shape[0]]) - corners
    way = (3 if side else 0) if not upside_down else (1 if side else 2)
    pieces: list[Piece] = []
    boxes: list[list[float]] = []
    words: list[Floats] = []
    found = engine.recognize_txt(crops) if crops else None
    for text, score, told, box, at in zip(found.txts, found.scores, found.word_results, corners, asked, strict=True) if found else ():
        if score >= _SURE and text.strip():
            (x0, y0), (x1, y1) = (scale * box.min(axis=0)).tolist(), (scale * box.max(axis=0)).tolist()
            x0, x1 = x0 + _FRAME * (y1 - y0), x1 - _FRAME * (y1 - y0)
            pieces.append(Piece(x0, y0, x1, y1, text.strip(), y1 - y0, len(pieces), len(text.split()), numbers=[len(pieces)]))
            boxes.append([*at.min(axis=0), *at.max(axis=0)])
            words.append(scale * _word_boxes(text.split(), told, boxes[-1], way))
    return Found(pieces, scale * np.array(boxes, np.float64).reshape(-1, 4), words, way)


def _word_boxes(words: list[str], told: Any, box: list[float], way: int) -> Floats:
    """Where the words of a line stand in its box, by the columns in which their letters were seen."""
    x0, y0, x1, y1 = box
    if (x1 - x0 > 1.5 * (y1 - y0)) == bool(way % 2) and max(x1 - x0, y1 - y0) > 1.5 * min(x1 - x0, y1 - y0):
        way = (way + 3) % 4  # a line across the others was turned by itself
    wide, high = (y1 - y0, x1 - x0) if way % 2 else (x1 - x0, y1 - y0)
    letters = [column for columns in told.word_cols for column in columns]
    ends = np.cumsum([len(word) for word in words])
    if len(letters) != ends[-1]:
        letters = list(range(int(ends[-1])))
    at = (np.array(letters) + 0.5) / max(told.line_txt_len, letters[-1] + 1)
    gaps = at[ends[:-1]] - at[ends[:-1] - 1]
    begin = np.concatenate([[_FRAME * high / wide], at[ends[:-1]] - _HALF * gaps])
    end = np.append(at[ends[:-1] - 1] + _HALF * gaps, 1 - _FRAME * high / wide)
    low, far = np.full(len(words), _RIM), np.full(len(words), 1 - _RIM)
    sides = [(begin, low, end, far), (low, 1 - end, far, 1 - begin), (1 - end, low, 1 - begin, far), (low, begin, far, end)][way]
    return np.column_stack(sides) * [x1 - x0, y1 - y0, x1 - x0, y1 - y0] + [x0, y0, x0, y0]


@cache
def _engine() -> Any:
    """Loaded once a process; it says nothing, and takes no more threads than it is given."""
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": _THREADS, "EngineConfig.onnxruntime.inter_op_num_threads": 1}
    return RapidOCR(params={"Global.log_level": "critical", "Global.return_word_box": True, **threads})


def _shrunk(picture: Picture) -> Picture:
    """No larger than what is looked at; very small print aside, more pixels tell no more."""
    import cv2

    longest = max(picture.shape[:2])
    if longest <= _SIDE:
        return np.ascontiguousarray(picture)
    scale = _SIDE / longest
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _lines(engine: Any, picture: Picture) -> tuple[list[Picture], NDArray[Any]]:
    """Pictures of single lines, and their corners in the page's picture."""
    margin = 16  # a line at the very edge isn't found
    framed = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    if min(framed.shape[:2]) < 40:
        return [], np.zeros((0, 4, 2))
    found = engine._load_det_model()(framed)
    if found.boxes is None:
        return [], np.zeros((0, 4, 2))
    return engine.crop_text_regions(framed, found.boxes), np.asarray(found.boxes) - margin


def _stands(boxes: NDArray[Any]) -> bool:
    """Whether most of the lines, by their length, run up or down the page."""
    spans = boxes.max(axis=1) - boxes.min(axis=1)
    upright = spans[:, 1] > 1.5 * spans[:, 0]
    lengths = spans.max(axis=1)
    return bool(lengths[upright].sum() > 0.6 * lengths.sum())


def _upside_down(engine: Any, crops: list[Picture]) -> bool:
    """By the beginnings of the longest lines: the classifier squeezes what is longer than four times its height."""
    widest = [crop[:, : 4 * crop.shape[0]] for crop in sorted(crops, key=lambda crop: -crop.shape[1])[:_ASKED]]
    labels = engine.cls_and_rotate(widest)[1].cls_res
    return bool(sum("180" in label and score > 0.7 for label, score in labels) > len(widest) / 2)


def _paragraphs(lines: list[Line]) -> str:
    """A blank line where the gap between two lines is wide, and around tables."""
    parts: list[str] = []
    above: Line | None = None
    for line in lines:
        if above is not None:
            gap = line.box[1] - above.box[3]
            apart = above.table or line.table or gap > 0.8 * min(line.size, above.size)
            parts.append("\n\n" if apart else "\n")
        parts.append(line.text)
        above = line
    return _SPLIT_WORD.sub("", "".join(parts))
