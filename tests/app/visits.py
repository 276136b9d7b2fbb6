"""What a program and an agent ask of `octavo serve` and `octavo mcp`, run by the process that is watched (test_egress.py)."""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from app.cli import main

TOKEN = "a-token-of-the-tests-0123"
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


def by_program(port: int) -> None:
    chat = {"model": "octavo", "messages": [{"role": "user", "content": AGE}]}
    for path, body in (("chat/completions", chat), ("chat/completions", chat | {"stream": True}), ("search", {"query": AGE})):
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        head = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request("POST", f"/v1/{path}", json.dumps(body), head)
        answer = connection.getresponse()
        assert answer.status == 200 and "85" in answer.read().decode()


def by_agent(port: int) -> None:
    async def visit() -> None:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120, trust_env=False) as http,
            Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)) as client,
        ):
            for tool, given in (("ask", {"question": AGE}), ("search", {"query": AGE}), ("list_documents", {})):
                assert not (await client.call_tool(tool, given)).is_error

    asyncio.run(visit())


def visited(command: str, visit: Callable[[int], None]) -> None:
    """Runs the command until who visits it is done, and sends Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def come() -> None:
        try:
            for _ in range(600):
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.1)
            visit(port)
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=come).start()
    sys.argv = ["octavo", command, "--port", str(port)]
    with suppress(SystemExit):
        main()


def doors() -> None:
    os.environ["OCTAVO_TOKEN"] = TOKEN
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process ignores it
    visited("serve", by_program)
    visited("mcp", by_agent)
