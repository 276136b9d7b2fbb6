"""`octavo doctor`: what this machine has of what Octavo needs, and what mends what it lacks; mounted by cli.py."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from app import checks
from app.options import Json, Model, library_names
from ingest.terminal import print_json, say


def doctor(
    library: Annotated[
        str | None, typer.Option("--library", help="Look at this one alone.", metavar="NAME", autocompletion=library_names)
    ] = None,
    model: Model = None,
    json: Json = False,
) -> None:
    """Look at this machine, the settings and the libraries.

    Each finding has its cure. Exit code 0: all well; 1: something is to be mended.
    """
    all_checks: dict[str, Callable[[], Iterable[checks.Finding]]] = {
        "python": checks.python,
        "settings": checks.settings,
        "torch": checks.torch,
        "starter": partial(checks.shipped, "starter"),
        "reader": partial(checks.shipped, "reader"),
        "embedder": checks.embedder,
        "model": partial(checks.model, model),
        "ocr": checks.ocr,
        "libreoffice": checks.libreoffice,
        "servers": checks.servers,
        "disk": checks.disk,
        "libraries": partial(checks.libraries, library),
    }
    findings = []
    for what, check in all_checks.items():
        for finding in checks.guarded(what, check):
            findings.append(finding)
            if not json:
                _print(finding)
    ill = sum(finding.state == "mend" for finding in findings)
    if json:
        print_json({"ok": not ill, "findings": [asdict(finding) for finding in findings]})
    else:
        say(f"{ill} to mend" if ill else "all well")
    raise typer.Exit(1 if ill else 0)


def _print(finding: checks.Finding) -> None:
    say(f"{finding.state:5} {finding.what:12} {finding.found}")
    if finding.cure:
        say(f"{'':18} -> {finding.cure}")
