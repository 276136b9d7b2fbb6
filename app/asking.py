"""Questions being answered, each in a thread of its own: a page that is reloaded, closed or shows something else loses nothing.

What came is written to the library's conversations while it comes; the page reads it from there.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import reduce
from operator import add
from typing import Any

from app.mistakes import as_mistake, sentences
from app.told import told
from ingest.store.conversations import Conversations, State
from rag.answer import Answer
from rag.chain import AnswerChain
from rag.settings import Settings

_EVERY = 0.5
"""Seconds between two writings of an answer that is coming."""


class Asking:
    """One question on its way to an answer."""

    def __init__(self, chain: Callable[[], AnswerChain], asked: dict[str, Any], conversations: Conversations, turn: int) -> None:
        """
        Args:
            chain: makes the chain, which may load a model first.
            asked: what the chain is given.
            turn: the conversation's, where the answer is written.
        """
        self._chain, self._asked = chain, asked
        self._conversations, self._turn = conversations, turn
        self._answer = Answer()
        self._about: tuple[str, int | None] = ("", None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"turn {turn}", daemon=True)
        self._thread.start()

    @property
    def going(self) -> bool:
        return self._thread.is_alive()

    def doing(self) -> str:
        """What it does now, in words."""
        if self._stop.is_set():
            return "Stopping"
        if not self._about[0]:
            return "Getting ready"
        if self._answer.progress:
            done, total, what = self._answer.progress
            return f"{done} of {total} {what}"
        evidence = self._answer.evidence
        if not evidence:
            return "Looking in your documents"
        names = list(dict.fromkeys(item.chunk.path.rpartition("/")[2] for item in evidence))
        where = names[0] if len(names) == 1 else f"{len(names)} documents"
        return f"Reading {len(evidence)} passage{'s' if len(evidence) > 1 else ''} of {where}"

    def answer(self) -> dict[str, Any]:
        """What there is of it."""
        return told(self._answer, *self._about)

    def stop(self) -> None:
        """Ends it after the word that is being written; what came is kept."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        state: State = "failed"
        trouble = ""
        try:
            state = self._ask()
        except Exception as error:
            mistake = as_mistake(error)
            if mistake is None:
                trouble = f"Octavo failed ({type(error).__name__}). What it was is in the terminal that it was started in."
                self._put("failed", trouble)
                raise
            trouble = sentences(*mistake)
        self._put(state, trouble)

    def _ask(self) -> State:
        chain = self._chain()
        self._about = (Settings().model, chain.library.status()["generation"])
        written = time.monotonic()
        with closing(chain.stream(self._asked)) as parts:
            for part in parts:
                self._answer = reduce(add, [self._answer, part])
                if self._stop.is_set():
                    return "cut"
                if time.monotonic() - written > _EVERY:
                    self._put("asking")
                    written = time.monotonic()
        return "done"

    def _put(self, state: State, trouble: str = "") -> None:
        self._conversations.put(self._turn, self.answer() | {"trouble": trouble}, state)
