"""Which model answers on the page: what was chosen there last, else OCTAVO_MODEL; what else there is on this machine.

The choice stands in the file `page-model` of OCTAVO_HOME and counts for the page alone; choosing what OCTAVO_MODEL says takes it away.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from app import checks, memory
from app.nearby import servers
from app.told import answering
from ingest.settings import Settings as IngestSettings
from model.errors import SourceError
from model.load.sources import read_checkpoint
from rag.errors import ServerError
from rag.settings import Settings

FILE = "page-model"
_OURS = "The small model that came with Octavo"


def chosen() -> str:
    """The model's name, as OCTAVO_MODEL takes it."""
    try:
        return _file().read_text(encoding="utf-8").strip() or Settings().model
    except (OSError, UnicodeDecodeError):
        return Settings().model


def choose(name: str) -> None:
    """Has a model answer from the next question on, and remembers it.

    Raises:
        SourceError, ServerError: it isn't here, is none, or is too large for this machine.
    """
    name = _checked(name.strip())
    place = _file()
    if name == Settings().model:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=place.parent, prefix=f".{FILE}-", encoding="utf-8", delete=False) as fresh:
        fresh.write(name)
    Path(fresh.name).replace(place)


def offered() -> Iterator[tuple[str, str]]:
    """What can be chosen without looking for it, as (name, what it is): ours, what OCTAVO_MODEL says, and what servers here have."""
    yield "starter", _OURS
    if (said := Settings().model) != "starter":
        yield said, f"{answering(said)[0]}, which OCTAVO_MODEL names"
    for server in servers():
        for model in server.models:
            if (name := f"openai:{model}@{server.url}") != said:
                yield name, f"{model} in {server.name}"


def briefly(name: str) -> str:
    """Which model answers."""
    return "Octavo's small model answers." if name == "starter" else f"{answering(name)[0]} answers."


def told(name: str) -> str:
    """Which model answers, and whether what it is asked stays here."""
    if name == "starter":
        return f"{_OURS} answers, in your documents' own words."
    stays = (host := answering(name)[1]) in ("", "localhost", "127.0.0.1", "::1")
    return f"{briefly(name)} " + ("Nothing leaves this machine." if stays else f"Questions and passages go to {host}.")


def _checked(name: str) -> str:
    """A model's name, a path whole; it is on this machine and fits into it."""
    if name == "starter" or name == Settings().model:
        return name
    if name.startswith("openai:"):
        finding = checks.served(name)
        if finding.state == "note":
            raise ServerError(finding.found, "name it in OCTAVO_MODEL: the page takes what is on this machine")
        if finding.state == "mend":
            raise ServerError(finding.found, finding.cure)
        return name
    place = Path(name).expanduser().absolute()
    if not name.startswith("ollama:"):
        if not name or not place.exists():
            raise SourceError(f"no folder or file at {name!r}", "name a model's folder, a .gguf file, or ollama:NAME")
        name = str(place)
    checkpoint = read_checkpoint(name)
    need, here = memory.needed(checkpoint.config, checkpoint.packed), memory.here()
    if need > here:
        hint = "take a smaller one, its GGUF file in Q4_0, or set OCTAVO_QUANTIZE=int4"
        raise SourceError(f"{name} takes {need / 1e9:.1f} GB; there are {here / 1e9:.1f} GB here", hint)
    return name


def _file() -> Path:
    return IngestSettings().home_dir() / FILE
