"""`python -m ingest`: exit codes, JSON, one clear line for each mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.run import child


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_exit_codes_and_json_of_an_ingest(folder: Path, home: Path) -> None:
    run = CliRunner().invoke
    first = run(app, [str(folder), "--json"])
    assert first.exit_code == 0, first.output
    receipt = json.loads(first.stdout)
    assert receipt.keys() == {"ok", "counts", "seconds", "index", "files"}
    keys = {"path", "status", "reason", "pages", "chars", "chunks", "seconds"}
    keys |= {"ocr_pages", "empty_pages", "unread_pages", "indexed_chars", "notes"}
    assert len(receipt["files"]) == 3 and all(file.keys() == keys for file in receipt["files"])
    assert (home / "libraries" / "default" / "library.sqlite3").is_file()
    (folder / "blank.txt").write_text(" \n ")
    second = run(app, [str(folder)])
    assert second.exit_code == 1
    assert f"failed: {folder / 'blank.txt'}: no text in it" in second.stderr
    assert second.stdout.startswith("3 unchanged, 1 failed; 0 new chunks in")


def test_a_folder_that_is_missing_beside_one_that_is_there_is_a_failed_line(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(folder), str(tmp_path / "absent")])
    assert done.exit_code == 1
    assert f"failed: {tmp_path / 'absent'}: no file or folder is there; what was read from it is kept" in done.stderr
    assert done.stdout.startswith("3 added, 1 failed; 3 new chunks in")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["absent"], "error: no file or folder at absent"),
        ([".", "--library", "no?name"], "error: 'no?name' can't be a library's name"),
        ([".", "--nonsense"], "No such option: --nonsense"),
        ([], "error: no library at "),
    ],
)
def test_a_mistake_gives_a_line_and_exit_code_2(arguments: list[str], line: str, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(Path(child.__file__).parents[2]), "OCTAVO_HOME": str(tmp_path / "home"), "COLUMNS": "200"}
    command = [sys.executable, "-m", "ingest", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert line in done.stderr and "Traceback" not in done.stderr and not done.stdout


def test_failure_is_json_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(tmp_path / "absent"), "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout).keys() == {"error", "hint"}


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ingest.__main__ import app\ntry: app(['--help'])\nexcept SystemExit as e: assert e.code == 0\n"
        "heavy = {'torch', 'chromadb', 'numpy', 'langchain_core', 'pydantic_settings'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(child.__file__).parents[2], check=True, stdout=subprocess.DEVNULL)


def test_a_script_without_a_main_guard_can_add(folder: Path, tmp_path: Path) -> None:
    """As a streamlit page does: a worker that ran the parent's script again would never end."""
    script = tmp_path / "page.py"
    script.write_text(
        "import sys; from pathlib import Path; from ingest import Embedder; from ingest.run.worker import Request, Workers\n"
        "with Workers(Embedder.load().counter, 1) as workers:\n"
        "    print([reading.reason for _, reading in workers.read([Request(Path(sys.argv[1]), 120)])])\n"
    )
    environment = {"PYTHONPATH": str(Path(child.__file__).parents[2])}
    command = [sys.executable, str(script), str(folder / "mill.txt")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "['']\n", done.stderr


def test_it_stops_when_the_process_that_started_it_is_gone() -> None:
    ignores = "import signal, time; from ingest.run.child import end_with; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    code = ignores + "\ntry: end_with(0); time.sleep(30)\nexcept KeyboardInterrupt: print('stopped')"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(child.__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert done.stdout == "stopped\n", done.stderr
