"""What a slide's shapes have from its layout, master and presentation: where a placeholder stands, how its lists are marked."""

from collections.abc import Iterator

from ingest.loaders.office.ooxml import Package
from ingest.loaders.office.reading_order import Box
from ingest.loaders.web.xmltree import Element, child, integer, local

TITLES = {"title", "ctrTitle"}
_BODIES = {"body", "obj", "subTitle", "tbl", "chart", "dgm", "media", "clipArt", "pic"}


def placeholder(shape: Element) -> Element | None:
    """What makes a shape a placeholder."""
    for name in ("nvSpPr", "nvPicPr", "nvGraphicFramePr"):
        if (found := child(shape, name, "nvPr", "ph")) is not None:
            return found
    return None


def purpose(shape: Element) -> str:
    """What a placeholder is for: title, body, ftr, ...; empty for a shape of one's own."""
    found = placeholder(shape)
    return "" if found is None else str(found.get("type", "body"))


class Master:
    """A slide's layout and the layout's master, and the presentation's defaults."""

    def __init__(self, package: Package, layout: str, presentation: Element | None) -> None:
        master = next(iter(package.related(layout, "slideMaster")), "")
        self._roots = [root for one in (layout, master) if one and (root := package.root(one)) is not None]
        self._defaults = child(presentation, "defaultTextStyle")

    def box(self, shape: Element) -> Box | None:
        """Where a shape stands: by itself, or as the placeholder that it fills."""
        for one in (shape, *self._models(shape)):
            for names in (("spPr", "xfrm"), ("grpSpPr", "xfrm"), ("xfrm",)):
                place = child(one, *names)
                corner, size = child(place, "off"), child(place, "ext")
                if corner is not None and size is not None:
                    return Box(integer(corner, "x", 0), integer(corner, "y", 0), integer(size, "cx", 0), integer(size, "cy", 0))
        return None

    def paragraph_styles(self, shape: Element, level: int) -> Iterator[Element]:
        """What says how a shape's paragraphs of a level are marked, nearest first."""
        lists = [child(one, "txBody", "lstStyle") for one in (shape, *self._models(shape))]
        kind = purpose(shape)
        name = "titleStyle" if kind in TITLES else "bodyStyle" if kind in _BODIES else "otherStyle"
        lists += [child(root, "txStyles", name) for root in self._roots[-1:]]
        lists += [] if kind else [self._defaults]
        return (found for one in lists if (found := child(one, f"lvl{level + 1}pPr")) is not None)

    def _models(self, shape: Element) -> Iterator[Element]:
        """The placeholders of the layout and the master that a shape fills."""
        wanted = placeholder(shape)
        for root in self._roots if wanted is not None else []:
            tree = child(root, "cSld", "spTree")
            found = [(model, inner) for model in (tree if tree is not None else []) if (inner := placeholder(model)) is not None]
            model = next((model for model, inner in found if _same(inner, wanted)), None)
            model = model if model is not None else next((model for model, inner in found if _alike(inner, wanted)), None)
            if model is not None:
                yield model
                wanted = placeholder(model)


def _same(one: Element, other: Element) -> bool:
    return one.get("idx", "0") == other.get("idx", "0") and _alike(one, other)


def _alike(one: Element, other: Element) -> bool:
    kinds = [inner.get("type", "obj") for inner in (one, other)]
    return kinds[0] == kinds[1] or set(kinds) <= TITLES or set(kinds) <= _BODIES


def is_hidden(shape: Element) -> bool:
    """Whether a shape was made invisible."""
    return any(inner.get("hidden") in ("1", "true") for part in shape if local(part).startswith("nv") for inner in part)
