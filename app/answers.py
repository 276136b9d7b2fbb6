"""Answers on the terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import add
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from ingest.terminal import plain, say

if TYPE_CHECKING:
    from rag.answer import Answer, Citation
    from rag.chain import AnswerChain


@contextmanager
def open_chain(library: str, model: str | None) -> "Iterator[AnswerChain]":
    """The chain over a library, which is closed afterwards."""
    from ingest import Library, Settings
    from rag import build_chain

    with Library.open(Settings().library_dir(library)) as opened:
        yield build_chain(opened, model)


def show(parts: "Iterable[Answer]") -> "Answer":
    """Prints an answer as it comes, then the passages that it cites."""
    seen = []
    for part in parts:
        seen.append(part)
        print(plain(part.text), end="", flush=True)
    answer = reduce(add, seen)
    print()
    if answer.note:
        say(answer.note, err=True)
    for citation in answer.citations:
        mark = "" if citation.verified else "  (the passage does not say it word for word: check it)"
        print()
        say(f"  [{citation.marker}] {place(citation)}{mark}")
        print(fill(plain(" ".join(citation.text.split())), 100, initial_indent="      ", subsequent_indent="      "))
    return answer


def place(citation: "Citation") -> str:
    """File name and pages, as one would say them."""
    name = plain(Path(citation.path).name)
    if citation.page_start is None:
        return name
    last = citation.page_end or citation.page_start
    return f"{name}, page {citation.page_start}" if last == citation.page_start else f"{name}, pages {citation.page_start}-{last}"
