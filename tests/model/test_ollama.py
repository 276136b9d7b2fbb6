"""Models that Ollama has pulled are found by the names that it gives them; what its manifests say is not trusted."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from model import load_model
from model.errors import SourceError
from model.load.ollama import ollama_file
from tests.model.conftest import oracle
from tests.model.tiny import a_gemma_2

ENDING = "application/vnd.ollama.image."


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("m") / "m.gguf"
    a_gemma_2(file, oracle())
    return file.read_bytes()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    return tmp_path


def put(store: Path, data: bytes) -> str:
    """A blob in a store; returns its digest."""
    digest = hashlib.sha256(data).hexdigest()
    (store / "blobs").mkdir(parents=True, exist_ok=True)
    (store / "blobs" / f"sha256-{digest}").write_bytes(data)
    return f"sha256:{digest}"


def pulled(store: Path, path: str, *layers: tuple[str, Any], manifest: Any = None) -> Path:
    """What `ollama pull` leaves: a manifest of layers, each (kind, digest). Returns its file."""
    file = store / "manifests" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    all_layers = [
        {"mediaType": ENDING + kind, "digest": digest, "size": 1} for kind, digest in (*layers, ("license", "sha256:" + "0" * 64))
    ]
    file.write_text(json.dumps({"schemaVersion": 2, "layers": all_layers} if manifest is None else manifest))
    return file


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemma2", "registry.ollama.ai/library/gemma2/latest"),
        ("gemma2:2b", "registry.ollama.ai/library/gemma2/2b"),
        ("gemma2:2b-instruct-q4_K_M", "registry.ollama.ai/library/gemma2/2b-instruct-q4_K_M"),
        ("someone/mine", "registry.ollama.ai/someone/mine/latest"),
        ("hf.co/bartowski/gemma-2-2b-it-GGUF:Q4_K_M", "hf.co/bartowski/gemma-2-2b-it-GGUF/Q4_K_M"),
    ],
)
def test_a_model_is_found_by_the_name_that_ollama_gives_it(name: str, path: str, home: Path, gguf: bytes) -> None:
    store = home / ".ollama/models"
    pulled(store, path, ("template", "sha256:" + "1" * 64), ("model", put(store, gguf)))
    model = load_model(f"ollama:{name}", device="cpu", dtype=torch.float32)
    assert model.config.vocab_size == 320


def test_the_store_that_ollama_was_told_to_keep_comes_first(home: Path, gguf: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(home / "disk"))
    pulled(home / ".ollama/models", "registry.ollama.ai/library/gemma2/latest", ("model", put(home / ".ollama/models", b"another")))
    with pytest.raises(SourceError, match="not a readable GGUF"):
        load_model("ollama:gemma2", device="cpu")
    pulled(home / "disk", "registry.ollama.ai/library/gemma2/latest", ("model", put(home / "disk", gguf)))
    assert load_model("ollama:gemma2", device="cpu").config.vocab_size == 320


def one_line(name: str, match: str) -> SourceError:
    with pytest.raises(SourceError, match=match) as caught:
        load_model(name, device="cpu")
    assert "\n" not in f"{caught.value}{caught.value.hint}"
    return caught.value


def test_what_was_not_pulled_says_how_to(home: Path) -> None:
    error = one_line("ollama:gemma2:9b", r"Ollama has no gemma2:9b in .*/\.ollama/models or /usr/share/ollama")
    assert "ollama pull gemma2:9b" in error.hint


def test_a_store_of_others_is_named(home: Path) -> None:
    store, me = home / ".ollama/models", os.geteuid()
    pulled(store, "registry.ollama.ai/library/gemma2/latest")
    (store / "manifests").chmod(0)
    try:
        os.seteuid(me or 65534)  # root may read everything
        with pytest.raises(SourceError, match=rf", and {store} can't be read"):
            ollama_file("gemma2")
    finally:
        os.seteuid(me)
        (store / "manifests").chmod(0o700)


@pytest.mark.parametrize(
    "name", ["", "..", "../../x", "a/../b", ".hidden", "a:../../b", "/etc/passwd", "a//b", "a/b/c/d", "a:", "a b", "a\n"]
)
def test_no_name_leads_out_of_the_store(name: str, home: Path) -> None:
    one_line(f"ollama:{name}", "can't be the name of a model in Ollama")


@pytest.mark.parametrize(
    ("digest", "match"),
    [
        ("sha256:../../../../secret", "is no SHA-256"),
        ("sha256:" + "a" * 63, "is no SHA-256"),
        ("sha256:" + "A" * 64, "is no SHA-256"),
        ("sha256:" + "a" * 64 + "\n", "is no SHA-256"),
        ("../secret", "is no SHA-256"),
        (None, "is no SHA-256"),
        (["sha256:" + "a" * 64], "is no SHA-256"),
        ("sha256:" + "a" * 64, "missing; gemma2 is not whole"),
    ],
)
def test_a_digest_is_one_or_nothing_is_opened(digest: Any, match: str, home: Path) -> None:
    (home / ".ollama" / "secret").parent.mkdir()
    (home / ".ollama" / "secret").write_text("secret")
    pulled(home / ".ollama/models", "registry.ollama.ai/library/gemma2/latest", ("model", digest))
    one_line("ollama:gemma2", match)


@pytest.mark.parametrize("manifest", [{}, {"layers": 7}, {"layers": [7]}, {"layers": None}, [], "text"])
def test_a_crafted_manifest_is_one_line(manifest: Any, home: Path) -> None:
    pulled(home / ".ollama/models", "registry.ollama.ai/library/gemma2/latest", manifest=manifest)
    one_line("ollama:gemma2", r"gemma2/latest: (no layers|not a JSON object)")


def test_what_is_not_one_gemma_2_is_one_line(home: Path, gguf: bytes, tmp_path: Path) -> None:
    store, path = home / ".ollama/models", "registry.ollama.ai/library/gemma2/latest"
    digest = put(store, gguf)
    pulled(store, path, ("model", digest), ("adapter", digest))
    one_line("ollama:gemma2", "gemma2 has an adapter")
    pulled(store, path, ("tensor", digest))
    one_line("ollama:gemma2", "0 of its layers are a model")
    pulled(store, path, ("model", digest), ("model", digest))
    one_line("ollama:gemma2", "2 of its layers are a model")
    a_gemma_2(tmp_path / "other.gguf", oracle(), "llama")
    pulled(store, path, ("model", put(store, (tmp_path / "other.gguf").read_bytes())))
    one_line("ollama:gemma2", "^ollama:gemma2: holds a 'llama' model")
