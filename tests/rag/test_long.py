"""A letter is searched for by what it asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Library
from rag import build_chain
from rag.long import asking_part

LETTER = """Hello, my name is Rita and I have been asked by my manager, who is away this week because of a family matter, to \
prepare a summary for the visit of our partners from Lyon next Thursday, and among the many things that I need to find out is the \
following, about which I could find nothing in my own mail or on the shared drive, although I did look for it for most of \
yesterday afternoon: {} If you don't know, please tell me whom I could ask about it, since the slides must be ready by \
Wednesday evening. Thank you very much in advance and kind regards, Rita Maywood, assistant to the board, extension 4417."""
WANTED = """Dear team, we moved in last spring and have been very happy with the flat so far, apart from the lift, which was broken \
again for the whole of last week. My mother, who is 84, will stay with us over Easter. Could you please tell me what {}. We would \
need it for about ten days, and I would pay in advance. Many thanks, the Okafor family, third floor left."""


@pytest.fixture(scope="module")
def handbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("handbook")
    (folder / "plants.md").write_text("# Plants\n\nIn 1994 the company had 312 employees in three plants.\n")
    (folder / "house.md").write_text("# House rules\n\nA guest parking space costs 7 euros a day.\n")
    for n in range(8):
        (folder / f"menu{n}.md").write_text(f"On day {n} the canteen serves soup number {n}, and the manager's slides are shown at noon.\n")
    with Library.open(folder / "library", create=True) as library:
        assert library.add(sorted(folder.glob("*.md"))).ok
        yield library


@pytest.mark.parametrize(
    ("letter", "answer", "name"),
    [
        (LETTER.format("how many people worked for the company in 1994?"), "312", "plants.md"),
        (WANTED.format("a guest parking space costs per day"), "7 euros", "house.md"),
    ],
)
def test_a_letter_is_answered_as_its_question_would_be(handbook: Library, letter: str, answer: str, name: str) -> None:
    given = build_chain(handbook, "starter").invoke(letter)
    assert answer in given.text and Path(given.citations[0].path).name == name


def test_a_letter_whose_question_has_no_answer_is_refused(handbook: Library) -> None:
    assert build_chain(handbook, "starter").invoke(LETTER.format("what is the capital of Peru?")).refused


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("How many people worked there in 1994?", None),
        ("Pump " * 60, None),
        (LETTER.format("how many plants are there?"), "how many plants are there?"),
        (LETTER.format("I need the number of plants."), "whom I could ask about it, since the slides must be ready by Wednesday evening"),
        (WANTED.format("it costs"), "what it costs"),
    ],
)
def test_what_asks_in_a_long_text_is_found(question: str, part: str | None) -> None:
    assert asking_part(question) == part
