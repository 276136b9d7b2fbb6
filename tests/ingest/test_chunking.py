"""Chunks lose nothing, point at exactly their text, and fit the embedder."""

import itertools
import random
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from ingest import Embedder
from ingest.loaders.markdown import headings
from ingest.loaders.parsed import Parsed, clean
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
    read = embedder._model.tokenizer([parsed.text[span.start : span.end] for span in spans] or ["x"])["input_ids"]
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
