"""Which chat model answers: our own Gemma 2, any LangChain chat model, or a server that speaks OpenAI's protocol."""

import re
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from rag.chat_gemma import ChatGemma2
from rag.citations import strip_markers
from rag.errors import ServerError
from rag.settings import Settings


@dataclass(frozen=True)
class Reader:
    """A chat model, and how it wants its sources: told the rules or not, how much of them, with which window."""

    chat: BaseChatModel
    window: int
    instructions: bool
    context: int | None
    """Tokens of sources that it reads best; None for as many as there is room for."""
    doubts: bool
    """Whether it was taught to doubt, so that its doubt can be read (gate.py)."""

    @property
    def estimated(self) -> bool:
        return not isinstance(self.chat, ChatGemma2)

    @property
    def frame(self) -> int:
        """Tokens of the chat template around one user turn."""
        return 16 if self.estimated else len(self.chat.model.tokenizer.chat([("user", [])]))  # type: ignore[attr-defined]

    def count(self, text: str) -> int:
        """Tokens of a text: exact for our own models; for others counted high, one for each digit and each 3 other bytes."""
        if not self.estimated:
            return len(self.chat.get_token_ids(text))
        digits = sum(c.isdigit() for c in text)
        return digits + (len(text.encode()) - digits) // 3 + 1


def reader_for(model: str | BaseChatModel, settings: Settings) -> Reader:
    """Raises ModelError or ServerError where the named model can't be had."""
    chat = model if isinstance(model, BaseChatModel) else _named(model, settings)
    if not isinstance(chat, ChatGemma2):
        return Reader(chat, settings.server_window, True, settings.context_tokens, False)
    card = chat.model.card
    grounded_form = card.get("prompt") == "grounded"
    recommended = card.get("recommended_context", "")
    context = settings.context_tokens or (int(recommended) if recommended.isdecimal() and int(recommended) else None)
    return Reader(chat, chat.model.window, not grounded_form, context, grounded_form)


def _named(name: str, settings: Settings) -> BaseChatModel:
    if not name.startswith("openai:"):
        return ChatGemma2(model=name, max_tokens=settings.max_answer_tokens)
    served, at, url = name.removeprefix("openai:").rpartition("@")
    if not at or not served or not url.startswith(("http://", "https://")):
        raise ServerError(f"{name!r} doesn't name a server", "write openai:NAME@URL, like openai:gemma2@http://localhost:11434/v1")
    try:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(
            served,
            model_provider="openai",
            base_url=url,
            api_key=settings.api_key,
            temperature=0,
            max_tokens=settings.max_answer_tokens,
            max_retries=0,
        )
    except ImportError as error:
        raise ServerError("models behind a server need one more package", "pip install langchain-openai") from error
    assert isinstance(chat, BaseChatModel)
    return chat


_REFUSALS = ("thesourcesdonotsay", "sourcesdonotsay", "thesourcesdontsay")
"""grounded.REFUSAL in letters alone, and what models make of it."""


def is_refusal(text: str) -> bool:
    """Whether all that a model said is that the sources don't say, however it set its full stops and markers."""
    return _letters(strip_markers(text)) in _REFUSALS


def may_become_refusal(text: str) -> bool:
    """Whether a stream that has begun so could still turn out to be the refusal; it is held back until that is known."""
    begun = _letters(strip_markers(re.sub(r"\[[\d, ]*$", "", text)))
    return any(refusal.startswith(begun) for refusal in _REFUSALS)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
