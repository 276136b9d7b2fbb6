"""The chain: question -> retrieve -> pack -> gate -> generate -> verify -> Answer, as one LangChain Runnable.

`stream` yields parts of an Answer that add up to what `invoke` returns.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from langchain_core.callbacks import CallbackManagerForChainRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import patch_config, run_in_executor

from ingest import Library
from rag import gate
from rag.answer import NOT_FOUND, Answer, Evidence, Timings
from rag.citations import CitationStream
from rag.errors import QuestionError, ServerError
from rag.models import Reader, is_refusal, may_become_refusal, reader_for
from rag.prompt import Packed, pack
from rag.retriever import LibraryRetriever, from_document
from rag.settings import Settings

Input = str | dict[str, Any]

RETRIEVED = 24
"""Sources put before a model at the most: some 6,000 tokens of a window of 8,192."""


def build_chain(library: Library, model: str | BaseChatModel | None = None) -> "AnswerChain":
    """The chain over one library.

    Args:
        library: an open library; the chain sees what is added to it later.
        model: what `model.load_model` takes, openai:NAME@URL, or any LangChain chat model; by default OCTAVO_MODEL.

    Raises:
        ModelError, ServerError: there is no such model.
    """
    settings = Settings()
    return AnswerChain(library, reader_for(model or settings.model, settings), settings)


class AnswerChain(Runnable[Input, Answer]):
    """Takes a question, or {"question": str, "history": [(question, answer), ...], "within": [paths]}; gives an Answer."""

    def __init__(self, library: Library, reader: Reader, settings: Settings) -> None:
        self.retriever = LibraryRetriever(library=library)
        self.reader = reader
        self.settings = settings

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        return reduce(add, self.stream(input, config, **kwargs))

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Answer]:
        yield from self._transform_stream_with_config(iter([input]), self._parts, config, **kwargs)

    async def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Answer]:
        parts = self.stream(input, config, **kwargs)
        while (part := await run_in_executor(config, next, parts, None)) is not None:
            yield part

    def _parts(self, inputs: Iterator[Input], run_manager: CallbackManagerForChainRun, config: RunnableConfig) -> Iterator[Answer]:
        question, history, within = _read(next(inputs))
        start = time.monotonic()
        documents = self.retriever.invoke(question, patch_config(config, callbacks=run_manager.get_child()), k=RETRIEVED, within=within)
        found = [from_document(d) for d in documents]
        retrieved = time.monotonic() - start
        packed = self._pack(question, history, found)
        yield Answer(evidence=packed.evidence, ledger=packed.ledger, note=self.retriever.library.unfinished())
        allowed = gate.allowed_doubt(packed.evidence) if self.reader.doubts else 1.0
        if gate.beside_the_point(packed.evidence) or allowed < gate.LEAST_DOUBT:
            seconds = time.monotonic() - start
            yield Answer(NOT_FOUND, refused=True, timings=Timings(retrieved, seconds, seconds, 0, 0))
            return
        yield from self._generate(packed, allowed, patch_config(config, callbacks=run_manager.get_child()), start, retrieved)

    def _pack(self, question: str, history: Sequence[tuple[str, str]], found: Sequence[Evidence]) -> Packed:
        reader = self.reader
        return pack(
            question,
            history if reader.instructions else [],
            found,
            count=reader.count,
            window=reader.window,
            reserve=self.settings.max_answer_tokens,
            frame=reader.frame,
            instructions=reader.instructions,
            context=reader.context,
            estimated=reader.estimated,
        )

    def _generate(self, packed: Packed, allowed: float, config: RunnableConfig, start: float, retrieved: float) -> Iterator[Answer]:
        stream = CitationStream(packed.evidence, quotes=self.reader.doubts)
        text, held, first, answers = "", "", 0.0, False
        usage: dict[str, Any] = {}
        for chunk in self._chunks(packed.messages, allowed, config):
            usage = dict(chunk.usage_metadata or usage)
            if not chunk.text:
                continue
            first = first or time.monotonic() - start
            text += chunk.text
            held += chunk.text
            answers = answers or not may_become_refusal(held)
            if answers:
                yield Answer(stream.push(held))
                held = ""
        refused = not answers and (is_refusal(held) or not held.strip())
        rest = NOT_FOUND if refused else stream.push(held) + stream.flush()
        seconds = time.monotonic() - start
        yield Answer(
            rest,
            refused=refused,
            citations=stream.citations,
            timings=Timings(
                retrieved, first or seconds, seconds, usage.get("input_tokens", packed.ledger.total), usage.get("output_tokens", 0)
            ),
            raw=text,
        )

    def _chunks(self, messages: list[BaseMessage], allowed: float, config: RunnableConfig) -> Iterator[AIMessageChunk]:
        reader = self.reader
        if not reader.estimated:
            extra: dict[str, Any] = {"refuse_above": allowed} if reader.doubts else {}
            yield from reader.chat.stream(messages, config, **extra)
            return
        try:
            yield from reader.chat.stream(messages, config)
        except Exception as error:  # each provider's package has classes of its own
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ServerError(
                f"the model's server did not answer: {reason}", "is it running, and is the model's name one that it has?"
            ) from error


def _read(value: Input) -> tuple[str, list[tuple[str, str]], list[str] | None]:
    fields: dict[str, Any] = {"question": value} if isinstance(value, str) else value
    question = str(fields.get("question") or "").strip()
    if not question:
        raise QuestionError("the question is empty", 'ask something, like: octavo ask "Who signed the contract?"')
    history = [(str(q), str(a)) for q, a in fields.get("history") or []]
    return question, history, fields.get("within")
