"""What is embedded in an OpenDocument file: formulas and charts."""

from ingest.loaders.office import mathml
from ingest.loaders.web.xmltree import Element, attribute, children, descendants, local, parse
from ingest.loaders.zipped import Zipped


class Objects:
    def __init__(self, zipped: Zipped) -> None:
        self._zipped = zipped

    def formulas(self, frame: Element) -> str | None:
        """A frame's formulas on one line; None where it holds something else."""
        roots = [root for one in children(frame, "object") if (root := self._root(one)) is not None and local(root) == "math"]
        return " ".join(mathml.linear(root) for root in roots) if roots else None

    def chart(self, element: Element) -> Element | None:
        return next(descendants(self._root(element), "chart"), None)

    def _root(self, element: Element) -> Element | None:
        """An object's content: a part of the file, or written into the document itself."""
        name = f"{attribute(element, 'href').removeprefix('./')}/content.xml"
        return parse(self._zipped.read(name)) if name in self._zipped else next(iter(element), None)
