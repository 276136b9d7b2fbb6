"""Naming models: our own, and servers that speak OpenAI's protocol."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ingest import Library
from model.errors import SourceError
from rag import build_chain
from rag.chat_gemma import ChatGemma2
from rag.errors import ServerError
from rag.models import reader_for
from rag.settings import Settings


class Served(BaseHTTPRequestHandler):
    """A model server that streams one answer and keeps what it was asked."""

    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text, finish in (("It is 45p", None), (" a mile [1].", None), ("", "stop")):
            choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "gemma2", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}/v1"
    httpd.shutdown()
    httpd.server_close()


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_server_is_asked_with_numbered_sources_and_rules(library: Library, server: str) -> None:
    answer = build_chain(library, f"openai:gemma2@{server}").invoke("How much can I claim per mile?")
    assert answer.text == "It is 45p a mile [1]."
    asked = Served.asked[-1]
    assert asked["model"] == "gemma2"
    sent = json.dumps(asked["messages"])
    assert "[1] " in sent and "nothing else" in sent


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_server_that_is_not_there_is_one_line(library: Library) -> None:
    with pytest.raises(ServerError, match="did not answer") as caught:
        build_chain(library, "openai:gemma2@http://127.0.0.1:9/v1").invoke("How much can I claim per mile?")
    assert "running" in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["openai:gemma2", "openai:@http://x", "openai:gemma2@ftp://x"])
def test_a_half_named_server_says_how_to_name_one(library: Library, name: str) -> None:
    with pytest.raises(ServerError, match="doesn't name a server"):
        build_chain(library, name)


def test_an_unknown_model_is_named(library: Library) -> None:
    with pytest.raises(SourceError, match="no model called 'gtp'"):
        build_chain(library, "gtp")


def test_the_card_says_how_much_a_model_reads_best_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def context() -> int | None:
        return reader_for(chat, Settings()).context

    chat = ChatGemma2(model="starter")
    card = chat.model.card
    for said, meant in (("320", 320), ("0", None), ("many", None)):
        monkeypatch.setitem(card, "recommended_context", said)
        assert context() == meant
    monkeypatch.setenv("OCTAVO_CONTEXT_TOKENS", "900")
    assert context() == 900
