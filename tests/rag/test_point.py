"""What is pointed at and what is shown of it: spans, sentences, rows and lists, as they stand in the documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Chunk
from rag.answer import Evidence, Reading
from rag.point import best_source, point
from rag.quote import asks_to_judge, shown_quote, wants_several

PROSE = "The mill burnt down in 1801. A candle left near the meal bins was blamed. Dr. Venn bought the ruin, all 3.5 acres of it."
ITEMS = "Members get:\n\n- free entry\n- the newsletter, four times\n  a year\n- 10 per cent off in the shop\n\nJoin at the desk."
TABLE = "| Ticket | Price |\n| --- | --- |\n| Adult | £6.50 |\n| Child | £3.50 |\n| Family | £18.00 |"

LONG = ITEMS.replace("- free entry", "- free entry\n" * 40 + "- free entry")
ROWS = "\n| Dog | nothing |" * 40


def shown(text: str, words: str, question: str = "") -> str:
    start = text.index(words)
    first, last = shown_quote(text, start, start + len(words), question)
    return text[first:last]


@pytest.mark.parametrize(
    ("text", "words", "quote"),
    [
        (PROSE, "candle", "A candle left near the meal bins was blamed."),
        (PROSE, "Venn", "Dr. Venn bought the ruin, all 3.5 acres of it."),
        (PROSE, "1801. A candle", "The mill burnt down in 1801. A candle left near the meal bins was blamed."),
        (ITEMS, "newsletter", ITEMS.removesuffix("\n\nJoin at the desk.")),
        (LONG, "newsletter", "- the newsletter, four times\n  a year"),
        (ITEMS, "Join", "Join at the desk."),
        (TABLE, "£3.50", TABLE),
        (TABLE + ROWS, "£3.50", "| Child | £3.50 |"),
        (TABLE + ROWS, "£6.50 |\n| Child", "| Adult | £6.50 |\n| Child | £3.50 |"),
    ],
)
def test_the_sentence_or_a_short_list_or_table_or_else_its_item_or_row_is_shown(text: str, words: str, quote: str) -> None:
    assert shown(text, words) == quote


def test_who_asks_for_several_things_is_shown_the_whole_list() -> None:
    assert shown(ITEMS, "newsletter", "What are the benefits of being a member?") == ITEMS.removesuffix("\n\nJoin at the desk.")
    assert shown(TABLE, "Adult", "What types of ticket are there?") == TABLE
    assert shown(PROSE, "candle", "What are the reasons?") == PROSE
    apart = "Don't forget\n\n1. Sunglasses\n\n2. Water\n\n3. Cream\n\nThe end."
    assert shown(apart, "Water", "What are the things to take?") == "1. Sunglasses\n\n2. Water\n\n3. Cream"
    long = "- one thing\n" * 200
    assert 400 < len(shown(long, "one thing", "List all things")) <= 500


@given(st.text(alphabet="aB .!?|\n-1)", max_size=80), st.data())
def test_a_quote_holds_its_span_and_lies_in_the_text(text: str, data: st.DataObject) -> None:
    words = text.strip()
    start = data.draw(st.integers(0, max(0, len(words) - 1)))
    end = data.draw(st.integers(start, len(words)))
    first, last = shown_quote(words, start, end, data.draw(st.sampled_from(["When?", "Is it?", "List all"])))
    assert 0 <= first <= last <= len(words)
    assert words[start:end].strip() in words[first:last]


def found(text: str, words: str, probability: float, at: int = 0, path: str = "/d") -> Evidence:
    start = text.index(words)
    return Evidence(
        Chunk(path + str(at), path, text, at, at + len(text), None, None, ""),
        1.0,
        reading=Reading(start, start + len(words), 1.0, probability),
    )


def test_a_span_answers_what_a_span_can() -> None:
    sources = [found(PROSE, "1801", 0.6), found(TABLE, "£3.50", 0.9)]
    assert point("How much is a child?", sources) == "£3.50 [2]"
    assert point("When did it burn?", sources[:1]) == "1801 [1]"


def test_why_and_how_get_sentences_in_the_order_of_the_document() -> None:
    sources = [found(PROSE, "candle", 0.9, at=500), found(ITEMS, "free entry", 0.6, at=20), found(TABLE, "Adult", 0.1, at=0)]
    assert point("Why did the mill burn down?", sources) == "- free entry [2] A candle left near the meal bins was blamed. [1]"


@pytest.mark.parametrize(
    ("question", "judges"),
    [
        ("Is it open?", True),
        ("did they win", True),
        ("Who paid more, Gino or Claudio?", True),
        ("What animals bred or nested on the pond in 2024?", False),
    ],
)
def test_questions_that_ask_to_judge_are_told_apart(question: str, judges: bool) -> None:
    assert asks_to_judge(question) is judges


def test_who_asks_to_judge_or_why_is_shown_what_follows_too() -> None:
    assert shown(PROSE, "1801", "Did it burn?") == PROSE
    assert shown(PROSE, "1801", "When did it burn?") == "The mill burnt down in 1801."
    assert shown(TABLE, "£3.50", "Is it £3.50?") == TABLE
    assert shown("It burnt. " + "It was rebuilt. " * 40, "It burnt", "Did it burn?").count("rebuilt") == 30


def test_nothing_read_is_nothing_pointed_at() -> None:
    assert point("When?", []) == ""
    assert best_source([]) == 0
    assert best_source([found(PROSE, "1801", 0.3), found(TABLE, "Adult", 0.8)]) == 2
    assert point("When?", [Evidence(Chunk("a", "/d", PROSE, 0, 9, None, None, ""), 1.0)]) == ""


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("List the jobs still to do", True),
        ("Which firms tendered for the gates?", True),
        ("What does this do?", False),
        ("What was the price?", False),
        ("What kinds of flour do you sell?", True),
        ("What are the benefits of being a member?", True),
        ("When was the mill built?", False),
        ("How much is a ticket?", False),
    ],
)
def test_questions_for_several_things_are_told_apart(question: str, several: bool) -> None:
    assert wants_several(question) is several


@pytest.mark.parametrize("question", ["Was kostet das Boot?", "Was ist in der Kiste?", "Will der Pächter bauen?"])
def test_a_german_question_that_begins_like_a_yes_or_no_is_none(question: str) -> None:
    assert not asks_to_judge(question)


def test_a_yes_or_no_is_not_judged_but_answered_with_the_best_sentence() -> None:
    sources = [found(PROSE, "candle", 0.9), found(ITEMS, "free entry", 0.8)]
    assert point("Did a candle burn the mill down?", sources) == "A candle left near the meal bins was blamed. [1]"
