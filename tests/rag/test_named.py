"""File names count: in what is found, in the gate, and in what a larger model is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.named import named

NOTES = {
    "People/Ana Brook.md": "Phone: 0151 496 0321\nRole: bookkeeper\nDesk: 4B",
    "People/Ben Field.md": "Phone: 0151 496 0987\nRole: driver\nDesk: 2A",
    "People/Cora Marsh.md": "Phone: 0151 496 0555\nRole: cook\nDesk: 1C",
    "People/Dev Stone.md": "Phone: 0151 496 0111\nRole: porter",
    **{f"People/Guest {n}.md": f"Phone: 0151 497 {n:04}\nRole: guest" for n in range(40)},
    "Accounts 2021.md": "Income: 81,500 pounds. Spending: 79,000 pounds.",
    "Accounts 2022.md": "Income: 88,200 pounds. Spending: 80,100 pounds.",
    "Accounts 2023.md": "Income: 93,400 pounds. Spending: 91,000 pounds.",
}


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One file a thing, whose name alone says which."""
    folder = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with Library.open(folder / "library", create=True) as library:
        library.add([folder / "People", *folder.glob("*.md")])
        yield library


@pytest.mark.parametrize(
    ("question", "answer", "name"),
    [
        ("What is Cora Marsh's phone number?", "0555", "Cora Marsh.md"),
        ("What was the income in 2022?", "88,200", "Accounts 2022.md"),
        ("What was the spending in 2021?", "79,000", "Accounts 2021.md"),
        ("what does Accounts 2023.md say about spending?", "91,000", "Accounts 2023.md"),
    ],
)
def test_of_many_alike_the_file_that_a_question_names_answers(notes: Library, question: str, answer: str, name: str) -> None:
    given = build_chain(notes, "starter").invoke(question)
    assert answer in given.text
    assert [Path(citation.path).name for citation in given.citations] == [name] and given.citations[0].verified


def test_words_that_stand_in_many_names_name_nobody() -> None:
    paths = [f"/minutes/minutes {n}.md" for n in range(30)] + ["/lease of the barn.pdf", "/barn/gate.md"]
    assert named("what do the minutes say about fees?", paths) == {}
    assert named("how long is the lease?", paths) == {"/lease of the barn.pdf": 1.0}
    assert named("how long is the lease of the mill?", paths) == {"/lease of the barn.pdf": 0.5}
    assert named("minutes 17", paths) == {"/minutes/minutes 17.md": pytest.approx(0.5 + 1 / 60)}
