"""XML that a stranger wrote: no entities, no external files, no network; and names without their namespaces.

Office formats come with two sets of namespaces each (transitional and strict, OpenOffice's and OASIS's), so names are
compared by their local part.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.loaders.parsed import LoadError

Element = Any
"""lxml's element, which has no types of its own."""

SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False, "remove_comments": True, "remove_pis": True}


def parse(data: bytes) -> Element:
    """The root of a document.

    Raises:
        LoadError: it is not well-formed.
    """
    try:
        root = etree.fromstring(data, etree.XMLParser(**SAFE))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise LoadError(f"its XML is damaged ({_short(error)})") from error
    return root


def local(element: Element) -> str:
    """An element's name without its namespace; empty for what isn't an element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str, default: str = "") -> str:
    """An attribute by its local name."""
    if (value := element.get(name)) is not None:
        return str(value)
    for key, value in element.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def integer(element: Element, name: str, default: int) -> int:
    """A whole number in an attribute; the default where it is missing or isn't one."""
    text = attribute(element, name).strip()
    return int(text) if len(text) < 10 and text.removeprefix("-").isdecimal() else default


def child(element: Element | None, *names: str) -> Element | None:
    """The first child by the first name, its first child by the second, and so on."""
    for name in names:
        if element is None:
            return None
        element = next((inner for inner in element if local(inner) == name), None)
    return element


def children(element: Element | None, name: str) -> Iterator[Element]:
    """Children of one name."""
    return (inner for inner in (() if element is None else element) if local(inner) == name)


def descendants(element: Element | None, name: str) -> Iterator[Element]:
    """Elements of one name anywhere below."""
    return iter(()) if element is None else element.iterfind(f".//{{*}}{name}")


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:100]
