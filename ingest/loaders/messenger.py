"""Conversations from Facebook Messenger and Instagram (message_1.json), through langchain-community's parser for them.

langchain-community is frozen and unpatched, so it is only ever imported here, in the worker that can be killed, and only
for this format, where its parser does what we would write: who said what, and when, a line a message.
"""

import json
from pathlib import Path

from langchain_community.document_loaders.facebook_chat import FacebookChatLoader

from ingest.loaders.parsed import Builder, Parsed, counted


def load(path: Path) -> Parsed:
    export = json.loads(path.read_text(encoding="utf-8"))
    builder = Builder()
    names = [str(person.get("name", "")) for person in export["participants"] if isinstance(person, dict)]
    builder.heading(1, _mended(str(export.get("title") or ", ".join(names))))
    for document in FacebookChatLoader(str(path)).lazy_load():
        messages = document.page_content.split("\n\n")
        for message in reversed(messages):  # the newest comes first in the file, the oldest on the screen
            builder.block(_mended(message))
    silent = sum(not isinstance(message.get("content"), str) for message in export["messages"])
    builder.note(counted(silent, "message", "without text (a picture, a call)"))
    return builder.parsed()


def _mended(text: str) -> str:
    """The export writes each byte of UTF-8 as a character of its own."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
