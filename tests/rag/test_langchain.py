"""The chain among LangChain's parts: a retriever of one's own, schemas and tools, messages, streams that nobody listens to any more."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.retrievers import BaseRetriever

from ingest import Library
from model.errors import WindowError
from rag import LibraryRetriever, build_chain
from rag.answer import Answer, Citation
from rag.chain import AnswerChain
from rag.chat_gemma import ChatGemma2
from rag.errors import QuestionError
from rag.query import read_query
from rag.retriever import from_documents

AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


def says(text: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text)] * 4))


class Reranked(BaseRetriever):
    """As a reranker does it: what another retriever finds, in another order, with a score of its own in the metadata."""

    base: BaseRetriever
    order: Callable[[Sequence[Document]], Sequence[Document]]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = self.order(self.base.invoke(query))
        return [Document(id=d.id, page_content=d.page_content, metadata=d.metadata | {"relevance_score": -n}) for n, d in enumerate(found)]


def test_the_order_of_a_reranker_counts_and_what_it_adds_is_ignored(library: Library) -> None:
    plain = LibraryRetriever(library=library)
    documents = Reranked(base=plain, order=lambda found: found[::-1]).invoke(AGE)
    evidence = from_documents(documents)
    assert [e.chunk for e in evidence] == [e.chunk for e in plain.evidence(AGE)][::-1]
    scores = [e.score for e in evidence]
    assert scores[0] == 1 and scores == sorted(scores, reverse=True)
    kept = [d for d in plain.invoke(AGE) if d.metadata["page_start"]]
    assert [e.score for e in from_documents(kept)] == [d.metadata["score"] for d in kept]


def test_an_answer_stands_on_what_a_retriever_of_ones_own_gives(library: Library, samples: Path) -> None:
    handbook = (samples / "volunteer-handbook.pdf").as_posix()
    one = Reranked(base=LibraryRetriever(library=library), order=lambda found: [d for d in found if d.metadata["path"] == handbook][:1])
    chain = build_chain(library, "starter", retriever=one)
    answer = chain.invoke(AGE)
    assert [e.chunk.path for e in answer.evidence] == [handbook] and "85" in answer.text
    assert chain.invoke({"question": AGE, "within": handbook}).text == answer.text
    assert chain.invoke({"question": AGE, "within": samples / "faq.md"}).refused
    with pytest.raises(QuestionError, match="no document at"):
        chain.invoke({"question": AGE, "within": "/no/such.pdf"})


def test_a_document_that_is_no_passage_of_a_library_is_named() -> None:
    with pytest.raises(QuestionError, match="without 'id' in its metadata"):
        from_documents([Document("Lima", metadata={"source": "web"})])
    assert from_documents([]) == []


def test_a_tool_takes_the_chains_own_input_and_gives_text_with_its_places(library: Library) -> None:
    tool = build_chain(library, "starter").as_tool(name="papers", description="Answers.")
    assert set(tool.args) == {"question", "history", "within", "mode"}
    message = tool.invoke({"type": "tool_call", "id": "1", "name": "papers", "args": {"question": AGE}})
    assert message.content.startswith("85") and message.content.endswith("/volunteer-handbook.pdf, page 7")


def test_input_and_output_have_schemas(chain: AnswerChain) -> None:
    assert set(chain.get_input_jsonschema()["properties"]) == {"question", "history", "within", "mode"}
    assert chain.get_input_jsonschema()["required"] == ["question"]
    assert "citations" in chain.get_output_jsonschema()["$defs"]["Answer"]["properties"]


def test_what_the_chain_does_not_take_is_named(chain: AnswerChain) -> None:
    with pytest.raises(QuestionError, match="takes no 'k'"):
        chain.invoke(AGE, k=3)


def test_an_answer_is_a_message_of_the_next_questions_history() -> None:
    cited = Citation(1, "/d/a.pdf", 3, 3, 0, 9, "It is 85.", True)
    message = Answer("85 [1]", citations=(cited,)).to_message()
    assert message.response_metadata["citations"][0]["path"] == "/d/a.pdf"
    assert read_query([HumanMessage("How old?"), message, HumanMessage("Why?")]).turns == (("How old?", "85"),)


class Endless(GenericFakeChatModel):
    """A model that never comes to an end, and says when it was stopped."""

    stopped: Any = None
    wrote: Any = None
    goes_on: Any = None

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        try:
            while True:
                yield ChatGenerationChunk(message=AIMessageChunk("and so on "))
                self.wrote.set()
                self.goes_on.wait()
        finally:
            self.stopped.set()


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.ended = Event()

    def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
        self.ended.set()

    on_chain_error = on_chain_end


def endless(open_gate: bool) -> Endless:
    model = Endless(messages=iter([]), stopped=Event(), wrote=Event(), goes_on=Event())
    if open_gate:
        model.goes_on.set()
    return model


async def test_a_stream_that_nobody_reads_on_stops_the_model_and_ends_its_run(library: Library) -> None:
    model, ends = endless(open_gate=True), Ends()
    parts = build_chain(library, model).astream(AGE, {"callbacks": [ends]})
    async for part in parts:
        if part.text:
            break
    await parts.aclose()  # as the event loop does with one that is dropped
    assert model.stopped.is_set() and ends.ended.is_set()


async def test_a_task_that_is_cancelled_while_the_model_writes_stops_it_too(library: Library) -> None:
    model, ends = endless(open_gate=False), Ends()

    async def read() -> None:
        async for _ in build_chain(library, model).astream(AGE, {"callbacks": [ends]}):
            pass

    task = asyncio.create_task(read())
    await asyncio.to_thread(model.wrote.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    model.goes_on.set()
    assert await asyncio.to_thread(model.stopped.wait, 60) and await asyncio.to_thread(ends.ended.wait, 60)


def test_a_prompt_over_the_window_is_langchains_own_error_and_ours() -> None:
    with pytest.raises(ContextOverflowError) as caught:
        ChatGemma2(model="starter").invoke("mill " * 9000)
    assert isinstance(caught.value, WindowError) and caught.value.hint
