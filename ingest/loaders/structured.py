"""JSON and JSON lines as people would write them down: `path.to.key: value` lines, lists of equal records as tables.

A line that names its whole path can be found and understood alone. What is no JSON after all stays as it is: the whole file,
but of JSON lines only the lines that are broken.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Block, Builder, Parsed, clean, table_rows
from ingest.loaders.text import without_codes

_BLANKS = re.compile(r"[\s\x1e]*")
_CELL = 200
"""Characters up to which a text goes into a cell of a table."""
_COLUMNS = 25


def load(path: Path) -> Parsed:
    text = decode(path.read_bytes())
    try:
        value = lines(text) if path.suffix.lower() in (".jsonl", ".ndjson") else values(text)
        if isinstance(value, dict) and is_conversation(value):
            from ingest.loaders import messenger

            return messenger.load(path)
        builder = Builder()
        for block in blocks("", value):
            builder.add(block)
        return builder.parsed()
    except (ValueError, RecursionError):
        return Parsed(clean(text))


def lines(text: str) -> Any:
    """What JSON lines hold, a broken line as text.

    Raises:
        ValueError: most lines are broken.
    """
    try:
        return values(text)
    except ValueError:
        found = []
        broken = 0
        for line in filter(str.strip, text.splitlines()):
            try:
                found.append(values(line))
            except ValueError:
                found.append(line)
                broken += 1
        if 2 * broken > len(found):
            raise
        return found


def values(text: str) -> Any:
    """What a file holds: its one value, or a list of all where there are several, a line each or not.

    Raises:
        ValueError: it isn't JSON.
    """
    found: list[Any] = []
    decoder = json.JSONDecoder(parse_float=str)  # 1.10 is a price, 1.1 isn't
    place = _blank_end(text, 0)
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        found.append(value)
        place = _blank_end(text, place)
    if not found:
        raise ValueError("nothing in it")
    return found[0] if len(found) == 1 else found


def _blank_end(text: str, place: int) -> int:
    """Where blanks from a place on end; a record separator (RFC 7464) counts as one."""
    match = _BLANKS.match(text, place)
    assert match
    return match.end()


def is_conversation(value: dict[str, Any]) -> bool:
    """Whether it is a conversation as Facebook Messenger and Instagram hand them out."""
    messages = value.get("messages")
    return (
        "participants" in value and isinstance(messages, list) and any("sender_name" in item for item in messages if isinstance(item, dict))
    )


def blocks(path: str, value: Any) -> Iterator[Block]:
    """A value's lines, a block for each record."""
    if isinstance(value, dict):
        yield from _record(path, value)
    elif isinstance(value, list):
        yield from _list(path, value)
    else:
        yield Block("text", _line(path, value))


def _record(path: str, record: dict[str, Any]) -> Iterator[Block]:
    """A record's own values together, then whatever holds more."""
    lines = [_line(_join(path, key), value) for key, value in record.items() if _is_short(value)]
    if any(lines):
        yield Block("text", "\n".join(filter(None, lines)))
    for key, value in record.items():
        if not _is_short(value):
            yield from blocks(_join(path, key), value)


def _list(path: str, items: list[Any]) -> Iterator[Block]:
    columns = list(dict.fromkeys(key for item in items if isinstance(item, dict) for key in item))
    if len(items) > 1 and 0 < len(columns) <= _COLUMNS and all(isinstance(item, dict) and _is_flat(item) for item in items):
        if path:
            yield Block("text", f"{path}:")
        yield Block("table", table_rows([columns, *([_cell(item.get(key)) for key in columns] for item in items)]))
    elif all(not isinstance(item, dict | list) for item in items):
        yield Block("text", "\n".join([f"{path}:"] * bool(path) + [f"- {_scalar(item)}" for item in items if item is not None]))
    else:
        for number, item in enumerate(items):
            yield from blocks(f"{path}[{number}]" if path else "", item)


def _is_short(value: Any) -> bool:
    """Whether a value is one line: a scalar, or a short list of them."""
    if isinstance(value, list):
        return all(not isinstance(item, dict | list) for item in value) and sum(len(str(item)) for item in value) <= _CELL
    return not isinstance(value, dict)


def _is_flat(record: dict[str, Any]) -> bool:
    return all(_is_short(value) and len(str(value)) <= _CELL for value in record.values())


def _line(path: str, value: Any) -> str:
    text = _cell(value)
    return f"{path}: {text}" if path and text else text


def _cell(value: Any) -> str:
    return ", ".join(_scalar(item) for item in value) if isinstance(value, list) else _scalar(value)


def _scalar(value: Any) -> str:
    return "" if value is None else without_codes(value) if isinstance(value, str) else json.dumps(value)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
