"""Models behind a server that speaks OpenAI's protocol: connecting to one, asking it, and what its failures mean."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from pydantic import SecretStr

from rag.errors import ServerError
from rag.settings import Settings

_NAME = re.compile(r"openai:(.+?)@(https?://[^\s/].*)")
_VERSION = re.compile(r"/v\d")
_TOO_LONG = re.compile(r"context.{0,9}(length|window|size)|maximum context|too (long|large|many tokens)|n_ctx|exceeds? the .*limit", re.I)


def connect(name: str, settings: Settings) -> tuple[BaseChatModel, str]:
    """The chat model that `openai:NAME@URL` names, and its URL. No request is made.

    Raises:
        ServerError: it isn't so named, or langchain-openai isn't installed.
    """
    named = _NAME.fullmatch(name)
    if not named:
        raise ServerError(f"{name!r} doesn't name a server", "write openai:NAME@URL, like openai:gemma2@http://localhost:11434/v1")
    served, url = named.groups()
    try:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(
            served,
            model_provider="openai",
            base_url=url,
            api_key=_key(url, settings),
            temperature=0,
            max_retries=0,
            stream_usage=True,
            **_limit(url, settings.max_answer_tokens),
            **(_direct() if is_loopback(url) else {}),
        )
    except ImportError as error:
        raise ServerError("models behind a server need one more package", "pip install langchain-openai") from error
    assert isinstance(chat, BaseChatModel)
    return chat, url


def _is_openai(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname == "api.openai.com"


def _key(url: str, settings: Settings) -> SecretStr:
    """OPENAI_API_KEY is in many people's environment: it goes to OpenAI and nobody else."""
    return settings.api_key or (settings.openai_api_key if _is_openai(url) else None) or SecretStr("none")


def _limit(url: str, tokens: int) -> dict[str, Any]:
    """LangChain sends max_completion_tokens, which OpenAI wants alone; most other servers read max_tokens, some only that."""
    return {"max_tokens": tokens} | ({} if _is_openai(url) else {"extra_body": {"max_tokens": tokens}})


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
        return address.is_loopback or address.is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _direct() -> dict[str, Any]:
    """Clients that take no proxy from the environment: what is asked of this machine must not leave it."""
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

    clients = {"http_client": DefaultHttpxClient(trust_env=False), "http_async_client": DefaultAsyncHttpxClient(trust_env=False)}
    return {**clients, "openai_proxy": None}


def stream(chat: BaseChatModel, messages: Sequence[BaseMessage], url: str, config: RunnableConfig | None) -> Iterator[AIMessageChunk]:
    """What the model answers. One whose template has no system role is asked again with the rules in the user's turn.

    Raises:
        ServerError: it doesn't answer, or refuses; also of LangChain's own class, where LangChain has one for the failure.
    """
    try:
        yield from chat.stream(list(messages), config)
    except Exception as error:  # each provider's package has classes of its own
        if "No generation chunks" in str(error):
            return  # so LangChain says that it was given no reply, not even an empty one
        if not re.search(r"system (role|message)|role.{0,9}system", str(error), re.I) or not isinstance(messages[0], SystemMessage):
            raise failure(error, url) from error
        first = HumanMessage(f"{messages[0].text}\n\n{messages[1].text}")
        yield from stream(chat, [first, *messages[2:]], url, config)


def has_version(url: str) -> bool:
    """Whether a URL ends where OpenAI's protocol usually begins, as in http://localhost:11434/v1."""
    return _VERSION.search(urlsplit(url).path) is not None


def with_version(url: str) -> str:
    """How to name a server that was named without the end of its URL; a password in it is not told again."""
    parts = urlsplit(url)
    return f"openai:NAME@{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/v1"


def failure(error: Exception, url: str) -> ServerError:
    """What went wrong, in a line, and the cure."""
    status, reason = getattr(error, "status_code", None), _reason(error)
    kind = next((c for c in type(error).__mro__ if c.__module__ == "langchain_core.exceptions" and issubclass(c, Exception)), None)
    if isinstance(error, ContextOverflowError) or (status in (400, 413, 422) and _TOO_LONG.search(reason)):
        kind, what, hint = ContextOverflowError, "finds the prompt too long", "set OCTAVO_SERVER_WINDOW to the window it is served with"
    elif status in (401, 403):
        key = "OPENAI_API_KEY" if _is_openai(url) else "OCTAVO_API_KEY"
        what, hint = "does not take the key", f"set {key} to one that it takes"
    elif status in (404, 405) and url and not has_version(url):
        what, hint = "has nothing at this URL", f"add /v1 to it: {with_version(url)}"
    elif status in (404, 405):
        what, hint = "has no such model", "name one that it has (in Ollama: `ollama list`, `ollama pull NAME`)"
    elif status in (402, 429):
        what, hint = "takes no more questions for now", "ask again in a while; a hosted account may have used up its quota"
    elif status in (408, 504):
        what, hint = "took too long", "ask again; a model that is being loaded, or too large for the machine, answers late"
    elif status is not None and status < 500:
        what, hint = "does not take the question", "is it a chat model?"
    elif status is not None:
        what, hint = "failed", "its log may say why; a model that is too large for the memory fails so"
    else:
        what, hint = "did not answer", "is it running, and is its URL right?"
    return (_also(kind) if kind else ServerError)(f"the model's server {what}: {reason}", hint)


def _reason(error: Exception) -> str:
    """The server's own words, in one line."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = " ".join(str(said or error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:300] + "..."


def _also(kind: type[Exception]) -> type[ServerError]:
    """A ServerError that is LangChain's error too, so that who retries or falls back by that can."""
    return type(kind.__name__, (ServerError, kind), {})
