"""The four question sets, written from the documents alone, before any answer of Octavo's was seen.

`natural.jsonl` asks as a newcomer types (a want's alternatives are parted by |), `dialogues.jsonl` asks twice,
`claims.jsonl` holds a sentence against its passage, `whole.jsonl` asks about whole documents (the samples or the texts
in the row) and says which whole words a good answer holds and which it must not. Here the sets are held to their shape
and to the documents.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ingest.loaders import libreoffice, load

Row = dict[str, Any]


def read(name: str) -> list[Row]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()]


def plain(text: str) -> str:
    """The text without case, each run of white space one blank."""
    return " ".join(text.casefold().split())


NATURAL, DIALOGUES, CLAIMS, WHOLE = (read(f"{name}.jsonl") for name in ("natural", "dialogues", "claims", "whole"))


def lacking(documents: str, folder: Path) -> list[tuple[str, str]]:
    """The wants, with their question's id, of which no alternative stands in the file that is named."""
    rows = [row for row in NATURAL if row["documents"] == documents and row["answerable"]]
    texts = {name: plain(load(folder / name).text) for name in {row["file"] for row in rows}}
    wants = [(row, want) for row in rows for want in row["wants"]]
    return [(row["id"], want) for row, want in wants if not any(plain(way) in texts[row["file"]] for way in want.split("|"))]


def test_sixty_natural_questions_are_of_every_kind() -> None:
    kinds = Counter(row["kind"] for row in NATURAL)
    assert len({row["id"] for row in NATURAL}) == len({row["question"] for row in NATURAL}) == 60
    assert kinds["why"] + kinds["how"] >= 8 and kinds["yesno"] >= 8 and kinds["list"] >= 6 and kinds["cell"] >= 6
    assert kinds["none"] == 12 == sum(not row["answerable"] for row in NATURAL)
    assert all(bool(row["wants"]) == row["answerable"] == (row["file"] is not None) for row in NATURAL)
    assert Counter(row["documents"] for row in NATURAL) == {"samples": 40, "good": 20}
    assert len({row["file"] for row in NATURAL if row["answerable"] and row["documents"] == "good"}) == 5


def test_what_a_natural_question_wants_stands_in_the_samples(samples: Path) -> None:
    assert lacking("samples", samples) == []


@pytest.mark.skipif(libreoffice() is None, reason="LibreOffice reads the old Word file among them")
def test_what_a_natural_question_wants_stands_in_five_documents_of_others(shared: Path) -> None:
    assert lacking("good", shared / "docs" / "good") == []


def test_the_passage_of_every_follow_up_stands_in_one_place_only(samples: Path) -> None:
    assert len({row["id"] for row in DIALOGUES}) == 40
    assert sum(row["kind"] != "standalone" for row in DIALOGUES) >= 30
    assert all(5 <= len(row["passage"].replace("|", " ").split()) <= 12 for row in DIALOGUES)
    texts = {path.name: plain(load(path).text) for path in samples.iterdir()}
    places = {row["id"]: +Counter({n: t.count(plain(row["passage"])) for n, t in texts.items()}) for row in DIALOGUES}
    assert places == {row["id"]: {row["file"]: 1} for row in DIALOGUES}


def test_two_hundred_claims_are_labelled_and_half_are_in_other_words() -> None:
    assert len({row["id"] for row in CLAIMS}) == len({(row["claim"], row["passage"]) for row in CLAIMS}) == 200
    assert sum(row["supported"] for row in CLAIMS) == 109
    assert sum(row["verbatim"] for row in CLAIMS) == 100
    assert all(30 <= len(row["passage"].split()) <= 150 for row in CLAIMS)


def test_only_supported_claims_in_the_passage_s_own_words_stand_there() -> None:
    standing = {row["id"] for row in CLAIMS if plain(row["claim"]).rstrip(".") in plain(row["passage"])}
    assert standing == {row["id"] for row in CLAIMS if row["supported"] and row["verbatim"]}


def whole_text(row: Row, samples: Path) -> str:
    """The text of the documents that a row of `whole.jsonl` is about, and their names."""
    own = row.get("texts", {})
    texts = [own[name] if name in own else load(samples / name).text for name in row["documents"]]
    return plain(" ".join(row["documents"] + texts))


def test_forty_questions_are_about_whole_documents_or_only_look_so() -> None:
    assert len({row["id"] for row in WHOLE}) == len({row["question"] for row in WHOLE}) == 40
    modes = Counter(row["mode"] for row in WHOLE)
    assert modes == {"answer": 12, "summarise": 6, "compare": 3, "every": 6, "which": 4, "each": 3, "compute": 6}
    assert all(row["must_have"] and row["documents"] for row in WHOLE)
    assert all(len(row["documents"]) == 1 for row in WHOLE if row["mode"] in {"answer", "summarise", "every", "compute"})
    assert all(len(row["must_have"]) == len(row["documents"]) for row in WHOLE if row["mode"] == "which")


def test_what_a_good_answer_holds_stands_in_its_documents_unless_it_is_computed(samples: Path) -> None:
    rows = [(row, whole_text(row, samples)) for row in WHOLE if row["mode"] != "compute"]
    wants = [(row["id"], want, text) for row, text in rows for want in row["must_have"]]
    assert [(i, want) for i, want, text in wants if not any(plain(way) in text for way in want.split("|"))] == []


def test_what_a_good_answer_must_not_hold_stands_nowhere_in_its_documents(samples: Path) -> None:
    shuns = [(row["id"], way, whole_text(row, samples)) for row in WHOLE for shun in row["must_not"] for way in shun.split("|")]
    assert [(i, way) for i, way, text in shuns if plain(way) in text] == []
