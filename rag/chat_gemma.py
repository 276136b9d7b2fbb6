"""ChatGemma2: our engine as a LangChain chat model. Prompts, messages and streams in LangChain's terms, ids below.

A message's content may be a list of text blocks: each is encoded on its own, so that a caller can count tokens exactly.
"""

from collections.abc import Iterator, Sequence
from threading import Event, Lock
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from model import Model, load_model
from model.errors import SourceError
from model.sampling import sampled
from model.settings import Settings
from model.tokenizer import TextStream
from rag.gate import RefusalGate

_ROLES = {"system": "system", "human": "user", "ai": "assistant", "HumanMessageChunk": "user", "AIMessageChunk": "assistant"}


class ChatGemma2(BaseChatModel):
    """A local Gemma 2, loaded on first use.

    No tool calls, no structured output, no images: the model has none of them.
    """

    source: str = Field(default="starter", alias="model")
    """What `model.load_model` takes: starter, a directory, a .gguf file, a hub id."""
    max_tokens: int = Field(default=256, ge=1)
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: list[str] | None = None
    model_config = {"populate_by_name": True}
    _model: Model | None = PrivateAttr(default=None)
    _loading: Any = PrivateAttr(default_factory=Lock)

    @property
    def model(self) -> Model:
        with self._loading:
            if self._model is None:
                settings = Settings()
                self._model = load_model(self.source, device=settings.device, dtype=settings.dtype)
            return self._model

    @property
    def _llm_type(self) -> str:
        return "octavo-gemma2"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("source", "max_tokens", "temperature", "top_p", "top_k", "seed", "stop")
        return {name: getattr(self, name) for name in names}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(
            ls_provider="octavo",
            ls_model_name=kwargs.get("model", self.source),
            ls_model_type="chat",
            ls_temperature=kwargs.get("temperature", self.temperature),
            ls_max_tokens=kwargs.get("max_tokens", self.max_tokens),
            ls_stop=stop or self.stop or [],
        )

    def get_token_ids(self, text: str) -> list[int]:
        return self.model.tokenizer.encode(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        return len(self.model.tokenizer.chat(_turns(messages)))

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        """kwargs may change max_tokens, temperature, top_p, top_k and seed for this call, and set `refuse_above`: the
        doubt (0 to 1) above which a model that was tuned on grounded questions answers that the sources don't say."""
        if kwargs.get("model", self.source) != self.source:
            raise SourceError(f"this ChatGemma2 runs {self.source!r}", "make another ChatGemma2 for another model")
        model, setting = self.model, {**self._identifying_params, **kwargs}
        ids = model.tokenizer.chat(_turns(messages))
        gate = RefusalGate(model, kwargs["refuse_above"]) if kwargs.get("refuse_above") is not None else None
        cancel = Event()
        limit = min(setting["max_tokens"], max(1, model.window - len(ids)))
        tokens = model.generate(
            ids,
            limit,
            sampler=sampled(setting["temperature"], setting["top_k"], setting["top_p"], setting["seed"]),
            constraint=gate,
            cancel=cancel,
        )
        text, count = TextStream(model.tokenizer), 0
        held = StopText(stop or self.stop or [])
        try:
            for token in tokens:
                count += 1
                piece = held.push(text.push(token.id))
                if piece:
                    yield _chunk(piece, run_manager)
                if held.stopped:
                    break
            rest = held.flush(text.flush())
            if rest:
                yield _chunk(rest, run_manager)
        finally:
            cancel.set()
        usage = UsageMetadata(input_tokens=len(ids), output_tokens=count, total_tokens=len(ids) + count)
        finish = "length" if count == limit and not held.stopped else "stop"
        meta: dict[str, Any] = {"finish_reason": finish, "model_name": self.source, "model_provider": "octavo"}
        if gate is not None:
            meta["doubt"] = gate.doubt
        last = AIMessageChunk(content="", usage_metadata=usage, response_metadata=meta, chunk_position="last")
        yield ChatGenerationChunk(message=last, generation_info={"finish_reason": finish})


def _chunk(piece: str, run_manager: CallbackManagerForLLMRun | None) -> ChatGenerationChunk:
    chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
    if run_manager:
        run_manager.on_llm_new_token(piece, chunk=chunk)
    return chunk


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, list[str]]]:
    """LangChain's messages as (role, text pieces)."""
    turns = []
    for message in messages:
        content = message.content
        blocks = [content] if isinstance(content, str) else content
        pieces = [b if isinstance(b, str) else b["text"] for b in blocks if isinstance(b, str) or b.get("type") == "text"]
        turns.append((_ROLES.get(message.type, "user"), pieces))
    return turns


class StopText:
    """Ends a stream of text at the first stop string, never showing a part of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [s for s in stops if s]
        self._held = ""
        self.stopped = False

    def push(self, piece: str) -> str:
        self._held += piece
        found = [at for at in (self._held.find(s) for s in self._stops) if at >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        tail = max((n for s in self._stops for n in range(1, len(s)) if self._held.endswith(s[:n])), default=0)
        cut = len(self._held) - tail
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def flush(self, piece: str) -> str:
        if self.stopped:
            return ""
        shown = self.push(piece)
        return shown if self.stopped else shown + self._held
