"""OpenAI's protocol: what a chat request asks for, an answer in its words, and which error is told how."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.door import failure, told_failure
from app.mistakes import as_mistake, sentences
from app.programs import Busy, named
from ingest.errors import LibraryError, PathError
from model.errors import WindowError
from rag.answer import Answer
from rag.answering import CUT_OFF
from rag.chain import AnswerChain
from rag.errors import QuestionError, ReplyError, ServerError, UnsupportedError
from rag.query import read_query

_STATUS: Sequence[tuple[type[Exception], int]] = (
    (PathError, 404),
    (LibraryError, 404),
    (QuestionError, 400),
    (UnsupportedError, 400),
    (WindowError, 400),
    (ServerError, 502),
    (ReplyError, 502),
    (Busy, 429),
)


class UnknownModel(Exception):
    """There is no library that the model's name could mean."""


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """OpenAI's request. What tunes a model's writing (temperature, max_tokens, stop, ...) is ignored: the answers are the documents'."""

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    within: list[str] | None = None
    """Ours: documents or folders of the library to ask of."""
    n: int | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    functions: list[Any] | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    logprobs: bool | None = None

    def unsupported(self) -> str | None:
        """The first field that asks for a reply of a kind that isn't given here."""
        asked = {
            "n": self.n not in (None, 1),
            "tools": self.tools and self.tool_choice != "none",
            "functions": self.functions,
            "response_format": self.response_format and self.response_format.get("type") != "text",
            "modalities": "audio" in (self.modalities or []),
            "logprobs": self.logprobs,
        }
        return next((name for name, wanted in asked.items() if wanted), None)

    def asked(self) -> dict[str, Any]:
        """What the chain is asked: the last message of the user, after those before it.

        Raises:
            QuestionError: there is no question in it.
        """
        last = max((place for place, message in enumerate(self.messages) if message.get("role") == "user"), default=len(self.messages))
        question = read_query(self.messages[last : last + 1]).question
        return {"question": question, "history": self.messages[:last], "within": named(self.within)}


class SearchRequest(BaseModel):
    query: str
    k: int = Field(8, ge=1, le=100)
    within: list[str] | None = None
    library: str = ""


class Replies:
    """An answer in OpenAI's words: whole, or chunk by chunk."""

    def __init__(self, asked: ChatRequest, chain: AnswerChain) -> None:
        self._chain = chain
        self._usage = bool(asked.stream_options and asked.stream_options.include_usage)
        self._head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": asked.model}

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None, "octavo": _told(answer)}
        choice = {"index": 0, "message": message, "finish_reason": _finish(answer), "logprobs": None}
        return self._head | {"object": "chat.completion", "choices": [choice], "usage": self._used(answer)}

    async def events(self, parts: AsyncIterator[Answer]) -> AsyncIterator[str]:
        """Server-sent events; an error that comes in their middle is one of them, and the last."""
        answer = Answer()
        try:
            yield self._event({"role": "assistant", "content": ""})
            async for part in parts:
                answer += part
                if part.text:
                    yield self._event({"content": part.text})
        except Exception as error:
            yield f"data: {json.dumps(told_failure(*explained(error)))}\n\n"
            if as_mistake(error) is None:
                raise
            return
        yield self._event({"octavo": _told(answer)}, _finish(answer))
        if self._usage:
            yield self._data({"choices": [], "usage": self._used(answer)})
        yield "data: [DONE]\n\n"

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return self._data({"choices": [choice]} | ({"usage": None} if self._usage else {}))

    def _data(self, fields: dict[str, Any]) -> str:
        return f"data: {json.dumps(self._head | {'object': 'chat.completion.chunk'} | fields)}\n\n"

    def _used(self, answer: Answer) -> dict[str, int]:
        """Tokens, counted here where the model's server doesn't say, or no model was asked."""
        prompt, written = answer.timings.prompt_tokens, answer.timings.completion_tokens
        prompt = prompt if prompt is not None else answer.ledger.total if answer.ledger else 0
        written = written if written is not None else self._chain.model.count(answer.text)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _told(answer: Answer) -> dict[str, Any]:
    """What `octavo ask --json` says, but for the text, which is the message's."""
    return {name: value for name, value in answer.to_dict().items() if name != "answer"}


def _finish(answer: Answer) -> str:
    return "length" if CUT_OFF in answer.note else "stop"


def explained(error: Exception) -> tuple[int, str, str | None, str | None]:
    """Status, message, field and code of an error; a bug of ours is told in the terminal alone."""
    if isinstance(error, UnknownModel):
        return 404, str(error), "model", "model_not_found"
    mistake = as_mistake(error)
    if mistake is None:
        return 500, f"Octavo failed ({type(error).__name__}). What it was is in the terminal that it was started in.", None, None
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    code = "rate_limit_exceeded" if status == 429 else "context_length_exceeded" if isinstance(error, WindowError) else None
    return status, sentences(*mistake), None, code


def misread(error: RequestValidationError) -> Response:
    first = error.errors()[0]
    param = ".".join(map(str, first["loc"][1:])) or None
    if first["type"] == "json_invalid":
        return failure(400, "the request's body is no JSON")
    return failure(400, f"{param or 'the request'}: {first['msg'].lower()}", param)
