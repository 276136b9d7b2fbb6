"""Questions answered in threads of their own: all that came is kept, however it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.asking import Asking
from app.told import answering
from ingest.store.conversations import FILE, REMOVED, Conversations
from rag.answer import Answer, Citation
from rag.errors import ServerError


class Says:
    """What a chain shows to who asks it: what it streams is given."""

    def __init__(self, parts: Callable[[], Iterator[Answer]], directory: Path) -> None:
        self._parts = parts
        view = SimpleNamespace(paths=lambda: ["/d/there.md"])
        status = {"generation": 7, "documents": 3}
        self.library = SimpleNamespace(directory=directory, snapshot=lambda: nullcontext(view), status=lambda: status)

    def stream(self, asked: dict[str, Any]) -> Iterator[Answer]:
        yield from self._parts()


def begin(kept: Conversations, parts: Callable[[], Iterator[Answer]], lent: Callable[[Any], Any] = nullcontext) -> tuple[Asking, int, int]:
    conversation, turn = kept.ask("How much?")
    says = Says(parts, kept._file.parent)
    return Asking(lambda: lent(says), "starter", {"question": "How much?"}, kept, turn), conversation, turn


def test_an_answer_is_kept_with_its_model_and_generation(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    asking, conversation, _ = begin(kept, lambda: iter([Answer("It is "), Answer("45p.")]))
    asking.join(30)
    (turn,) = kept.turns(conversation)
    assert (turn.state, turn.answer["text"], turn.answer["generation"], turn.answer["model"]) == ("done", "It is 45p.", 7, "starter")
    assert asking.kept


def test_stopping_keeps_what_came_and_waits_for_nobody(tmp_path: Path) -> None:
    kept, came, never = Conversations(tmp_path), threading.Event(), threading.Event()

    def parts() -> Iterator[Answer]:
        yield Answer("It is")
        came.set()
        never.wait(60)
        yield Answer(" 45p.")

    asking, conversation, _ = begin(kept, parts)
    assert came.wait(30)
    asking.stop()
    assert [(turn.state, turn.answer["text"]) for turn in kept.turns(conversation)] == [("cut", "It is")]
    never.set()
    asking.join(30)
    assert [(turn.state, turn.answer["text"]) for turn in kept.turns(conversation)] == [("cut", "It is")]


def failing(error: Exception) -> Callable[[], Iterator[Answer]]:
    def parts() -> Iterator[Answer]:
        yield Answer("It is")
        raise error

    return parts


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ServerError("the server did not answer", "is it running?"), "The server did not answer. Is it running?"),
        (KeyError("x"), "Octavo failed (KeyError)"),
    ],
)
def test_an_error_is_told_and_what_came_is_kept(tmp_path: Path, error: Exception, said: str) -> None:
    kept = Conversations(tmp_path)
    asking, conversation, _ = begin(kept, failing(error))
    asking.join(30)
    (turn,) = kept.turns(conversation)
    assert turn.state == "failed" and turn.answer["trouble"].startswith(said) and turn.answer["text"] == "It is"


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    kept, both = Conversations(tmp_path), threading.Barrier(2, timeout=30)

    def parts(word: str) -> Callable[[], Iterator[Answer]]:
        def come() -> Iterator[Answer]:
            for _ in range(5):
                both.wait()
                yield Answer(word)

        return come

    begun = [begin(kept, parts(word)) for word in ("a", "b")]
    for asking, *_ in begun:
        asking.join(30)
    assert [kept.turns(conversation)[0].answer["text"] for _, conversation, _ in begun] == ["aaaaa", "bbbbb"]


def test_an_answer_that_cannot_be_written_is_still_shown(tmp_path: Path) -> None:
    kept, go = Conversations(tmp_path), threading.Event()

    def parts() -> Iterator[Answer]:
        go.wait(60)
        yield Answer("It is 45p.")

    asking, *_ = begin(kept, parts)
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    go.set()
    asking.join(30)
    assert (asking.state, asking.kept, asking.answer()["text"]) == ("done", False, "It is 45p.")
    assert asking.has_ended()


def test_an_answer_has_ended_though_its_model_is_given_back_later(tmp_path: Path) -> None:
    kept, loaded = Conversations(tmp_path), threading.Event()

    @contextmanager
    def lent(chain: Any) -> Iterator[Any]:
        yield chain
        loaded.wait(60)

    asking, conversation, _ = begin(kept, lambda: iter([Answer("It is 45p.")]), lent)
    while not asking.has_ended():
        time.sleep(0.01)
    asking.stop()
    assert [turn.state for turn in kept.turns(conversation)] == ["done"]
    loaded.set()
    asking.join(30)


def test_what_it_quotes_of_a_document_that_was_removed_meanwhile_is_not_kept(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    cited = [Citation(n, path, None, None, 0, 6, "Quill.", True) for n, path in enumerate(("/d/there.md", "/d/gone.md"), 1)]
    asking, conversation, _ = begin(kept, lambda: iter([Answer("Quill. [1][2]", citations=tuple(cited))]))
    asking.join(30)
    (turn,) = kept.turns(conversation)
    assert [source["text"] for source in turn.answer["citations"]] == ["Quill.", REMOVED]


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("starter", ("starter", "")),
        ("/models/gemma-2-2b", ("gemma-2-2b", "")),
        ("openai:gemma2:9b@q4@http://me:secret@box.local:1/v1", ("gemma2:9b@q4", "box.local")),
    ],
)
def test_a_models_name_is_shown_without_its_addresss_password(model: str, shown: tuple[str, str]) -> None:
    assert answering(model) == shown
