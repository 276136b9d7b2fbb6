"""The figures that the starter is held to, through the whole chain: found in a library, in long contexts, of each kind."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from ingest import Library
from model.load.sources import read_checkpoint
from rag import build_chain
from rag.evaluate import evaluate_answers, read_lines
from rag.reader.data import cut_out, holds
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def rows_of(shared: Path, source: str) -> list[dict[str, Any]]:
    rows = read_lines(shared / "data" / "dev" / "qa_short.jsonl.xz", "id", "question", "answers", "contexts", "source")
    return [row for row in rows if row["source"] == source]


def measured(rows: list[dict[str, Any]], place: Path, library: Path | None = None) -> dict[str, Any]:
    place.with_suffix(".jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    named = None if library is None else str(library)
    figures = evaluate_answers(place.with_suffix(".jsonl"), named, "starter", place.with_suffix(".out"), lambda done, total: None)
    print(place.name, figures)
    return figures


def test_squad_is_found_in_one_library(shared: Path, tmp_path: Path) -> None:
    """500 questions over 547 passages."""
    rows = read_lines(shared / "data" / "dev" / "qa_short.jsonl.xz", "contexts")
    (tmp_path / "docs").mkdir()
    for number, text in enumerate(sorted({c for row in rows for c in row["contexts"]})):
        (tmp_path / "docs" / f"{number}.txt").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "library", create=True) as library:
        assert library.add([tmp_path / "docs"]).ok
    questions = [{k: row[k] for k in ("id", "question", "answers")} for row in rows_of(shared, "squad")]
    figures = measured(questions, tmp_path / "squad", tmp_path / "library")
    assert figures["questions"] == 500
    assert figures["F1"] >= 0.66 and figures["EM"] >= 0.50
    assert figures["answerable_refused"] <= 0.05


def test_what_the_contexts_do_not_say_is_refused(shared: Path, tmp_path: Path) -> None:
    assert measured(rows_of(shared, "swapped"), tmp_path / "swapped")["refusal_recall"] >= 0.90


def test_what_was_cut_out_of_the_contexts_is_refused(shared: Path, tmp_path: Path) -> None:
    """200 questions over their own contexts without the sentences that hold an accepted answer."""
    cut = []
    for row in rows_of(shared, "squad"):
        contexts = [cut_out(context, row["answers"]) or context for context in row["contexts"]]
        if contexts != row["contexts"] and not any(holds(context, row["answers"]) for context in contexts):
            cut.append({**row, "contexts": contexts, "answers": []})
    assert len(cut) >= 200
    assert measured(cut[:200], tmp_path / "cut")["refusal_recall"] >= 0.70


def test_long_contexts_cost_little(shared: Path, tmp_path: Path) -> None:
    """The right passage at random places among others, 1,000 and 6,000 tokens in all."""
    tokenizer = read_checkpoint("starter").tokenizer
    rows = rows_of(shared, "squad")[:200]
    passages = sorted({c for row in rows for c in row["contexts"]})
    length = dict(zip(passages, map(len, tokenizer.encode_batch(passages)), strict=True))
    found = {}
    for tokens in (1000, 6000):
        rng, filled = random.Random(tokens), []
        for row in rows:
            contexts = list(row["contexts"])
            for passage in rng.sample(passages, len(passages)):
                if sum(length[c] for c in contexts) < tokens and passage not in contexts:
                    contexts.append(passage)
            filled.append({**row, "contexts": rng.sample(contexts, len(contexts))})
        found[tokens] = measured(filled, tmp_path / f"long-{tokens}")["F1"]
    assert found[6000] >= 0.85 * found[1000]


def test_lists_definitions_and_cells_are_found_in_the_samples(tmp_path: Path) -> None:
    """40 questions of each kind; an answer is right where it holds all that is wanted, or one of the words that mean it."""
    right = dict.fromkeys(("list", "define", "cell"), 0)
    with Library.open(tmp_path / "library", create=True) as library:
        assert library.add([ROOT / "data" / "samples"]).ok
        chain = build_chain(library, "starter")
        for row in read_lines(Path(__file__).with_name("kinds.jsonl"), "kind", "question", "wants"):
            right[row["kind"]] += all(_says(chain.invoke(row["question"]).shown(), wanted) for wanted in row["wants"])
    print(right)
    assert right["list"] >= 26 and right["define"] >= 28 and right["cell"] >= 28


def _says(text: str, wanted: str) -> bool:
    forms = (r"\s+".join(map(re.escape, form.split())) for form in wanted.split("|"))
    return any(re.search(rf"(?<!\w){form}(?!\w)", text, re.IGNORECASE) for form in forms)
