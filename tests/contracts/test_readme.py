"""What the README shows works as it stands there."""

import asyncio
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model import load_model
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_snippets_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.txt").write_text("The contract was signed by Tom Reed on 4 May 1911.")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(first, names)
    assert re.match(r"Tom Reed.* \[1\] /.*/papers/a\.txt None", capsys.readouterr().out)
    exec(second, names)
    shown = capsys.readouterr().out
    assert re.fullmatch(r"Tom Reed.* \[1\]Tom Reed.* \[1\]\n\[1\] /.*/papers/a\.txt\n", shown)
    assert "4 May 1911" in names["when"].text and names["when"].searched
    assert names["both"]["answer"].text == names["answer"].text and len(names["both"]["passages"]) == 1
    asyncio.run(names["listen"]())
    events = capsys.readouterr().out
    assert events.startswith("Tom Reed") and "[1]on_chain_start\non_retriever_start\non_retriever_end\n" in events


def test_every_octavo_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"\.venv/bin/octavo (\w+)", README))
    assert named == {
        "ingest",
        "ask",
        "app",
        "status",
        "list",
        "show",
        "chat",
        "doctor",
        "remove",
        "verify",
        "export",
        "rename",
        "reembed",
        "bench",
    }
    shown = subprocess.run([sys.executable, "-m", "app", "--help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for command in named | {"eval", "import", "calibrate", "folders", "delete"}:
        assert re.search(rf"^\W*{command}\b", shown, re.MULTILINE)


def test_every_make_target_that_it_names_is_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^ *|also: )make ([\w-]+)", pages, re.MULTILINE))
    assert {"demo", "test", "app", "check", "test-slow"} == named <= targets


def test_every_setting_in_env_example_is_one_and_none_is_missing() -> None:
    from app.settings import Settings as App
    from ingest import Settings as Ingest
    from model.settings import Settings as Model
    from rag.settings import Settings as Rag

    shown = set(re.findall(r"^# (OCTAVO_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    names = [name for settings in (App, Ingest, Model, Rag) for name in settings.model_fields if name != "openai_api_key"]
    fields = {f"OCTAVO_{name.upper()}" for name in names}
    assert shown == fields


def test_files_that_it_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.slow
def test_the_way_to_distil_is_walked_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/distil.md, with tiny models in the places of the large ones and two steps instead of hours."""
    from model.train import distill, tune
    from tests.model.tiny import QUESTIONS, a_teacher

    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "distil.md").read_text(encoding="utf-8"), re.DOTALL)
    commands = "".join(blocks).splitlines()
    a_teacher("Gemma2", tmp_path / "models" / "gemma-2-9b")
    a_teacher("Gemma2", tmp_path / "models" / "gemma-2-2b")
    (tmp_path / "manuals.txt").write_text("The pump is serviced every spring. It stands in the yard of the mill.\n" * 40)
    (tmp_path / "questions.jsonl").write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    monkeypatch.chdir(tmp_path)
    for command in commands:
        program, *words = shlex.split(re.sub(r"--minutes \d+", "--steps 2", command))
        if program == "python":
            run = {"distill": distill, "tune": tune}[words[1].rpartition(".")[2]]
            monkeypatch.setattr(sys, "argv", [*words[1:], *(["--length", "32"] if run is distill else [])])
            run.main()
            assert (tmp_path / "runs").exists() != ("--dry-run" in words)
    model = load_model(words[words.index("--model") + 1])
    assert model.card["prompt"] == "grounded" and list(model.generate(model.tokenizer.encode("pump"), max_new_tokens=2))
