"""Answers on the terminal."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import groupby
from operator import add
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill, indent
from typing import TYPE_CHECKING, TextIO

from ingest.terminal import is_terminal, plain, print_json, say

if TYPE_CHECKING:
    from rag.answer import Answer, Citation
    from rag.chain import AnswerChain
    from rag.whole.each import Row


@contextmanager
def open_chain(library: str, model: str | None) -> "Iterator[AnswerChain]":
    """The chain over a library, which is closed afterwards."""
    from ingest import Library, Settings

    with Library.open(Settings().library_dir(library)) as opened:
        from rag import build_chain  # a library that isn't there is told before torch is loaded

        yield build_chain(opened, model)


def show(parts: "Iterable[Answer]", passages: bool = True) -> "Answer":
    """Prints an answer as it comes, of one in the documents' own words their sentences; then what it cites, with the `passages`."""
    seen = []
    for part in parts:
        seen.append(part)
        if part.mode != "answer":
            say(f"(taken as: {part.mode}; --mode answer asks it as any other question)", err=True)
        if part.progress:
            _tell_progress(*part.progress)
        if not seen[0].pointed:
            print(plain(part.text), end="", flush=True)
    answer = reduce(add, seen)
    print("\n\n".join(f"{_quote(citation)} [{citation.marker}]" for citation in answer.citations) if answer.pointed else "")
    if answer.note:
        say(answer.note, err=True)
    _say_what_is_open(answer)
    if answer.mode != "answer":
        _show_places(answer.citations)
        return answer
    for citation in answer.citations:
        mark = "" if citation.verified else _DOUBT
        print(end="\n" if passages or citation is answer.citations[0] else "")
        say(f"  [{citation.marker}] {place(citation)}{mark}")
        if passages and not answer.pointed:
            print(indent(_quote(citation), _MARGIN))
    return answer


def show_passages(citations: "Iterable[Citation]") -> None:
    """Prints each cited passage whole, below its file's path."""
    for citation in citations:
        pages = place(citation).removeprefix(plain(Path(citation.path).name))
        say(f"[{citation.marker}] {citation.path}{pages}")
        print(indent(plain(citation.text).strip("\n"), _MARGIN))


def _tell_progress(done: int, total: int, what: str) -> None:
    """How far a task over whole documents is, on one line of a terminal; nothing where nobody watches."""
    if is_terminal(sys.stderr):
        print(f"\r{done} of {total} {plain(what)}\x1b[K", end="\r" if done < total else "\r\x1b[K", file=sys.stderr, flush=True)


def _show_places(citations: "Iterable[Citation]") -> None:
    """Where the markers point, those to one place in one line; the text has their words."""
    by_place: dict[str, list[int]] = {}
    for citation in citations:
        mark = "" if citation.verified else _DOUBT
        by_place.setdefault(f"{place(citation)}{mark}", []).append(citation.marker)
    print()
    for where, markers in by_place.items():
        runs = [[marker for _, marker in run] for _, run in groupby(enumerate(markers), key=lambda pair: pair[1] - pair[0])]
        say(f"  {' '.join(f'[{run[0]}]' if len(run) == 1 else f'[{run[0]}]-[{run[-1]}]' for run in runs)} {where}")


def show_each(rows: "Iterable[Row]", file: Path | None, json: bool) -> None:
    """Prints the answers of each document as they come, and writes them as CSV or prints them as JSON."""
    from rag.whole.each import COLUMNS, write_csv

    seen = []
    for row in rows:
        seen.append(row)
        if not json:
            where = f" (page {row.page}{'' if row.verified else ', not word for word'})" if row.page else ""
            say(f"{Path(row.document).name}: {row.answer}{where}")
    if file:
        with file.open("w", newline="", encoding="utf-8") as opened:
            write_csv(seen, opened)
        say(f"{len(seen)} rows in {file}", err=True)
    if json:
        print_json([dict(zip(COLUMNS, (row.document, row.answer, row.page, row.verified), strict=True)) for row in seen])


_MARGIN = " " * 6
_DOUBT = "  (nothing in the passage was seen to say this: check it)"


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
    if words and styled(sys.stdout):
        words = f"\x1b[1m{words}\x1b[22m"
    lines = f"{before}{words}{after}".splitlines()
    if any(line.lstrip().startswith("|") for line in lines):
        return "\n".join(lines)
    return fill(" ".join(" ".join(lines).split()), max(20, min(100, get_terminal_size((106, 24)).columns - len(_MARGIN))))


def styled(stream: TextIO) -> bool:
    """Whether words may be set off on it (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def place(citation: "Citation") -> str:
    """File name and the pages of the words, as one would say them."""
    name = plain(Path(citation.path).name)
    if citation.pages is None:
        return name
    first, last = citation.pages
    return f"{name}, page {first}" if first == last else f"{name}, pages {first}-{last}"
