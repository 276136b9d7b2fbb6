"""`octavo mcp` as an agent meets it: through the protocol's own client, in each of its transports."""

import json
import os
import re
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from app.mcp import http_app, make_server
from app.programs import Chains
from tests.app.conftest import GUESTS, Endless, Run, listening_at
from tests.conftest import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
TOKEN = "a-token-of-the-tests-0123"
WHO = "Who is the guest in room 104?"
TOOLS = {"ask", "search", "list_documents", "open_source"}


@pytest.fixture(scope="module")
def home(guests: Path) -> Path:
    """Whose commands are run: of the same home as the server."""
    return Path(os.environ["OCTAVO_HOME"])


@pytest.fixture(scope="module")
def chains(guests: Path) -> Chains:
    return Chains("default", "starter")


@asynccontextmanager
async def connected(chains: Chains) -> AsyncIterator[Client]:
    async with Client(make_server(chains)) as client:
        yield client


async def call(chains: Chains, tool: str, **arguments: Any) -> dict[str, Any]:
    async with connected(chains) as client:
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


async def refused(chains: Chains, tool: str, **arguments: Any) -> str:
    async with connected(chains) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


async def test_an_agent_is_told_what_each_tool_and_argument_is_for(chains: Chains) -> None:
    async with connected(chains) as client:
        tools = (await client.list_tools()).tools
        assert client.instructions and "never an instruction" in client.instructions
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.description and tool.annotations and tool.annotations.read_only_hint
        described = {name for name, field in tool.input_schema["properties"].items() if field.get("description")}
        assert described == set(tool.input_schema["properties"]) and "context" not in described


async def test_a_question_is_answered_with_citations_that_open(chains: Chains, guests: Path) -> None:
    told = await call(chains, "ask", question=WHO)
    (citation,) = told["citations"]
    assert GUESTS[104] in told["answer"] and told["refused"] is False and citation["verified"] is True
    opened = await call(chains, "open_source", path=citation["path"], start=citation["char_start"], end=citation["char_end"])
    assert opened["text"] == citation["text"] and opened["path"] == str(guests / "room-104.md")


async def test_what_the_documents_do_not_answer_is_refused(chains: Chains) -> None:
    told = await call(chains, "ask", question="What does a ticket for the opera in Vienna cost?")
    assert told["refused"] is True and told["citations"] == []


async def test_passages_are_found_and_documents_listed_in_each_library(chains: Chains, guests: Path) -> None:
    found = (await call(chains, "search", query="guest in room 107", k=2))["passages"]
    assert len(found) == 2 and found[0]["path"] == str(guests / "room-107.md") and found[0]["score"] > 0
    shelf = await call(chains, "list_documents")
    assert len(shelf["documents"]) == 17 and shelf["failed"] == []
    (letter,) = (await call(chains, "list_documents", library="other"))["documents"]
    assert "Ottoline" in (await call(chains, "search", query="keeper", library="other"))["passages"][0]["text"]
    assert "Ottoline" in (await call(chains, "open_source", path=letter["path"], library="other"))["text"]


async def test_a_page_is_opened_with_its_offsets(chains: Chains, guests: Path) -> None:
    contract = str(guests / "sea-gates-contract.pdf")
    second = await call(chains, "open_source", path=contract, page=2)
    assert (second["page_start"], second["page_end"]) == (2, 2) and second["char_end"] - second["char_start"] == len(second["text"])
    again = await call(chains, "open_source", path=contract, start=second["char_start"], end=second["char_end"])
    assert again == second


async def test_a_long_document_is_read_on_from_where_it_was_left(chains: Chains, guests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = str(guests / "sea-gates-contract.pdf")
    whole = (await call(chains, "open_source", path=contract))["text"]
    monkeypatch.setattr("app.programs.MOST", 500)  # a document of 20,000 characters takes seconds to add
    read, start = "", 0
    while start is not None:
        part = await call(chains, "open_source", path=contract, start=start)
        assert len(part["text"]) <= 500
        read, start = read + part["text"], part["next"]
    assert read == whole and len(whole) > 1000


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "", "/", "~/.ssh/id_rsa", "\0", "\ud800", "room-104.md\0"])
async def test_what_is_not_in_the_library_is_not_given(chains: Chains, path: str) -> None:
    async with connected(chains) as client:
        result = await client.call_tool("open_source", {"path": path})
    assert result.is_error and "has no document" in str(result.content)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("ask", {"question": " "}, "The question is empty"),
        ("ask", {"question": WHO, "within": ["/etc"]}, "no document at /etc"),
        ("ask", {"question": WHO, "library": "none"}, "none"),
        ("ask", {}, "question"),
        ("search", {"query": ""}, "The question is empty"),
        ("search", {"query": "x", "k": 0}, "k"),
        ("search", {"query": "x", "within": ["\0"]}, "no document"),
        ("list_documents", {"library": "../default"}, "can't be a library's name"),
        ("list_documents", {"library": "/etc"}, "can't be a library's name"),
        ("open_source", {"path": "x", "page": 0}, "page"),
    ],
)
async def test_a_mistake_is_told_to_the_agent(chains: Chains, tool: str, arguments: dict[str, Any], says: str) -> None:
    told = await refused(chains, tool, **arguments)
    assert says in told and "Traceback" not in told


async def test_a_call_that_is_cancelled_stops_the_model(guests: Path) -> None:
    began, closed = threading.Event(), threading.Event()
    async with connected(Chains("default", Endless(messages=iter([]), began=began, closed=closed))) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "ask", {"question": WHO})
            assert await anyio.to_thread.run_sync(began.wait, 30)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(closed.wait, 30)


async def test_over_http_it_answers_who_has_the_token(chains: Chains) -> None:
    with listening_at(http_app(chains, TOKEN)) as port:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http,
            Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("ask", {"question": WHO})
    assert result.structured_content and GUESTS[104] in result.structured_content["answer"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_over_http_nobody_else_is_let_in(chains: Chains, headers: dict[str, str], status: int) -> None:
    with listening_at(http_app(chains, TOKEN)) as port:
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            for method, path in (("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/")):
                assert (await http.request(method, f"http://127.0.0.1:{port}{path}")).status_code == status


def test_the_command_names_a_library_that_is_not_there_and_a_port_that_is_taken(octavo: Run) -> None:
    ran = octavo("mcp", "--library", "none")
    assert ran.code == 2 and ran.out == "" and ran.err.startswith("error: ")
    with listening_at(http_app(Chains("default"), TOKEN)) as port:
        ran = octavo("mcp", "--port", port)
    assert ran.code == 2 and ran.err == f"error: 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.slow
async def test_on_stdin_and_stdout_nothing_but_the_protocol_is_written(guests: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OCTAVO_MODEL": "starter"}
    command = f"{sys.executable} -P -m app mcp 2> {tmp_path / 'err'} | tee {tmp_path / 'out'}"
    async with Client(StdioServerParameters(command="bash", args=["-c", command], env=environment)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        result = await client.call_tool("ask", {"question": WHO})
        assert result.structured_content and GUESTS[104] in result.structured_content["answer"]
    lines = (tmp_path / "out").read_text().splitlines()
    assert len(lines) >= 3 and {json.loads(line)["jsonrpc"] for line in lines} == {"2.0"}
    assert (tmp_path / "err").read_text() == ""


def test_the_skill_names_the_tools_and_ships_beside_the_modules() -> None:
    text = (ROOT / "app" / "SKILL.md").read_text(encoding="utf-8")
    head = re.match(r"---\nname: ([a-z0-9-]{1,64})\ndescription: (.{1,1024})\n---\n", text)
    assert head and head[1] == "octavo"
    assert set(re.findall(r"`([a-z_]+)`", text)) >= TOOLS
