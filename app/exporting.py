"""The command that writes a model for other programs; mounted by cli.py."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import Json
from ingest.terminal import print_json, say


def export_model(
    model: Annotated[str, typer.Argument(help="What --model takes: a directory, a .gguf file, ollama:NAME, a hub id.", metavar="MODEL")],
    out: Annotated[Path, typer.Argument(help="A new .gguf file, or a new folder in Hugging Face's layout.", metavar="OUT")],
    json: Json = False,
) -> None:
    """Write a model as a folder or as one GGUF file.

    Other programs open either. Its licence goes with it: Gemma's terms of use hold for what is written too.
    """
    from model.save.export import export_model as write

    size = write(model, out)
    if json:
        print_json({"out": str(out), "bytes": size})
    else:
        say(f"{out}: {size / 1e9:.2f} GB")
