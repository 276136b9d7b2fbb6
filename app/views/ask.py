"""Ask: the conversation, the source that is open beside it, and the box for the next question."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import resources, state, tasks, widgets
from app.room import noted, room, shelf
from app.views import first


def draw() -> None:
    state.tell_trouble()
    name = st.session_state["library"]
    there = resources.there(name)
    unfinished = there and resources.unfinished(name)  # before the documents: what comes between the two is then looked for again
    status = resources.library(name).status() if there else {"documents": 0}
    count = status["documents"]
    st.session_state["ticked"] = noted("shelf").get("ticked", st.session_state["ticked"])
    if count and (question := st.chat_input("Ask a question")):
        _ask(name, question)
    if there:
        with st.sidebar:
            _heed_shelf(name, shelf(name, state.person().is_owner, st.session_state["conversation"], st.session_state["ticked"]))
    if unfinished:
        st.fragment(_unfinished, run_every=2.0)(name, empty=not count)
    elif not count:
        return first.welcome(name)
    conversation = st.session_state["conversation"]
    last = resources.conversations(name, state.person()).last(conversation) if count else 0
    if count and not last and (question := first.begin(name, bool(unfinished))):
        _ask(name, question)
        st.rerun()
    _heed(name, room(name, conversation, (last, status.get("generation")), st.session_state.get("opening")))
    if count:
        resources.get_ready()


def _heed(name: str, pressed: Mapping[str, int]) -> None:
    """Does what was pressed in the conversation."""
    conversation = st.session_state["conversation"]
    person = state.person()
    if "stop" in pressed:
        resources.stop(name, person, conversation, pressed["stop"])
    if "again" in pressed:
        for turn in resources.conversations(name, person).turns(conversation or 0, pressed["again"])[:1]:
            resources.ask(name, person, turn.question, turn.within, conversation, turn.answer.get("asked_as", "auto"))
        st.rerun()


def _heed_shelf(name: str, pressed: Mapping[str, Any]) -> None:
    """Does what was pressed on the bookshelf."""
    person = state.person()
    kept = resources.conversations(name, person)
    if "conversation" in pressed:
        st.session_state["conversation"] = pressed["conversation"] or None
    if "delete" in pressed:
        resources.stop(name, person, pressed["delete"])
        kept.delete(pressed["delete"])
        if pressed["delete"] == st.session_state["conversation"]:
            st.session_state["conversation"] = None
    if "rename" in pressed:
        kept.rename(*pressed["rename"])
    if "task" in pressed:
        st.session_state["conversation"] = tasks.begin(name, person, st.session_state["conversation"], *pressed["task"])
    if "ticked" in pressed:
        st.session_state["ticked"] = pressed["ticked"]
    if "remove" in pressed and person.is_owner:
        with state.telling():
            state.remove(name, [pressed["remove"]])
    if "retry" in pressed and person.is_owner:
        with state.telling():
            resources.again(name, *pressed["retry"])
    if pressed:
        st.rerun()


def _unfinished(name: str, empty: bool) -> None:
    """What an answer may miss; the page is drawn anew when nothing is missing any more, and when the first question can be asked."""
    told = resources.there(name) and resources.unfinished(name)
    if not told or (empty and resources.library(name).documents()):
        st.rerun()
    widgets.caption(told)


def _ask(name: str, question: str) -> None:
    conversation = resources.ask(name, state.person(), question, st.session_state["ticked"], st.session_state["conversation"])
    st.session_state["conversation"] = conversation
    state.remember()
