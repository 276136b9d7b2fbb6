"""`octavo chat`: a conversation on the terminal, kept with the library's others, so that the page shows it too; mounted by cli.py.

Ctrl-C stops an answer, of which what came is kept; Ctrl-D or /quit ends the conversation.
"""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from app.mistakes import as_mistake, sentences
from app.options import Json, Library, Model, Within
from ingest.terminal import print_json, say, tell

if TYPE_CHECKING:
    from ingest import Library as Store
    from ingest.store.conversations import State
    from rag.answer import Answer
    from rag.chain import AnswerChain

_HELP = "/new begins another conversation, /sources shows the passages of the last answer, /quit or Ctrl-D ends, Ctrl-C stops an answer"


def chat(library: Library = "default", model: Model = None, within: Within = None, json: Json = False) -> None:
    """Ask, and ask on: a conversation.

    Questions come from the terminal, or a line each from a pipe. It is kept with the library, and the page shows it too.
    """
    from ingest import Library as Store
    from ingest import Settings

    terminal = sys.stdin.isatty()
    with Store.open(Settings().library_dir(library)) as opened:
        if terminal:
            with suppress(ImportError):
                import readline  # noqa: F401  # `input` then edits lines and remembers those before
            say(f"Ask {library}. {_HELP}.", err=True)
        talk = _Talk(opened, model, within, json)
        for line in _typed() if terminal else map(str.strip, sys.stdin):
            if line in ("/quit", "/exit"):
                break
            if line == "/new":
                talk = _Talk(opened, model, within, json, talk.chain)
            elif line == "/sources":
                talk.show_sources()
            elif line.startswith("/") and line[1:].isalpha():
                say(_HELP, err=True)
            elif line:
                with _stoppable(terminal):
                    talk.ask(line)


def _typed() -> Iterator[str]:
    """What is typed, line by line; Ctrl-C drops a line that was begun."""
    while True:
        try:
            yield input("\n> ").strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()


@contextmanager
def _stoppable(terminal: bool) -> Iterator[None]:
    """Ctrl-C ends what is done within; where nobody types, it ends all."""
    try:
        yield
    except KeyboardInterrupt:
        if not terminal:
            raise
        print("\n(stopped)", file=sys.stderr)


class _Talk:
    """One conversation about a library; the model is loaded at its first question, and handed on to the next."""

    def __init__(self, library: "Store", model: str | None, within: list[str] | None, json: bool, chain: "AnswerChain | None" = None):
        from ingest.store.conversations import Conversations

        self.chain = chain
        self._library, self._model, self._within, self._json = library, model, within, json
        self._kept = Conversations(library.directory)
        self._conversation: int | None = None
        self._history: list[tuple[str, str]] = []
        self._last: Answer | None = None

    def show_sources(self) -> None:
        """Shows the passages that the last answer cites."""
        from app.answers import show_passages

        if self._last and self._last.citations:
            show_passages(self._last.citations)
        else:
            say("no answer yet that cites a passage", err=True)

    def ask(self, question: str) -> None:
        """Answers a question, or tells what went wrong with it; what came is kept, also when it is interrupted."""
        turn = self._begin(question)
        parts: list[Answer] = []
        state: State = "cut"
        trouble = ""
        try:
            self._answer(question, parts)
            state = "done"
        except Exception as error:
            state = "failed"
            mistake = as_mistake(error)
            if mistake is None:
                raise
            tell(*mistake, self._json)
            trouble = sentences(*mistake)
        finally:
            self._end(question, turn, parts, state, trouble)

    def _answer(self, question: str, parts: "list[Answer]") -> None:
        """Prints an answer while it comes, and puts what comes into `parts`."""
        from app.answers import show
        from rag import build_chain

        self.chain = self.chain or build_chain(self._library, self._model)
        asked = {"question": question, "history": self._history, "within": self._within or None}

        def coming() -> "Iterator[Answer]":
            assert self.chain
            with closing(self.chain.stream(asked)) as stream:
                for part in stream:
                    parts.append(part)
                    yield part

        if self._json:
            print_json(reduce(add, coming()).to_dict())
        else:
            show(coming(), passages=False)

    def _begin(self, question: str) -> int | None:
        """Its turn in the library's conversations; None where nothing can be written there."""
        from ingest.errors import LibraryError

        try:
            self._conversation, turn = self._kept.ask(question, self._within or (), self._conversation)
        except LibraryError as error:
            if not self._history:
                say(f"this conversation is not kept: {error}", err=True)
            return None
        return turn

    def _end(self, question: str, turn: int | None, parts: "list[Answer]", state: "State", trouble: str) -> None:
        from app.told import told
        from rag.answer import Answer
        from rag.settings import Settings

        answer = self._last = reduce(add, parts, Answer())
        if answer.text:
            self._history.append((question, answer.text))
        if turn is not None:
            kept = told(answer, self._model or Settings().model, self._library.status())
            self._kept.put(turn, kept | {"trouble": trouble}, state)
