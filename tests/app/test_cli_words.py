"""The command line as people type it: without quotes, by the examples in its help, into pipes and odd terminals."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app.answers import show
from app.cli import app
from app.programs import announce
from rag.answer import Answer, Citation
from tests.app.conftest import Run
from tests.conftest import ROOT

GROUP: Any = typer.main.get_command(app)
COMMANDS = {**{name: command for name, command in GROUP.commands.items() if name != "bench"}, "": GROUP}


def examples() -> Iterator[str]:
    for command in COMMANDS.values():
        yield from re.findall(r"^  (octavo .*?)(?:  |$)", command.epilog or "", re.MULTILINE)
    for page in (ROOT / "docs").glob("*.md"):
        yield from re.findall(r"^octavo .*$", page.read_text(encoding="utf-8"), re.MULTILINE)


def octavo_in_a_process(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "app", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, check=False)


def test_a_question_needs_no_quotes_and_options_may_stand_anywhere(octavo: Run, samples: Path) -> None:
    asked = octavo("ask", "Up", "to", "what", "age", "are", "volunteers", "insured?", "--json", "--in", samples, "please")
    assert json.loads(asked.out)["citations"], asked
    ran = octavo("ask", "what", "does", "-5", "mean")
    assert ran.code == 2 and ran.err.startswith("error: no such option: -5")


def test_every_command_shows_examples_and_has_json() -> None:
    for name, command in COMMANDS.items():
        assert (command.epilog or "").startswith("\b\nExamples:\n  octavo "), name
    telling = [command for name, command in COMMANDS.items() if name]
    for command in [*telling, *GROUP.commands["bench"].commands.values()]:
        assert any("--json" in option.opts for option in command.params), command.name


def test_a_full_disk_and_ctrl_c_while_it_is_loaded_leave_no_traceback(home: Path, tmp_path: Path) -> None:
    environment = os.environ | {"OCTAVO_HOME": str(home)}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "app", "list"], cwd=ROOT, env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ran.stderr == "error: what is printed can't be written: No space left on device\n" and ran.returncode == 2
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    pressed = octavo_in_a_process("list", PYTHONPATH=str(tmp_path))
    assert (pressed.returncode, pressed.stdout, pressed.stderr) == (130, b"", b"")


def test_where_a_door_listens_is_told_to_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    announce("http://127.0.0.1:9/v1", "a-token", given=False, as_data=True)
    announce("http://127.0.0.1:9/v1", "a-token", given=True, as_data=True)
    made, given = map(json.loads, capsys.readouterr().out.splitlines())
    assert made == {"address": "http://127.0.0.1:9/v1", "token": "a-token"} and given == made | {"token": None}


@pytest.mark.parametrize("line", sorted(set(examples())))
def test_every_example_is_understood(line: str) -> None:
    _, name, *rest = shlex.split(line.partition(" < ")[0])
    if name == "COMMAND":
        name = "ask"
    parameters = GROUP.commands[name].make_context(name, [word for word in rest if word != "--help"] or ["x"] * (rest == ["--help"])).params
    assert "octavo" not in parameters


def test_help_says_each_command_in_a_line_that_is_not_cut(octavo: Run) -> None:
    shown = octavo("--help").out
    listed = shown.partition("Commands:\n")[2].partition("Examples:")[0]
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in GROUP.commands)
    assert "..." not in listed


@pytest.mark.parametrize("args", [["ask"], ["nonsense"], ["ask", "x", "--nonsense"], ["show"], ["bench", "search", "--chunks", "few"]])
def test_a_command_line_that_is_not_understood_is_one_line_and_json_for_programs(octavo: Run, args: list[str]) -> None:
    ran = octavo(*args)
    assert ran.code == 2 and re.fullmatch(r"error: [^\n]+\nhint: `octavo.* --help` [^\n]+\n", ran.err) and not ran.out
    assert set(json.loads(octavo(*args, "--json").out)) == {"error", "hint"}


def test_the_version_is_told(octavo: Run) -> None:
    assert re.fullmatch(r"octavo \d+\.\d+\.\d+\n", octavo("--version").out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_names_of_libraries(shell: str, home: Path) -> None:
    asks = {"_OCTAVO_COMPLETE": f"complete_{shell}", "OCTAVO_HOME": str(home)}

    def offered(line: str) -> str:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_TYPER_COMPLETE_ARGS": line}
        return octavo_in_a_process(**asks, **words, _TYPER_COMPLETE_FISH_ACTION="get-args").stdout.decode()

    assert "status" in offered("octavo sta")
    assert "default" in offered("octavo status --library def")


def test_a_terminal_without_the_letters_shows_the_rest_and_json_loses_none(tmp_path: Path) -> None:
    place = {"OCTAVO_HOME": str(tmp_path), "PYTHONIOENCODING": "latin-1"}
    name = "Łódź 北京 é"
    ran = octavo_in_a_process("status", "--library", name, **place)
    assert ran.returncode == 2 and b"error: no library at " in ran.stderr and b"Traceback" not in ran.stderr
    assert "?ód? ?? é" in ran.stderr.decode("latin-1")
    told = octavo_in_a_process("status", "--library", f"{name}😀", "--json", **place)
    assert f"{name}😀" in json.loads(told.stdout.decode("latin-1"))["error"]


@pytest.mark.slow
def test_a_closed_stdout_is_no_reason_to_fail_and_what_is_printed_goes_into_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The mill stands by the river.")
    octavo = f"{shlex.quote(sys.executable)} -m app"
    script = (
        f"{octavo} ingest a.txt --library ./lib >&- 2>&- <&-; {octavo} status --library ./lib >&-; echo $?; {octavo} verify --library ./lib"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout == "0\nsound\n", ran


def test_a_reader_that_goes_away_ends_it_quietly(home: Path) -> None:
    script = f"{shlex.quote(sys.executable)} -m app status | true"
    ran = subprocess.run(["sh", "-c", script], cwd=ROOT, env=os.environ | {"OCTAVO_HOME": str(home)}, capture_output=True, check=False)
    assert not ran.stderr


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_quotes_fit_a_narrow_terminal(columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "The ferry sails at noon from the old pier. " * 5
    show([Answer("It sails.", citations=(Citation(1, "/d/a.md", None, None, 0, len(text), text, True),))])
    quoted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("      ")]
    assert quoted and all(len(line) <= max(columns, 26) for line in quoted)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_words_are_bold_only_on_a_terminal_that_wants_it(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.answers import styled

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(name, value)
    assert styled(Terminal()) == (value == "xterm")  # type: ignore[arg-type]
