"""What is installed: the wheel has the modules, the weights and the agent's skill, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_the_wheel_has_all_that_octavo_needs_and_no_tests(tmp_path: Path) -> None:
    """Built as pip builds it, which fetches hatchling."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("octavo-*.whl")
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
        skill = opened.read("app/SKILL.md")
    assert skill == (ROOT / "app" / "SKILL.md").read_bytes()
    modules = {path.relative_to(ROOT).as_posix() for room in ("app", "rag", "ingest", "model") for path in (ROOT / room).rglob("*.py")}
    assert modules <= names
    weights = {f"rag/reader/weights/{path.name}" for path in (ROOT / "data" / "reader").iterdir()}
    assert {"model/starter/starter.gguf", *weights} <= names
    assert {name.partition("/")[0] for name in names} == {"app", "rag", "ingest", "model", "octavo-0.1.0.dist-info"}
