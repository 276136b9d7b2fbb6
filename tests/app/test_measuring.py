"""The commands that measure, as a user runs them: their tables, their JSON, and a run that is stopped."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.measuring import Counted
from tests.app.conftest import Run
from tests.conftest import ROOT

AGE = "Up to what age does the Society's insurance cover volunteers on duty?"
SMOCK = "How much is the deposit for the blue smock?"
QUESTIONS = [
    {"id": "age", "question": AGE, "answers": ["85"]},
    {"id": "smock", "question": SMOCK, "answers": ["£15", "15 pounds"]},
    {"id": "cake", "question": "How do I bake a lemon cake?", "answers": []},
    {"id": "helium", "question": "What is the boiling point of helium?", "answers": []},
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    return file


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_eval_prints_each_figure_with_its_interval(octavo: Run, questions: Path, tmp_path: Path) -> None:
    ran = octavo("eval", questions, "--library", "default", "--out", tmp_path / "p.jsonl")
    assert ran.code == 0
    assert re.search(r"^refusal_recall +1\.0000  \[0\.342, 1\.000\]$", ran.out, re.MULTILINE)
    assert re.search(r"^retrieval_recall +-$", ran.out, re.MULTILINE), "the questions don't say which passages they want"
    assert re.search(r"^4 of 4 questions", ran.err, re.MULTILINE)
    again = octavo("eval", questions, "--library", "default", "--out", tmp_path / "p.jsonl", "--json")
    figures = json.loads(again.out)
    assert figures["kept"] == 4 and set(figures["intervals"]) < set(figures)


def test_compare_names_what_changed(octavo: Run, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octavo("eval", questions, "--library", "default", "--out", tmp_path / "a.jsonl")
    monkeypatch.setenv("OCTAVO_GATE_THRESHOLD", "1")
    octavo("eval", questions, "--library", "default", "--out", tmp_path / "b.jsonl")
    ran = octavo("eval", "--compare", tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert ran.code == 0 and ran.out.startswith("4 questions compared\n")
    assert re.search(r"^gate +threshold 0\.2 -> threshold 1$", ran.out, re.MULTILINE)
    assert re.search(r"^answerable_refused +0\.0000  1\.0000  \+1\.0000 .*within chance$", ran.out, re.MULTILINE), "of two questions"
    assert re.search(r"^right -> refused +2  age, smock$", ran.out, re.MULTILINE)
    assert json.loads(octavo("eval", "--compare", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--json").out)["parts"]["gate"]


def test_a_failed_question_is_told_of_and_the_rest_is_measured(octavo: Run, tmp_path: Path) -> None:
    rows = [QUESTIONS[0], {"id": "long", "question": "mill " * 9000, "answers": ["x"]}]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = octavo("eval", tmp_path / "q.jsonl", "--library", "default")
    assert ran.code == 0 and "1 could not be asked, the first of them long: the question is too long" in ran.err
    assert re.search(r"^right +0\.5000", ran.out, re.MULTILINE)


def test_ids_and_parts_of_whatever_name_are_harmless_on_a_terminal(octavo: Run, tmp_path: Path) -> None:
    name, of = "evil\x1b]0;x\x07\n", {"answerable": 1, "refused": 0, "F1": 0, "EM": 0, "right": 0, "cited": 0, "verified": 0}
    for file, right, model in (("a", 0, "m"), ("b", 1, name)):
        marks = of | {"right": right, "supporting": 0, "found": 0}
        row = {"id": name, "answer": name, "refused": False, "error": "", "marks": marks, "hashes": {"question": "1", "model": model}}
        (tmp_path / file).write_text(json.dumps(row) + "\n")
    for ran in (octavo("eval", "--compare", tmp_path / "a", tmp_path / "b", *more) for more in ([], ["--json"])):
        assert ran.code == 0 and "evil" in ran.out and not {"\x1b", "\x07"} & set(ran.out)


MISTAKES = {
    "one file to compare": (["eval", "--compare", "a.jsonl"], "give two files"),
    "two files of questions": (["eval", "a.jsonl", "b.jsonl"], "one file of questions"),
    "both at once": (["eval", "--compare", "--retrieval", "a", "b"], "don't go together"),
    "questions as predictions": (["eval", "--compare", "questions.jsonl", "questions.jsonl"], "no 'answer' in it"),
    "written over questions": (["eval", "questions.jsonl", "--library", "default", "--out", "questions.jsonl"], "not a prediction"),
    "a folder to write": (["eval", "questions.jsonl", "--library", "default", "--out", "."], "Is a directory"),
    "one question to bench": (["bench", "ask", "one.jsonl"], "only one question"),
    "bench without questions": (["bench", "ask", "none.jsonl"], "can't be read"),
    "nothing to calibrate with": (["calibrate", "one.jsonl", "--library", "default"], "no questions without an answer"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(
    octavo: Run, questions: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.jsonl").write_text(json.dumps(QUESTIONS[0]))
    args, message = MISTAKES[name]
    before = questions.read_bytes()
    ran = octavo(*args)
    assert ran.code == 2 and ran.out == "" and "Traceback" not in ran.err
    assert message in " ".join(ran.err.replace("│", " ").split())
    assert questions.read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "line"), [(20, "60 of 100 questions, 2.0 a second, 20 s left"), (2, "42 of 100 questions, 5.0 s each, 5 min left")]
)
def test_how_far_it_is_says_rate_and_time_left(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: int, line: str
) -> None:
    """What an earlier run answered took no time."""
    told, now = Counted("questions"), [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    told(40, 100)
    now[0] += 2
    told(40 + asked // 2, 100)
    now[0] += 8
    told(40 + asked, 100)
    assert capfd.readouterr().err.splitlines() == ["40 of 100 questions"], "every half minute is enough for a file"
    told._next = 0
    told(40 + asked, 100)
    assert capfd.readouterr().err.splitlines() == [line]


@pytest.mark.slow
def test_every_command_of_the_page_on_evaluating_runs_as_it_stands(
    octavo: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/evaluate.md, over one sample document and with its own questions."""
    page = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handbook").mkdir()
    shutil.copy(samples / "faq.md", tmp_path / "handbook")
    shown = re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "questions.jsonl").write_text(shown + json.dumps(QUESTIONS[3]) + "\n", encoding="utf-8")
    (tmp_path / "corpus.jsonl").write_text('{"id": "1", "text": "The mill was built in 1641."}\n')
    (tmp_path / "queries.jsonl").write_text('{"id": "a", "text": "When was the mill built?", "relevant": ["1"]}\n')
    commands = "".join(re.findall(r"```bash\n(.*?)```", page, re.DOTALL)).splitlines()
    assert len(commands) == 7
    for command in commands:
        words = shlex.split(command)
        with monkeypatch.context() as around:
            while "=" in words[0]:
                around.setenv(*words.pop(0).split("=", 1))
            assert words.pop(0) == "octavo"
            ran = octavo(*words)
        assert ran.code == 0, ran.err
    assert {"retrieve", "read", "gate", "generate", "whole", "first_ms", "processor"} <= set(json.loads(ran.out.splitlines()[-1]))
    assert len(written(tmp_path / "before.jsonl")) == len(written(tmp_path / "after.jsonl")) == 4


@pytest.mark.slow
def test_ctrl_c_leaves_a_file_with_which_the_same_command_goes_on(octavo: Run, home: Path, tmp_path: Path) -> None:
    out, rows = tmp_path / "p.jsonl", [{"id": n, "question": f"{AGE} {n}", "answers": ["85"]} for n in range(60)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    args = ["eval", str(tmp_path / "q.jsonl"), "--library", "default", "--out", str(out)]
    command = [
        sys.executable,
        "-c",
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom app.cli import main; main()",
    ]
    process = subprocess.Popen([*command, *args], cwd=ROOT, env={**os.environ, "OCTAVO_HOME": str(home)}, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (out.exists() and out.read_bytes().count(b"\n") >= 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and f"stopped: {out} holds what was answered, and the same command goes on" in told
    first = out.read_text()
    assert 2 <= first.count("\n") < 60 and "Traceback" not in told
    ran = octavo(*args, "--json")
    assert ran.code == 0 and json.loads(ran.out)["kept"] == first.count("\n")
    assert out.read_text().startswith(first) and [row["id"] for row in written(out)] == list(range(60))
