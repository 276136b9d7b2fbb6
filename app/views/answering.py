"""What answers, in a line, and the way to another model: what servers on this machine have, a folder, a file; and what fits into memory."""

import streamlit as st

from app import choosing, memory, resources, state, widgets
from app.mistakes import as_mistake, sentences


def draw() -> None:
    with st.container(gap=None):
        widgets.caption(choosing.briefly(choosing.chosen()))
        if state.person().is_owner and st.button("Another model", type="tertiary"):
            _choose()


@st.dialog("What answers")
def _choose() -> None:
    now = choosing.chosen()
    with st.spinner("Looking for models on this machine"):
        offered = dict(choosing.offered())
    widgets.caption(choosing.told(now), "" if len(offered) > 1 else "No Ollama and no LM Studio answers on this machine.")
    with st.form("model", border=False):
        names = list(offered)
        place = names.index(now) if now in names else None
        found = st.selectbox("Found here", names, place, offered.__getitem__, placeholder="None of these")
        path = st.text_input("Or a model of your own", placeholder="a folder, a .gguf file, or ollama:NAME").strip()
        wanted = path or found
        if st.form_submit_button("Use it", type="primary") and wanted and state.person().is_owner:
            try:
                choosing.choose(wanted)
            except Exception as error:
                widgets.tell("error", sentences(*_mistake(error)))
            else:
                resources.get_ready()
                st.rerun()
    widgets.caption("It answers from the next question on; an answer that is coming keeps its model.")
    widgets.memory(memory.table(), memory.here())


def _mistake(error: Exception) -> tuple[str, str]:
    told = as_mistake(error)
    if told is None:
        raise error
    return told
