"""The reading room: the conversation and the open source, the one thing of the page that Streamlit can't draw itself.

Python decides what is shown and gives it as data; the browser's side sets all of it as text. Opening a source, turning its pages,
copying and the keys don't run the page's script.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_SCRIPTS = ("dom.js", "turns.js", "pane.js", "room.js")


@cache
def _component() -> Callable[..., Any]:
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return st.components.v2.component("octavo_room", css=(_HERE / "room.css").read_text(encoding="utf-8"), js=script)


def room(library: str, conversation: int | None, asked: int, key: str) -> Mapping[str, int]:
    """Draws a conversation. The browser's side looks it up by itself (sources.py), again and again while an answer comes: a run of
    the page's script for each word would take more time than the words.

    Args:
        asked: how many questions it has; another number makes the browser look at once.

    Returns:
        What its reader pressed since the last run: `stop` or `again`, with the number of a turn.
    """
    nothing = lambda: None  # noqa: E731  # Streamlit tells of a trigger only where somebody listens
    pressed = _component()(
        key=key, data={"library": library, "conversation": conversation, "asked": asked}, on_stop_change=nothing, on_again_change=nothing
    )
    return {name: pressed[name] for name in ("stop", "again") if pressed.get(name) is not None}
