"""`python -m ingest PATH...` is `octavo ingest PATH...`."""

import typer

from ingest.cli import ingest

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
app.command()(ingest)

if __name__ == "__main__":
    app(prog_name="python -m ingest")
