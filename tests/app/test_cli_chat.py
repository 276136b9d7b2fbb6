"""`octavo chat`: questions that stand on the ones before, kept where the page shows them, stopped without being lost."""

import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.store.conversations import Conversations
from tests.app.conftest import Ran, Run
from tests.conftest import ROOT
from tests.contracts.test_imports import HEAVY

AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home / "libraries" / "default", tmp_path / "library"))


@pytest.fixture
def chat(octavo: Run, library: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    def run(*lines: str, options: tuple[str, ...] = ()) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return octavo("chat", "--library", library, *options)

    return run


def test_answers_have_footnotes_and_their_passages_on_request(chat: Callable[..., Ran]) -> None:
    ran = chat(AGE, "/sources")
    answer, footnote, *passages = ran.out.partition("\n\n")[0], *re.findall(r"^ *\[1\].*page 7$", ran.out, re.MULTILINE)
    assert ran.code == 0 and "85" in answer
    assert footnote == "  [1] volunteer-handbook.pdf, page 7"
    assert len(passages) == 1 and re.fullmatch(r"\[1\] /.*/volunteer-handbook\.pdf, page 7", passages[0])


def test_a_question_stands_on_those_before_until_a_new_conversation(chat: Callable[..., Ran], library: Path) -> None:
    ran = chat(AGE, "", "And whom does it cover?", "/new", "What does a ticket cost?", "/quit", "never asked", options=("--json",))
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert len(answers) == 3 and answers[1]["searched"] and not answers[2]["searched"]
    kept = Conversations(library)
    assert [conversation.title for conversation in kept.all()] == ["What does a ticket cost?", AGE]
    turns = kept.turns(kept.all()[1].id)
    assert [turn.question for turn in turns] == [AGE, "And whom does it cover?"] and {turn.state for turn in turns} == {"done"}
    assert turns[0].answer["text"] == answers[0]["answer"] and turns[0].answer["citations"][0]["name"] == "volunteer-handbook.pdf, page 7"


def test_what_goes_wrong_with_one_question_is_told_and_the_next_is_answered(chat: Callable[..., Ran], library: Path) -> None:
    ran = chat("What?", "What?", options=("--in", "nowhere.md", "--json"))
    assert ran.code == 0 and [set(json.loads(line)) for line in ran.out.splitlines()] == [{"error", "hint"}] * 2
    kept = Conversations(library)
    (conversation,) = kept.all()
    assert [(turn.state, bool(turn.answer["trouble"])) for turn in kept.turns(conversation.id)] == [("failed", True)] * 2


def test_an_unknown_command_is_told_with_those_there_are(chat: Callable[..., Ran]) -> None:
    ran = chat("/help", "/sources")
    assert "/new" in ran.err and "/quit" in ran.err and "no answer yet" in ran.err and not ran.out


def test_where_nothing_can_be_kept_it_is_said_once_and_answered(chat: Callable[..., Ran], library: Path) -> None:
    (library / "conversations.sqlite3").write_bytes(b"no database at all" * 99)
    ran = chat(AGE, AGE)
    assert ran.code == 0 and ran.out.count("page 7") == 2 and ran.err.count("not kept") == 1


def test_without_a_question_nothing_heavy_is_loaded(library: Path) -> None:
    code = "import sys; from app.cli import main\ntry: main()\nfinally: print('LOADED', *sys.modules)"
    command = [sys.executable, "-c", code, "chat", "--library", library]
    done = subprocess.run(command, input="/help\n", capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0 and not set(done.stdout.rpartition("LOADED")[2].split()) & ((HEAVY - {"langchain_core"}) | {"numpy"})


class Terminal:
    """`octavo chat` on a terminal of its own."""

    def __init__(self, *arguments: str | Path) -> None:
        self._shown = ""
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            os.environ["TERM"] = "dumb"
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite in the background has it ignored, and what it starts
            os.execv(sys.executable, [sys.executable, "-m", "app", "chat", *map(str, arguments)])

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, wanted: str, seconds: float = 60) -> str:
        """What is shown up to this, from where it was looked at last."""
        assert self._shows(wanted, seconds), self._shown
        seen, _, self._shown = self._shown.partition(wanted)
        return seen

    def interrupt(self, until: str) -> None:
        """Presses Ctrl-C, and again where it is not heard: Python's readline misses one in some 500, that comes while it handles a key."""
        presses = 0
        while not self._shows(until, 10 * presses):
            assert presses < 6, self._shown
            self.type("\x03")
            presses += 1
        self.until(until)

    def _shows(self, wanted: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while wanted not in self._shown:
            if not select.select([self._terminal], [], [], max(0, end - time.monotonic()))[0]:
                return False
            self._shown += os.read(self._terminal, 4096).decode(errors="replace")
        return True

    def ended(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal(library: Path) -> Iterator[Terminal]:
    opened = Terminal("--library", library)
    yield opened
    try:
        os.kill(opened.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    opened.ended()


def test_ctrl_c_stops_the_answer_and_not_the_conversation(terminal: Terminal, library: Path) -> None:
    terminal.until("> ")
    terminal.type("half a line")
    terminal.until("half a line")
    terminal.interrupt(until="> ")
    terminal.type("Summarise all documents\n")
    terminal.until("(taken as: summarise")
    terminal.interrupt(until="(stopped)")
    terminal.until("> ")
    terminal.type(f"{AGE}\n")
    assert "85" in terminal.until("page 7")
    terminal.until("> ")
    terminal.type("\x04")
    assert terminal.ended() == 0
    kept = Conversations(library)
    assert [turn.state for turn in kept.turns(kept.all()[0].id)] == ["cut", "done"]
