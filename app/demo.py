"""`make demo`: the sample documents in, three questions answered, and what to do next."""

import time
from pathlib import Path

import typer

from app.quiet import keep_quiet
from ingest.terminal import say

QUESTIONS = (
    "Up to what age does the Society's insurance cover volunteers on duty?",
    "How many votes did Kit Mabbott get in the trustee election?",
    "What is the password for the wireless network in the Hopper Café?",
)
"""Two that the samples answer (a page of a PDF, a table in a Word file), and one that they don't."""


def main() -> None:
    keep_quiet()
    from app.answers import show
    from ingest import Library, Settings
    from rag import build_chain

    settings = Settings()
    samples = Path(__file__).resolve().parents[1] / "data" / "samples"
    with Library.open(settings.library_dir("samples"), create=True) as library:
        receipt = library.add([samples])
        count = library.status()["documents"]
        say(f"{count} documents in the library 'samples' ({receipt.seconds:.1f} s), read from {samples}")
        print()
        chain = build_chain(library, "starter")
        start = time.monotonic()
        for question in QUESTIONS:
            typer.secho(f"Q: {question}", bold=True)
            typer.echo("A: ", nl=False)
            show(chain.stream(question))
            typer.echo("")
    typer.echo(f"Three questions in {time.monotonic() - start:.1f} s. Nothing left this machine.\n")
    typer.echo("Open the page:           make app")
    typer.echo("Ask your own documents:  .venv/bin/octavo ingest FOLDER")
    typer.echo('                         .venv/bin/octavo ask "What ...?"')


if __name__ == "__main__":
    main()
