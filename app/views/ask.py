"""Ask: a question, its answer as it streams, and the passages that it stands on."""

import streamlit as st

from app import resources, widgets


def draw() -> None:
    st.title("Ask your documents")
    name = st.session_state["library"]
    if not resources.there(name):
        widgets.tell("info", f"This library is empty: there is none called {name} yet. Add files under Documents, and it is made.")
        return
    count = resources.library(name).status()["documents"]
    if count:
        widgets.caption(f"{count} documents · {resources.model_note()}")
    for question, answer in st.session_state["turns"]:
        widgets.question(question)
        widgets.answer(answer)
    if resources.unfinished(name):
        st.fragment(_unfinished, run_every=2.0)(name, empty=not count)
    elif not count:
        widgets.tell("info", "This library is empty. Add files under Documents.")
    pending = st.session_state["pending"]
    st.chat_input("Ask a question", key="asked", on_submit=_ask, disabled=not count or pending is not None)
    if pending is not None:
        _answer(name, pending)
    elif count:
        resources.model()  # loaded before the first question, which then waits for nothing


def _unfinished(name: str, empty: bool) -> None:
    """What an answer may miss; the page is drawn anew when nothing is missing any more, and when the first question can be asked."""
    told = resources.unfinished(name)
    if not told or (empty and resources.library(name).documents()):
        st.rerun()
    widgets.caption(told)


def _ask() -> None:
    st.session_state["pending"] = st.session_state["asked"]


def _answer(name: str, question: str) -> None:
    """Answers while the box is closed, so that a second question can't wipe out the first."""
    st.session_state["pending"] = None
    widgets.question(question)
    history = [(q, a.text) for q, a in st.session_state["turns"]]
    answer = widgets.stream(resources.chain(name).stream({"question": question, "history": history}))
    st.session_state["turns"].append((question, answer))
    st.rerun()
