"""What OCR finds on a PDF page that also has words of its own, put where it stands among them."""

from dataclasses import replace
from typing import Any

import numpy as np

from ingest.loaders import ocr as recognition
from ingest.loaders.pdf.chars import Floats
from ingest.loaders.pdf.headings import readable
from ingest.loaders.pdf.layout import Line
from ingest.loaders.pdf.places import corner, seen_boxes, ways
from ingest.loaders.pdf.tables import Table
from ingest.loaders.pdf.unread import covered, inked
from ingest.loaders.pdf.words import Words, joined
from ingest.loaders.spots import Spots

_DOTS = 200
"""Dots an inch at which a page is drawn for OCR."""
_LEAST_SIDE = 1600
_MOST_PIXELS = 12_000_000
_LABEL = 2
"""Lines of a region that may be a label, a caption or an answer, and belong into the lines around it."""
_ANSWER = 4.0
"""Times a line's height from it to what is typed beside it."""
_TOGETHER = (3.0, 1.2)
"""Times its height that a line reaches to its sides, and up and down, to be of one region with another."""


def drawing(page: Any, laid_over: bool = True) -> recognition.Picture:
    """The page as pixels, few enough for the worker's memory however large the paper is, with or without its fields and remarks."""
    width, height = page.get_size()
    wanted = max(_DOTS / 72, _LEAST_SIDE / max(1.0, width, height))  # a page may be as small as a stamp, and its picture fine
    scale = min(wanted, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=False, prefer_bgrx=False, draw_annots=laid_over, may_draw_forms=laid_over)
    try:
        return np.asarray(bitmap.to_numpy()[:, :, :3]).copy()
    finally:
        bitmap.close()


def recognised(page: Any, words: Words, first: int) -> tuple[Words, list[Table], recognition.Found]:
    """The page's words with those lines that stand among them, regions that stand apart, each as a whole, and all lines, in points;
    `first` is the number of the page's first word, and lines are numbered behind its words.

    What draws the words must be hidden already; lines where words stand all the same (those that somebody's OCR laid over
    a scan) are dropped.
    """
    picture = drawing(page, laid_over=not len(words))
    left, top, rest = inked(picture) if len(words) else (0, 0, picture)
    found = recognition.find(rest)
    found.boxes += [left, top, left, top]
    points = page.get_size()[0] / picture.shape[1]
    read = seen_boxes(page, words)
    new = np.flatnonzero(covered(points * found.boxes, read) < 0.5)
    found = found.pick(new.tolist())
    found.boxes *= points
    found.words = [points * (boxes + np.array([left, top, left, top])) for boxes in found.words]
    for index, piece in enumerate(found.pieces):
        piece.numbers = [first + len(words) + index]
    origin = corner(page)
    among, regions = [], []
    for which in _regions(found.boxes) if len(words) and not found.way else [list(range(len(new)))]:
        if not which:
            continue
        part = found.pick(which)
        box = np.concatenate([part.boxes[:, :2].min(axis=0), part.boxes[:, 2:].max(axis=0)])
        if len(words) and not found.way and (len(which) <= _LABEL or _stands_in(read, part.boxes)):
            among += which
        else:
            text, numbers = part.text()
            regions.append(Table(text, tuple((box + origin).tolist()), [], [], [], numbers))
    count = len(among)
    turn = np.full(count, page.get_rotation() // 90)
    more = Words([found.pieces[index].text for index in among], found.boxes[among] + origin, np.arange(count), turn, np.full(count, -1))
    number = first + np.concatenate([np.arange(len(words)), len(words) + np.array(among, np.int64)])
    return replace(joined([words, more]), number=number), regions, found


def note_places(spots: Spots, page: Any, words: Words, lines: recognition.Found) -> None:
    """Notes where a page's own words stand, and those of the lines that OCR found."""
    size = page.get_size()
    texts, boxes, turned, counts = words.text, seen_boxes(page, words) / (*size, *size), ways(page, words), None
    if lines.pieces:
        read, more, way, parts = lines.places(*size)
        texts, boxes, turned = texts + read, np.concatenate([boxes, more]), np.append(turned, way)
        counts = np.append(np.ones(len(words), np.int64), parts)
    text = "\n".join(texts)
    if text.count("\n") >= len(texts):
        text = "\n".join(" ".join(word.split()) for word in texts)
    spots.add(readable(text), boxes, turned, counts)


def placed(lines: list[Line], regions: list[Table]) -> list[Line]:
    """Lines in reading order with each region after the last line that stands over it, or else the nearest one higher up."""
    for region in sorted(regions, key=lambda region: region.box[1]):
        x0, y0, x1, y1 = region.box
        above = [i for i, line in enumerate(lines) if line.box[1] + line.box[3] < y0 + y1]
        over = [i for i in above if lines[i].box[0] < x1 and lines[i].box[2] > x0]
        place = 1 + (max(over) if over else max(above, key=lambda i: lines[i].box[3], default=-1))
        lines = [*lines[:place], Line(region.text, region.box, table=True, numbers=region.numbers), *lines[place:]]
    return lines


def _regions(boxes: Floats) -> list[list[int]]:
    """Lines near each other, through others too."""
    if not len(boxes):
        return []
    reach = np.column_stack([_TOGETHER[0] * (boxes[:, 3] - boxes[:, 1]), _TOGETHER[1] * (boxes[:, 3] - boxes[:, 1])]) / 2
    low, high = boxes[:, :2] - reach, boxes[:, 2:] + reach
    near = np.all((low[:, None] < high[None]) & (low[None] < high[:, None]), axis=2)
    left, found = set(range(len(boxes))), []
    while left:
        region, fresh = set[int](), {min(left)}
        while fresh:
            region |= fresh
            fresh = set(np.flatnonzero(near[sorted(fresh)].any(axis=0)).tolist()) - region
        left -= region
        found.append(sorted(region))
    return found


def _stands_in(read: Floats, lines: Floats) -> bool:
    """Whether a word stands within a region, or beside one of its lines as an answer stands beside its question."""
    x, y = (read[:, 0] + read[:, 2]) / 2, (read[:, 1] + read[:, 3]) / 2
    (left, top), (right, bottom) = lines[:, :2].min(axis=0), lines[:, 2:].max(axis=0)
    within = (x > left) & (x < right) & (y > top) & (y < bottom)
    level = (y[:, None] > lines[:, 1]) & (y[:, None] < lines[:, 3])
    gap = read[:, 0, None] - lines[:, 2]
    beside = level & (gap > 0) & (gap < _ANSWER * (lines[:, 3] - lines[:, 1]))
    return bool(within.any() or beside.any())
