"""The house: one direction of imports, quick help, lazy public names, and a README whose tree is true."""

import ast
import importlib
import os
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
        if "train" not in file.parts and file.name != "peers.py":  # whom a bench runs beside us
            assert not imported(file) & {"transformers", "langchain", "langchain_core", "chromadb", "streamlit"}, file


@pytest.mark.parametrize("command", [["-m", "app", "--help"], ["-m", "ingest", "--help"], ["-c", "import app, rag, ingest, model"]])
def test_help_and_importing_the_rooms_load_nothing_heavy(command: list[str]) -> None:
    code = "import runpy, sys; sys.argv = {!r}\ntry: {}\nexcept SystemExit: pass\nprint('LOADED', *sorted({!r} & set(sys.modules)))"
    run = f"runpy.run_module({command[1]!r}, run_name='__main__')" if command[0] == "-m" else command[1]
    done = subprocess.run(
        [sys.executable, "-c", code.format([command[1], *command[2:]], run, HEAVY)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1].strip() == "LOADED", done.stdout


def modules_after(*arguments: str, home: Path) -> tuple[int, set[str]]:
    """The exit code of `octavo` with these arguments, in a process of its own, and all modules that it had loaded at its end."""
    code = "import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); from app.cli import main; main()"
    environment = os.environ | {"OCTAVO_HOME": str(home)}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    return done.returncode, set(done.stdout.rpartition("LOADED")[2].split())


def test_a_question_to_a_small_library_loads_no_library_that_it_does_without(sample_library: Path, tmp_path: Path) -> None:
    code, loaded = modules_after("ask", "How many volunteers are there?", "--library", str(sample_library), home=tmp_path)
    assert code == 0 and {"torch", "tokenizers", "langchain_core"} <= loaded
    without = {
        "sentence_transformers",
        "transformers",
        "sklearn",
        "scipy",
        "pandas",
        "chromadb",
        "streamlit",
        "langchain",
        "PIL",
        "huggingface_hub",
    }
    assert not without & loaded


@pytest.mark.parametrize(
    ("arguments", "ends"),
    [
        (["status", "--library", "LIBRARY"], 0),
        (["ask", " ", "--library", "LIBRARY"], 2),
        (["ask", "Who?", "--in", "", "--library", "LIBRARY"], 2),
        (["ask", "Who?", "--library", "gone"], 2),
        (["status", "--library", "gone"], 2),
    ],
)
def test_what_needs_no_model_loads_nothing_heavy(arguments: list[str], ends: int, sample_library: Path, tmp_path: Path) -> None:
    code, loaded = modules_after(*(str(sample_library) if part == "LIBRARY" else part for part in arguments), home=tmp_path)
    assert code == ends and loaded and not loaded & ((HEAVY - {"langchain_core"}) | {"numpy", "model.engine"})


@pytest.mark.parametrize(
    ("loads", "given", "spins"),
    [
        ("ingest", {}, "12000"),
        ("model", {}, "12000"),
        ("rag.chain", {}, "12000"),
        *(
            (room, given, kept)
            for room in ("ingest", "model")
            for given, kept in (({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "passive"}, "None"))
        ),
    ],
)
def test_threads_spin_for_a_short_time_unless_the_user_says_otherwise(loads: str, given: dict[str, str], spins: str) -> None:
    code = f"""
import os, sys
class Torch:
    def find_spec(self, name, *_):
        if name == "torch":
            sys.exit(print(os.environ.get("GOMP_SPINCOUNT")))
sys.meta_path.insert(0, Torch())
import {loads}
print(os.environ.get("GOMP_SPINCOUNT"))
"""
    bare = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=bare | given, check=True)
    assert done.stdout.split() == [spins]


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
