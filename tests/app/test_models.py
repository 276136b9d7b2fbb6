"""The model that answers on the page: chosen among what this machine has, changed between two answers, one in memory at a time."""

import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import checks, choosing, memory, nearby
from app.checks import Finding
from app.models import Models
from ingest import IngestError, Library
from model import ModelError, native
from model.config import SHAPES
from model.load.sources import read_checkpoint, starter_file
from rag import RagError
from rag.chain import AnswerChain
from rag.models import answer_model
from rag.settings import Settings

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


class Big:
    """Stands for a model: all that is counted is that it is there."""

    def __init__(self, name: str) -> None:
        self.name = name


class Loads:
    """Loads models, and knows how many of those that it loaded are still there, each time that it loads another."""

    def __init__(self) -> None:
        self.loaded: list[weakref.ref[Big]] = []
        self.beside: list[int] = []

    def __call__(self, name: str) -> Any:
        self.beside.append(sum(model() is not None for model in self.loaded))
        made = Big(name)
        self.loaded.append(weakref.ref(made))
        return made


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def models(loads: Loads) -> Models:
    return Models(loads)


def test_a_model_is_loaded_once_and_lent_to_many(models: Models, loads: Loads) -> None:
    with models.lent("a") as one, models.lent("a") as other:
        assert one is other
    with models.lent("a") as later:
        assert later is one and loads.beside == [0]


def test_another_waits_until_the_answers_of_the_one_before_have_ended_and_is_then_alone(models: Models, loads: Loads) -> None:
    begun, end, told = threading.Event(), threading.Event(), list[str]()

    def answer(name: str) -> None:
        with models.lent(name) as model:
            told.append(model.name)  # type: ignore[attr-defined]
            begun.set()
            end.wait(30)

    first = threading.Thread(target=answer, args=("a",))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(target=answer, args=("b",))
    second.start()
    second.join(0.2)
    assert second.is_alive() and told == ["a"] and loads.beside == [0]
    end.set()
    second.join(30)
    assert told == ["a", "b"] and loads.beside == [0, 0]


def test_what_is_behind_a_server_waits_for_nobody_and_lets_no_second_copy_in(models: Models, loads: Loads) -> None:
    with models.lent("a"):
        with models.lent("openai:x@http://localhost/v1"):
            pass
        again = threading.Thread(target=lambda: models.lent("a").__enter__())
        again.start()
        again.join(0.2)
        assert again.is_alive() and len(loads.loaded) == 2
    again.join(30)
    assert loads.beside[-1] == 0


def test_a_model_that_cannot_be_loaded_is_tried_again_and_keeps_nobody_out(loads: Loads) -> None:
    broken = [True]

    def load(name: str) -> Any:
        if name == "torn" and broken:
            raise ValueError(broken.pop())
        return loads(name)

    models = Models(load)
    with pytest.raises(ValueError, match="True"), models.lent("torn"):
        pass
    with models.lent("a"):
        pass
    with models.lent("torn") as model:
        assert model.name == "torn"  # type: ignore[attr-defined]


def test_the_weights_of_the_one_before_are_gone_before_the_next_are_read(sample_library: Path) -> None:
    seen: list[bool] = []
    networks: list[weakref.ref[Any]] = []

    def load(name: str) -> Any:
        seen.append(any(network() is not None for network in networks))
        loaded: Any = answer_model(name, Settings())
        networks.append(weakref.ref(loaded.chat.model.network))
        return loaded

    def ask(name: str) -> str:
        with models.lent(name) as model, Library.open(sample_library) as library:
            return AnswerChain(library, model, Settings()).invoke("Did the Society insure its volunteers?").text

    models = Models(load)
    assert ask("starter") == ask(str(starter_file())) != ""
    assert seen == [False, False]


# What is chosen


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OCTAVO_MODEL", raising=False)
    monkeypatch.setattr(nearby, "KNOWN", {})
    return tmp_path


def test_what_is_chosen_is_remembered_until_what_the_setting_says_is_chosen(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choosing.chosen() == "starter" and not (own / "home").exists()
    file = own / "my model.gguf"
    file.symlink_to(starter_file())
    monkeypatch.chdir(own)
    choosing.choose("my model.gguf")
    assert choosing.chosen() == str(file) and choosing.told(str(file)) == "my model.gguf answers. Nothing leaves this machine."
    assert [place.name for place in (own / "home").iterdir()] == [choosing.FILE]
    choosing.choose("starter")
    assert choosing.chosen() == "starter" and list((own / "home").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no folder or file at ''"),
        ("/nowhere/x.gguf", "no folder or file at '/nowhere/x.gguf'"),
        ("google/gemma-2-2b-it", "no folder or file at"),
        ("empty", "config.json"),
        ("letter.txt", "letter.txt"),
        ("openai:gemma2@http://localhost:1/v1", "no server answers at http://localhost:1/v1"),
        ("openai:gpt@https://api.example/v1", "on another machine"),
        ("openai:gemma2", "doesn't name a server"),
    ],
)
def test_what_is_no_model_of_this_machine_is_refused_in_a_sentence_and_not_remembered(
    own: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(own)
    (own / "empty").mkdir()
    (own / "letter.txt").write_text("Dear Ada,")
    with pytest.raises((IngestError, ModelError, RagError), match=said):
        choosing.choose(name)
    assert choosing.chosen() == "starter"


def test_one_that_the_memory_does_not_hold_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "here", lambda: 1_000_000_000)
    with pytest.raises(ModelError, match=r"takes 1\.\d GB; there are 1\.0 GB here"):
        choosing.choose(str(starter_file()))


def test_a_folder_takes_what_the_settings_have_it_loaded_in(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """9B takes 22.7 GB in bfloat16, 9.8 GB in 4 bits."""
    plain = replace(read_checkpoint(starter_file()), config=SHAPES["9b"], packed={})
    monkeypatch.setattr(choosing, "read_checkpoint", lambda name: plain)
    monkeypatch.setattr(memory, "here", lambda: 10_000_000_000)
    (own / "nine").mkdir()
    with pytest.raises(ModelError, match=r"takes 22\.7 GB; there are 10\.0 GB here") as caught:
        choosing.choose(str(own / "nine"))
    assert "OCTAVO_QUANTIZE=int4" in caught.value.hint
    monkeypatch.setenv("OCTAVO_QUANTIZE", "int4")
    choosing.choose(str(own / "nine"))
    assert choosing.chosen() == str(own / "nine")


def test_what_servers_of_this_machine_have_is_offered_by_name(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://localhost:11434/v1"
    monkeypatch.setattr(choosing, "servers", lambda: [nearby.Server("Ollama", url, ("gemma2:2b", "llama3"))])
    monkeypatch.setenv("OCTAVO_MODEL", "openai:secretly@http://me:pass@localhost:1/v1")
    assert [(name.rpartition("@")[0], shown) for name, shown in choosing.offered()] == [
        ("", "The small model that came with Octavo"),
        ("openai:secretly@http://me:pass", "secretly, which OCTAVO_MODEL names"),
        ("openai:gemma2:2b", "gemma2:2b in Ollama"),
        ("openai:llama3", "llama3 in Ollama"),
    ]
    monkeypatch.setattr(checks, "served", lambda name: Finding("model", "well", name))
    choosing.choose(f"openai:gemma2:2b@{url}")
    assert choosing.told(choosing.chosen()) == "gemma2:2b answers. Nothing leaves this machine."


def test_a_file_in_4_bits_takes_more_where_its_weights_are_made_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    starter, needs = read_checkpoint("starter"), list[int]()
    for library in (object(), None):
        monkeypatch.setattr(native, "library", lambda library=library: library)
        needs.append(memory.needed(starter.config, starter.packed))
    assert [round(need / 1e9, 2) for need in needs] == [1.2, 1.33]


def test_the_page_says_what_each_size_takes_in_each_kind_of_weights() -> None:
    assert {size: [round(need / 1e9, 1) for need in row.values()] for size, row in memory.table().items()} == {
        "2b": [7.3, 4.7, 3.8],
        "9b": [22.7, 13.4, 9.8],
        "27b": [59.4, 32.2, 20.8],
    }
    assert memory.here() >= memory.free() > 1e8
