"""What the how-tos under docs/ show is what is printed: each command of theirs is run over a small folder."""

import json
import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Run
from tests.conftest import ROOT
from tests.rag.test_servers import Handler
from tests.rag.test_servers import Served as ModelServer

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
OLLAMA = "http://localhost:11434"


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def shown(text: str) -> Iterator[tuple[list[str], str]]:
    """The commands of a page's consoles, and what stands below each."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for command, told in re.findall(r"^\$ octavo (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield shlex.split(command), told


def alike(text: str) -> str:
    """What another run prints too."""
    return re.sub(r"\d+\.\d+ s\b", "1.0 s", text)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ollama() -> Iterator[ModelServer]:
    """A stand-in: it answers below /v1 alone."""

    def reply(handler: Handler) -> None:
        if handler.path.startswith("/v1/"):
            handler.stream("Wholemeal costs £3.80 ", "for a 1.5 kg bag [1].")
        else:
            handler.fail(404, "404 page not found")

    server = ModelServer()
    server.reply = reply
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_how_tos_print_what_they_show(
    octavo: Run, home: Path, samples: Path, ollama: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handbook" / "old").mkdir(parents=True)
    (tmp_path / "handbook" / "old" / "hours.csv").write_text("name,hours\nNoor,12\n")
    for name in ("faq.md", "volunteer-handbook.pdf"):
        shutil.copy(samples / name, tmp_path / "handbook")
    text = "".join(map(page, ("big-folders", "ollama", "security"))).replace(OLLAMA, ollama.url).replace("/home/you/octavo", str(home))
    walked = [(words, told) for words, told in shown(text) if words[0] != "serve"]
    assert [words[0] for words, _ in walked] == ["ingest", "ingest", "status", "ask", "ask", "remove", "verify"]
    for words, told in walked:
        ran = octavo(*words)
        assert alike(ran.out + ran.err).startswith(alike(told)), words
        shutil.copytree(home / "libraries" / "handbook", home / "libraries" / "default", dirs_exist_ok=True)
    assert "From faq.md:\n" in ollama.asked[0]["messages"][1]["content"]


@pytest.mark.slow
def test_calibrating_prints_what_its_page_shows(octavo: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures are those of one machine: bf16 rounds otherwise on another."""
    monkeypatch.chdir(tmp_path)
    natural = (ROOT / "tests" / "rag" / "natural.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, natural) if row["documents"] == "samples"]
    asked = [
        {"id": row["id"], "question": row["question"], "answers": [want.partition("|")[0] for want in row["wants"] if row["answerable"]]}
        for row in rows
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, asked)))
    assert octavo("ingest", samples, "--library", "handbook").code == 0
    ((words, told),) = shown(page("calibrate"))
    ran = octavo(*words)
    figures = lambda text: {" ".join(line.split()) for line in re.sub(r"\d+(\.\d+)?%?| *<- chosen", "", text).splitlines()}  # noqa: E731
    assert figures(told) <= figures(ran.out + ran.err)


def test_programs_and_files_that_the_how_tos_name_are_there() -> None:
    pages = {name: page(name) for name in ("big-folders", "ollama", "security", "calibrate", "README")}
    for name, text in pages.items():
        assert text.count("\n") < 90, f"{name} is a how-to of a screen or two"
        for target in re.findall(r"\]\(([^)#]+)\)|python -m pytest (\S+)", text):
            assert any((place / (target[0] or target[1])).exists() for place in (ROOT / "docs", ROOT)), target
    listed = set(re.findall(r"\]\((\w[\w-]*)\.md\)", pages["README"]))
    assert listed >= {"ollama", "big-folders", "calibrate", "security", "evaluate", "api"}
    assert "docs/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "octavo bench ingest handbook\noctavo bench search --chunks 20000\n" in pages["big-folders"]  # run by their own tests
