"""The chain: question -> retrieve -> read -> gate -> pack -> generate -> verify -> Answer, as one LangChain Runnable.

`stream` yields parts of an Answer that add up to what `invoke` returns.
"""

import time
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from operator import add
from typing import Any

from langchain_core.callbacks import CallbackManagerForChainRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import patch_config, run_in_executor

from ingest import Library
from model import grounded
from rag import gate, servers
from rag.answer import NOT_FOUND, Answer, Timings
from rag.answering import answer_from
from rag.citations import strip_markers
from rag.follow_up import search_text
from rag.models import AnswerModel, answer_model
from rag.point import best_source, point
from rag.prompt import Prompt, build_prompt
from rag.query import Input, Query, read_query
from rag.quote import asks_to_judge
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever, from_document
from rag.settings import Settings
from rag.whole.each import Row, ask_each
from rag.whole.run import Helpers, names_of, whole
from rag.whole.writing import Writer

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
    return AnswerChain(library, answer_model(model or settings.model, settings), settings)


class AnswerChain(Runnable[Input, Answer]):
    """Takes a question, LangChain messages that end with one, or {"question", "history", "within"}; gives an Answer.

    `history` is the conversation so far: messages, their dicts, or (question, answer) pairs. `within` limits the answer to
    files or folders of the library.
    """

    def __init__(self, library: Library, model: AnswerModel, settings: Settings) -> None:
        self.retriever = LibraryRetriever(library=library)
        self.model = model
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
        query = read_query(next(inputs))
        started = time.monotonic()
        child = patch_config(config, callbacks=run_manager.get_child())
        if (parts := whole(query, self._helpers(query, child))) is not None:
            yield from parts
            return
        searched = search_text(query)
        documents = self.retriever.invoke(searched, child, k=RETRIEVED, within=query.within)
        evidence = read(searched, [from_document(d) for d in documents], default_reader())
        decision = gate.decide(searched, evidence, self.settings.gate_threshold)
        retrieve_s = time.monotonic() - started
        prompt = build_prompt(query, evidence, self.model, self.settings.max_answer_tokens)
        note = self.retriever.library.unfinished() or self.retriever.library.index_trouble()
        pointed = self.model.is_grounded and best_source(prompt.evidence) > 0 and not decision.refuse
        yield Answer(
            searched="" if searched == query.question else searched,
            evidence=prompt.evidence,
            ledger=prompt.ledger,
            pointed=pointed,
            probability=decision.probability,
            note=note,
        )
        if decision.refuse:
            total_s = time.monotonic() - started
            yield Answer(NOT_FOUND, refused=True, timings=Timings(retrieve_s, total_s, total_s, 0, 0))
            return
        child = patch_config(config, callbacks=run_manager.get_child())
        chunks = self._pointed(prompt, child) if pointed else self._chunks(prompt, child)
        yield from answer_from(chunks, prompt, self.model, started, retrieve_s)

    def each(self, input: Input, config: RunnableConfig | None = None) -> Iterator[Row]:
        """The same question of each document that it is asked of (`within`, or the library): a row each, as it comes.

        Raises:
            QuestionError, PathError: as for `invoke`.
        """
        query = read_query(input)
        helpers = self._helpers(query, config or {})
        return ask_each(names_of(query, self.retriever.library).paths, lambda path: helpers.ask(query.question, path))

    def _helpers(self, query: Query, config: RunnableConfig) -> Helpers:
        """What a task over whole documents takes from the chain."""
        reserve = self.settings.max_answer_tokens
        writer = None if self.model.is_grounded else Writer(self.model, reserve, lambda prompt: self._chunks(prompt, config))
        mode = "answer" if query.mode == "answer" else "auto"
        ask = lambda question, path: self.invoke({"question": question, "within": path, "mode": mode}, config)  # noqa: E731
        return Helpers(self.retriever.library, self.settings.gate_threshold, writer, ask)

    def _pointed(self, prompt: Prompt, config: RunnableConfig) -> Iterator[AIMessageChunk]:
        """What the reader points at; for a yes-or-no or either-or question the model's answer, cited to the best source."""
        if not asks_to_judge(prompt.question):
            yield AIMessageChunk(content=point(prompt.question, prompt.evidence))
            return
        written = reduce(add, self._chunks(prompt, config))
        text = f"{strip_markers(written.text)} [{best_source(prompt.evidence)}]"
        yield written.model_copy(update={"content": text})

    def _chunks(self, prompt: Prompt, config: RunnableConfig) -> Iterator[AIMessageChunk]:
        if self.model.is_local:
            options = {"not_first": [grounded.REFUSAL]} if self.model.is_grounded else {}  # the gate let it pass
            return self.model.chat.stream(prompt.messages, config, **options)
        return servers.stream(self.model.chat, prompt.messages, self.model.url, config)
