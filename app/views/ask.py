"""Ask: the conversation, the source that is open beside it, and the box for the next question."""

from collections.abc import Mapping

import streamlit as st

from app import resources, widgets
from app.room import room


def draw() -> None:
    name = st.session_state["library"]
    if not resources.there(name):
        widgets.tell("info", f"This library is empty: there is none called {name} yet. Add files under Documents, and it is made.")
        return
    count = resources.library(name).status()["documents"]
    if count:
        widgets.caption(f"{count} documents · {resources.model_note()}")
    if resources.unfinished(name):
        st.fragment(_unfinished, run_every=2.0)(name, empty=not count)
    elif not count:
        widgets.tell("info", "This library is empty. Add files under Documents.")
    conversation = st.session_state["conversation"]
    asked = len(resources.conversations(name).turns(conversation)) if conversation else 0
    _heed(name, room(name, conversation, asked, key="room"))
    st.chat_input("Ask a question", key="asked", on_submit=_ask, disabled=not count)
    if count:
        resources.model()  # loaded before the first question, which then waits for nothing


def _heed(name: str, pressed: Mapping[str, int]) -> None:
    """Does what was pressed in the conversation."""
    conversation = st.session_state["conversation"]
    if "stop" in pressed and (asking := resources.asking(name, pressed["stop"])):
        asking.stop()
    if "again" in pressed:
        turn = next(turn for turn in resources.conversations(name).turns(conversation) if turn.id == pressed["again"])
        resources.ask(name, turn.question, turn.within, conversation)
        st.rerun()


def _unfinished(name: str, empty: bool) -> None:
    """What an answer may miss; the page is drawn anew when nothing is missing any more, and when the first question can be asked."""
    told = resources.unfinished(name)
    if not told or (empty and resources.library(name).documents()):
        st.rerun()
    widgets.caption(told)


def _ask() -> None:
    name = st.session_state["library"]
    st.session_state["conversation"] = resources.ask(name, st.session_state["asked"], [], st.session_state["conversation"])
