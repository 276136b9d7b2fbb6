"""What LangChain's loaders yield, as documents of ours.

Many yield a Document a page; those in a row that name the same `source` become the pages of one.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ingest.loaders.parsed import Builder, Parsed, clean
from ingest.loaders.web.markdown import headings

if TYPE_CHECKING:
    from langchain_core.document_loaders import BaseLoader


def documents(loader: "BaseLoader") -> Iterator[tuple[str, Parsed, str]]:
    """Each source with its text, and the reason why there is none: a loader that fails costs what it had still to yield."""
    name = type(loader).__name__
    failure: list[str] = []

    def pages() -> Iterator[Any]:
        try:
            yield from loader.lazy_load()
        except Exception as error:  # a loader is anybody's code
            failure.append(f"the loader failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}")

    seen: set[str] = set()
    for named, group in groupby(pages(), key=lambda page: str(page.metadata.get("source", name))):
        source = clean(named)
        if source in seen:  # it would take the place of what came before
            yield source, Parsed(""), "the loader came back to it after another source: sort what it yields by source"
        else:
            yield source, _joined(list(group)), ""
        seen.add(source)
    if failure:
        yield name, Parsed(""), failure[0]


def _joined(pages: list[Any]) -> Parsed:
    if len(pages) == 1 and "page" not in pages[0].metadata:
        text = clean(pages[0].page_content)
        return Parsed(text, headings=headings(text))
    builder = Builder()
    for number, page in enumerate(pages):
        builder.page(int(page.metadata.get("page", number)) + 1, page.page_content)
    return builder.parsed()
