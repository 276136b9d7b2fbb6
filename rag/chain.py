"""The chain: question -> retrieve -> read -> gate -> pack -> generate -> verify -> Answer, as one LangChain Runnable.

`stream` yields parts of an Answer that add up to what `invoke` returns.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Iterator
from functools import reduce
from operator import add
from typing import Any

from langchain_core.callbacks import CallbackManagerForChainRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import patch_config, run_in_executor
from pydantic import BaseModel, Field

from ingest import Library
from rag import gate
from rag.answer import NOT_FOUND, Answer, Evidence, Timings
from rag.answering import answer_from
from rag.boxes import with_boxes
from rag.errors import QuestionError
from rag.follow_up import is_follow_up, may_be_follow_up, rewritten, search_text
from rag.long import asking_part
from rag.models import AnswerModel, answer_model
from rag.passages import neighbours
from rag.point import best_source, point
from rag.prompt import build_prompt
from rag.query import Input, Query, read_query
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever, from_documents, stored
from rag.settings import Settings
from rag.whole.each import Row, ask_each
from rag.whole.run import Helpers, names_of, whole
from rag.whole.writing import Writer

ALONE = 0.5
"""The probability that a passage answers at which a short question in a conversation is known to stand alone."""
RETRIEVED = 24
"""Sources put before a model at the most: some 6,000 tokens of a window of 8,192."""


def build_chain(library: Library, model: str | BaseChatModel | None = None, retriever: BaseRetriever | None = None) -> "AnswerChain":
    """The chain over one library.

    Args:
        library: an open library; the chain sees what is added to it later.
        model: what `model.load_model` takes, openai:NAME@URL, or any LangChain chat model; by default OCTAVO_MODEL.
        retriever: in the place of `LibraryRetriever(library=library)`; what it gives must come from one, as when a reranker or a
            filter stands behind it. Its order counts.

    Raises:
        ModelError, ServerError: there is no such model.
    """
    settings = Settings()
    return AnswerChain(library, answer_model(model or settings.model, settings), settings, retriever)


Found = tuple[str, list[Evidence], gate.Decision]
"""What was searched for, what was found, and whether it answers."""


def _probability(found: Found) -> float:
    return found[2].probability or 0.0


class Asked(BaseModel):
    """What the chain is asked, as a dict; a text alone is the question, messages alone end with it."""

    question: str
    history: list[Any] = Field([], description="The conversation so far: messages, or (question, answer) pairs, the oldest first.")
    within: list[str] | None = Field(None, description="Files or folders of the library to look in; all of it where left out.")
    mode: str = Field("auto", description="What it is taken for: answer, summarise, compare, every, each, which or compute.")


class AnswerChain(Runnable[Input, Answer]):
    """Takes a question, LangChain messages that end with one, or {"question", "history", "within"}; gives an Answer.

    `history` is the conversation so far: messages, their dicts, or (question, answer) pairs. `within` limits the answer to
    files or folders of the library.
    """

    def __init__(self, library: Library, model: AnswerModel, settings: Settings, retriever: BaseRetriever | None = None) -> None:
        self.library = library
        self.retriever = retriever or LibraryRetriever(library=library)
        self.model = model
        self.settings = settings

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        return reduce(add, self.stream(input, config, **kwargs))

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Generator[Answer]:
        if kwargs:
            raise QuestionError(
                f"the chain takes no {min(kwargs)!r}", "what limits a question stands in its dict: question, history, within"
            )
        yield from self._transform_stream_with_config(iter([input]), self._parts, config)

    async def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Answer]:
        parts = self.stream(input, config, **kwargs)
        step: asyncio.Future[Answer | None] | None = None
        try:
            while (part := await asyncio.shield(step := asyncio.ensure_future(run_in_executor(config, next, parts, None)))) is not None:
                yield part
        finally:  # who stops listening stops the model; a step that a thread is in the middle of can't be closed
            if step and not step.done():
                step.add_done_callback(lambda done: parts.close() if not done.cancelled() and not done.exception() else None)
            else:
                parts.close()

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        return Asked

    def _parts(self, inputs: Iterator[Input], run_manager: CallbackManagerForChainRun, config: RunnableConfig) -> Iterator[Answer]:
        query = read_query(next(inputs))
        started = time.monotonic()
        child = patch_config(config, callbacks=run_manager.get_child())
        if (parts := whole(query, self._helpers(query, child))) is not None:
            yield from with_boxes(parts, self.library)
            return
        searched, evidence, decision = self._found(query, child)
        retrieve_s = time.monotonic() - started
        if self.model.can.best_source_tokens is None:
            evidence += neighbours(evidence, self.library)
        prompt = build_prompt(query, evidence, self.model, self.settings.max_answer_tokens)
        note = self.library.unfinished() or self.library.index_trouble()
        pointed = self.model.can.quotes and best_source(prompt.evidence) > 0 and not decision.refuse
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
        chunks = (
            iter([AIMessageChunk(content=point(prompt.question, prompt.evidence))])
            if pointed
            else self.model.stream(prompt.messages, child)
        )
        yield from with_boxes(answer_from(chunks, prompt, self.model, started, retrieve_s), self.library)

    def _retrieve(self, searched: str, query: Query, config: RunnableConfig) -> list[Evidence]:
        """What may answer, best first; of another retriever, which may not know `within`, what lies there."""
        found = from_documents(self.retriever.invoke(searched, config, k=RETRIEVED, within=query.within))
        if query.within is None or isinstance(self.retriever, LibraryRetriever):
            return found
        with self.library.snapshot() as view:
            inside = set(stored(view, query.within))
        return [item for item in found if item.chunk.path in inside]

    def _found(self, query: Query, config: RunnableConfig) -> Found:
        """What is only short is searched for as it stands first; of what is long also the part that asks."""
        if asking := asking_part(query.question):
            return max((self._read(text, query, config) for text in (query.question, asking)), key=_probability)
        alone = None if is_follow_up(query) else self._read(query.question, query, config)
        if alone and not (may_be_follow_up(query) and _probability(alone) < ALONE):
            return alone
        searched = rewritten(query, self.model, patch_config(config, run_name="rewrite")) or search_text(query)
        fused = self._read(searched, query, config)
        return alone if alone and _probability(alone) > _probability(fused) else fused

    def _read(self, searched: str, query: Query, config: RunnableConfig) -> Found:
        found = self._retrieve(searched, query, config)
        with self.library.snapshot() as view:
            openings = view.openings({item.chunk.path for item in found})
        evidence = read(searched, found, default_reader(), openings)
        return searched, evidence, gate.decide(searched, evidence, self.settings.gate_threshold)

    def each(self, input: Input, config: RunnableConfig | None = None) -> Iterator[Row]:
        """The same question of each document that it is asked of (`within`, or the library): a row each, as it comes.

        Raises:
            QuestionError, PathError: as for `invoke`.
        """
        query = read_query(input)
        helpers = self._helpers(query, config or {})
        return ask_each(names_of(query, self.library).paths, lambda path: helpers.ask(query.question, path))

    def _helpers(self, query: Query, config: RunnableConfig) -> Helpers:
        """What a task over whole documents takes from the chain."""
        reserve = self.settings.max_answer_tokens
        writer = None if self.model.can.quotes else Writer(self.model, reserve, lambda prompt: self.model.stream(prompt.messages, config))
        mode = "answer" if query.mode == "answer" else "auto"
        ask = lambda question, path: self.invoke({"question": question, "within": path, "mode": mode}, config)  # noqa: E731
        return Helpers(self.library, self.settings.gate_threshold, writer, ask)
