"""Answers on the terminal."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import add
from pathlib import Path
from textwrap import fill, indent
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
    """Prints an answer as it comes, then the passages that it cites; of one in the documents' own words, their sentences."""
    seen = []
    for part in parts:
        seen.append(part)
        if not seen[0].pointed:
            print(plain(part.text), end="", flush=True)
    answer = reduce(add, seen)
    print("\n\n".join(f"{_quote(citation)} [{citation.marker}]" for citation in answer.citations) if answer.pointed else "")
    if answer.note:
        say(answer.note, err=True)
    _say_what_is_open(answer)
    for citation in answer.citations:
        mark = "" if citation.verified else "  (nothing in the passage was seen to say this: check it)"
        print()
        say(f"  [{citation.marker}] {place(citation)}{mark}")
        if not answer.pointed:
            print(indent(_quote(citation), " " * 6))
    return answer


def _say_what_is_open(answer: "Answer") -> None:
    """A line for markers that name no source, and one for sentences that name none."""
    if answer.unresolved:
        say(f"No source has the number {', '.join(f'[{n}]' for n in dict.fromkeys(answer.unresolved))}.", err=True)
    if uncited := answer.uncited():
        say(
            f"{len(uncited)} of {len(answer.claims)} statements name no source: {plain(uncited[0])}{' ...' if uncited[1:] else ''}",
            err=True,
        )


def _quote(citation: "Citation") -> str:
    """What a citation quotes, as lines of a terminal, the words that answer in bold where there is one."""
    before, words, after = map(plain, citation.quoted())
    if sys.stdout.isatty() and words:
        words = f"\x1b[1m{words}\x1b[22m"
    lines = f"{before}{words}{after}".splitlines()
    if any(line.lstrip().startswith("|") for line in lines):
        return "\n".join(lines)
    return fill(" ".join(" ".join(lines).split()), 100)


def place(citation: "Citation") -> str:
    """File name and pages, as one would say them."""
    name = plain(Path(citation.path).name)
    if citation.page_start is None:
        return name
    last = citation.page_end or citation.page_start
    return f"{name}, page {citation.page_start}" if last == citation.page_start else f"{name}, pages {citation.page_start}-{last}"
