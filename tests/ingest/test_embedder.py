"""The embedder that ships is the one it says it is, and others are asked for clearly."""

from pathlib import Path

import numpy as np
import pytest

from ingest import Embedder
from ingest.errors import EmbedderError
from ingest.text import embedder as module


def test_vectors_have_length_one_and_near_meanings_are_near(embedder: Embedder) -> None:
    texts = ["The mill grinds corn.", "Grain is milled here.", "She plays the violin."]
    vectors = embedder.documents(texts)
    assert vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    near, far = embedder.query("Where is flour made?") @ vectors[1:].T
    assert near > far + 0.2


def test_the_fingerprint_names_the_weights(embedder: Embedder) -> None:
    assert embedder.fingerprint == "all-MiniLM-L6-v2:53aa51172d142c89" and embedder.counter.limit == 254 and not embedder.multilingual


def test_a_directory_will_do(embedder: Embedder) -> None:
    directory = module._directory(module.DEFAULT)
    assert directory
    other = Embedder.load(str(directory))
    assert other.query("tide") @ embedder.query("tide") > 0.998  # bf16 and fp32 differ by less


def test_other_weights_under_the_default_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEFAULT_SHA256", "0" * 64)
    with pytest.raises(EmbedderError, match="are not those of all-MiniLM-L6-v2"):
        Embedder.load()


@pytest.mark.parametrize("name", ["nobody/nothing-here", "/absent/model"])
def test_an_unknown_embedder_gives_the_cure(name: str) -> None:
    with pytest.raises(EmbedderError) as raised:
        Embedder.load(name)
    assert name in str(raised.value) and "OCTAVO_EMBEDDER" in raised.value.hint


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError):
        Embedder.load(str(tmp_path))
