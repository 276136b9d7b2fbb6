"""The options that several commands take."""

from typing import Annotated

import typer


def library_names() -> list[str]:
    """Names of the libraries at home."""
    from ingest import Settings
    from ingest.settings import DATABASE

    home = Settings().home_dir() / "libraries"
    return sorted(file.parent.name for file in home.glob(f"[!.]*/{DATABASE}"))


Library = Annotated[str, typer.Option("--library", help="A library's name or directory.", metavar="NAME", autocompletion=library_names)]
Model = Annotated[
    str | None,
    typer.Option("--model", help="starter, a directory, a .gguf file, ollama:NAME, a hub id, or openai:NAME@URL.", metavar="MODEL"),
]
Within = Annotated[list[str] | None, typer.Option("--in", help="A document or folder to look in; may be given again.", metavar="PATH")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
