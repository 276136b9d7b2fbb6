"""Model servers on this machine, Ollama's and LM Studio's: looked for on loopback alone, and never by a proxy."""

import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

KNOWN = {"Ollama": "http://localhost:11434/v1", "LM Studio": "http://localhost:1234/v1"}
_SECONDS = 0.5
_MOST = 1 << 20
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    url: str
    models: tuple[str, ...]
    """Gemma 2 first."""


def servers() -> list[Server]:
    """Those that answer."""
    found = ((name, url, models_at(url)) for name, url in KNOWN.items())
    return [Server(name, url, models) for name, url, models in found if models is not None]


def models_at(url: str) -> tuple[str, ...] | None:
    """What a server of this machine serves, Gemma 2 first; None where none answers in OpenAI's protocol."""
    place = urlsplit(url)
    try:
        with closing(HTTPConnection("127.0.0.1", place.port or 80, timeout=_SECONDS)) as connection:
            connection.request("GET", f"{place.path.rstrip('/')}/models", headers={"Host": place.netloc})
            told = json.loads(connection.getresponse().read(_MOST))
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
    rows: Any = told.get("data") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        return None
    names = {row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}
    return tuple(sorted(names, key=lambda name: ("gemma-2" not in name and "gemma2" not in name, name)))
