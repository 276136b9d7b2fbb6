"""Summarise and compare by a model that writes: all at once where the documents fit into its window, else by map and reduce.

Map: as many passages as fit, in order, are put before the model, which notes their main points with markers. Reduce: the notes, each
under the passage that it cites, are the sources of the answer; as long as they don't fit, notes are taken of the notes. So a marker of
the answer always names a passage of a document, and what the answer says is held against that passage.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

from langchain_core.messages import AIMessageChunk

from rag.answer import Answer, Evidence
from rag.answering import answer_from
from rag.citations import find_markers
from rag.coverage import content_words
from rag.errors import QuestionError, RagError
from rag.markers import strip_markers
from rag.models import AnswerModel
from rag.prompt import Prompt, build_prompt
from rag.query import Query
from rag.whole.document import Whole

_NOTE = "Note the main points of these passages, each in a short sentence, for this task: {task}"
_ROUNDS = 4
"""Times that notes of notes are taken; each round should leave a fraction."""
_IN_A_ROW = 3
"""Parts that may fail one after another before the rest is left unread."""


@dataclass(frozen=True)
class Writer:
    """A model that writes, the tokens reserved for what it writes, and how it is asked."""

    model: AnswerModel
    reserve: int
    ask: Callable[[Prompt], Iterator[AIMessageChunk]]


@dataclass(frozen=True)
class Noted:
    """A passage, and what the model is shown of it: its own text, or notes of it."""

    passage: Evidence
    text: str

    def shown(self, place: int) -> Evidence:
        """As a source; a note is nobody's neighbour, so that packing leaves each under its own marker."""
        chunk = self.passage.chunk
        return replace(self.passage, chunk=replace(chunk, path=f"{chunk.path}#{place}", text=self.text))


def write(task: str, documents: Sequence[Whole], writer: Writer) -> Iterator[Answer]:
    """
    Raises:
        RagError: the model failed at every part.
    """
    started = time.monotonic()
    several = len(documents) > 1
    items = [
        Noted(
            Evidence(chunk if not several else replace(chunk, header="\n".join(filter(None, (f"{d.name}:", chunk.header)))), 0.0),
            chunk.text,
        )
        for d in documents
        for chunk in d.chunks
    ]
    names, total, failures, read = " and ".join(d.name for d in documents), len(items), list[str](), len(items)
    for round_ in range(_ROUNDS):
        prompt, packed = _pack(task, items, writer)
        if packed == len(items):
            break
        notes: list[Noted] = []
        done = failed = 0
        while done < len(items):
            prompt, packed = _pack(_NOTE.format(task=task), items[done:], writer)
            part = items[done : done + packed]
            try:
                notes += _note(prompt, part, writer)
                failed = 0
            except RagError as error:
                failed += 1
                failures.append(f"passages {done + 1} to {done + packed} were not read: {error}.")
                read -= packed * (round_ == 0)
                if failed == _IN_A_ROW or (not notes and done + packed >= len(items)):
                    if not notes:
                        raise
                    read -= (len(items) - done - packed) * (round_ == 0)
                    break
            done += packed
            yield Answer(progress=(done, len(items), f"passages of {names}" if round_ == 0 else "notes"))
        items = notes
    note = " ".join([f"Read {read} of {total} passages of {names}.", *failures])
    prompt, packed = _pack(task, items, writer)
    if packed < len(items):
        note += f" The notes on the last {len(items) - packed} passages did not fit."
    evidence = tuple(item.passage for item in items[:packed])
    yield Answer(evidence=evidence, ledger=prompt.ledger, note=note)
    try:
        yield from answer_from(writer.ask(prompt), replace(prompt, evidence=evidence), writer.model, started, time.monotonic() - started)
    except RagError as error:
        if items and items[0].text == items[0].passage.chunk.text:
            raise
        said = "\n".join(f"- {item.text} [{number}]" for number, item in enumerate(items[:packed], 1))
        yield Answer(said, note=f"These are the notes on the parts: the model failed when it was to sum them up ({error}).")


def _pack(task: str, items: Sequence[Noted], writer: Writer) -> tuple[Prompt, int]:
    """A prompt over as many of the items, from the first, as fit; and how many."""
    near, room = 0, writer.model.context_length * 8
    while near < len(items) and room > 0:
        room -= len(items[near].text)
        near += 1
    shown = [item.shown(place) for place, item in enumerate(items[:near])]
    prompt = build_prompt(Query(task), shown, writer.model, writer.reserve)
    fitting = next((place for place, item in enumerate(shown) if place >= len(prompt.evidence) or prompt.evidence[place] != item), near)
    if fitting < len(items):
        headings = [item.passage.chunk.heading for item in items[: fitting + 1]]
        fitting = next((place for place in range(fitting, fitting // 2, -1) if headings[place] != headings[place - 1]), fitting)
    if not fitting:
        raise QuestionError("a passage alone is larger than the model's window", "raise the window, or take a model with a larger one")
    if fitting < len(prompt.evidence):
        prompt = build_prompt(Query(task), shown[:fitting], writer.model, writer.reserve)
    return prompt, fitting


def _note(prompt: Prompt, part: Sequence[Noted], writer: Writer) -> list[Noted]:
    """What the model notes of a part, each sentence under the passage that it cites, or else that it is most like."""
    now = time.monotonic()
    answer = reduce(add, answer_from(writer.ask(prompt), prompt, writer.model, now, 0.0))
    if answer.refused:
        return []
    notes: dict[int, list[str]] = {}
    said = list(find_markers(answer.text, prompt.evidence))
    rest = answer.text[said[-1].end :] if said else answer.text
    for numbers, claim in [*((marker.numbers, marker.claim) for marker in said), ((), rest)]:
        claim = strip_markers(claim).strip(" \n-*•.")
        if claim:
            there = [number for number in numbers if 1 <= number <= len(part)]
            notes.setdefault(there[0] if there else _likest(claim, part), []).append(f"{claim}.")
    return [Noted(part[number - 1].passage, " ".join(notes[number])) for number in sorted(notes)]


def _likest(claim: str, part: Sequence[Noted]) -> int:
    """The number of the passage that shares the most content words with a claim."""
    said = set(content_words(claim))
    return max(range(1, len(part) + 1), key=lambda number: len(said & set(content_words(part[number - 1].text))))
