"""A citation's boxes are where its words stand on its page."""

from dataclasses import replace
from pathlib import Path

from pptx import Presentation

from app.answers import place
from ingest import Library
from ingest.records import Box
from rag import build_chain
from rag.answer import Answer, Citation
from rag.boxes import with_boxes
from tests.ingest.marked import letters, under


def test_the_boxes_of_a_citation_are_those_of_its_span_else_its_quote_else_its_passage(library: Library, samples: Path) -> None:
    file = samples / "volunteer-handbook.pdf"
    path, text = str(file), library.text(file)
    spans = [(500, 560), (900, 1000), (1500, 2100)]
    start, end = spans[2]
    cited = [
        Citation(n, path, 1, 1, start, end, text[start:end], True, *marked) for n, marked in enumerate([spans[:2], [None, spans[1]], []], 1)
    ]
    (part,) = with_boxes([Answer("Yes [1].", citations=tuple(cited))], library)
    for citation, (begin, finish) in zip(part.citations, spans, strict=True):
        assert under(file, citation.boxes) == letters(text[begin:finish])
    told = part.to_dict()["citations"][0]["boxes"]
    assert told and set(told[0]) == {"page", "x0", "y0", "x1", "y1"}


def test_a_citation_of_a_format_without_pages_has_no_boxes(library: Library, samples: Path) -> None:
    path = str(samples / "annual-report-2024.md")
    cited = Citation(1, path, None, None, 0, 40, library.text(path)[:40], True)
    parts = list(with_boxes([Answer("Ye"), Answer("s [1].", citations=(cited,))], library))
    assert [part.text for part in parts] == ["Ye", "s [1]."] and parts[1].citations == (cited,)


def test_the_page_that_is_named_is_that_of_the_words_and_not_of_all_of_the_passage() -> None:
    passage = Citation(1, "/d/lease.pdf", 2, 3, 0, 9, "Nine oars", True)
    words = replace(passage, boxes=(Box(3, 0.1, 0.1, 0.2, 0.2),))
    assert (passage.pages, words.pages, replace(passage, page_start=None).pages) == ((2, 3), (3, 3), None)
    assert (place(passage), place(words)) == ("lease.pdf, pages 2-3", "lease.pdf, page 3")
    assert str(Answer("Nine [1].", citations=(words,))) == "Nine [1].\n[1] /d/lease.pdf, page 3"


def test_of_slides_that_share_a_passage_the_one_is_named_that_says_it(tmp_path: Path) -> None:
    deck = Presentation()
    for title, text in (("Welcome", "Short words."), ("Tickets", "A ticket costs 14 euros."), ("Café", "Soup is 6 euros.")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, text
    deck.save(str(tmp_path / "talk.pptx"))
    with Library.open(tmp_path / "library", create=True) as library:
        library.add([tmp_path / "talk.pptx"])
        (cited,) = build_chain(library, "starter").invoke("How much does a ticket cost?").citations
    assert (cited.page_start, cited.page_end, cited.pages) == (1, 3, (2, 2))
    told = Answer(citations=(cited,)).to_dict()["citations"][0]
    assert told["pages"] == (2, 2) and "on" not in told
