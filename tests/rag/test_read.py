"""Reading what was retrieved: behind its document's title where the question asks for it, and a file that is named is no riddle."""

from ingest import Chunk, Library
from rag.answer import Evidence, Reading
from rag.point import best_source, point
from rag.read import _adjusted, default_reader, rank, read

FEE = "3. Payment\n\nThe fee is 412 pounds a quarter, due on the first day of it. What is paid late costs two pounds a day more."
OPENING = "# Agreement for the boathouse at Skell\n\nMade between the parish and the rowing club."
ASKED = "What is the fee for the boathouse?"


def evidence(text: str, path: str = "/d/paper.txt", score: float = 1.0) -> Evidence:
    return Evidence(Chunk(path, path, text, 0, len(text), None, None, ""), score)


def only(question: str, item: Evidence, opening: str = "") -> Reading:
    (found,) = read(question, [item], default_reader(), {item.chunk.path: opening})
    assert found.reading
    return found.reading


def test_a_passage_is_read_behind_the_title_that_the_question_asks_of() -> None:
    bare, titled = only(ASKED, evidence(FEE)), only(ASKED, evidence(FEE), OPENING)
    assert titled.answerable > bare.answerable + 0.1
    assert FEE[titled.start : titled.end].startswith("412 pounds")


def test_a_title_that_adds_nothing_to_the_question_is_left_out() -> None:
    asked = "When is the fee due?"
    assert only(asked, evidence(FEE), OPENING) == only(asked, evidence(FEE))
    assert only(ASKED, evidence(OPENING), OPENING) == only(ASKED, evidence(OPENING))


def test_a_file_that_is_named_in_the_question_is_not_missing_in_its_passages() -> None:
    asked = "What does rules-2023.md say about dogs?"
    text = "Dogs are kept on a lead in the yard and stay outside the café."
    there, elsewhere = only(asked, evidence(text, "/d/rules-2023.md")), only(asked, evidence(text, "/d/rules.md"))
    assert there.answerable > 3 * elsewhere.answerable


def test_the_answer_is_pointed_at_where_reading_put_it_first() -> None:
    near, far = "The fee is 300 pounds.", "The fee was 200 pounds."
    sources = [
        Evidence(evidence(text).chunk, score, reading=Reading(text.index("pounds") - 4, len(text) - 1, 1.0, p))
        for text, score, p in ((near, 1.0, 0.94), (far, 0.2, 0.95))
    ]
    assert rank(sources[0]) > rank(sources[1])
    assert best_source(sources) == 1
    assert point("What is the fee?", sources) == "300 pounds [1]"


def test_words_that_every_question_has_are_not_looked_up(library: Library) -> None:
    assert [hit.score for hit in library.words("What is the wheel of it?", 5)] == [hit.score for hit in library.words("wheel", 5)]
    assert library.words("what is it", 5)


def test_a_span_ends_with_its_paragraph() -> None:
    text = "Rowers: Ines Falk, Odo Brandt and Wim Oort.\n\nAda Thorne and Cleo Marsh"
    chunk = evidence(text).chunk
    found = _adjusted("Who rows?", Reading(8, len(text), 1.0, 0.9), chunk, text, "", [])
    assert text[found.start : found.end] == "Ines Falk, Odo Brandt and Wim Oort."
    headed = evidence("Access\n\nThe yard is step-free.").chunk
    assert _adjusted("What is step-free?", Reading(0, 31, 1.0, 0.9), headed, headed.text, "", []).end == 31
