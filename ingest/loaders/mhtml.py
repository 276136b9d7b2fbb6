"""Saved web pages (MHTML), through the one offline parser that langchain-community has for them.

langchain-community is frozen and unpatched, so it is only ever imported here, in the worker that can be killed.
"""

from pathlib import Path

from langchain_community.document_loaders.mhtml import MHTMLLoader

from ingest.loaders.parsed import Builder, Parsed


def load(path: Path) -> Parsed:
    builder = Builder()
    for document in MHTMLLoader(str(path), open_encoding="utf-8", get_text_separator="\n").lazy_load():
        builder.heading(1, document.metadata["title"])
        for block in document.page_content.split("\n\n"):
            builder.block("\n".join(line for line in map(str.strip, block.splitlines()) if line))
    return builder.parsed()
