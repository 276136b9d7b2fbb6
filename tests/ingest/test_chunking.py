"""Chunks lose nothing, point at exactly their text, and fit the embedder."""

import itertools
import random
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from ingest import Embedder
from ingest.loaders.parsed import Parsed, clean
from ingest.loaders.web.markdown import headings
from ingest.text.chunking import TARGET, pages_of, split

WORDS = ["mill", "wheel", "tide", "grain", "stone", "flour", "harbour", "the", "of", "and", "Mr.", "Smith", "3.14", "e.g.", "水車", "été"]
_piece = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=80).map(" ".join),
    st.sampled_from([". ", "! ", "\n", "\n\n", "\n- ", "\n| a | b |", "。", "x" * 700, "!" * 300, "\u200b" * 300, "😀" * 90]),
)
texts = st.lists(_piece, max_size=25).map(lambda pieces: clean("".join(pieces)))


@st.composite
def documents(draw: st.DrawFn) -> Parsed:
    text = draw(texts)
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=4)))
    pages = [(0, 1)] + [(place, number) for number, place in enumerate(places, 2)]
    return Parsed(text, pages, [(place, 1 + number % 3, f"H{number}") for number, place in enumerate(places)])


@given(parsed=documents())
def test_every_character_that_is_not_blank_lies_in_a_chunk(embedder: Embedder, parsed: Parsed) -> None:
    covered = bytearray(len(parsed.text))
    for span in split(parsed, embedder.counter):
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    assert not [char for char, seen in zip(parsed.text, covered, strict=True) if not seen and not char.isspace()]


@given(parsed=documents())
def test_no_chunk_is_longer_than_the_embedder_reads(embedder: Embedder, parsed: Parsed) -> None:
    spans = split(parsed, embedder.counter)
    read = embedder.counter.tokenizer.encode_batch([parsed.text[span.start : span.end] for span in spans] or ["x"])
    assert max(map(len, read)) <= 256


class Thirds:
    """Counts a third of the characters, rounded down: a whole then has more tokens than its parts together."""

    limit = 50

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 3 for text in texts]


@given(parsed=documents())
@example(parsed=Parsed("a。" * 300))
def test_chunks_fit_though_a_whole_counts_more_than_its_parts(parsed: Parsed) -> None:
    spans = split(parsed, Thirds())
    assert all(Thirds().count([parsed.text[span.start : span.end]])[0] <= Thirds.limit for span in spans)


@given(parsed=documents())
def test_spans_are_ordered_trimmed_and_the_same_each_time(embedder: Embedder, parsed: Parsed) -> None:
    spans = split(parsed, embedder.counter)
    assert spans == split(parsed, embedder.counter)
    assert all(first.start < second.start and first.end < second.end for first, second in itertools.pairwise(spans))
    assert all((text := parsed.text[span.start : span.end]) and text == text.strip() for span in spans)


@given(parsed=documents())
def test_pages_of_a_span_are_where_its_ends_lie(embedder: Embedder, parsed: Parsed) -> None:
    assert parsed.pages
    for span in split(parsed, embedder.counter):
        first, last = pages_of(parsed, span)
        assert first == max(number for start, number in parsed.pages if start <= span.start)
        assert last == max(number for start, number in parsed.pages if start < span.end)


def test_a_short_passage_is_one_chunk(embedder: Embedder) -> None:
    text = "The miller opens the gate at the turn of the tide, and the wheel begins to move. " * 8
    assert len(text.split()) > 120
    assert len(split(Parsed(text), embedder.counter)) == 1


def test_long_prose_gives_chunks_of_about_the_target_that_overlap_by_a_sentence(embedder: Embedder) -> None:
    rng = random.Random(5)
    sentences = [" ".join(rng.choices(WORDS[:8], k=12)).capitalize() + "." for _ in range(120)]
    text = " ".join(sentences)
    spans = split(Parsed(text), embedder.counter)
    sizes = embedder.counter.count([text[span.start : span.end] for span in spans])
    assert min(sizes) > TARGET / 2
    for first, second in itertools.pairwise(spans):
        assert text[second.start : first.end].count(".") == 1
        assert text[first.end - 1] == "."


def test_a_section_begins_a_chunk_and_gives_its_path(embedder: Embedder) -> None:
    body = "The pond holds water for three hours of milling and the warden writes down its level every day of the week. " * 5
    text = f"# Mill\n\n## Pond\n\n{body}\n\n## Wheel\n\n{body}"
    spans = split(Parsed(text, headings=headings(text)), embedder.counter)
    assert [span.heading for span in spans] == ["Mill > Pond", "Mill > Wheel"]
    assert text[spans[1].start :].startswith("## Wheel")


def test_a_giant_word_is_split_though_the_tokenizer_counts_it_as_one_token(embedder: Embedder) -> None:
    text = "abcdefgh" * 400
    assert embedder.counter.count([text]) == [1]
    spans = split(Parsed(text), embedder.counter)
    assert spans[0].start == 0 and spans[-1].end == len(text)
    assert max(span.end - span.start for span in spans) < 1000


def wide_table(columns: int, rows: int) -> str:
    names = [f"measured quantity {number}" for number in range(columns)]
    body = ["| " + " | ".join(f"{row}.{column}" for column in range(columns)) + " |" for row in range(rows)]
    return "\n".join(["Pumps of the mill.\n", "| " + " | ".join(names) + " |", "|" + " --- |" * columns, *body, "\nEnd of the list."])


def test_a_chunk_within_a_table_begins_on_a_row_and_repeats_the_header(embedder: Embedder) -> None:
    text = wide_table(5, 60)
    first, *rest = split(Parsed(text), embedder.counter)
    inside = [span for span in rest if text[span.start] == "|"]
    assert "quantity 0" in text[first.start : first.end] and first.header == "" and len(inside) > 3
    assert {span.header for span in inside} == {text.splitlines()[2]}
    assert all(text[span.start - 1] == "\n" for span in inside)


def test_a_wide_header_is_repeated_short_beside_each_row(embedder: Embedder) -> None:
    text = wide_table(20, 30).replace("measured quantity", "quantity that somebody measured by hand")
    inside = [span for span in split(Parsed(text), embedder.counter) if text[span.start : span.start + 5] == "| 25."]
    assert [span.header.split(" | ")[2:4] for span in inside] == [["quantity that somebody m"] * 2]


def test_parts_of_a_row_that_is_longer_than_a_chunk_are_told_their_own_columns(embedder: Embedder) -> None:
    text = wide_table(200, 2)
    spans = split(Parsed(text), embedder.counter)
    parts = [span for span in spans if text[span.start].isdigit() and text[span.start : span.start + 2] == "1."]
    assert len(parts) > 2
    for span in parts:
        cells = [cell.strip() for cell in text[span.start : span.end].split("|") if cell.strip()]
        names = [name.strip() for name in span.header.strip("| ").split("|")]
        assert len(names) == len([cell for cell in cells if cell.startswith("1.")])
        assert names[0] == f"measured quantity {cells[0].partition('.')[2]}"


def test_a_bar_within_a_cell_is_no_edge_of_it(embedder: Embedder) -> None:
    text = wide_table(200, 2).replace("1.3 |", "1.3 \\| more |")
    part = next(
        span
        for span in split(Parsed(text), embedder.counter)
        if text[span.start : span.start + 4] == "1.60" or "1.60 |" in text[span.start : span.end]
    )
    start = text[part.start : part.end].split(" ")[0]
    assert start.startswith("1.") and part.header.startswith(f"| measured quantity {start.partition('.')[2]} |")
