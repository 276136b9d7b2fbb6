"""`python -m ingest PATH...` is `octavo ingest PATH...`."""

import os

import typer

from ingest.cli import ingest

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
app.command()(ingest)

if __name__ == "__main__":
    os.nice(19)  # questions asked meanwhile come first
    app(prog_name="python -m ingest")
