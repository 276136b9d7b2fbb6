"""ChatGemma2: our engine as a LangChain chat model. Prompts, messages and streams in LangChain's terms, ids below.

A message's content may be a list of text blocks: each is encoded on its own, so that a caller can count tokens exactly.
"""

from collections.abc import Collection, Iterator, Sequence
from threading import Event, Lock
from typing import Any

import torch
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr, ValidationError, model_validator
from torch import Tensor

from ingest.forks import refuse_forked
from model import Model, load_model
from model.engine import LogitsProcessor
from model.errors import SourceError, WindowError
from model.grounded import REFUSAL
from model.lookup import PromptLookup
from model.sampling import sampled
from model.settings import Settings
from model.tokenizer import TextStream
from rag.errors import UnsupportedError

_ROLES = {"human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "system": "system"}
_WINDOW = 8192
"""Of every Gemma 2 that is known; a model's own is taken once it is loaded."""
_NEEDLESS = frozenset({"api_key", "max_retries", "streaming", "timeout"})
"""What LangChain gives to every chat model. Nobody is waited for here, or paid, and it always streams."""
_PER_CALL = frozenset({"max_tokens", "temperature", "top_p", "top_k", "seed", "stop"})


class PromptTooLong(WindowError, ContextOverflowError):
    """More tokens than the window holds, as LangChain's middleware knows it."""


class ChatGemma2(BaseChatModel):
    """A local Gemma 2, loaded on first use. None means the default, for every field and in every call.

    No tool calls, no structured output, no images: the model has none of them, and who asks for one is told so.
    """

    source: str = Field(default="starter", alias="model")
    """What `model.load_model` takes: starter, a directory, a .gguf file, ollama:NAME, a hub id."""
    max_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    """0 for no limit."""
    seed: int | None = None
    stop: list[str] | None = None
    model_config = {"populate_by_name": True}
    _model: Model | None = PrivateAttr(default=None)
    _loading: Any = PrivateAttr(default_factory=Lock)

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in values.items() if value is not None and name not in _NEEDLESS}
        if unknown := given.keys() - cls.model_fields.keys() - {"model"}:
            raise UnsupportedError(f"ChatGemma2 has no {min(unknown)!r}", f"a call may set {', '.join(sorted(_PER_CALL))}")
        return given

    def _resolve_model_profile(self) -> ModelProfile:
        return _profile(_WINDOW)

    @property
    def model(self) -> Model:
        with self._loading:
            if self._model is None:
                settings = Settings()
                self._model = load_model(self.source, device=settings.device, dtype=settings.dtype, quantize=settings.quantize)
                if self.profile == _profile(_WINDOW):
                    self.profile = _profile(self._model.window)
            return self._model

    @property
    def _llm_type(self) -> str:
        return "octavo-gemma2"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("source", *sorted(_PER_CALL))}

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
        if tools:
            raise _no_tools()
        return len(self.model.tokenizer.chat(_turns(messages)))

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        raise _no_tools()

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        """kwargs may change max_tokens, temperature, top_p, top_k and seed for this call; `not_first` lists texts with which the
        reply may not begin: their first tokens are masked."""
        refuse_forked()
        model = self.model
        closed = {model.tokenizer.encode(text)[0] for text in kwargs.pop("not_first", ())}
        call = self._with(kwargs)
        ids = model.tokenizer.chat(_turns(messages))
        cancel = Event()
        limit = min(call.max_tokens, max(1, model.window - len(ids)))
        sampler = sampled(call.temperature, call.top_k, call.top_p, call.seed)
        try:
            processors = [_mask_first(closed)] if closed else ()
            encode, end = model.tokenizer.encode, model.tokenizer.end_of_turn_id
            draft = PromptLookup(model.device.type, [*encode(REFUSAL), end, *encode(" [1]"), end])
            tokens = model.generate(ids, limit, sampler=sampler, processors=processors, draft=draft, cancel=cancel)
        except WindowError as error:
            raise PromptTooLong(str(error), error.hint) from error
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
        last = AIMessageChunk(content="", usage_metadata=usage, response_metadata=meta, chunk_position="last")
        yield ChatGenerationChunk(message=last, generation_info={"finish_reason": finish})

    def _with(self, kwargs: dict[str, Any]) -> "ChatGemma2":
        """The settings of one call, as checked as those of the model."""
        given = {name: value for name, value in kwargs.items() if value is not None}
        if given.pop("model", self.source) != self.source:
            raise SourceError(f"this ChatGemma2 runs {self.source!r}", "make another ChatGemma2 for another model")
        try:
            return ChatGemma2(**{**self._identifying_params, **given})
        except ValidationError as error:
            first = error.errors()[0]
            raise UnsupportedError(f"ChatGemma2's {first['loc'][0]} can't be {first['input']!r}: {first['msg'].lower()}") from error


def _mask_first(tokens: Collection[int]) -> LogitsProcessor:
    def process(generated: list[int], logits: Tensor) -> Tensor:
        if not generated:
            logits[list(tokens)] = -torch.inf
        return logits

    return process


def _chunk(piece: str, run_manager: CallbackManagerForLLMRun | None) -> ChatGenerationChunk:
    chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
    if run_manager:
        run_manager.on_llm_new_token(piece, chunk=chunk)
    return chunk


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, list[str]]]:
    """LangChain's messages as (role, text pieces)."""
    return [(_role(message), _pieces(message)) for message in messages]


def _role(message: BaseMessage) -> str:
    if isinstance(message, AIMessage) and message.tool_calls:
        raise _no_tools()
    for kind, role in ((HumanMessage, "user"), (AIMessage, "assistant"), (SystemMessage, "system")):
        if isinstance(message, kind):
            return role
    if isinstance(message, ChatMessage) and message.role in _ROLES:
        return _ROLES[message.role]
    raise UnsupportedError(f"Gemma 2 can't read a {type(message).__name__}", "give it human, AI and system messages")


def _pieces(message: BaseMessage) -> list[str]:
    blocks = [message.content] if isinstance(message.content, str) else message.content
    pieces = []
    for block in blocks:
        text = block if isinstance(block, str) else block.get("text")
        if not isinstance(text, str) or (isinstance(block, dict) and block.get("type") != "text"):
            kind = block.get("type", "unknown") if isinstance(block, dict) else "unknown"
            raise UnsupportedError(f"Gemma 2 reads text only, and there is a block of type {kind!r} in a message", "leave it out")
        pieces.append(text)
    return pieces


def _no_tools() -> UnsupportedError:
    return UnsupportedError("Gemma 2 can't call tools, nor give structured output", "use a model that can, behind openai:NAME@URL")


def _profile(window: int) -> ModelProfile:
    return ModelProfile(
        max_input_tokens=window,
        max_output_tokens=window,
        text_inputs=True,
        image_inputs=False,
        audio_inputs=False,
        video_inputs=False,
        pdf_inputs=False,
        text_outputs=True,
        reasoning_output=False,
        tool_calling=False,
        tool_choice=False,
        structured_output=False,
    )


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
