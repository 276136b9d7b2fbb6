"""Files of training data: running text, packed end to end into rows of tokens; questions."""

import json
import lzma
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError, SourceError
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.load.safetensors import tokenizer_in
from model.tokenizer import Tokenizer

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")
TEXT_FILES = "running text, documents separated by a line that is only \\x1e, or questions, for their passages"


@contextmanager
def plain_errors(*others: type[Exception]) -> Iterator[None]:
    """Around a command's main(): a user's mistake ends it with one line and a hint, not with a traceback.

    Args:
        others: the error bases of other rooms that the command uses, each with a `hint`.
    """
    mistakes: tuple[type[Exception], ...] = (ModelError, *others)
    try:
        yield
    except mistakes as error:
        hint = getattr(error, "hint", "")
        sys.exit(f"{error}" + (f"\n  {hint}" if hint else ""))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))


@contextmanager
def open_text(path: Path) -> Iterator[Any]:
    """Opens a text file, .xz or plain, to be read line by line; raises SourceError where that fails."""
    try:
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror})") from error
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: damaged ({error})") from error


def read_texts(path: Path) -> Iterator[str]:
    """The documents of a text file, separated by lines that are only \\x1e; of a question file, its passages."""
    if ".jsonl" in path.suffixes:
        yield from dict.fromkeys(passage for question in read_questions(path) for passage in question.contexts)
        return
    lines: list[str] = []
    with open_text(path) as file:
        for line in file:
            if line.rstrip("\n") == "\x1e":
                yield "".join(lines)
                lines = []
            else:
                lines.append(line)
    if lines:
        yield "".join(lines)


def tokenizer_of(source: Path) -> Tokenizer:
    """The tokenizer in a GGUF file or beside a checkpoint in Hugging Face's layout.

    Raises:
        SourceError: there is none.
    """
    if source.is_dir():
        return tokenizer_in(source)
    return read_tokenizer(GGUFFile(source).values, str(source))


def pack_texts(paths: Sequence[Path], tokenizer: Tokenizer, length: int) -> NDArray[np.uint32]:
    """All documents end to end, each after a <bos>, cut into rows: (rows, length).

    Raises:
        SourceError: a file can't be read, or there are less than two rows.
    """
    pieces: list[NDArray[np.uint32]] = []
    batch: list[str] = []
    for text in (*(text for path in paths for text in read_texts(path)), None):
        if text is not None:
            batch.append(text)
        if len(batch) == 256 or text is None:
            pieces += [np.array([tokenizer.bos_id, *ids], dtype=np.uint32) for ids in tokenizer.encode_batch(batch)]
            batch = []
    stream = np.concatenate(pieces)
    if len(stream) < 2 * length:
        raise SourceError(f"{paths[0]}: only {len(stream)} tokens of text, less than two rows of {length}")
    return stream[: len(stream) // length * length].reshape(-1, length)


@dataclass(frozen=True)
class Question:
    question: str
    contexts: list[str]
    answers: list[str]
    kind: str = "extractive"
    source: str = ""
    distractors: list[str] | None = None
    """Passages that don't answer it, to be put beside the contexts; None to have some drawn."""
    once: bool = False
    """Whether it is read in the first epoch only."""


def read_questions(path: Path) -> list[Question]:
    """Lines of {"question", "contexts": [...], "answers": [...]}, and the other fields of `Question` where they are wanted.

    No answers means that the contexts don't say.
    """
    rows = []
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            try:
                rows.append(_question(json.loads(line)))
            except (ValueError, TypeError) as error:
                raise SourceError(f"{path}, line {number}: not a question ({error!r})") from error
    return rows


def _question(row: dict[str, Any]) -> Question:
    question = Question(**{field.name: row[field.name] for field in fields(Question) if field.name in row})
    texts = [question.question, question.kind, question.source]
    lists = [question.contexts, question.answers, question.distractors or []]
    if not all(isinstance(text, str) for group in [texts, *lists] for text in group) or any(isinstance(group, str) for group in lists):
        raise ValueError("texts are wanted, and lists of texts")
    return question
