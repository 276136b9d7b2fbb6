"""`octavo people`: the names with passwords that open the page of a shared machine; mounted by cli.py."""

import getpass
import sys
from typing import Annotated

import typer

from app.options import Json, library_names
from ingest.terminal import print_json, say


def people(
    action: Annotated[str, typer.Argument(help="add or remove; without it, who there is.", metavar="[add|remove]")] = "",
    name: Annotated[str, typer.Argument(help="Whom.", metavar="NAME")] = "",
    json: Json = False,
) -> None:
    """Say who may open the page, by name and password.

    The first added is the owner, who alone changes libraries and model. `add` asks for a password; of a name that is there it changes it.
    `remove` erases that person's conversations too. It counts from the next start of `octavo app`, for those who are there at once.
    """
    from app import people

    if action not in ("", "add", "remove") or bool(action) != bool(name):
        raise typer.BadParameter("say `add NAME`, `remove NAME`, or nothing")
    if action == "add":
        people.put(name, _password())
    elif action == "remove":
        people.remove(name)
        _erase(name)
    names = list(people.passwords())
    if json:
        print_json({"people": [{"name": name, "owner": not place} for place, name in enumerate(names)]})
        return
    for place, name in enumerate(names):
        say(f"{name}{'' if place else ' (owner)'}")
    if not names:
        say("nobody: the page is opened by its token")


def _password() -> str:
    """What is typed, twice and unseen; from a pipe, its first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from ingest import IngestError

    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise IngestError("the two passwords differ", "type it twice alike")
    return password


def _erase(name: str) -> None:
    """Takes a person's conversations out of all libraries: another who is given the name would see them."""
    from ingest import Settings
    from ingest.store.conversations import Conversations

    for library in library_names():
        Conversations(Settings().named_dir(library), name).erase()
