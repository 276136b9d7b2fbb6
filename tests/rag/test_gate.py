"""The gate: what the evidence allows, and that the model's own refusal probability decides within it."""

import math
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import torch

from ingest import Chunk, Library
from ingest.store import rows, schema, vectors
from model import grounded, load_model
from rag import build_chain
from rag.answer import Evidence
from rag.coverage import content_words, coverage
from rag.gate import MIN_REFUSAL_PROBABILITY, RefusalGate, is_irrelevant, max_refusal_probability
from rag.retriever import LibraryRetriever


def evidence(cosine: float | None, coverage: float) -> list[Evidence]:
    return [
        Evidence(Chunk("a", "/d", "t", 0, 1, None, None, ""), 1.0, None if cosine is None else 0.1),
        Evidence(Chunk("b", "/d", "t", 0, 1, None, None, ""), 1.0, cosine, 3.0, coverage),
    ]


def test_better_evidence_allows_a_higher_refusal_probability() -> None:
    values = [max_refusal_probability(evidence(n, c)) for n, c in ((0.1, 0.0), (0.4, 0.3), (0.5, 0.5), (0.6, 0.6), (0.7, 1.0))]
    assert values == sorted(values)
    assert values[0] < MIN_REFUSAL_PROBABILITY and values[-1] > 0.99
    assert max_refusal_probability([]) < MIN_REFUSAL_PROBABILITY


@pytest.mark.parametrize(
    ("cosine", "coverage", "expected"), [(0.5, 0.0, 6.5e-4), (0.5, 0.4, 0.5), (0.3, 0.65, 0.4792), (0.6, 0.1, 0.0404), (0.2, 0.5, 0.00567)]
)
def test_the_starters_thresholds_are_those_of_its_fit(cosine: float, coverage: float, expected: float) -> None:
    assert max_refusal_probability(evidence(cosine, coverage)) == pytest.approx(expected, rel=0.02)


def test_no_model_is_asked_about_what_nothing_speaks_of() -> None:
    assert is_irrelevant([]) and is_irrelevant([], vectors_missing=True)
    assert is_irrelevant(evidence(0.2, 0.4))
    assert not is_irrelevant(evidence(0.3, 0.0))
    assert not is_irrelevant(evidence(0.2, 0.6))


@pytest.mark.parametrize(("cosine", "missing"), [(None, False), (None, True), (0.1, True)])
def test_without_vectors_coverage_alone_decides_and_every_model_is_asked(cosine: float | None, missing: bool) -> None:
    """An unknown cosine is no low one."""
    thresholds = [max_refusal_probability(evidence(cosine, c), missing) for c in (0.0, 0.3, 0.5, 0.8)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] > MIN_REFUSAL_PROBABILITY and thresholds[-1] > 0.95
    assert not is_irrelevant(evidence(cosine, 0.0), missing)


def test_a_library_without_vectors_is_answered_from_by_its_words(library: Library, tmp_path: Path) -> None:
    """As while an ingest is going on: the starter is asked, and answers as it does with vectors."""
    shutil.copytree(library.directory, tmp_path / "library")
    with closing(schema.connect(tmp_path / "library", write=True)) as connection:
        name, fingerprint = rows.fact(connection, "embedder_name"), rows.fact(connection, "embedder")
        assert name and fingerprint
        vectors.forget_all(connection, name, fingerprint)
    questions = ("How much can I claim per mile?", "Up to what age does the Society's insurance cover volunteers on duty?")
    with Library.open(tmp_path / "library") as opened:
        answers = [build_chain(opened, "starter").invoke(question) for question in questions]
    assert [a.refused for a in answers] == [False, False]
    assert all(e.dense is None and e.words is not None for a in answers for e in a.evidence)
    assert all("found by their words only" in a.note for a in answers)


def test_content_words_leave_out_what_every_question_has() -> None:
    assert content_words("What is the password for the Hopper Café?") == ["password", "hopper", "café"]
    assert content_words("Who is it?") == []


def test_coverage_counts_forms_of_a_word_and_weighs_rare_ones_more(library: Library) -> None:
    best = LibraryRetriever(library=library).evidence("insuring volunteers")[0].chunk
    with library.snapshot() as view:
        assert coverage(view, "insured volunteers", [best.id])[best.id] == 1.0
        half = coverage(view, "volunteers zeppelin", [best.id])[best.id]
        assert 0 < half < 0.5
        assert coverage(view, "", [best.id]) == {best.id: 0.0}


@pytest.mark.parametrize(("threshold", "refuses"), [(0.0, True), (1.1, False)])
def test_above_the_threshold_it_says_the_sentence_and_below_it_never(threshold: float, refuses: bool) -> None:
    model = load_model("starter", device="cpu")
    t = model.tokenizer
    pieces = [
        grounded.opening("Who is the mayor of Lyme?"),
        grounded.source(1, "Bread is baked at six."),
        grounded.closing("Who is the mayor of Lyme?"),
    ]
    ids = t.chat([("user", pieces)])
    gate = RefusalGate(model, threshold)
    text = t.decode([token.id for token in model.generate(ids, 24, constraint=gate)])
    assert (text == grounded.REFUSAL) is refuses
    assert gate.refusal_probability > 0.5, "the starter was taught to refuse such a question"
    expected = math.exp(model.score(ids + t.encode(grounded.REFUSAL), [(len(ids), len(ids) + len(t.encode(grounded.REFUSAL)))])[0])
    assert gate.refusal_probability == pytest.approx(expected, rel=0.1)


def test_what_the_first_word_owes_to_the_refusal_is_taken_from_it() -> None:
    model = load_model("starter", device="cpu", dtype=torch.float32)
    t = model.tokenizer
    ids = t.chat([("user", [grounded.opening("Who?"), grounded.source(1, "Bread is baked at six."), grounded.closing("Who?")])])
    cache = model.new_cache(len(ids) + 20)
    logits = model.prefill(ids, cache)
    assert logits is not None
    gate = RefusalGate(model, 1.1)
    first = t.encode(grounded.REFUSAL)[0]
    before = logits.softmax(-1)[first].item()
    changed = gate([], logits, cache)
    kept = (changed[first] - logits[first]).exp().item() * before
    assert kept == pytest.approx(max(before - gate.refusal_probability, 1e-9), rel=1e-3, abs=1e-8)
