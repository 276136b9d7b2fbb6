"""What is asked: the question, the conversation before it, the documents it is about. All shapes a caller may use end here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue

from rag.answer import NOT_FOUND
from rag.errors import QuestionError
from rag.markers import strip_markers
from rag.refusal import is_refusal

Input = str | BaseMessage | Sequence[Any] | PromptValue | Mapping[str, Any]
"""A question; messages, of which the last human one is the question; or {"question", "history", "within", "mode"}."""

_KEYS = ("question", "history", "within", "mode")
MODES = ("auto", "answer", "summarise", "compare", "every", "each", "which", "compute")
"""What a question may be taken for: auto tells by its words (whole/task.py)."""
_ROLES = frozenset("human user ai assistant system developer tool function".split())


@dataclass(frozen=True)
class Query:
    question: str
    turns: tuple[tuple[str, str], ...] = ()
    """(question, answer) of the conversation so far, the oldest first, without markers: their sources have other numbers now."""
    unused: tuple[tuple[str, str], ...] = ()
    """(text, reason) of what else was in it."""
    within: tuple[str | Path, ...] | None = None
    """Files or folders to look in; None for the whole library."""
    mode: str = "auto"
    """One of MODES."""


def read_query(value: Any) -> Query:
    """
    Raises:
        QuestionError: no question in it, or something that isn't understood.
    """
    if isinstance(value, str):
        return _query(value)
    if isinstance(value, Mapping):
        if unknown := [key for key in value if key not in _KEYS]:
            raise QuestionError(f"a question has no {str(unknown[0])!r}", f"its keys are {', '.join(_KEYS)}")
        return _query(value.get("question"), value.get("history"), value.get("within"), value.get("mode") or "auto")
    messages = _messages([value] if isinstance(value, BaseMessage) else value)
    asked = max((place for place, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if asked is None:
        raise QuestionError("none of the messages is a question", "the last human message is what is asked")
    return _query(_text(messages[asked]), messages[:asked])


def _query(question: Any, history: Any = None, within: Any = None, mode: Any = "auto") -> Query:
    if question is not None and not isinstance(question, str):
        raise QuestionError(f"the question must be a text, not {type(question).__name__}")
    question = clean(question or "").strip()
    if not question:
        raise QuestionError("the question is empty", 'ask something, like: octavo ask "Who signed the contract?"')
    if mode not in MODES:
        raise QuestionError(f"there is no mode {mode!r:.40}", f"modes are {', '.join(MODES)}")
    turns, unused = _turns(_messages(history or []))
    return Query(question, turns, unused, _paths(within), mode)


def clean(text: str) -> str:
    """Half characters, as a terminal makes of bytes that aren't UTF-8, can be neither searched nor encoded."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)


def _messages(value: Any) -> list[BaseMessage]:
    """LangChain's messages of a list of these, of their dicts and tuples, or of (question, answer) pairs."""
    if isinstance(value, PromptValue):
        return value.to_messages()
    hint = "give messages, their dicts, or (question, answer) pairs, the oldest first"
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise QuestionError(f"a conversation must be a list, not {type(value).__name__}", hint)
    messages: list[BaseMessage] = []
    for item in value:
        try:
            if isinstance(item, list | tuple) and len(item) == 2 and all(isinstance(t, str) for t in item) and item[0] not in _ROLES:
                messages += [HumanMessage(item[0]), AIMessage(item[1])]
            else:
                messages += convert_to_messages([item])
        except (ValueError, TypeError, NotImplementedError) as error:  # what LangChain raises, pydantic's included
            raise QuestionError(f"{item!r:.80} is no message", hint) from error
    return messages


def _text(message: BaseMessage) -> str:
    kinds = [block.get("type") for block in message.content if isinstance(block, dict)] if isinstance(message.content, list) else []
    if isinstance(message, HumanMessage) and (other := [kind for kind in kinds if kind != "text"]):
        raise QuestionError(f"a question is text; this one has {other[0]!r} in it", "add the file to the library and ask about it")
    return clean(str(message.text)).strip()


def _turns(messages: Sequence[BaseMessage]) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    turns: list[tuple[str, str]] = []
    unused: list[tuple[str, str]] = []
    asked = ""
    for message in messages:
        text = _text(message)
        if isinstance(message, HumanMessage):
            if asked:
                unused.append((asked, "it has no answer"))
            asked = text
        elif isinstance(message, AIMessage) and asked and text:
            if is_refusal(text) or text == NOT_FOUND:
                unused.append((asked, "it was not answered"))
            else:
                turns.append((asked, strip_markers(text)))
            asked = ""
        elif text:
            unused.append((text, f"a message of the kind {message.type!r} is no part of a question and its answer"))
    return tuple(turns), (*unused, *([(asked, "it has no answer")] if asked else []))


def _paths(within: Any) -> tuple[str | Path, ...] | None:
    if within is None:
        return None
    hint = "name files or folders of the library"
    paths = (within,) if isinstance(within, str | Path) else within
    if isinstance(paths, bytes | Mapping) or not isinstance(paths, Iterable):
        raise QuestionError(f"within must be paths, not {type(paths).__name__}", hint)
    found = tuple(paths)
    for path in found:
        if not isinstance(path, str | Path):
            raise QuestionError(f"within must be paths, not {type(path).__name__}", hint)
    if not all(str(path).strip() for path in found) or not found:
        raise QuestionError("within names no document", f"{hint}, or leave it out to ask of all")
    return found
