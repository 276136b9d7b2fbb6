"""The house: one direction of imports, quick help, lazy public names, and a README whose tree is true."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAY_IMPORT = {"app": {"rag", "ingest", "model"}, "rag": {"ingest", "model"}, "ingest": set(), "model": set()}
ROOMS = set(MAY_IMPORT)
HEAVY = {"torch", "langchain", "langchain_core", "chromadb", "streamlit", "sentence_transformers", "transformers"}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_go_one_way(room: str) -> None:
    files = list((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        upward = imported(file) & (ROOMS - MAY_IMPORT[room] - {room})
        assert not upward, f"{file} imports {upward}"


def test_inference_imports_no_transformers_and_no_langchain() -> None:
    for file in (ROOT / "model").rglob("*.py"):
        if "train" not in file.parts:
            assert not imported(file) & {"transformers", "langchain", "langchain_core", "chromadb", "streamlit"}, file


@pytest.mark.parametrize("command", [["-m", "app", "--help"], ["-m", "ingest", "--help"], ["-c", "import app, rag, ingest, model"]])
def test_help_and_importing_the_rooms_load_nothing_heavy(command: list[str]) -> None:
    code = "import runpy, sys; sys.argv = {!r}\ntry: {}\nexcept SystemExit: pass\nprint('LOADED', *sorted({!r} & set(sys.modules)))"
    run = f"runpy.run_module({command[1]!r}, run_name='__main__')" if command[0] == "-m" else command[1]
    done = subprocess.run(
        [sys.executable, "-c", code.format([command[1], *command[2:]], run, HEAVY)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1].strip() == "LOADED", done.stdout


@pytest.mark.parametrize("room", ["rag", "ingest", "model"])
def test_public_names_are_there(room: str) -> None:
    module = importlib.import_module(room)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        _ = module.nothing_like_this


def test_the_readmes_tree_names_every_folder_of_modules_and_none_that_is_gone() -> None:
    tree = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert tree
    named, path = set(), list[str]()
    for indent, folder in re.findall(r"^( *)(\w+)/", tree[1], re.MULTILINE):
        path = [*path[: len(indent) // 2], folder]
        named.add("/".join(path))
    there = {f.parent.relative_to(ROOT).as_posix() for room in ROOMS for f in (ROOT / room).rglob("*.py")}
    assert named == there | {"data", "tests"}


def test_every_folder_of_a_room_says_what_it_is_for() -> None:
    for file in [f for room in ROOMS for f in (ROOT / room).rglob("__init__.py")]:
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file
