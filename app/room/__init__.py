"""The reading room and the bookshelf: what Streamlit can't draw itself, two small components on `st.components.v2`.

Python decides what is open and gives its name; the browser's side looks up what is in it (sources.py), and sets all of it as text,
never as HTML. Opening a source, turning its pages, copying, the keys, and the words of an answer that comes don't run the page's
script: a run for each word would take more time than the words.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def room(library: str, conversation: int | None, version: Sequence[int | None], opening: Sequence[Any] | None = None) -> Mapping[str, Any]:
    """Draws a conversation, and beside it the source that is opened.

    Args:
        version: of what it shows; another makes the browser look at once.
        opening: the document that was opened from elsewhere: its path, its page and when.

    Returns:
        What was pressed since the last run: `stop` or `again`, with the number of a turn.
    """
    data = {"library": library, "conversation": conversation, "version": list(version), "opening": opening}
    return _mounted("room", ("turns.js", "pane.js", "room.js"), data, ("stop", "again"))


def shelf(library: str, may_change: bool, conversation: int | None, ticked: Sequence[str]) -> Mapping[str, Any]:
    """Draws a library's conversations and documents.

    Args:
        may_change: whether documents can be removed and read again.
        ticked: paths of the documents that are asked; none: all.

    Returns:
        What was pressed since the last run: `conversation` to open (0: a new one), `delete` with its number, `rename` with number and
        title, `ticked` with paths, `task` with its mode, paths and a question, `remove` with a path, `retry` with a path and a password
        or "".
    """
    data = {"library": library, "may_change": may_change, "conversation": conversation, "ticked": list(ticked)}
    events = ("conversation", "delete", "rename", "ticked", "task", "remove", "retry")
    return _mounted("shelf", ("lists.js", "tasks.js", "shelf.js"), data, events)


def holdings(library: str) -> Mapping[str, Any]:
    """Draws all that a library holds, what is being added to it, its folders, and what was removed.

    Returns:
        What was pressed since the last run: `stop`; `take_back` with what waits; `bring`, `forget` with a folder, `follow` with a
        folder and whether; `open` with a path, a page and when; `only`, `remove` with paths; `retry` with a path and a password or
        ""; `forget_removed` with a path; `rename` with a name, `delete` with the library's own.
    """
    events = ("stop", "take_back", "bring", "forget", "follow", "open", "only", "remove", "retry", "forget_removed", "rename", "delete")
    return _mounted("holdings", ("lists.js", "holdings.js"), {"library": library}, events)


def noted(name: str) -> dict[str, Any]:
    """What was pressed in a component, of the library that is open, and not heeded yet."""
    pressed: dict[str, Any] = st.session_state["pressed"].setdefault((name, st.session_state["library"]), {})
    return pressed


def _mounted(name: str, scripts: tuple[str, ...], data: Mapping[str, Any], events: Sequence[str]) -> Mapping[str, Any]:
    listening = {f"on_{event}_change": partial(_note, name, event) for event in events}
    _component(name, scripts)(key=name, data=data, **listening)
    pressed = dict(noted(name))
    noted(name).clear()
    return pressed


def _note(name: str, event: str) -> None:
    """Before the page's script runs: a second click ends that run, and what it had not come to would be lost."""
    if (value := st.session_state[name].get(event)) is not None:
        noted(name)[event] = value


@cache
def _component(name: str, scripts: tuple[str, ...]) -> Callable[..., Any]:
    styles = ["lists.css"] * ("lists.js" in scripts)
    css, js = (_joined(("base.css", *styles, f"{name}.css")), _joined(("dom.js", *scripts)))
    return st.components.v2.component(f"octavo_{name}", css=css, js=js)


def _joined(names: Sequence[str]) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
