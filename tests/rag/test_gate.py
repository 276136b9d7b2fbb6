"""The gate: what the evidence allows, and that the model's doubt decides within it."""

import math

import pytest
import torch

from ingest import Chunk, Library
from model import grounded, load_model
from rag.answer import Evidence
from rag.coverage import coverage, telling
from rag.gate import LEAST_DOUBT, RefusalGate, allowed_doubt, beside_the_point
from rag.retriever import LibraryRetriever


def evidence(near: float, covers: float) -> list[Evidence]:
    return [
        Evidence(Chunk("a", "/d", "t", 0, 1, None, None, ""), 1.0, 0.1, 0.0, 0.0),
        Evidence(Chunk("b", "/d", "t", 0, 1, None, None, ""), 1.0, near, 0.0, covers),
    ]


def test_better_evidence_allows_more_doubt() -> None:
    values = [allowed_doubt(evidence(n, c)) for n, c in ((0.1, 0.0), (0.4, 0.3), (0.5, 0.5), (0.6, 0.6), (0.7, 1.0))]
    assert values == sorted(values)
    assert values[0] < LEAST_DOUBT and values[-1] > 0.99
    assert allowed_doubt([]) < LEAST_DOUBT


def test_no_model_is_asked_about_what_nothing_speaks_of() -> None:
    assert beside_the_point([])
    assert beside_the_point(evidence(0.2, 0.4))
    assert not beside_the_point(evidence(0.3, 0.0))
    assert not beside_the_point(evidence(0.2, 0.6))


def test_telling_words_leave_out_what_every_question_has() -> None:
    assert telling("What is the password for the Hopper Café?") == ["password", "hopper", "café"]
    assert telling("Who is it?") == []


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
    assert gate.doubt > 0.5, "the starter was taught to doubt such a question"
    expected = math.exp(model.score(ids + t.encode(grounded.REFUSAL), [(len(ids), len(ids) + len(t.encode(grounded.REFUSAL)))])[0])
    assert gate.doubt == pytest.approx(expected, rel=0.1)


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
    assert kept == pytest.approx(max(before - gate.doubt, 1e-9), rel=1e-3, abs=1e-8)
