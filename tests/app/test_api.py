"""`octavo serve` as other programs meet it: over sockets, through their own clients."""

import asyncio
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from app.api import make_app
from app.door import listening
from app.programs import IN_FLIGHT, WAITING, Busy, Chains, Queue
from app.protocol import explained
from tests.app.conftest import GUESTS, Endless, Run, listening_at
from tests.conftest import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
TOKEN = "a-token-of-the-tests-0123"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
WHO = "Who is the guest in room 104?"
CONTRACT = "sea-gates-contract.pdf"


class Api(NamedTuple):
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def openai(self, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, api_key=TOKEN, max_retries=0, timeout=120, **options)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer; a body that is no text is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        text = body if isinstance(body, str | bytes | None) else json.dumps(body)
        connection.request(method, path, text, HEADERS | headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def chat(self, **fields: Any) -> tuple[int, Any]:
        return self.send("POST", "/v1/chat/completions", {"model": "octavo", "messages": [{"role": "user", "content": WHO}]} | fields)


@pytest.fixture(scope="module")
def home(guests: Path) -> Path:
    """Whose commands are run: of the same home as the server."""
    return Path(os.environ["OCTAVO_HOME"])


@pytest.fixture(scope="module")
def api(guests: Path) -> Iterator[Api]:
    with listening_at(make_app(Chains("default", "starter"), TOKEN)) as port:
        yield Api(port)


def asked(question: str) -> Any:
    return [{"role": "user", "content": question}]


def test_openai_s_client_gets_an_answer_with_its_citations(api: Api, guests: Path) -> None:
    completion = api.openai().chat.completions.create(model="octavo", messages=asked(WHO))
    choice, usage = completion.choices[0], completion.usage
    assert completion.model == "octavo" and completion.object == "chat.completion" and completion.id.startswith("chatcmpl-")
    assert choice.finish_reason == "stop" and GUESTS[104] in str(choice.message.content)
    assert usage and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens and usage.completion_tokens > 0
    told = choice.message.model_extra["octavo"]  # type: ignore[index]
    (citation,) = told["citations"]
    assert citation["path"] == str(guests / "room-104.md") and citation["marker"] == 1
    assert citation["verified"] is True and citation["support"] == "verbatim"
    text = (guests / "room-104.md").read_text()
    start, end = citation["span"]
    assert GUESTS[104] in citation["text"] and GUESTS[104] in text[start:end] and told["refused"] is False


def test_a_citation_of_a_pdf_has_its_page_and_the_boxes_of_its_words(api: Api) -> None:
    completion = api.openai().chat.completions.create(model="octavo", messages=asked("When must the sea gates be completed?"))
    citation = completion.choices[0].message.model_extra["octavo"]["citations"][0]  # type: ignore[index]
    assert citation["path"].endswith(CONTRACT) and citation["page_start"] <= citation["boxes"][0]["page"] <= citation["page_end"]
    assert 0 <= citation["boxes"][0]["x0"] < citation["boxes"][0]["x1"] <= 1


def test_a_stream_says_the_same_and_ends_with_citations_and_usage(api: Api) -> None:
    whole = api.openai().chat.completions.create(model="octavo", messages=asked(WHO)).choices[0].message
    stream = api.openai().chat.completions.create(model="octavo", messages=asked(WHO), stream=True, stream_options={"include_usage": True})
    *chunks, last, usage = stream
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.content
    assert all(chunk.choices[0].finish_reason is None and chunk.usage is None for chunk in chunks)
    assert last.choices[0].finish_reason == "stop"
    citations = last.choices[0].delta.model_extra["octavo"]["citations"]  # type: ignore[index]
    assert citations == whole.model_extra["octavo"]["citations"]  # type: ignore[index]
    assert usage.choices == [] and usage.usage and usage.usage.total_tokens > 0
    assert len({chunk.id for chunk in (*chunks, last, usage)}) == 1


def test_openai_s_own_sum_of_a_stream_keeps_the_citations(api: Api) -> None:
    with api.openai().chat.completions.stream(model="octavo", messages=asked(WHO)) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.model_extra["octavo"]["citations"][0]["verified"] is True  # type: ignore[index]


async def test_openai_s_asynchronous_client_is_answered(api: Api) -> None:
    client = openai.AsyncOpenAI(base_url=api.url, api_key=TOKEN, max_retries=0)
    completion = await client.chat.completions.create(model="octavo", messages=asked(WHO))
    assert GUESTS[104] in str(completion.choices[0].message.content)
    await client.close()


def test_langchain_s_chat_model_is_answered_and_streams(api: Api) -> None:
    model = ChatOpenAI(model="octavo/other", base_url=api.url, api_key=TOKEN, max_retries=0)  # type: ignore[arg-type]
    answer = model.invoke("Who is the lighthouse keeper?")
    assert "Ottoline Marsh" in answer.text and answer.usage_metadata
    assert "".join(part.text for part in model.stream("Who is the lighthouse keeper?")) == answer.text


def test_a_question_that_is_not_answered_is_refused_as_an_answer(api: Api) -> None:
    status, told = api.chat(messages=asked("What does a ticket for the opera in Vienna cost?"))
    message = told["choices"][0]["message"]
    assert status == 200 and message["octavo"]["refused"] is True and message["content"] == "Your documents don't say."
    assert told["choices"][0]["finish_reason"] == "stop" and message["octavo"]["citations"] == []


def test_messages_before_the_question_are_its_history(guests: Path) -> None:
    heard: list[list[BaseMessage]] = []
    with listening_at(make_app(Chains("default", Listening(messages=iter([]), heard=heard)), TOKEN)) as port:
        talk = [*asked(WHO), {"role": "assistant", "content": GUESTS[104]}, *asked("How does this guest in room 104 pay?")]
        status, told = Api(port).chat(messages=[{"role": "system", "content": "Be brief."}, *talk])
    assert status == 200 and told["choices"][0]["message"]["content"].startswith("In advance")
    said = [message.text for message in heard[-1]]
    assert any(WHO in text for text in said) and any(GUESTS[104] in text for text in said) and "pay?" in said[-1]


def test_content_in_parts_is_read_and_a_picture_in_it_is_refused(api: Api) -> None:
    part = {"type": "text", "text": WHO}
    assert GUESTS[104] in api.chat(messages=[{"role": "user", "content": [part]}])[1]["choices"][0]["message"]["content"]
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    status, told = api.chat(messages=[{"role": "user", "content": [part, picture]}])
    assert status == 400 and "a question is text" in told["error"]["message"].lower()


def test_within_limits_a_question_to_documents(api: Api, guests: Path) -> None:
    _, told = api.chat(within=[str(guests / CONTRACT)])
    assert all(citation["path"].endswith(CONTRACT) for citation in told["choices"][0]["message"]["octavo"]["citations"])
    assert GUESTS[104] not in told["choices"][0]["message"]["content"]
    status, told = api.chat(within=["/etc/passwd"])
    assert status == 400 and told["error"]["type"] == "invalid_request_error" and "/etc/passwd" in told["error"]["message"]


@pytest.mark.parametrize(
    "fields", [{"temperature": 1.7}, {"max_tokens": 3}, {"stop": ["a"]}, {"seed": 1, "user": "me"}, {"n": 1, "tools": []}, {"odd": {}}]
)
def test_what_only_tunes_a_model_is_ignored(api: Api, fields: dict[str, Any]) -> None:
    assert GUESTS[104] in api.chat(**fields)[1]["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"logprobs": True}, "logprobs"),
    ],
)
def test_a_reply_of_another_kind_is_refused_by_its_field(api: Api, fields: dict[str, Any], param: str) -> None:
    status, told = api.chat(**fields)
    assert (status, told["error"]["param"], told["error"]["code"]) == (400, param, "unsupported_parameter")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "no json"),
        (b"\xff\xfe", "body"),
        ([], "dictionary"),
        ({}, "model"),
        ({"model": "octavo"}, "messages"),
        ({"model": "octavo", "messages": []}, "messages"),
        ({"model": "octavo", "messages": "Who?"}, "messages"),
        ({"model": "octavo", "messages": [{"content": "Who?"}]}, "none of the messages"),
        ({"model": "octavo", "messages": [{"role": "assistant", "content": "Who?"}]}, "none of the messages"),
        ({"model": "octavo", "messages": [{"role": "user", "content": " "}]}, "the question is empty"),
        ({"model": "octavo", "messages": [{"role": "pirate", "content": "Ahoy"}, *asked(WHO)]}, "is no message"),
        ({"model": "octavo", "messages": [{"role": "user", "content": 7}]}, "no message"),
        ({"model": "octavo", "messages": asked(WHO), "within": "room"}, "within"),
        ({"model": "octavo", "messages": asked(WHO), "within": []}, "within"),
        ({"model": "octavo", "messages": asked(WHO), "within": ["a\0b"]}, "no document"),
        ({"model": "octavo", "messages": asked(WHO), "within": ["\ud800"]}, "no document"),
    ],
)
def test_a_request_that_is_wrong_is_told_in_openai_s_shape(api: Api, body: Any, says: str) -> None:
    for stream in ({}, {"stream": True}):
        status, told = api.send("POST", "/v1/chat/completions", body | stream if isinstance(body, dict) else body)
        assert status == 400 and told["error"]["type"] == "invalid_request_error", told
        assert says in told["error"]["message"].lower(), told


@pytest.mark.parametrize("model", ["gpt-4o", "octavo/", "octavo/none", "octavo/../default", "octavo//etc", "", "\ud800"])
def test_a_model_that_is_not_there_is_not_found(api: Api, model: str) -> None:
    status, told = api.chat(model=model)
    assert status in (400, 404) and told["error"]["type"] == "invalid_request_error"
    with pytest.raises(openai.NotFoundError) as raised:
        api.openai().chat.completions.create(model="gpt-4o", messages=asked(WHO))
    assert raised.value.code == "model_not_found" and raised.value.param == "model"


def test_each_library_is_a_model(api: Api) -> None:
    client = api.openai()
    assert [model.id for model in client.models.list()] == ["octavo", "octavo/default", "octavo/other"]
    assert client.models.retrieve("octavo/other").owned_by == "octavo"
    assert api.send("GET", "/v1/models/octavo/none")[0] == 404


def test_passages_are_found_with_scores_and_places(api: Api, guests: Path) -> None:
    status, found = api.send("POST", "/v1/search", {"query": "guest in room 107", "k": 3})
    best = found["data"][0]
    # the fused score, of 0 to 1, and what a file's name that holds the question's words adds
    assert status == 200 and len(found["data"]) == 3 and best["path"] == str(guests / "room-107.md")
    assert 1 < best["score"] < 2 and 0 < best["answerable"] < 1 and best["words"] > 0 and GUESTS[107] in best["text"]
    status, found = api.send("POST", "/v1/search", {"query": "guest in room 107", "within": [str(guests / CONTRACT)]})
    assert {passage["path"] for passage in found["data"]} == {str(guests / CONTRACT)}
    assert all(passage["page_start"] for passage in found["data"])
    assert "Ottoline" in api.send("POST", "/v1/search", {"query": "keeper", "library": "other"})[1]["data"][0]["text"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 400),
        ({"query": " "}, 400),
        ({"query": "x", "k": 0}, 400),
        ({"query": "x", "k": 1000}, 400),
        ({"query": "x", "within": ["/etc"]}, 400),
        ({"query": "x", "library": "none"}, 404),
        ({"query": "x", "library": "../default"}, 404),
        ({"query": "x", "library": "/etc"}, 404),
    ],
)
def test_a_search_that_is_wrong_says_so(api: Api, body: Any, expected: int) -> None:
    status, told = api.send("POST", "/v1/search", body)
    assert status == expected and told["error"]["message"]


def test_documents_are_listed_and_opened_by_page_and_by_offset(api: Api, guests: Path) -> None:
    shelf = api.send("GET", "/v1/documents")[1]
    assert len(shelf["data"]) == 17 and shelf["failed"] == []
    contract = next(document for document in shelf["data"] if document["path"].endswith(CONTRACT))
    opened = [api.send("GET", f"/v1/documents?path={contract['path']}&page={page}")[1] for page in range(1, contract["pages"] + 1)]
    whole = api.send("GET", f"/v1/documents?path={contract['path']}")[1]
    assert "".join(page["text"] for page in opened) == whole["text"] and len(whole["text"]) == contract["chars"]
    assert [(page["page_start"], page["page_end"]) for page in opened] == [(n, n) for n in range(1, len(opened) + 1)]
    start, end = opened[1]["char_start"] + 5, opened[1]["char_start"] + 40
    part = api.send("GET", f"/v1/documents?path={contract['path']}&start={start}&end={end}")[1]
    assert part["text"] == whole["text"][start:end] and part["page_start"] == 2


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "", "/", "~/.ssh/id_rsa", "%00", "%ed%a0%80", "room-104.md%00"])
def test_what_is_not_in_the_library_is_not_given(api: Api, path: str) -> None:
    status, told = api.send("GET", f"/v1/documents?path={path}")
    assert status == 404 and told["error"]["message"].startswith("The library has no document")


def test_a_page_that_is_not_there_is_not_found(api: Api, guests: Path) -> None:
    assert api.send("GET", f"/v1/documents?path={guests / CONTRACT}&page=99")[0] == 404
    status, told = api.send("GET", f"/v1/documents?path={guests / 'room-101.md'}&page=1")
    assert status == 404 and "has no page 1" in told["error"]["message"]
    assert api.send("GET", f"/v1/documents?path={guests / CONTRACT}&page=0")[0] == 400
    assert api.send("GET", f"/v1/documents?path={guests / CONTRACT}&start=x")[0] == 400


INSIDE = [
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/documents"),
    ("GET", "/docs"),
    ("GET", "/"),
    ("OPTIONS", "/v1/search"),
]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xe9"])
def test_without_the_token_nothing_opens(api: Api, given: str) -> None:
    for method, path in INSIDE:
        status, told = api.send(method, path, Authorization=given)
        assert status == 401 and told["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.7:8502", "0.0.0.0", ""])
def test_a_name_that_was_rebound_to_this_machine_opens_nothing_with_the_token(api: Api, host: str) -> None:
    assert [api.send(method, path, Host=host)[0] for method, path in INSIDE] == [403] * len(INSIDE)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", "file://"])
def test_no_web_page_may_ask_even_with_the_token(api: Api, origin: str) -> None:
    assert [api.send(method, path, Origin=origin)[0] for method, path in INSIDE] == [403] * len(INSIDE)


def test_what_is_not_there_is_told_in_openai_s_shape_and_there_are_no_pages_of_others(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/v1/nothing"):
        status, told = api.send("GET", path)
        assert status == 404 and told["error"]["type"] == "invalid_request_error"
    assert api.send("GET", "/v1/search")[0] == 405


def test_it_reports_to_nobody_whom_the_environment_names(
    guests: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.setblocking(False)
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        for signal_ in ("TRACES", "METRICS", "LOGS"):
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal_}_ENDPOINT", f"http://127.0.0.1:{collector.getsockname()[1]}")
        with listening_at(make_app(Chains("default"), TOKEN)) as port:
            assert Api(port).send("GET", "/v1/models")[0] == 200
        with pytest.raises(BlockingIOError):
            collector.accept()
    assert not caplog.records  # FastAPI says so where it would report and lacks a package for it


async def test_who_comes_when_too_many_wait_is_told_to_come_again() -> None:
    queue = Queue()

    async def stay() -> None:
        async with queue.turn():
            await asyncio.Event().wait()

    crowd = [asyncio.create_task(stay()) for _ in range(IN_FLIGHT + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as raised:
        async with queue.turn():
            pass
    status, _, _, code = explained(raised.value)
    assert (status, code) == (429, "rate_limit_exceeded")
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    async with asyncio.timeout(10), queue.turn():  # whoever went away holds no place
        pass


class Listening(GenericFakeChatModel):
    """Answers the last question of the tests, and keeps what it was sent."""

    heard: Any

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        self.heard.append(messages)
        yield ChatGenerationChunk(message=AIMessageChunk("In advance [1].", response_metadata={"finish_reason": "stop"}))


@pytest.mark.parametrize("stream", [True, False])
def test_who_goes_away_stops_the_model(guests: Path, stream: bool) -> None:
    began, closed = threading.Event(), threading.Event()
    model = Endless(messages=iter([AIMessage("")]), began=began, closed=closed)
    with listening_at(make_app(Chains("default", model), TOKEN)) as port:
        for _ in range(IN_FLIGHT + 1):  # whoever went away holds no place in the queue
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            body = json.dumps({"model": "octavo", "messages": asked(WHO), "stream": stream})
            connection.request(
                "POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            )
            assert began.wait(30) and not closed.is_set()
            connection.close()
            assert closed.wait(30)
            began.clear()
            closed.clear()


class Failing(GenericFakeChatModel):
    """Fails in the middle of its answer."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("It is "))
        raise RuntimeError("out of memory")


def test_an_answer_that_fails_in_its_middle_ends_with_an_error(guests: Path) -> None:
    with listening_at(make_app(Chains("default", Failing(messages=iter([]))), TOKEN)) as port:
        with pytest.raises(openai.APIError) as raised:
            for _ in Api(port).openai().chat.completions.create(model="octavo", messages=asked(WHO), stream=True):
                pass
        status, told = Api(port).chat()
    assert status == 502 and told["error"]["type"] == "server_error" and told["error"]["message"] == raised.value.message


def test_clients_that_ask_at_once_each_get_their_own_answer(api: Api) -> None:
    rooms = list(GUESTS)[: IN_FLIGHT + 2]
    with ThreadPoolExecutor(len(rooms)) as pool:
        said = list(pool.map(lambda room: answered(api, room, stream=room % 2 == 0), rooms))
    assert [GUESTS[room] in text for room, text in zip(rooms, said, strict=True)] == [True] * len(rooms)


def answered(api: Api, room: int, stream: bool) -> str:
    messages = asked(f"Who is the guest in room {room}?")
    if not stream:
        return str(api.openai().chat.completions.create(model="octavo", messages=messages).choices[0].message.content)
    parts = api.openai().chat.completions.create(model="octavo", messages=messages, stream=True)
    return "".join(part.choices[0].delta.content or "" for part in parts)


@contextmanager
def command(arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`octavo ARGUMENTS` in a process of its own, once it has told its address; Ctrl-C ends it, and it says no more."""
    environment = {**os.environ, "OCTAVO_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-P", "-m", "app", *shlex.split(arguments)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout and process.stdout.readline().startswith("Octavo: http://127.0.0.1:")
            assert process.stdout.readline() == "token: $OCTAVO_TOKEN\n"
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=120)
        assert (process.returncode, rest) == (0, ("", ""))


@pytest.mark.slow
def test_sixteen_clients_for_a_minute_are_all_answered_and_the_memory_stays_flat(guests: Path) -> None:
    with listening(0) as free:
        api = Api(free.getsockname()[1])
    wrong: list[tuple[int, str]] = []

    def ask_for_a_while(room: int, until: float) -> int:
        turns = 0
        while time.monotonic() < until:
            text = answered(api, room, stream=(room + turns) % 2 == 0)
            wrong.extend([(room, text)] if GUESTS[room] not in text else [])
            turns += 1
        return turns

    with command(f"serve --model starter --port {api.port}") as server:
        counts, sizes, began = [], [], time.monotonic()
        for seconds in (15, 30, 45, 60):
            with ThreadPoolExecutor(16) as pool:
                counts.append(sum(pool.map(ask_for_a_while, GUESTS, [began + seconds] * 16)))
            sizes.append(resident(server.pid))
    print(f"{counts} answers, resident MB: {sizes}")
    assert not wrong and min(counts) >= 16
    assert sizes[-1] < 1.05 * sizes[0]


def resident(process: int) -> int:
    """A process's memory in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def test_the_command_names_a_port_that_is_taken_and_a_library_that_is_not_there(octavo: Run, api: Api) -> None:
    ran = octavo("serve", "--port", str(api.port))
    assert ran.code == 2 and ran.err == f"error: 127.0.0.1:{api.port}: Address already in use\n"
    ran = octavo("serve", "--library", "none")
    assert ran.code == 2 and "none" in ran.err and "Traceback" not in ran.err


@pytest.mark.slow
def test_every_command_of_the_page_on_the_api_runs_as_it_stands(
    samples: Path, tmp_path: Path, octavo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/api.md, over one sample document; a signal ends the server."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    monkeypatch.setenv("OCTAVO_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handbook").mkdir()
    shutil.copy(samples / "faq.md", tmp_path / "handbook")
    assert octavo("ingest", "handbook", "--library", "handbook").code == 0
    (start,) = re.findall(r"^octavo (serve .*)$", page, re.MULTILINE)
    *curls, copy = "".join(re.findall(r"```bash\n(.*?)```", page, re.DOTALL)).splitlines()
    subprocess.run(["bash", "-c", copy], check=True, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    assert (tmp_path / "skills" / "octavo" / "SKILL.md").read_text() == (ROOT / "app" / "SKILL.md").read_text()
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    with command(start):
        said = [json.loads(subprocess.run(["bash", "-c", curl], capture_output=True, check=True).stdout) for curl in curls]
        shown = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True).stdout
    chat, found, shelf, text = said
    assert "£3.80" in chat["choices"][0]["message"]["octavo"]["citations"][0]["text"]
    assert len(found["data"]) == 3 and len(shelf["data"]) == 1 and len(text["text"]) == 200
    assert shown.count("£3.80") >= 2 and shown.endswith("False\n") and str(tmp_path / "handbook" / "faq.md") in shown
