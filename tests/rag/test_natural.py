"""Questions as a newcomer types them, written before any answer was seen: right by what is shown first."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.answer import Answer

QUESTIONS = [json.loads(line) for line in Path(__file__).with_name("natural.jsonl").read_text(encoding="utf-8").splitlines()]


def says(text: str, wanted: str) -> bool:
    flat = " ".join(text.split()).casefold()
    return any(" ".join(form.split()).casefold() in flat for form in wanted.split("|"))


def is_right(answer: Answer, wants: list[str]) -> bool:
    return not answer.refused and all(says(answer.shown(), wanted) for wanted in wants) if wants else answer.refused


def right(library: Library, of: str) -> Counter[str]:
    chain = build_chain(library, "starter")
    counted: Counter[str] = Counter()
    for q in (q for q in QUESTIONS if q["documents"] == of):
        answer = chain.invoke(q["question"])
        counted[q["kind"]] += is_right(answer, q["wants"] if q["answerable"] else [])
        shown = re.sub(r"\s+", " ", answer.shown())[:160]
        print(
            "right" if is_right(answer, q["wants"] if q["answerable"] else []) else "WRONG",
            q["id"],
            q["question"],
            "|",
            q["wants"],
            "|",
            shown,
        )
    return counted


def test_most_natural_questions_over_the_samples_are_right(library: Library) -> None:
    counted = right(library, "samples")
    print(counted)
    assert sum(counted.values()) >= 27  # of 40


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("soffice") or shutil.which("libreoffice")), reason="one of the documents needs LibreOffice")
def test_most_natural_questions_over_found_documents_are_right(shared: Path, tmp_path: Path) -> None:
    names = {q["file"] for q in QUESTIONS if q["documents"] == "good" and q["file"]}
    with Library.open(tmp_path / "library", create=True) as library:
        assert library.add([shared / "docs" / "good" / name for name in names]).ok
        counted = right(library, "good")
    print(counted)
    assert sum(counted.values()) >= 14  # of 20
