"""The model that answers on the page, which can be changed while it is open.

Of models that are loaded into this process there is one at a time: a question that wants another waits until all answers of the one
before have ended, which goes then. What is chosen counts from the next question on.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread

from rag.models import AnswerModel


class Models:
    """
    Args:
        load: makes a model of its name; what is behind a server (openai:NAME@URL) takes no memory here, and waits for nobody.
    """

    def __init__(self, load: Callable[[str], AnswerModel]) -> None:
        self._load = load
        self._changed = Condition()
        self._name = ""
        self._model: AnswerModel | None = None
        self._lent: Counter[str] = Counter()
        self._readying = ""

    @contextmanager
    def lent(self, name: str) -> Iterator[AnswerModel]:
        """A model for the time of one answer."""
        with self._changed:
            self._changed.wait_for(lambda: self._name == name or not _is_here(name) or not any(map(_is_here, +self._lent)))
            model = self._held(name)
            self._lent[name] += 1
        try:
            yield model
        finally:
            del model
            with self._changed:
                self._lent[name] -= 1
                self._changed.notify_all()

    def get_ready(self, name: str) -> None:
        """Loads a model before it is asked, in a thread; what is wrong with it is told when a question is asked."""
        if name not in (self._name, self._readying):
            self._readying = name
            Thread(target=self._try, args=(name,), daemon=True).start()

    def _try(self, name: str) -> None:
        try:
            with suppress(Exception), self.lent(name):
                pass
        finally:
            self._readying = ""

    def _held(self, name: str) -> AnswerModel:
        if self._model is None or self._name != name:
            gc.unfreeze()
            self._model, self._name = None, ""
            gc.collect()  # before the next one is loaded: what is in cycles would stay beside it
            self._model = self._load(name)
            self._name = name
            gc.freeze()  # Streamlit collects garbage after each run of the script: not through all that stays
        return self._model


def _is_here(name: str) -> bool:
    return not name.startswith("openai:")
