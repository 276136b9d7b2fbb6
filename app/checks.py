"""What `octavo doctor` looks at. Nothing is downloaded, no other machine is asked, and nothing of the user's is changed."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from app import memory
from app.mistakes import as_mistake
from app.options import library_names
from model.config import SHAPES

SHIPPED = {
    "starter": "1952d31c473063947b7589a9fc5e651cf2e963d85de17488c0a968ab9b4c7281",
    "reader": "d9bcb946f30fda8f9500c84ce8fd9a0fb9d70c44198887c0702261a6c84a372e",
}
"""SHA-256 of starter.gguf and reader.safetensors."""
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_HUB = {f"google/gemma-2-{size}-it": SHAPES[size] for size in ("2b", "9b", "27b")}
_SECRET = ("TOKEN", "API_KEY", "OPENAI_API_KEY")

State = Literal["well", "note", "mend"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`note` is what one can do without, `mend` what Octavo can't."""

    what: str
    state: State
    found: str
    cure: str = ""


def guarded(what: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds; one that fails is a finding, and the others are made all the same."""
    try:
        yield from check()
    except Exception as error:  # whatever it is, it is what is to be found
        try:
            told, cure = as_mistake(error) or (f"{type(error).__name__}: {error}", "")
        except ImportError:
            told, cure = str(error), ""
        yield Finding(what, "mend", " ".join(told.split()), cure or "reinstall Octavo")


def python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    if (3, 11) <= sys.version_info < (3, 14):
        yield Finding("python", "well", f"{version} ({sys.executable})")
    else:
        yield Finding("python", "mend", version, "install Octavo with Python 3.11 to 3.13")


def settings() -> Iterator[Finding]:
    """Which are set, and where; those of the environment count before those of .env."""
    from dotenv import dotenv_values

    from app.settings import Settings as App
    from ingest import Settings as Ingest
    from model.settings import Settings as Model
    from rag.settings import Settings as Rag

    file = Path(str(Ingest.model_config["env_file"]))
    places = {f"{file}": {name.upper(): value for name, value in dotenv_values(file).items()} if file.is_file() else {}}
    places["the environment"] = {name.upper(): value for name, value in os.environ.items()}
    names = {"OPENAI_API_KEY", "OCTAVO_TRACING"}
    for settings in (App, Ingest, Model, Rag):
        names |= {f"OCTAVO_{name.upper()}" for name in settings.model_fields if name != "openai_api_key"}
    told = 0
    for name in sorted({name for values in places.values() for name in values if name.startswith("OCTAVO_")} | names):
        where = [place for place, values in places.items() if name in values]
        if where and name not in names:
            yield Finding("settings", "note", f"{name} (in {where[-1]}) is none of Octavo's", ".env.example shows the settings")
        elif where:
            told += 1
            value = "is set" if name.removeprefix("OCTAVO_") in _SECRET else f"= {places[where[-1]][name]}"
            yield Finding("settings", "well", f"{name} {value} (in {where[-1]})")
    for settings in (App, Ingest, Model, Rag):
        settings()  # what is wrong with one is told
    if not told:
        yield Finding("settings", "well", f"none is set, in {file} or the environment")


def torch() -> Iterator[Finding]:
    import torch

    from model.load.sources import resolve_device
    from model.settings import Settings

    yield Finding("torch", "well", f"{torch.__version__}, {torch.get_num_threads()} threads")
    device = resolve_device(Settings().device)
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device
    yield Finding("device", "well", name)


def shipped(what: str) -> Iterator[Finding]:
    from ingest.store.paths import sha256_of

    if what == "starter":
        from model.load.sources import starter_file

        file = starter_file()
    else:
        from rag.reader.model import FILE, reader_directory

        file = reader_directory() / FILE
    whole = sha256_of(file) == SHIPPED[what]
    yield Finding(what, "well", str(file)) if whole else Finding(what, "mend", f"{file} is not the file that ships", "reinstall Octavo")


def embedder() -> Iterator[Finding]:
    from ingest import Settings
    from ingest.text.embedder import DEFAULT, default_directory, weights_sha256

    yield Finding("embedder", "well", f"{DEFAULT} in {default_directory()}")
    name = Settings().embedder
    if name != DEFAULT:
        directory = Path(name).expanduser()
        if directory.is_dir():
            yield Finding("embedder", "well", f"{name}, SHA-256 {weights_sha256(directory)[:16]}")
        else:
            yield Finding("embedder", "note", f"{name}: a name on the Hugging Face hub", "the first ingest downloads it, if it isn't here")


def model(named: str | None) -> Iterator[Finding]:
    """Whether the model that answers is there, and fits into memory."""
    from rag.settings import Settings

    source = named or Settings().model
    if source.startswith("openai:"):
        yield served(source)
        return
    from model.load.sources import read_checkpoint

    need = memory.needed(_HUB[source]) if source in _HUB else None
    if _HUB_ID.fullmatch(source) and not Path(source).expanduser().exists() and not source.endswith(".gguf"):
        yield Finding("model", "note", f"{source}: a name on the Hugging Face hub", "the first question downloads it, if it isn't here")
    else:
        checkpoint = read_checkpoint(source)
        need = memory.needed(checkpoint.config, checkpoint.packed)
        yield Finding("model", "well", source)
    if need:
        yield _memory(need, source)


def served(source: str) -> Finding:
    """Whether the server that openai:NAME@URL names is on this machine, answers, and has the model."""
    from app.nearby import models_at
    from rag.servers import is_loopback

    served, _, url = source.removeprefix("openai:").rpartition("@")
    if not url.startswith(("http://", "https://")) or not served:
        return Finding(
            "model", "mend", f"{source!r} doesn't name a server", "write openai:NAME@URL, like openai:gemma2@http://localhost:11434/v1"
        )
    if find_spec("langchain_openai") is None:
        return Finding("model", "mend", f"{source}: a package is missing", "pip install 'octavo[openai]'")
    if not is_loopback(url):
        return Finding("model", "note", f"{source}: on another machine, which is not asked here", "questions and passages go there")
    models = models_at(url)
    if models is None:
        return Finding("model", "mend", f"no server answers at {url}", "start it; its URL ends with /v1")
    if served not in models and f"{served}:latest" not in models:
        return Finding("model", "mend", f"the server at {url} has no {served}: {_some(models)}", f"in Ollama: `ollama pull {served}`")
    return Finding("model", "well", source)


def _memory(need: int, source: str) -> Finding:
    free = memory.free()
    told = f"{source} takes {need / 1e9:.1f} GB, {free / 1e9:.1f} GB of memory are free"
    if need <= free:
        return Finding("memory", "well", told)
    return Finding(
        "memory", "mend", told, "close other programs, set OCTAVO_QUANTIZE=int4, or use a smaller model (--model starter takes 1.2 GB)"
    )


def ocr() -> Iterator[Finding]:
    from ingest.loaders import ocr_installed

    if ocr_installed():
        yield Finding("ocr", "well", "installed")
    else:
        yield Finding("ocr", "note", "not installed: scanned pages and pictures stay unread", "pip install 'octavo[ocr]'")


def libreoffice() -> Iterator[Finding]:
    from ingest.loaders import libreoffice

    if program := libreoffice():
        yield Finding("libreoffice", "well", program)
    else:
        yield Finding("libreoffice", "note", "not installed: doc and ppt stay unread", "apt-get install libreoffice")


def servers() -> Iterator[Finding]:
    from app.nearby import servers

    found = servers()
    for server in found:
        example = f"octavo ask --model openai:{server.models[0]}@{server.url} ..." if server.models else "pull a model, like gemma2"
        yield Finding("servers", "well", f"{server.name}: {_some(server.models) or 'no models'}", example)
    if not found:
        yield Finding("servers", "note", "no Ollama and no LM Studio on this machine", "none is needed; either would bring larger models")


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def disk() -> Iterator[Finding]:
    from ingest import Settings
    from ingest.store.lock import refuse_network

    home = Settings().home_dir()
    there = next(place for place in (home, *home.parents) if place.exists())
    refuse_network(home)
    free = shutil.disk_usage(there).free
    told = f"{home}: {free / 1e9:.1f} GB free"
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("disk", "mend", f"{home} can't be written to", "is it yours? OCTAVO_HOME names another place")
    elif free < memory.ROOM:
        yield Finding("disk", "mend", told, "make room, or set OCTAVO_HOME to another disk")
    else:
        yield Finding("disk", "well", told)


def libraries(named: str | None) -> Iterator[Finding]:
    names = library_names() if named is None else [named]
    for name in names:
        yield from guarded("library", partial(_library, name))
    if not names:
        yield Finding("library", "note", "there is none yet", "octavo ingest FOLDER")


def _library(name: str) -> Iterator[Finding]:
    """A quick look: does SQLite find its file whole, is the index there, is anything left undone? `octavo verify` looks at all."""
    from ingest import Library, Settings
    from ingest.store.schema import connect

    directory = Settings().library_dir(name)
    mend = f"octavo verify --repair --library {name}"
    with Library.open(directory) as library:
        facts, failed, unfinished = library.status(), len(library.failures()), library.unfinished()
        with closing(connect(directory)) as connection:
            damage = connection.execute("pragma quick_check(1)").fetchone()[0]
    told = f"{name}: {facts['documents']:,} documents"
    if damage != "ok":
        yield Finding("library", "mend", f"{name}: {damage}", "restore it from a backup, or ingest anew")
    elif facts["running"]:
        yield Finding("library", "note", f"{told}, being filled", "octavo status shows how far it is")
    elif unfinished:
        yield Finding("library", "mend", f"{told}. {unfinished}", "octavo ingest its folders again: it goes on where it stopped")
    elif facts["index_trouble"] or not facts["index_current"]:
        yield Finding("library", "mend", f"{told}. {facts['index_trouble'] or 'The index lags behind.'}", mend)
    elif failed or facts["waiting_for_ocr"]:
        lacking = f"{failed:,} failed, {facts['waiting_for_ocr']:,} pages wait for OCR"
        yield Finding("library", "note", f"{told}, {lacking}", f"octavo list --library {name} says why")
    else:
        yield Finding("library", "well", told)
