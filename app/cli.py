"""The `octavo` command. Each command parses, calls one room and prints; the rooms are imported when they are needed.

Data goes to stdout, progress to stderr. A mistake is one line with a hint, never a traceback; with --json it is JSON too.
"""

import gc
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app import measuring
from app.measuring import Json, Model
from app.mistakes import as_mistake
from app.quiet import keep_quiet
from ingest.cli import ingest
from ingest.run.pace import line
from ingest.run.receipt import summarize
from ingest.terminal import Told, as_json, one_line, say, tell, worded

app = typer.Typer(
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Ask your own documents, on your own machine.",
)
Library = Annotated[str, typer.Option("--library", help="A library's name or directory.", metavar="NAME")]

app.command()(ingest)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    library: Library = "default",
    model: Model = None,
    within: Annotated[
        list[str] | None, typer.Option("--in", help="A document or folder to look in; may be given again.", metavar="PATH")
    ] = None,
    mode: Annotated[
        str,
        typer.Option("--mode", help="auto, answer, summarise, compare, every, each, which or compute: what to do with it.", metavar="MODE"),
    ] = "auto",
    each: Annotated[bool, typer.Option("--each", help="Ask it of each document (of those --in PATH): a table.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="With --each: write the table here.", metavar="FILE")] = None,
    json: Json = False,
) -> None:
    """Answer a question from a library's documents, with the passages that the answer stands on."""
    from app.answers import open_chain, show, show_each
    from rag.query import read_query

    if csv and not each:
        raise typer.BadParameter("--csv FILE goes with --each")
    query = {"question": question, "within": within or None, "mode": mode}
    read_query(query)  # what is wrong with it is told before anything heavy is loaded
    with open_chain(library, model) as chain:
        if each:
            show_each(chain.each(query), csv, json)
        elif json:
            _print_json(chain.invoke(query).to_dict())
        else:
            show(chain.stream(query))


@app.command()
def status(library: Library = "default", json: Json = False) -> None:
    """Say what is in a library, how far the ingest is that is going on, and what the last one did."""
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        facts = store.status()
    if json:
        _print_json(facts)
        return
    going, last = facts.pop("running"), facts.pop("last_receipt")
    for name, value in facts.items():
        if value != "":
            say(f"{name.replace('_', ' '):20} {value}")
    if going:
        say(f"{'running':20} {line(going)} (pid {going['pid']})")
    if last:
        summary = summarize(last)
        typer.echo(f"{'last ingest':20} {one_line(last['finished'])}: {worded(summary)}")
        for path, reason in summary.failed:
            say(f"  failed: {path}: {reason}")


@app.command()
def verify(
    library: Library = "default",
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild the index; find the places of words that have none.")] = False,
    json: Json = False,
) -> None:
    """Check that database and index agree. Exit code 0: they do; 1: they don't."""
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        report = store.verify(repair=repair)
    if json:
        _print_json(report.to_dict())
    else:
        for problem in report.problems:
            say(problem)
        say("sound" if report.ok else "damaged: run it again with --repair")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def remove(path: Annotated[str, typer.Argument(help="A file or folder.")], library: Library = "default", json: Json = False) -> None:
    """Take documents out of a library: their text, words and vectors, for good. The files themselves stay."""
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        removed = store.remove(path)
    if json:
        _print_json({"removed": removed})
    else:
        say(f"{removed} removed")


@app.command()
def reembed(
    embedder: Annotated[str, typer.Argument(help="A sentence-transformers model: a name or a directory.", metavar="EMBEDDER")],
    library: Library = "default",
) -> None:
    """Make all vectors of a library anew with another embedder, from the text that it holds."""
    from ingest import Embedder, Settings
    from ingest import Library as Store

    count = Store.reembed(Settings().library_dir(library), Embedder.load(embedder), Told())
    say(f"{count} vectors made by {embedder}")


@app.command(name="export")
def export_file(file: Annotated[Path, typer.Argument(help="The file to write.")], library: Library = "default") -> None:
    """Back a library up into one file."""
    from ingest import Settings
    from ingest.store.backup import export_library

    size = export_library(Settings().library_dir(library), file)
    say(f"{file}: {size / 1e6:.1f} MB; `octavo import {file} --library NAME` brings it back")


@app.command(name="import")
def import_file(file: Annotated[Path, typer.Argument(help="A file that export wrote.")], library: Library = "default") -> None:
    """Bring a library back from a file, checked, under a name that is free."""
    from ingest import Library as Store
    from ingest import Settings
    from ingest.store.backup import import_library

    directory = Settings().library_dir(library)
    import_library(file, directory)
    with Store.open(directory) as store:
        facts = store.status()
    say(f"{facts['documents']} documents, {facts['chunks']} chunks in {directory}")


@app.command(name="app")
def page(port: Annotated[int, typer.Option(help="The page's port on 127.0.0.1.", min=1, max=65535)] = 8501) -> None:
    """Open the page in a browser. It prints the address, whose token keeps other accounts and web pages out."""
    from app.settings import Settings
    from ingest.run import child

    Settings()  # what is wrong with it is told here, in a line
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            error.filename = f"127.0.0.1:{port}"
            raise
    command, environment = child.python("app.serve", str(port))
    os.execve(command[0], command, environment)  # noqa: S606  # no shell is wanted


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Its port on 127.0.0.1.", min=1, max=65535)] = 8502,
    library: Library = "default",
    model: Model = None,
) -> None:
    """Answer other programs in OpenAI's protocol: chat with citations, search, documents. It prints the address and the token."""
    from ingest import Library as Store
    from ingest import Settings

    Store.open(Settings().library_dir(library)).close()  # one that isn't there is told before torch is loaded
    from app.api import serve as answer

    answer(port, library, model)


@app.command()
def mcp(
    port: Annotated[int | None, typer.Option(help="Over HTTP, on this port of 127.0.0.1.", min=1, max=65535)] = None,
    library: Library = "default",
    model: Model = None,
) -> None:
    """Be tools of an agent, over the Model Context Protocol, on stdin and stdout: ask, search, list documents, open a source."""
    from importlib.util import find_spec

    from ingest import IngestError, Settings
    from ingest import Library as Store

    if find_spec("mcp") is None:
        raise IngestError("octavo mcp needs one more package", "pip install 'octavo[mcp]'")
    Store.open(Settings().library_dir(library)).close()  # one that isn't there is told before torch is loaded
    from app.mcp import serve

    serve(port, library, model)


app.command(name="eval")(measuring.evaluate)
app.command()(measuring.calibrate)
app.add_typer(measuring.bench, name="bench")


def _print_json(data: Any) -> None:
    print(as_json(data), flush=True)


def main() -> None:
    """Runs the command; a user's mistake ends as `error: ...` and `hint: ...` with exit code 2."""
    keep_quiet()
    gc.set_threshold(50_000)  # what a start makes are modules, which stay: looking for garbage in them was a sixth of it
    if sys.argv[1:2] == ["ingest"]:
        os.nice(19)  # questions asked meanwhile come first
    try:
        app(prog_name="octavo")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        mistake = as_mistake(error)
        if mistake is None:
            raise
        tell(*mistake, as_data="--json" in sys.argv)
        sys.exit(2)


if __name__ == "__main__":
    main()
