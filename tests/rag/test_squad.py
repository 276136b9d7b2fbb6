"""500 SQuAD questions found in one library of 547 passages: the figure that the starter is held to."""

import json
from pathlib import Path

import pytest

from rag.evaluate import evaluate_answers, read_lines

pytestmark = pytest.mark.slow


def test_squad_through_the_whole_chain(shared: Path, tmp_path: Path) -> None:
    from ingest import Library

    rows = read_lines(shared / "data" / "dev" / "qa_short.jsonl.xz", "id", "question", "answers", "contexts")
    (tmp_path / "docs").mkdir()
    for number, text in enumerate(sorted({c for row in rows for c in row["contexts"]})):
        (tmp_path / "docs" / f"{number}.txt").write_text(text, encoding="utf-8")
    questions = [{k: row[k] for k in ("id", "question", "answers")} for row in rows if row["source"] == "squad"]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    with Library.open(tmp_path / "library", create=True) as library:
        assert library.add([tmp_path / "docs"]).ok
    figures = evaluate_answers(tmp_path / "q.jsonl", str(tmp_path / "library"), "starter", tmp_path / "p.jsonl", lambda done, total: None)
    print(figures)
    assert figures["questions"] == 500
    assert figures["F1"] >= 0.38
    assert figures["answerable_refused"] <= 0.08
