"""What an answer depends on, in short: two answers with the same hashes were given by the same parts over the same documents."""

import json
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest import Library
from model import grounded
from model.engine import Model
from rag.chain import AnswerChain
from rag.chat_gemma import ChatGemma2
from rag.models import AnswerModel
from rag.prompt import INSTRUCTIONS
from rag.reader.model import CONFIG, FILE, reader_directory

_VALUES = 64
"""Numbers of each tensor that are looked at: training changes all of them, and 27B parameters would take a minute to read."""


def short(*parts: Any) -> str:
    """Of anything that JSON can hold."""
    return sha256(json.dumps(parts, ensure_ascii=False, default=str).encode("utf-8", "replace")).hexdigest()[:16]


def hashes(chain: AnswerChain) -> dict[str, str]:
    """Of model, prompt, gate, reader, embedder, library and code.

    A server's model is known by its name and address alone. The library's is of its documents and of what waits for vectors.
    """
    library = chain.library
    return {
        "model": _model(chain.model),
        "prompt": _prompt(chain),
        "gate": f"threshold {chain.settings.gate_threshold:g}",
        "reader": _files((reader_directory() / name for name in (FILE, CONFIG)), reader_directory()),
        "embedder": str(library.status()["embedder"] or ""),
        "library": library_state(library),
        "code": _code(),
    }


def library_state(library: Library) -> str:
    documents = [(d.path, d.chars, d.pages, d.chunks, d.added) for d in library.documents()]
    return short(documents, library.status()["waiting_for_vectors"])


def _model(model: AnswerModel) -> str:
    chat = model.chat
    if isinstance(chat, ChatGemma2):
        return f"{chat.source}:{_weights(chat.model)}"
    name = getattr(chat, "model_name", "") or getattr(chat, "model", "") or type(chat).__name__
    return f"{name}@{urlsplit(model.url).netloc.rpartition('@')[2]}" if model.url else str(name)


def _weights(model: Model) -> str:
    values = []
    for name, tensor in model.network.state_dict().items():
        flat = tensor.flatten()
        some = flat[:: max(1, len(flat) // _VALUES)][:_VALUES]
        values.append((name, tuple(tensor.shape), str(tensor.dtype), some.double().tolist()))
    return short(values, model.card)


def _prompt(chain: AnswerChain) -> str:
    texts = [INSTRUCTIONS, grounded.REFUSAL, grounded.opening("Q"), grounded.source(1, "S"), grounded.closing("Q")]
    asked = [(field.name, getattr(chain.model, field.name)) for field in fields(chain.model) if field.name not in ("chat", "url")]
    return short(texts, asked, chain.settings.max_answer_tokens)


@cache
def _code() -> str:
    """Of the rooms that an answer comes from."""
    rooms = Path(__file__).resolve().parents[1]
    return _files(sorted(file for room in ("rag", "ingest", "model") for file in (rooms / room).rglob("*.py")), rooms)


def _files(files: Iterable[Path], below: Path) -> str:
    return short([(file.relative_to(below).as_posix(), sha256(file.read_bytes()).hexdigest()) for file in files])
