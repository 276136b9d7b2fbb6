"""Questions being answered, each in a thread of its own: a page that is reloaded, closed or shows something else loses nothing.

What came is written to the library's conversations while it comes; the page reads it from there, or from here while it can't be
written.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from typing import Any

from app.mistakes import as_bug, as_mistake, sentences
from app.told import answering, told
from ingest import Library
from ingest.errors import LibraryError
from ingest.store.conversations import Conversations, State, forget
from ingest.terminal import plain
from rag.answer import Answer
from rag.chain import AnswerChain

_EVERY = 0.5
"""Seconds between two writings of an answer that is coming."""


class Asking:
    """One question on its way to an answer."""

    def __init__(
        self, chain: Callable[[], AbstractContextManager[AnswerChain]], model: str, asked: dict[str, Any], kept: Conversations, turn: int
    ) -> None:
        """
        Args:
            chain: lends the chain, which may load a model first.
            model: what answers.
            asked: what the chain is given.
            turn: the conversation's, where the answer is written.
        """
        self._chain, self._model, self._asked = chain, model, asked
        self._conversations, self._turn = kept, turn
        self._answer = Answer()
        self._about: tuple[str, dict[str, Any]] = ("", {})
        self._trouble = ""
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self.state: State = "asking"
        self.kept = False
        """Whether all of it stands in the conversations."""
        self._thread = threading.Thread(target=self._run, name=f"turn {turn}", daemon=True)
        self._thread.start()
        threading.Thread(target=self._keep, daemon=True).start()

    def doing(self) -> str:
        """What it does now, in words."""
        if not self._about[0]:
            return "Getting ready"
        if self._answer.progress:
            done, total, what = self._answer.progress
            return f"{done} of {total} {what}"
        evidence = self._answer.evidence
        if not evidence:
            return "Looking in your documents"
        names = list(dict.fromkeys(plain(item.chunk.path.rpartition("/")[2]) for item in evidence))
        where = names[0] if len(names) == 1 else f"{len(names)} documents"
        return f"Reading {len(evidence)} passage{'s' if len(evidence) > 1 else ''} of {where}"

    def answer(self) -> dict[str, Any]:
        """What there is of it."""
        return told(self._answer, *self._about) | {"trouble": self._trouble, "asked_as": self._asked.get("mode", "auto")}

    def stop(self) -> None:
        """Ends it and keeps what came. A model that is busy with its prompt goes on until its next word, which nobody reads."""
        self._end("cut")

    def has_ended(self) -> bool:
        """Whether nothing of it is still to be written, or tried to be."""
        return self._ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._ask()
        except Exception as error:
            self._end("failed", sentences(*(as_mistake(error) or as_bug(error))))
            if as_mistake(error) is None:
                raise

    def _ask(self) -> None:
        with self._chain() as chain:
            self._about = (" at ".join(filter(None, answering(self._model))), chain.library.status())
            with closing(chain.stream(self._asked)) as parts:
                for part in parts:
                    with self._writing:
                        if self.state != "asking":
                            break
                        self._answer += part
            self._end("done")  # before the model is given back, which may take until another is loaded
            self._forget(chain.library)

    def _forget(self, library: Library) -> None:
        """Takes out what it quotes of documents that were removed while it was being answered: their removal found nothing of it yet."""
        quoted = {citation.path for citation in self._answer.citations} | {item.chunk.path for item in self._answer.evidence}
        with library.snapshot() as view:
            gone = quoted.difference(view.paths())
        forget(library.directory, gone)

    def _keep(self) -> None:
        """Writes what has come since the last time; a model may be silent for long between two words."""
        written: Answer | None = None
        while not self._ended.wait(_EVERY):
            with self._writing:
                if self.state == "asking" and self._answer is not written:
                    written = self._answer
                    self._put()

    def _end(self, state: State, trouble: str = "") -> None:
        with self._writing:
            if self.state == "asking":
                self._trouble, self.state = trouble, state
                self._put()
                self._ended.set()

    def _put(self) -> None:
        with suppress(LibraryError):  # on a full disk the answer is still shown
            self._conversations.put(self._turn, self.answer(), self.state)
            self.kept = self.state != "asking"
