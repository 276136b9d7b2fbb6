"""Models behind a server: what is sent to whom, and what each failure says. The server is a real one, on this machine."""

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError, ModelAuthenticationError, ModelNotFoundError, ModelRateLimitError
from langchain_core.language_models import GenericFakeChatModel

from ingest import Library
from rag import build_chain
from rag.answer import Answer
from rag.answering import BROKEN_OFF, CUT_OFF
from rag.errors import RagError, ReplyError, ServerError
from rag.models import answer_model
from rag.servers import failure
from rag.settings import Settings

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
MILE = "How much can I claim per mile?"


class Served(ThreadingHTTPServer):
    """A model server: `reply` decides what each request gets, `asked` and `headers` keep what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[Message] = []
        self.reply: Callable[[Handler], None] = lambda handler: handler.stream("It is 45p", " a mile [1].")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Served

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.headers.append(self.headers)
        self.server.reply(self)

    def stream(self, *texts: str, finish: str | None = "stop", usage: dict[str, int] | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text, reason in [*((text, None) for text in texts), ("", finish)]:
            self.event(choices=[{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}])
        if usage:
            self.event(choices=[], usage=usage)
        self.wfile.write(b"data: [DONE]\n\n")

    def event(self, **content: Any) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "gemma2", **content}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body>Ollama is running</body></html>")

    def fail(self, status: int, message: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"error": {"message": message, "type": "x"}}).encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    for name in ("OPENAI_API_KEY", "OCTAVO_API_KEY", "OPENAI_PROXY"):
        monkeypatch.delenv(name, raising=False)
    served = Served()
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


def ask(library: Library, server: Served, path: str = "/v1") -> Answer:
    return build_chain(library, f"openai:gemma2@{server.url}{path}").invoke(MILE)


def test_a_server_is_asked_with_rules_as_system_message_and_the_rest_as_one_text(library: Library, server: Served) -> None:
    assert ask(library, server).text == "It is 45p a mile [1]."
    asked = server.asked[-1]
    assert asked["model"] == "gemma2"
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    rules, question = (message["content"] for message in asked["messages"])
    assert "nothing else" in rules
    assert question.startswith(f"Question: {MILE}\n\n[1] ") and question.endswith(f"Question: {MILE}")


def test_the_answers_length_is_limited_in_both_protocols_words(library: Library, server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_MAX_ANSWER_TOKENS", "77")
    ask(library, server)
    assert (server.asked[-1]["max_tokens"], server.asked[-1]["max_completion_tokens"]) == (77, 77)
    assert server.asked[-1]["stream_options"] == {"include_usage": True}


def test_tokens_are_reported_if_the_server_counts_them_and_else_unknown(library: Library, server: Served) -> None:
    timings = ask(library, server).timings
    assert (timings.prompt_tokens, timings.completion_tokens) == (None, None)
    usage = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}
    server.reply = lambda handler: handler.stream("It is 45p a mile [1].", usage=usage)
    timings = ask(library, server).timings
    assert (timings.prompt_tokens, timings.completion_tokens) == (900, 12)


def test_a_template_without_a_system_role_is_given_the_rules_in_the_users_turn(library: Library, server: Served) -> None:
    """As Gemma's own is, behind vLLM."""

    def strict(handler: Handler) -> None:
        if handler.server.asked[-1]["messages"][0]["role"] == "system":
            handler.fail(400, "System role not supported")
        else:
            handler.stream("It is 45p a mile [1].")

    server.reply = strict
    assert ask(library, server).text == "It is 45p a mile [1]."
    assert [message["role"] for message in server.asked[-1]["messages"]] == ["user"]
    assert "nothing else" in server.asked[-1]["messages"][0]["content"]


FAILURES = [
    (401, "Incorrect API key", "/v1", "does not take the key: Incorrect API key", "OCTAVO_API_KEY", ModelAuthenticationError),
    (403, "No access", "/v1", "does not take the key", "OCTAVO_API_KEY", ServerError),
    (404, "model 'gemma2' not found", "/v1", "has no such model", "ollama pull", ModelNotFoundError),
    (404, "404 page not found", "", "has nothing at this URL", "/v1", ModelNotFoundError),
    (400, "This model's maximum context length is 2048 tokens", "/v1", "too long", "OCTAVO_SERVER_WINDOW", ContextOverflowError),
    (400, "input is too long, n_ctx = 512", "/v1", "too long", "OCTAVO_SERVER_WINDOW", ContextOverflowError),
    (400, "does not support chat", "/v1", "does not take the question: does not support chat", "chat model", ServerError),
    (402, "Insufficient credits", "/v1", "takes no more questions for now", "quota", ServerError),
    (408, "timed out", "/v1", "took too long", "again", ServerError),
    (429, "Rate limit reached", "/v1", "takes no more questions for now", "again", ModelRateLimitError),
    (500, "out of memory", "/v1", "failed: out of memory", "log", ServerError),
]


@pytest.mark.parametrize(("status", "message", "path", "what", "hint", "kind"), FAILURES)
def test_each_failure_has_a_line_and_a_cure_of_its_own(
    library: Library, server: Served, status: int, message: str, path: str, what: str, hint: str, kind: type[Exception]
) -> None:
    server.reply = lambda handler: handler.fail(status, message)
    with pytest.raises(ServerError, match=what) as caught:
        ask(library, server, path)
    assert hint in caught.value.hint
    assert isinstance(caught.value, kind) and isinstance(caught.value, RagError)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_who_retries_by_langchains_classes_still_can(library: Library, server: Served) -> None:
    replies = iter([lambda handler: handler.fail(429, "slow down"), lambda handler: handler.stream("It is 45p a mile [1].")])
    server.reply = lambda handler: next(replies)(handler)
    chain = build_chain(library, f"openai:gemma2@{server.url}/v1").with_retry(
        retry_if_exception_type=(ModelRateLimitError,), wait_exponential_jitter=False, stop_after_attempt=2
    )
    assert chain.invoke(MILE).text == "It is 45p a mile [1]."
    assert getattr(failure(ModelRateLimitError("x"), ""), "is_retryable", False)


def test_a_server_that_is_not_there_is_one_line(library: Library) -> None:
    with pytest.raises(ServerError, match="did not answer") as caught:
        build_chain(library, "openai:gemma2@http://127.0.0.1:9/v1").invoke(MILE)
    assert "running" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_server_that_dies_in_mid_answer_is_an_error_after_what_it_said(library: Library, server: Served) -> None:
    def dies(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.event(choices=[{"index": 0, "delta": {"content": "It is 45p"}, "finish_reason": None}])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    server.reply = dies
    parts = build_chain(library, f"openai:gemma2@{server.url}/v1").stream(MILE)
    shown = ""
    with pytest.raises(ServerError, match="did not answer"):
        for part in parts:
            shown += part.text
    assert shown == "It is 45p"


def test_an_empty_reply_is_no_refusal(library: Library, server: Served) -> None:
    """A reasoning model that spent its tokens elsewhere, or a page that is no model's."""
    server.reply = lambda handler: handler.stream(finish="length")
    with pytest.raises(ReplyError, match="empty") as caught:
        ask(library, server)
    assert "OCTAVO_MAX_ANSWER_TOKENS" in caught.value.hint
    server.reply = lambda handler: handler.page()
    with pytest.raises(ReplyError, match="empty") as caught:
        ask(library, server, "")
    assert "/v1" in caught.value.hint


def test_how_an_answer_ended_is_noted(library: Library, server: Served) -> None:
    server.reply = lambda handler: handler.stream("It is 45p a mile [", finish="length")
    assert (ask(library, server).text, ask(library, server).note) == ("It is 45p a mile", CUT_OFF)
    server.reply = lambda handler: handler.stream("It is 45p a mile [1].", finish=None)
    assert ask(library, server).note == BROKEN_OFF
    server.reply = lambda handler: handler.stream("It is 45p a mile [1].")
    assert ask(library, server).note == ""


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "OPENAI_PROXY")


@pytest.mark.parametrize("variable", PROXIES)
def test_what_is_asked_of_this_machine_goes_through_no_proxy(
    library: Library, server: Served, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in (*PROXIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert ask(library, server).text == "It is 45p a mile [1]."


def test_a_key_is_sent_and_openais_only_to_openai(library: Library, server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    ask(library, server)
    assert server.headers[-1]["Authorization"] == "Bearer none"
    monkeypatch.setenv("OCTAVO_API_KEY", "sk-octavo")
    ask(library, server)
    assert server.headers[-1]["Authorization"] == "Bearer sk-octavo"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://api.openai.com/v1", "sk-openai"),
        ("https://API.openai.com/v1", "sk-openai"),
        ("http://api.openai.com/v1", "none"),
        ("https://api.openai.com.evil.example/v1", "none"),
        ("https://api.openai.com@evil.example/v1", "none"),
        ("https://openrouter.ai/api/v1", "none"),
    ],
)
def test_which_host_gets_openais_key(monkeypatch: pytest.MonkeyPatch, url: str, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.delenv("OCTAVO_API_KEY", raising=False)
    chat: Any = answer_model(f"openai:gemma2@{url}", Settings()).chat
    assert chat.openai_api_key.get_secret_value() == key
    assert (chat.extra_body is None) == (key == "sk-openai")  # OpenAI refuses both limits at once


def test_keys_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("OCTAVO_API_KEY", "sk-octavo")
    settings = Settings()
    model = answer_model("openai:gemma2@http://localhost:1/v1", settings)
    assert not any(secret in repr(thing) for secret in ("sk-openai", "sk-octavo") for thing in (settings, model, model.chat))


def test_any_langchain_models_failure_is_a_server_error(library: Library) -> None:
    with pytest.raises(ServerError, match="did not answer"):
        build_chain(library, GenericFakeChatModel(messages=iter([]))).invoke(MILE)


@pytest.mark.parametrize("name", ["openai:gemma2", "openai:@http://x", "openai:gemma2@ftp://x", "openai:gemma2@http://", "openai:"])
def test_a_half_named_server_says_how_to_name_one(library: Library, name: str) -> None:
    with pytest.raises(ServerError, match="doesn't name a server"):
        build_chain(library, name)


def test_a_models_name_may_have_an_at_sign_and_a_url_a_password() -> None:
    model = answer_model("openai:gemma2@q4@http://me:secret@localhost:1/v1", Settings())
    assert (model.chat.model_name, model.url) == ("gemma2@q4", "http://me:secret@localhost:1/v1")  # type: ignore[attr-defined]


def test_a_user_and_password_in_a_url_are_sent_and_never_told(library: Library, server: Served) -> None:
    named = f"openai:gemma2@{server.url.replace('//', '//me:se%40cret@')}"
    assert build_chain(library, f"{named}/v1").invoke(MILE).text == "It is 45p a mile [1]."
    assert server.headers[-1]["Authorization"] == f"Basic {b64encode(b'me:se@cret').decode()}"
    server.reply = lambda handler: handler.fail(404, "404 page not found")
    with pytest.raises(ServerError) as caught:
        build_chain(library, named).invoke(MILE)
    assert caught.value.hint == f"add /v1 to it: openai:NAME@{server.url}/v1" and "cret" not in str(caught.value)
