"""Where the shapes of an OpenDocument slide stand."""

import re

from ingest.loaders.office.reading_order import Box
from ingest.loaders.web.xmltree import Element, attribute, local

_LENGTH = re.compile(r"(-?[\d.]+)\s*(cm|mm|in|pt|pc|px)?")
_UNITS = {"cm": 360000, "mm": 36000, "in": 914400, "pt": 12700, "pc": 152400, "px": 9525}
_MOVED = re.compile(r"translate\s*\(\s*([-\d.]+\w*)[\s,]+([-\d.]+\w*)\s*\)")


def box_of(shape: Element) -> Box | None:
    """Where a shape stands on its slide; a group where its shapes do."""
    if local(shape) == "g":
        inner = [box for one in shape if (box := box_of(one)) is not None]
        if not inner:
            return None
        left, top = min(box.left for box in inner), min(box.top for box in inner)
        return Box(left, top, max(b.left + b.width for b in inner) - left, max(b.top + b.height for b in inner) - top)
    moved = _MOVED.search(attribute(shape, "transform"))
    corner = moved.groups() if moved else (attribute(shape, "x"), attribute(shape, "y"))
    sizes = [length(text) for text in (*corner, attribute(shape, "width"), attribute(shape, "height"))]
    return None if None in sizes[:2] else Box(*(size or 0 for size in sizes))


def length(text: str) -> int | None:
    """English metric units (635 a twentieth of a point) of "1.5cm"; None for what is no length."""
    match = _LENGTH.fullmatch(text.strip())
    try:
        return int(float(match[1]) * _UNITS.get(match[2] or "cm", 360000)) if match else None
    except ValueError:
        return None
