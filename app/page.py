"""The page: `octavo app`. Holds its configuration, its state and the navigation; each view draws itself."""

import traceback
from pathlib import Path

import streamlit as st

from app import state, widgets
from app.mistakes import as_bug, as_mistake, sentences
from app.views import answering, ask, documents

_ICON = str(Path(__file__).with_name("icon.png"))
# a named icon would be fetched from a font server
st.set_page_config(layout="wide", page_title="Octavo", page_icon=_ICON)
st.logo(_ICON, size="large")
widgets.style()
try:
    person = state.person()
    state.prepare()
    pages = [st.Page(ask.draw, title="Ask", icon=":material/search:", url_path="ask", default=True)]
    if person.is_owner:
        pages.append(st.Page(documents.draw, title="Documents", icon=":material/folder_open:", url_path="documents"))
    page = st.navigation(pages)
    state.choose()
    with st.sidebar:
        answering.draw()
    page.run()
except Exception as error:
    told = as_mistake(error)
    if told is None:
        traceback.print_exc()
        told = as_bug(error)
    widgets.tell("error", sentences(*told))
