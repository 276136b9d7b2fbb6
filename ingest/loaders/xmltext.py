"""XML of any kind: each leaf a line `name: text`, running text as paragraphs. What isn't well-formed stays as it is."""

from pathlib import Path

from ingest.loaders.encoding import as_utf8, decode
from ingest.loaders.parsed import Builder, LoadError, Parsed, clean
from ingest.loaders.xmltree import Element, local, parse


def load(path: Path) -> Parsed:
    data = as_utf8(path.read_bytes())
    try:
        root = parse(data)
    except LoadError:
        return Parsed(clean(decode(data)))
    if local(root) == "html":
        from ingest.loaders import html

        return html.parse(data)
    builder = Builder()
    _add(builder, root)
    return builder.parsed()


def _add(builder: Builder, element: Element) -> None:
    if not isinstance(element.tag, str):
        return
    elements = [child for child in element if isinstance(child.tag, str)]
    attributes = ", ".join(f"{name.rpartition('}')[2]}={value}" for name, value in element.items())
    label = f"{local(element)} ({attributes})" if attributes else local(element)
    if not elements:
        text = _plain("".join(element.itertext()))
        builder.line(f"{label}: {text}" if text else label if attributes else "")
    elif (element.text or "").strip() or any((child.tail or "").strip() for child in elements):
        builder.end_lines()
        builder.block(" ".join(" ".join(element.itertext()).split()))
    else:
        builder.end_lines()
        builder.line(label if attributes else "")
        for child in elements:
            _add(builder, child)
        builder.end_lines()


def _plain(text: str) -> str:
    """Feeds keep whole pieces of HTML in a leaf."""
    if "</" in text or "<br" in text or "<p>" in text:
        from ingest.loaders import html

        text = html.parse(text, titled=False).text
    return " ".join(text.split())
