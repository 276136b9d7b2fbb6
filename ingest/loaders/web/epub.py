"""EPUB books: their pages in reading order, through the HTML loader; chapters are headings below the book's title."""

import posixpath
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urldefrag

from ingest.loaders.encoding import decode_part
from ingest.loaders.parsed import Builder, LoadError, Parsed, counted
from ingest.loaders.web.html import Pages
from ingest.loaders.web.xmltree import Element, attribute, child, descendants, parse
from ingest.loaders.zipped import Zipped

_PAGES = {"application/xhtml+xml", "text/html", "application/xml", "text/xml", "application/x-dtbook+xml"}


def load(path: Path) -> Parsed:
    with Zipped(path, "EPUB book") as zipped:
        package = _package(zipped)
        root = parse(zipped.read(package))
        folder = posixpath.dirname(package)
        manifest = {attribute(item, "id"): item for item in descendants(child(root, "manifest"), "item")}
        locked = _locked(zipped)
        builder = Builder()
        title = next((title.text or "" for title in descendants(child(root, "metadata"), "title")), "").strip()
        labels = _labels(zipped, manifest.values(), folder)
        pages = Pages()
        missing = drm = pictures = damaged = 0
        for reference in descendants(child(root, "spine"), "itemref"):
            item = manifest.get(attribute(reference, "idref"))
            if item is None or "nav" in attribute(item, "properties").split():
                continue
            place = _place(folder, attribute(item, "href"))
            if place in locked:
                drm += 1
            elif place not in zipped:
                missing += 1
            elif attribute(item, "media-type") not in _PAGES:
                pictures += 1
            elif page := _page(pages, zipped, place):
                if title and not len(builder) and not page.text.startswith(title):
                    builder.heading(1, title)
                if not page.headings and page.text.strip() and page.text.split("\n", 1)[0].strip() != labels.get(place):
                    builder.heading(2, labels.get(place, ""))
                builder.append(page, below=1)
            else:
                damaged += 1
        if drm and not len(builder):
            raise LoadError("encrypted: the book is copy-protected")
        builder.note(counted(missing, "chapter", "missing from the file"))
        builder.note(counted(drm, "chapter", "not read: encrypted"))
        builder.note(counted(damaged, "chapter", "not read: damaged"))
        builder.note(counted(pictures, "whole-page picture", "not read"))
        for note in pages.notes():
            builder.note(note)
        return builder.parsed()


def _package(zipped: Zipped) -> str:
    """The file that lists all others."""
    if "META-INF/container.xml" in zipped:
        for root in descendants(parse(zipped.read("META-INF/container.xml")), "rootfile"):
            if attribute(root, "full-path") in zipped:
                return attribute(root, "full-path")
    found = next((name for name in zipped.names if name.lower().endswith(".opf")), None)
    if found is None:
        raise LoadError("not a readable EPUB book: its list of pages is missing")
    return found


def _page(pages: Pages, zipped: Zipped, place: str) -> Parsed | None:
    """A chapter; None where its bytes are no text: the others are read all the same."""
    folder = posixpath.dirname(place)

    def linked(sheet: str) -> str:
        there = _place(folder, sheet)
        return decode_part(zipped.read(there)) if there in zipped else ""

    try:
        return pages.read(zipped.read(place), titled=False, linked=linked)
    except LoadError:
        return None


def _place(folder: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(reference).url)))


def _locked(zipped: Zipped) -> set[str]:
    """Members that are encrypted (of a book without copy protection, its fonts at most)."""
    if "META-INF/encryption.xml" not in zipped:
        return set()
    return {unquote(attribute(item, "URI")) for item in descendants(parse(zipped.read("META-INF/encryption.xml")), "CipherReference")}


def _labels(zipped: Zipped, items: Iterable[Element], folder: str) -> dict[str, str]:
    """What the table of contents calls each page, for pages that have no heading."""
    labels: dict[str, str] = {}
    for item in items:
        kind = attribute(item, "media-type")
        place = _place(folder, attribute(item, "href"))
        if (kind != "application/x-dtbncx+xml" and "nav" not in attribute(item, "properties").split()) or place not in zipped:
            continue
        try:
            root = parse(zipped.read(place))
        except LoadError:
            continue
        base = posixpath.dirname(place)
        for point in descendants(root, "navPoint"):
            text = child(point, "navLabel", "text")
            content = child(point, "content")
            if text is not None and content is not None:
                labels.setdefault(_place(base, attribute(content, "src")), " ".join((text.text or "").split()))
        for link in (link for nav in descendants(root, "nav") for link in descendants(nav, "a")):
            labels.setdefault(_place(base, attribute(link, "href")), " ".join("".join(link.itertext()).split()))
    return labels
