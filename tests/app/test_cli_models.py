"""Models from Ollama's store answer, and models are written for other programs."""

import json
from pathlib import Path

import pytest

from model.load.sources import starter_file
from tests.app.conftest import Run

DIGEST = "1952d31c473063947b7589a9fc5e651cf2e963d85de17488c0a968ab9b4c7281"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of Ollama's with the starter in it, as starter:latest."""
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    manifest = tmp_path / "manifests/registry.ollama.ai/library/starter/latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{DIGEST}"}]}))
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / f"sha256-{DIGEST}").symlink_to(starter_file())
    return tmp_path


def test_what_ollama_has_pulled_answers_and_is_exported(octavo: Run, store: Path) -> None:
    answer = json.loads(octavo("ask", "--model", "ollama:starter", "Who built the mill?", "--json").out)
    assert answer["citations"] or answer["refused"]
    assert "ollama:starter" in octavo("doctor", "--model", "ollama:starter").out
    ran = octavo("export-model", "ollama:starter", store / "new.gguf", "--json")
    size = starter_file().stat().st_size
    assert json.loads(ran.out) == {"out": str(store / "new.gguf"), "bytes": size}
    again = octavo("export-model", "ollama:starter", store / "new.gguf")
    assert again.code == 2 and again.err.startswith(f"error: {store}/new.gguf: exists already\nhint: ")


def test_what_ollama_lacks_is_one_line(octavo: Run, store: Path) -> None:
    ran = octavo("ask", "--model", "ollama:gemma2:27b", "Who built the mill?")
    assert ran.code == 2 and ran.err.startswith("error: Ollama has no gemma2:27b in ") and "ollama pull gemma2:27b" in ran.err
    found = json.loads(octavo("doctor", "--model", "ollama:hf.co/some/one", "--json").out)["findings"]
    assert [finding["state"] for finding in found if finding["what"] == "model"] == ["mend"]
