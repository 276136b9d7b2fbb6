"""What a reader learns from besides sets of questions: questions as typed, near misses, cells of tables, notices."""

import random
import re

import pytest

from model.train.data import Question
from rag.reader.asked import Asked
from rag.reader.data import build, found_in
from rag.reader.near_miss import Names, near_misses, wrong_attribute
from rag.reader.notices import notices
from rag.reader.tables import lookups, read_table
from rag.reader.typed import keywords, slip, typed
from rag.reader.variants import variants
from rag.reader.windows import Pieces
from tests.rag.test_reader import MILL, TIDE

TABLE = (
    "| Boat | Built | Length | Owner |\n|---|---|---|---|\n| Heron | 1904 | 12 m | Ann Pell |\n| Plover | 1904 | 9 m | Tom Rudd |\n"
    "| Curlew | 1911 | 12 m | Ann Pell |\n"
)
OTHERS = "| Cow | Milk | Breed |\n|---|---|---|\n| Daisy | 20 l | Jersey |\n| Bella | 24 l | Angus |\n"
CLUB = "In 2023 the club had 140 members. Its secretary, Wilma Stone, lives in Garth. Ted Marsh keeps the books."


def asked_of(passage: str, question: str, answer: str, times: int = 40) -> list[Asked]:
    start = passage.index(answer)
    names = Names(["Who did Ned Flint see?", "Where does Olga Reed live?", "Who met Ned Flint in Rome?"])
    rng = random.Random(0)
    return [a for _ in range(times) for a in near_misses(question, passage, [(start, start + len(answer))], names, rng)]


# as people type


def test_keywords_keep_what_is_asked_for_and_say_what_kind_of_answer_is_wanted() -> None:
    said = {keywords("When is the next flower show?", random.Random(n)) for n in range(20)}
    assert said == {"next flower show date", "date next flower show"}
    assert keywords("How many boats were there in 1904?", random.Random(0)) == "number of boats in 1904"


def test_a_slip_of_the_fingers_spoils_one_word_and_no_number() -> None:
    text = "opening times on 21 March 2024"
    for seed in range(100):
        spoilt = slip(text, random.Random(seed))
        assert spoilt != text or re.search(r"(.)\1", text)
        assert re.findall(r"\d+", spoilt) == ["21", "2024"] and abs(len(spoilt) - len(text)) <= 1


def test_a_typed_question_keeps_its_telling_words() -> None:
    for seed in range(100):
        said = typed("Who built the old lighthouse at Skagen in 1892?", random.Random(seed))
        assert "1892" in said and len(said.split()) >= 4


# near misses


def test_a_near_miss_asks_of_something_that_the_passage_does_not_say() -> None:
    missed = {a.question for a in asked_of(CLUB, "How many members did the club have in 2023?", "140") if not a.answers}
    years = {year for question in missed for year in re.findall(r"in (20\d\d)", question)}
    assert len(years) > 3 and "2023" not in years


def test_another_name_is_put_in_whole_or_in_part() -> None:
    missed = {a.question for a in asked_of(CLUB, "Where does Wilma Stone live?", "Garth") if not a.answers}
    assert {"Where does Olga Stone live?", "Where does Wilma Reed live?", "Where does Olga Reed live?"} <= missed


def test_another_thing_of_the_kind_is_asked_after_only_if_the_passage_does_not_speak_of_it() -> None:
    said = {a.question for a in asked_of(f"{CLUB} Its treasurer is Max.", "Who is the secretary?", "Wilma Stone") if not a.answers}
    assert "Who is the chairman?" in said and "Who is the treasurer?" not in said


def test_a_year_added_to_a_question_is_answered_where_it_is_the_years_of_its_sentence() -> None:
    told = asked_of(CLUB, "How many members did the club have?", "140")
    assert {a.question: [CLUB[s:e] for s, e in a.places] for a in told if a.answers} == {
        "How many members did the club have in 2023?": ["140"]
    }
    assert any(re.search(r"in 20\d\d", a.question) for a in told if not a.answers)


def test_an_attribute_is_asked_after_that_no_word_of_the_passage_could_tell() -> None:
    said = {wrong_attribute(f"{CLUB} Call us on 555-1234. It costs $5 a year.", random.Random(n)) for n in range(60)}
    assert any("e-mail" in str(q) or "email" in str(q) for q in said)
    assert not any("phone" in str(q) or "price" in str(q) or "cost" in str(q) for q in said)
    assert wrong_attribute("nothing is named here", random.Random(0)) is None


# tables


def test_a_cell_is_asked_for_at_its_place_though_others_read_alike() -> None:
    table, others = read_table(TABLE), read_table(OTHERS)
    assert table is not None and others is not None
    told = [a for n in range(60) for a in lookups(table, [others], random.Random(n))]
    plover = {TABLE[s:e] for a in told if a.answers and "Plover" in a.question and "built" in a.question for s, e in a.places}
    places = {span for a in told if a.answers and "Plover" in a.question and "built" in a.question for span in a.places}
    assert plover == {"1904"} and places == {(TABLE.index("1904", TABLE.index("Plover")), TABLE.index("1904", TABLE.index("Plover")) + 4)}
    missed = [a.question for a in told if not a.answers]
    assert any("Daisy" in q or "Bella" in q for q in missed) and any("breed" in q or "milk" in q for q in missed)
    assert {TABLE[s:e] for a in told if "9 m" in a.question and a.answers for s, e in a.places} == {"Plover"}


@pytest.mark.parametrize("text", ["no table", "| a | b |\n|---|---|\n| 1 |\n| 2 | 3 |", "| a | a |\n|---|---|\n| 1 | 2 |\n| 2 | 3 |"])
def test_what_is_no_even_table_is_not_asked_about(text: str) -> None:
    assert read_table(text) is None


def test_an_answer_that_stands_in_a_table_by_chance_is_not_pointed_at() -> None:
    assert found_in(Question("how many boats are there?", [TABLE], ["9"]), TABLE) == []
    assert found_in(Question("When was the Plover built?", [TABLE], ["1904"]), TABLE) == []
    assert found_in(Question("Who owns the Plover?", [TABLE], ["Tom Rudd"]), TABLE) != []


def test_an_answer_in_other_words_is_pointed_at_in_the_sentence_that_says_it() -> None:
    row = Question("Why did it burn?", [MILL], ["A candle near the meal bins."], kind="abstractive")
    ((start, end),) = found_in(row, MILL)
    assert MILL[start:end] == "A candle left near the meal bins was blamed for it."
    assert found_in(Question("Why?", [MILL], ["Someone was careless with fire."], kind="abstractive"), MILL) == []


# notices


def test_a_notice_answers_what_it_tells_and_not_what_it_leaves_out() -> None:
    told = list(notices(200, random.Random(0)))
    assert all(a.passage[s:e].strip() == a.passage[s:e] != "" for a in told for s, e in a.places)
    phones = [a for a in told if "phone" in a.question]
    assert {a.answers for a in phones} == {True, False}
    for asked in phones:
        if asked.answers:
            ((start, end),) = asked.places
            assert re.fullmatch(r"[\d -]+", asked.passage[start:end])


def test_all_that_is_asked_becomes_pairs_and_the_same_seed_gives_the_same(pieces: Pieces) -> None:
    rows = [
        Question("When did the mill burn down?", [MILL], ["3 February 1766"]),
        Question("Who owns the Plover?", [TABLE], ["Tom Rudd"]),
        Question("Is it high?", [TIDE], ["yes"], kind="yesno"),
        Question("The mill burned in _____.", [MILL], ["1766"], kind="cloze"),
    ] * 6
    near = [[TIDE], [OTHERS], [], []] * 6
    more = variants(rows, near, 1)
    assert more == variants(rows, near, 1)
    assert not any("_____" in a.question for a in more)
    pairs = build(rows, pieces, near, 1, more)
    assert len(pairs.pairs) >= len(more) and {p.answerable for p in pairs.pairs} == {True, False}
