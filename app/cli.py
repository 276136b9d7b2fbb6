"""The `octavo` command. Each command parses, calls one room and prints; the rooms are imported when they are needed.

Data goes to stdout, progress to stderr. A mistake is one line with a hint, never a traceback; with --json it is JSON too.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app import examples, exporting, keeping, looking, measuring
from app.chatting import chat
from app.doctor import doctor
from app.inviting import people
from app.mistakes import as_mistake
from app.options import Json, Library, Model, Within
from app.quiet import keep_quiet
from ingest.cli import ingest
from ingest.run.pace import line
from ingest.run.receipt import summarize
from ingest.terminal import Told, one_line, prepare_streams, print_json, say, tell, worded

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True, epilog=examples.MAIN)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"octavo {version('octavo')}")
        raise typer.Exit


@app.callback()
def octavo(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Ask your own documents, on your own machine."""


app.command(epilog=examples.INGEST)(ingest)


@app.command(epilog=examples.ASK)
def ask(
    words: Annotated[list[str], typer.Argument(help="The question; quotes are not needed.", metavar="QUESTION")],
    library: Library = "default",
    model: Model = None,
    within: Within = None,
    mode: Annotated[
        str,
        typer.Option("--mode", help="auto, answer, summarise, compare, every, each, which or compute: what to do with it.", metavar="MODE"),
    ] = "auto",
    each: Annotated[bool, typer.Option("--each", help="Ask it of each document (of those --in PATH): a table.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="With --each: write the table here.", metavar="FILE")] = None,
    json: Json = False,
) -> None:
    """Answer a question, with the passages that it stands on."""
    from app.answers import open_chain, show, show_each
    from rag.query import read_query

    if csv and not each:
        raise typer.BadParameter("--csv FILE goes with --each")
    query = {"question": " ".join(words), "within": within or None, "mode": mode}
    read_query(query)  # what is wrong with it is told before anything heavy is loaded
    with open_chain(library, model) as chain:
        if each:
            show_each(chain.each(query), csv, json)
        elif json:
            print_json(chain.invoke(query).to_dict())
        else:
            show(chain.stream(query))


app.command(epilog=examples.CHAT)(chat)
app.command(name="list", epilog=examples.LIST)(looking.documents)
app.command(epilog=examples.SHOW)(looking.show)


@app.command(epilog=examples.STATUS)
def status(library: Library = "default", json: Json = False) -> None:
    """Say how much is in a library, what goes on, and what failed."""
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        facts = store.status()
    if json:
        print_json(facts)
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


@app.command(epilog=examples.VERIFY)
def verify(
    library: Library = "default",
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild the index; find the places of words that have none.")] = False,
    json: Json = False,
) -> None:
    """Check that database and index agree.

    Exit code 0: they do; 1: they don't.
    """
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        report = store.verify(repair=repair)
    if json:
        print_json(report.to_dict())
    else:
        for problem in report.problems:
            say(problem)
        say("sound" if report.ok else "damaged: run it again with --repair")
    raise typer.Exit(0 if report.ok else 1)


@app.command(epilog=examples.REMOVE)
def remove(path: Annotated[str, typer.Argument(help="A file or folder.")], library: Library = "default", json: Json = False) -> None:
    """Take documents out of a library, for good.

    Their text, words and vectors go, and the copies of files that were uploaded on the page. Your own files stay, and the
    library passes them over until `octavo ingest FILE` names one.
    """
    from ingest import Library as Store
    from ingest import Settings

    with Store.open(Settings().library_dir(library)) as store:
        removed = store.remove(path)
    if json:
        print_json({"removed": removed})
    else:
        say(f"{removed} removed")


@app.command(epilog=examples.REEMBED)
def reembed(
    embedder: Annotated[str, typer.Argument(help="A sentence-transformers model: a name or a directory.", metavar="EMBEDDER")],
    library: Library = "default",
    json: Json = False,
) -> None:
    """Make all vectors anew with another embedder.

    They are made from the text that the library holds; no file is read again.
    """
    from ingest import Embedder, Settings
    from ingest import Library as Store

    count = Store.reembed(Settings().library_dir(library), Embedder.load(embedder), Told())
    if json:
        print_json({"vectors": count, "embedder": embedder})
    else:
        say(f"{count} vectors made by {embedder}")


app.command(epilog=examples.FOLDERS)(keeping.folders)
app.command(epilog=examples.RENAME)(keeping.rename)
app.command(epilog=examples.DELETE)(keeping.delete)
app.command(name="export", epilog=examples.EXPORT)(keeping.export_file)
app.command(name="import", epilog=examples.IMPORT)(keeping.import_file)
app.command(name="export-model", epilog=examples.EXPORT_MODEL)(exporting.export_model)
app.command(epilog=examples.DOCTOR)(doctor)


@app.command(name="app", epilog=examples.APP)
def page(port: Annotated[int, typer.Option(help="The page's port on 127.0.0.1.", min=1, max=65535)] = 8501, json: Json = False) -> None:
    """Open the page in a browser.

    It prints the address, whose token keeps other accounts and web pages out; where `octavo people` names some, it asks for name and
    password instead.
    """
    from app.door import listening
    from app.people import passwords
    from app.settings import Settings
    from ingest.run import child

    Settings(), passwords()  # what is wrong with them is told here, in a line
    listening(port).close()  # and so is a port that is taken
    command, environment = child.python("app.serve", str(port), *(["--json"] if json else []))
    os.execve(command[0], command, environment)  # noqa: S606  # no shell is wanted


app.command(epilog=examples.PEOPLE)(people)


@app.command(epilog=examples.SERVE)
def serve(
    port: Annotated[int, typer.Option(help="Its port on 127.0.0.1.", min=1, max=65535)] = 8502,
    library: Library = "default",
    model: Model = None,
    json: Json = False,
) -> None:
    """Answer other programs in OpenAI's protocol.

    Chat with citations, search, documents. It prints the address and the token.
    """
    from ingest import Library as Store
    from ingest import Settings

    Store.open(Settings().library_dir(library)).close()  # one that isn't there is told before torch is loaded
    from app.api import serve as answer

    answer(port, library, model, json)


@app.command(epilog=examples.MCP)
def mcp(
    port: Annotated[int | None, typer.Option(help="Over HTTP, on this port of 127.0.0.1.", min=1, max=65535)] = None,
    library: Library = "default",
    model: Model = None,
    json: Json = False,
) -> None:
    """Be tools of an agent, over MCP.

    Ask, search, list documents, open a source: over the Model Context Protocol, on stdin and stdout.
    """
    from importlib.util import find_spec

    from ingest import IngestError, Settings
    from ingest import Library as Store

    if find_spec("mcp") is None:
        raise IngestError("octavo mcp needs one more package", "pip install 'octavo[mcp]'")
    Store.open(Settings().library_dir(library)).close()  # one that isn't there is told before torch is loaded
    from app.mcp import serve

    serve(port, library, model, json)


app.command(name="eval", epilog=examples.EVAL)(measuring.evaluate)
app.command(epilog=examples.CALIBRATE)(measuring.calibrate)
app.add_typer(measuring.bench, name="bench")


_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for a command line that it doesn't understand."""


def main() -> None:
    """Runs the command; a user's mistake ends as `error: ...` and `hint: ...` with exit code 2."""
    keep_quiet()
    as_data = "--json" in sys.argv
    prepare_streams(as_data)
    gc.set_threshold(50_000)  # what a start makes are modules, which stay: looking for garbage in them was a sixth of it
    if sys.argv[1:2] == ["ingest"]:
        os.nice(19)  # questions asked meanwhile come first
    try:
        sys.exit(app(prog_name="octavo", standalone_mode=False))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except _UsageError as error:
        _tell_usage(error, as_data)
    except Exception as error:
        mistake = as_mistake(error)
        if mistake is None:
            raise
        tell(*mistake, as_data)
    sys.exit(2)


def _tell_usage(error: Any, as_data: bool) -> None:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    what = error.format_message().rstrip(".")
    path = error.ctx.command_path if error.ctx else "octavo"
    tell(what[:1].lower() + what[1:], f"`{path} --help` shows what it takes, with examples", as_data)


if __name__ == "__main__":
    main()
