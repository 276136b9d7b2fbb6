"""What can't be what is asked isn't taken for it: an extension for a salary, a date for a telephone number."""

import pytest

from ingest import Chunk
from rag.answer import Evidence
from rag.attributes import tells
from rag.read import default_reader, read

STAFF = "| Role | Name | Room | Extension |\n| --- | --- | --- | --- |\n| Cook | Ines Falk | 12 | 331 |\n| Porter | Odo Brandt | 3 | 340 |"
BOAT = "The Heron was launched at Skell. She carries nine people and needs 40 cm of water. Write to Odo Brandt, room 3."


def tells_it(question: str, text: str, span: str) -> bool:
    start = text.index(span)
    return tells(question, Chunk("a", "/d", text, 0, len(text), None, None, ""), start, start + len(span))


@pytest.mark.parametrize(
    ("question", "text", "span"),
    [
        ("What is the salary of the cook?", STAFF, "331"),
        ("How old is Ines Falk?", STAFF, "331"),
        ("How much does the porter's room cost?", STAFF, "3 |"),
        ("What is Odo Brandt's e-mail address?", BOAT, "room 3"),
        ("What is the phone number of Odo Brandt?", BOAT, "3"),
        ("How fast is the Heron?", BOAT, "nine"),
        ("How much does the Heron weigh?", BOAT, "nine people"),
    ],
)
def test_a_passage_without_a_sign_of_what_is_asked_does_not_tell_it(question: str, text: str, span: str) -> None:
    assert not tells_it(question, text, span)


@pytest.mark.parametrize(
    ("question", "text", "span"),
    [
        ("What is the extension of the cook?", STAFF, "331"),
        ("What room is the porter in?", STAFF, "3 |"),
        ("What is Odo Brandt's e-mail address?", "Write to Odo Brandt (odo@skell.example).", "odo@skell.example"),
        ("What is the phone number of the quay?", "| Place | Number |\n| --- | --- |\n| Quay | 01632 960 118 |", "01632 960 118"),
        ("What is the phone number of the porter?", "The porter answers telephone 340.", "340"),
        ("How old is the Heron?", "The Heron was built at Skell in 1971.", "1971"),
        ("How much does a trip cost?", "A trip is £4.", "£4"),
        ("How fast is the Heron?", "She does 6 knots.", "6 knots"),
        ("Who launched the Heron?", BOAT, "Skell"),
    ],
)
def test_a_sign_of_what_is_asked_is_enough(question: str, text: str, span: str) -> None:
    assert tells_it(question, text, span)


def test_a_passage_that_does_not_tell_is_less_likely_to_answer() -> None:
    evidence = [Evidence(Chunk("a", "/d", STAFF, 0, len(STAFF), None, None, ""), 1.0)]
    chances = [
        read(asked, evidence, default_reader())[0].reading for asked in ("What is the cook's salary?", "What is the cook's extension?")
    ]
    assert chances[0] and chances[1] and chances[0].answerable < 0.2 < chances[1].answerable
