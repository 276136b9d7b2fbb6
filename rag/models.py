"""Which chat model answers, what it can do, and how it is asked: our own Gemma 2, any LangChain chat model, or one behind a server."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableConfig

from model import grounded
from model.load.sources import read_checkpoint
from model.tokenizer import Tokenizer
from rag import servers
from rag.chat_gemma import ChatGemma2
from rag.settings import Settings

_MARGIN = 1.25
"""Times the starter's count for a model whose tokenizer isn't here: most have more than its 32,000 pieces, few split text finer."""
_REMOTE_TEMPLATE = 32
_DEFAULT_WINDOW = 4096
"""Ollama's, which cuts longer prompts without a word."""


_THINKS = re.compile(r"(?<![a-z])r1(?![a-z0-9])|qwq|think|reason", re.IGNORECASE)
"""In the names of models that think aloud."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do, as its card says (`capabilities_of`); the defaults are those of a chat model behind a server."""

    follows_instructions: bool = True
    """It is told in words how to answer, and can be given other tasks, like rewriting a question; otherwise it knows the bare
    form of model/grounded.py and nothing else."""
    takes_history: bool = True
    """It reads the turns before the question; otherwise each question stands alone."""
    quotes: bool = False
    """It can only repeat words of its sources, so that the reader may point at them in its place."""
    takes_segments: bool = False
    """A message may be a list of texts, each encoded on its own by a tokenizer that is here: its tokens are then counted exactly."""
    best_source_tokens: int | None = None
    """Tokens of sources that it reads best; None for as many as there is room for."""


def capabilities_of(card: Mapping[str, str]) -> Capabilities:
    """What the card of a model of our own says: `prompt` and `recommended_context`."""
    trained = card.get("prompt") == "grounded"
    tokens = card.get("recommended_context", "")
    return Capabilities(
        follows_instructions=not trained,
        takes_history=not trained,
        quotes=trained,
        takes_segments=True,
        best_source_tokens=(int(tokens) if tokens.isdecimal() else 0) or None,
    )


@dataclass(frozen=True)
class AnswerModel:
    """A chat model with its context length, what it can do, and its token counter."""

    chat: BaseChatModel
    context_length: int
    """Tokens of prompt and answer together."""
    can: Capabilities = Capabilities()
    url: str = ""
    """Of the server that it was named with, as openai:NAME@URL."""

    @property
    def template_tokens(self) -> int:
        """Of the chat template around one user turn."""
        return len(self.chat.model.tokenizer.chat([("user", [])])) if isinstance(self.chat, ChatGemma2) else _REMOTE_TEMPLATE

    @property
    def begins_thinking(self) -> bool:
        """Whether its reply may begin in the midst of a thought: the templates of such models open it in the prompt."""
        return _THINKS.search(str(getattr(self.chat, "model_name", ""))) is not None

    def count(self, text: str) -> int:
        """Tokens of a text: exact for our own models, for others counted high."""
        if isinstance(self.chat, ChatGemma2):
            return len(self.chat.get_token_ids(text))
        return ceil(_MARGIN * len(_starter_tokenizer().encode(text)))

    def stream(self, messages: Sequence[BaseMessage], config: RunnableConfig | None = None) -> Iterator[AIMessageChunk]:
        """What the model replies. One that quotes may not begin with its refusal: the gate has let the question pass.

        Raises:
            ServerError: its server doesn't answer, or refuses.
        """
        if isinstance(self.chat, ChatGemma2):
            options = {"not_first": [grounded.REFUSAL]} if self.can.quotes else {}
            return self.chat.stream(list(messages), config, **options)
        return servers.stream(self.chat, messages, self.url, config)


def batches(model: AnswerModel) -> bool:
    """Whether questions asked at once come sooner than one by one: where our own engine writes the answers, not the reader's spans."""
    return isinstance(model.chat, ChatGemma2) and not model.can.quotes


@cache
def _starter_tokenizer() -> Tokenizer:
    return read_checkpoint("starter").tokenizer


def answer_model(model: str | BaseChatModel, settings: Settings) -> AnswerModel:
    """
    Args:
        model: what `model.load_model` takes, openai:NAME@URL, or any LangChain chat model.

    Raises:
        ModelError, ServerError: the named model can't be had.
    """
    url = ""
    if isinstance(model, BaseChatModel):
        chat = model
    elif model.startswith("openai:"):
        chat, url = servers.connect(model, settings)
    else:
        chat = ChatGemma2(model=model, max_tokens=settings.max_answer_tokens)
    if isinstance(chat, ChatGemma2):
        window, can = chat.model.window, capabilities_of(chat.model.card)
    else:
        window, can = settings.server_window or (chat.profile or {}).get("max_input_tokens") or _DEFAULT_WINDOW, Capabilities()
    if settings.context_tokens:
        can = replace(can, best_source_tokens=settings.context_tokens)
    return AnswerModel(chat, window, can, url)
