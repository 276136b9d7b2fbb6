"""Which chat model answers, and how it is asked: our own Gemma 2, any LangChain chat model, or one behind a server."""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Literal

from langchain_core.language_models import BaseChatModel

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


@dataclass(frozen=True)
class AnswerModel:
    """A chat model with its prompt format, context length and token counter."""

    chat: BaseChatModel
    prompt_format: Literal["grounded", "instruct"]
    """grounded: trained on the bare form of model/grounded.py, so it quotes, and its refusal probability can be read; it reads
    no history. instruct: told the rules in words."""
    context_length: int
    """Tokens of prompt and answer together."""
    source_tokens: int | None = None
    """Tokens of sources that it reads best; None for as many as there is room for."""
    url: str = ""
    """Of the server that it was named with, as openai:NAME@URL."""

    @property
    def is_local(self) -> bool:
        return isinstance(self.chat, ChatGemma2)

    @property
    def is_grounded(self) -> bool:
        return self.prompt_format == "grounded"

    @property
    def template_tokens(self) -> int:
        """Of the chat template around one user turn."""
        return len(self.chat.model.tokenizer.chat([("user", [])])) if isinstance(self.chat, ChatGemma2) else _REMOTE_TEMPLATE

    def count(self, text: str) -> int:
        """Tokens of a text: exact for our own models, for others counted high."""
        if isinstance(self.chat, ChatGemma2):
            return len(self.chat.get_token_ids(text))
        return ceil(_MARGIN * len(_starter_tokenizer().encode(text)))


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
    if not isinstance(chat, ChatGemma2):
        window = settings.server_window or (chat.profile or {}).get("max_input_tokens") or _DEFAULT_WINDOW
        return AnswerModel(chat, "instruct", window, settings.context_tokens, url)
    card = chat.model.card
    recommended = card.get("recommended_context", "")
    best = settings.context_tokens or (int(recommended) if recommended.isdecimal() else 0) or None
    return AnswerModel(chat, "grounded" if card.get("prompt") == "grounded" else "instruct", chat.model.window, best)
