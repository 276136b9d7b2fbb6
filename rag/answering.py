"""From what a model writes to an Answer: thoughts left out, a refusal told apart, markers checked, and how it ended said."""

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk

from rag.answer import NOT_FOUND, Answer, Timings
from rag.citations import CitationStream
from rag.errors import ReplyError
from rag.models import AnswerModel
from rag.prompt import Prompt
from rag.refusal import is_refusal, may_become_refusal
from rag.servers import has_version, with_version

CUT_OFF = "The answer is cut off: it reached its longest (OCTAVO_MAX_ANSWER_TOKENS)."
BROKEN_OFF = "The answer may be cut off: the model's server didn't say that it was finished."


def answer_from(
    chunks: Iterable[AIMessageChunk], prompt: Prompt, model: AnswerModel, started: float, retrieve_s: float
) -> Iterator[Answer]:
    """The parts of an answer as they come; the last one has the citations and timings.

    Args:
        chunks: what the model writes.
        started: when the question was asked, by `time.monotonic`.

    Raises:
        ReplyError: the model wrote nothing.
    """
    stream, reply = CitationStream(prompt.evidence, prompt.question, model.can.quotes), _Reply()
    thoughts = ThoughtFilter(model.begins_thinking)
    held, answers, first_token_s, shown = "", False, 0.0, ""
    for chunk in chunks:
        reply.add(chunk)
        if chunk.text and not first_token_s:
            first_token_s = time.monotonic() - started
        held += thoughts.push(chunk.text) if model.can.follows_instructions else chunk.text
        answers = answers or not may_become_refusal(held)
        if answers:
            piece, held = stream.push(held), ""
            shown += piece
            yield Answer(piece)
    held += thoughts.flush()
    refused = not answers and is_refusal(held)
    ending = reply.ending(model)
    rest = NOT_FOUND if refused else stream.push(held) + stream.flush(cut=bool(ending))
    if not (shown + rest).strip():
        raise _empty(ending, model)
    total_s = time.monotonic() - started
    timings = Timings(retrieve_s, first_token_s or total_s, total_s, reply.usage.get("input_tokens"), reply.usage.get("output_tokens"))
    yield Answer(
        rest,
        refused or is_refusal(shown + rest),
        stream.citations,
        timings=timings,
        raw=reply.text,
        note=ending,
        claims=stream.claims,
        unresolved=stream.unresolved,
    )


def _empty(ending: str, model: AnswerModel) -> ReplyError:
    if ending == CUT_OFF:
        hint = "it may have spent its tokens on thinking: raise OCTAVO_MAX_ANSWER_TOKENS"
    elif model.url and not has_version(model.url):
        hint = f"is the URL right? Many servers want /v1: {with_version(model.url)}"
    else:
        hint = "ask again, or another model"
    return ReplyError("the model's reply is empty", hint)


class _Reply:
    """What a model wrote, what it counted, and why it ended."""

    def __init__(self) -> None:
        self.text = ""
        self.usage: dict[str, Any] = {}
        self._reason = ""

    def add(self, chunk: AIMessageChunk) -> None:
        self.text += chunk.text
        self.usage = dict(chunk.usage_metadata or self.usage)
        meta = chunk.response_metadata
        self._reason = str(meta.get("finish_reason") or meta.get("stop_reason") or meta.get("done_reason") or self._reason)

    def ending(self, model: AnswerModel) -> str:
        """What the reader should know of how it ended, or ""."""
        if self._reason.lower() in ("length", "max_tokens"):
            return CUT_OFF
        return BROKEN_OFF if model.url and not self._reason else ""


class ThoughtFilter:
    """Leaves out of a stream what a reasoning model thinks aloud, in the tags of one of the families of models: <think>...</think>."""

    _OPEN = re.compile(
        r"<(?:(?:seed:)?think(?:ing)?|thought|reasoning|reflection|scratchpad)>|\[think\]|\u25c1think\u25b7|<\|channel\|>(?:analysis|commentary)\b",
        re.IGNORECASE,
    )
    _CLOSE = {"<|channel|>": r"<\|channel\|>final<\|message\|>", "[": r"\[/think\]", "\u25c1": "\u25c1/think\u25b7"}
    """What ends a thought, by how its opening begins; another ends with its own name."""
    _MAY_OPEN = re.compile(r"(?:<[a-z:]{0,11}|\[[a-z]{0,5}|\u25c1[a-z]{0,5}|<\|[a-z|>]{0,25})\Z", re.IGNORECASE)
    _KEPT = 40
    """Characters that the end of a thought may have."""

    _END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)

    def __init__(self, begun: bool = False) -> None:
        self._held = ""
        self._closing = ""
        """The tag that ends the thought that is going on."""
        self._begun = begun
        """Whether it may begin in the midst of a thought, whose opening tag was in the prompt: then it is held until that has ended."""

    def push(self, piece: str) -> str:
        self._held += piece
        if self._begun:
            opened, ended = self._OPEN.search(self._held), self._END.search(self._held)
            if not (opened or ended):
                return ""
            self._held, self._begun = self._held[ended.end() if ended and not opened else 0 :], False
        shown = ""
        while True:
            if self._closing:
                closing = re.search(self._closing, self._held, re.IGNORECASE)
                if not closing:
                    self._held = self._held[-self._KEPT :]
                    return shown
                self._held, self._closing = self._held[closing.end() :], ""
            opening = self._OPEN.search(self._held)
            if not opening:
                end = self._MAY_OPEN.search(self._held)
                cut = end.start() if end else len(self._held)
                shown, self._held = shown + self._held[:cut], self._held[cut:]
                return shown
            shown += self._held[: opening.start()]
            named = (ending for begins, ending in self._CLOSE.items() if opening[0].startswith(begins))
            self._held, self._closing = self._held[opening.end() :], next(named, f"</{opening[0][1:]}")

    def flush(self) -> str:
        rest = "" if self._closing else self._held
        self._held = ""
        return rest
