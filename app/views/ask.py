"""Ask: a question, its answer as it streams, and the passages that it stands on."""

import streamlit as st

from app import resources, widgets


def draw() -> None:
    st.title("Ask your documents")
    name = st.session_state["library"]
    count = resources.library(name).status()["documents"]
    if not count:
        st.info("This library is empty. Add files under Documents.")
    else:
        st.caption(f"{count} documents · {widgets.plain(resources.model_note())}")
    for question, answer in st.session_state["turns"]:
        widgets.question(question)
        widgets.answer(answer)
    question = st.chat_input("Ask a question", disabled=not count)
    if question:
        _answer(name, question)
    elif count:
        resources.reader()  # loaded before the first question, which then waits for nothing


def _answer(name: str, question: str) -> None:
    widgets.question(question)
    history = [(q, a.text) for q, a in st.session_state["turns"]]
    answer = widgets.stream(resources.chain(name).stream({"question": question, "history": history}))
    st.session_state["turns"].append((question, answer))
    st.rerun()
