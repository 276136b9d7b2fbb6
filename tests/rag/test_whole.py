"""Whole documents: which questions they are, how much is read, and that every statement keeps its passage."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from ingest import Library
from rag import build_chain
from rag.answer import Answer
from rag.chain import AnswerChain
from rag.errors import QuestionError, ServerError
from rag.query import read_query
from rag.whole.each import Row, write_csv
from rag.whole.names import Names
from rag.whole.run import names_of
from rag.whole.task import recognise
from tests.conftest import ROOT


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()]


def names(paths: Sequence[str]) -> list[str]:
    return [Path(path).name for path in paths]


def taken_for(library: Library, question: str, **more: Any) -> tuple[str, list[str]]:
    query = read_query({"question": question, **more})
    task = recognise(query, lambda: names_of(query, library))
    return (task.mode, names(task.documents)) if task else ("answer", [])


# Which questions


@pytest.mark.parametrize("asked", lines("rag/modes.jsonl"), ids=lambda asked: asked["question"])
def test_a_question_is_taken_for_the_task_that_it_is(library: Library, asked: dict[str, Any]) -> None:
    mode, documents = taken_for(library, asked["question"])
    everything = names([document.path for document in library.documents()])
    wanted = asked.get("documents", [])
    assert (mode, documents) == (asked["mode"], everything if wanted == "all" else wanted)


@pytest.mark.parametrize("file", ["rag/natural.jsonl", "rag/kinds.jsonl", "samples_questions.jsonl"])
def test_no_question_that_a_passage_answers_is_taken_for_a_task(library: Library, file: str) -> None:
    assert [row["question"] for row in lines(file) if taken_for(library, row["question"])[0] != "answer"] == []


def test_no_follow_up_is_taken_for_a_task(library: Library) -> None:
    asked = [(row["follow_up"], [(row["first"], row["answer"])]) for row in lines("rag/dialogues.jsonl")]
    assert [question for question, history in asked if taken_for(library, question, history=history)[0] != "answer"] == []


TEXTS: dict[str, dict[str, str]] = json.loads((ROOT / "tests/rag/whole_texts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("asked", lines("rag/whole.jsonl") + lines("rag/whole_variants.jsonl"), ids=lambda asked: asked["id"])
def test_other_wordings_are_taken_for_the_same_tasks(library: Library, asked: dict[str, Any]) -> None:
    texts = asked.get("texts") or TEXTS.get(asked.get("library", ""))
    query = read_query(asked["question"])
    task = recognise(query, lambda: Names(texts) if texts else names_of(query, library))
    wanted = [asked["mode"]] if asked["mode"] != "answer" else ["answer", "compute"]  # whether a table has it is seen when it is read
    assert (task.mode if task else "answer") in wanted


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswerChain]:
    folder = tmp_path_factory.mktemp("field")
    for name, text in TEXTS["field"].items():
        (folder / name).write_text(text, encoding="utf-8")
    with Library.open(folder / "library", create=True) as opened:
        assert opened.add([folder / name for name in TEXTS["field"]]).ok
        yield build_chain(opened)


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("Add together the prices in the kit list", "740.00"),
        ("How much do Ruth Callow's things in kit.csv add up to?", "565.50"),
        ("mean number of chicks per site in the heron report for 2023", "23.5"),
        ("Sum the nests in the 2022 heron report.", "23 "),
    ],
)
def test_a_sum_finds_its_column_and_rows_by_the_words_of_the_question(field: AnswerChain, question: str, result: str) -> None:
    answer = field.invoke(question)
    assert answer.mode == "compute" and f": {result}" in answer.text
    assert {citation.support for citation in answer.citations} == {"verbatim"}


def test_a_sum_that_no_table_holds_stays_a_question(field: AnswerChain, chain: AnswerChain) -> None:
    assert field.invoke("What is the sum the society would pay for a barrier?").mode == "answer"
    assert chain.invoke("What is the average age of the volunteers?").mode == "answer"


def test_a_list_is_found_by_the_word_that_it_stands_under(chain: AnswerChain) -> None:
    answer = chain.invoke("What are all the actions that came out of the trustees' meeting in March?")
    assert answer.mode == "every" and len(answer.citations) == 6 and "renew the agreement with the café" in answer.text


def test_everybody_is_people_and_no_roles_places_or_bodies(chain: AnswerChain) -> None:
    text = chain.invoke("Who is mentioned in the contract? List everyone.").text
    found = [line[2:].partition(":")[0] for line in text.splitlines() if line.startswith("- ")]
    assert found == ["Grigor Baines", "Tamsin Baines", "Judith Amblecote", "Ishbel Corran", "Dov Pettifer", "Fergus Annick"]


def test_a_summary_has_as_many_sentences_as_were_asked_for(chain: AnswerChain) -> None:
    assert len(chain.invoke("Could you sum up the safety rules for me in three sentences?").citations) == 3


def test_what_is_not_so_is_shown_and_not_told(field: AnswerChain) -> None:
    answer = field.invoke("Which of the reports do not mention a storm?")
    assert answer.refused and "can't be told" in answer.text and len(answer.citations) == 2


def test_this_report_is_the_one_asked_within_or_talked_about(library: Library, samples: Path) -> None:
    assert taken_for(library, "Summarise this document", within=samples / "faq.md") == ("summarise", ["faq.md"])
    talked = [("When was the contract signed?", "On 22 April 2024, by Baines & Daughter and the Society.")]
    assert taken_for(library, "Summarise this document", history=talked) == ("summarise", ["sea-gates-contract.pdf"])


def test_the_mode_can_be_said_in_the_call(library: Library, chain: AnswerChain, samples: Path) -> None:
    assert taken_for(library, "annual report", mode="summarise") == ("summarise", ["annual-report-2024.md"])
    assert taken_for(library, "Summarise the annual report", mode="answer") == ("answer", [])
    given = [samples / "faq.md", samples / "visiting.html"]
    both = {"within": given}
    assert taken_for(library, "Summarise the FAQ", mode="summarise", **both) == ("summarise", ["faq.md", "visiting.html"])
    assert taken_for(library, "Compare these documents", mode="compare", **both) == ("compare", ["faq.md", "visiting.html"])
    query = read_query({"question": "Who signed every contract?", "mode": "each", **both})
    each = recognise(query, lambda: names_of(query, library))
    assert each and (each.what, names(each.documents)) == ("Who signed every contract?", ["faq.md", "visiting.html"])
    with pytest.raises(QuestionError, match="no mode 'sing'"):
        chain.invoke({"question": "Summarise the annual report", "mode": "sing"})


def test_where_it_is_unclear_which_document_is_meant_it_says_which_there_are(chain: AnswerChain) -> None:
    answer = chain.invoke("Summarise the minutes")
    assert answer.refused and answer.mode == "summarise"
    assert "agm-minutes-2024-09-21.docx, trustees-minutes-2024-03-06.docx" in answer.text


# By a model that can only quote


def test_a_summary_by_quotes_is_sentences_of_all_sections_in_order_each_cited_where_it_stands(chain: AnswerChain, library: Library) -> None:
    parts = list(chain.stream("Summarise the volunteer handbook"))
    answer = reduce(add, parts)
    assert [part.progress[:2] for part in parts if part.progress] == [(n, 11) for n in range(1, 12)]
    assert "Read 11 of 11 sections of volunteer-handbook.pdf" in answer.note and "can't summarise in words of its own" in answer.note
    spans = [citation.span for citation in answer.citations]
    assert spans == sorted(spans) and 5 <= len(spans) <= 12
    text = library.text(answer.citations[0].path)
    for citation in answer.citations:
        assert citation.span is not None and text[citation.char_start : citation.char_end] == citation.text
        said = " ".join(text[slice(*citation.span)].split())
        assert f"{said} [{citation.marker}]" in answer.text
    assert [citation.page_start for citation in answer.citations][-1] == 7
    assert "page 3 of 7" not in answer.text, "a running foot is no sentence"


def test_a_comparison_by_quotes_has_both_documents(chain: AnswerChain) -> None:
    answer = chain.invoke("Compare the AGM minutes and the trustees' minutes")
    assert {Path(c.path).name for c in answer.citations} == {"agm-minutes-2024-09-21.docx", "trustees-minutes-2024-03-06.docx"}
    assert "Only agm-minutes-2024-09-21.docx says:" in answer.text


# By a model that writes


class Scripted(BaseChatModel):
    """Notes the first sentence of each source that it is shown; fails at the requests in `fails`."""

    asked: list[str] = []
    fails: list[int] = []

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _reply(self, messages: Sequence[BaseMessage]) -> str:
        self.asked.append(str(messages[-1].content))
        if len(self.asked) in self.fails:
            raise RuntimeError("it went away")
        shown = self.asked[-1].partition("\n\nQuestion:")[0]
        numbered = [source.partition("] ")[::2] for source in shown.split("\n\n[")[1:]]
        return " ".join(f"{text.partition('. ')[0].splitlines()[-1].rstrip('.')} [{number}]." for number, text in numbered)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._reply(messages)))])

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(self._reply(messages)))


@pytest.fixture(scope="module")
def long_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One report of forty short sections: some 3,700 tokens."""
    folder = tmp_path_factory.mktemp("long")
    told = (
        f"## Pump {n}\n\nPump {n} was serviced in week {n}. " + f"Its bearing number {n} ran warm and was greased again by hand. " * 6
        for n in range(40)
    )
    (folder / "report.md").write_text("# Pumps\n\n" + "\n\n".join(told))
    with Library.open(folder / "library", create=True) as opened:
        assert opened.add([folder / "report.md"]).ok
        yield opened


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_SERVER_WINDOW", "1500")


def test_what_fits_the_window_is_read_at_once(library: Library) -> None:
    model = Scripted()
    answer = build_chain(library, model).invoke("Summarise the FAQ")
    assert len(model.asked) == 1
    assert len(answer.evidence) == 8 and "Read 8 of 8 passages of faq.md." in answer.note
    assert all(citation.verified for citation in answer.citations) and len(answer.citations) == 8


@pytest.mark.usefixtures("small_window")
def test_what_is_larger_than_the_window_is_read_in_parts_and_the_markers_lead_to_its_passages(long_library: Library) -> None:
    model = Scripted()
    parts = list(build_chain(long_library, model).stream("Summarise the report"))
    answer = reduce(add, parts)
    done = [part.progress for part in parts if part.progress]
    assert len(done) >= 3 and len(model.asked) > len(done), "parts, then the notes on them"
    passages = long_library.documents()[0].chunks
    assert (passages, passages, "passages of report.md") in done
    assert f"Read {passages} of {passages} passages of report.md." in answer.note
    assert len(answer.citations) == len({c.char_start for c in answer.citations}) >= 20
    assert all(citation.verified for citation in answer.citations)
    assert [c.marker for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert answer.ledger is not None and answer.ledger.total + answer.ledger.reserve <= answer.ledger.window == 1500


@pytest.mark.usefixtures("small_window")
def test_a_part_that_fails_is_said_and_the_others_are_kept(long_library: Library) -> None:
    answer = build_chain(long_library, Scripted(fails=[2])).invoke("Summarise the report")
    assert "passages 4 to 6 were not read: the model's server did not answer: it went away." in answer.note and answer.citations
    assert "Pump 0 was serviced" in answer.text


@pytest.mark.usefixtures("small_window")
def test_notes_are_shown_where_summing_them_up_fails(long_library: Library) -> None:
    model = Scripted()
    build_chain(long_library, model).invoke("Summarise the report")
    answer = build_chain(long_library, Scripted(fails=[len(model.asked)])).invoke("Summarise the report")
    assert "- Pump 0 was serviced in week 0. [1]" in answer.text
    assert "the model failed when it was to sum them up" in answer.note


@pytest.mark.usefixtures("small_window")
def test_a_model_that_fails_at_every_part_is_an_error(long_library: Library) -> None:
    with pytest.raises(ServerError, match="went away"):
        build_chain(long_library, Scripted(fails=list(range(1, 99)))).invoke("Summarise the report")


@pytest.mark.usefixtures("small_window")
def test_closing_the_stream_stops_after_the_running_part(long_library: Library) -> None:
    model = Scripted()
    parts = build_chain(long_library, model).stream("Summarise the report")
    next(part for part in parts if part.progress)
    parts.close()  # type: ignore[attr-defined]
    assert len(model.asked) == 1


def test_a_comparison_tells_the_model_which_document_each_source_is_of(library: Library) -> None:
    model = Scripted()
    build_chain(library, model).invoke("Compare faq.md and visiting.html")
    assert "faq.md:\n" in model.asked[-1] and "visiting.html:\n" in model.asked[-1]


# Each document, and which


def test_each_document_gets_a_row_and_an_error_is_a_row_too(library: Library, samples: Path) -> None:
    chain = build_chain(library, Scripted(fails=[1]))
    within = [samples / "safety-rules.html", samples / "volunteer-handbook.pdf"]
    rows = list(chain.each({"question": "Who is the manager?", "within": within}))
    assert names([row.document for row in rows]) == ["safety-rules.html", "volunteer-handbook.pdf"]
    assert rows[0].failed and rows[0].answer == "error: the model's server did not answer: it went away"
    assert not rows[1].failed and rows[1].page == 1


def test_cells_that_a_spreadsheet_would_run_are_written_as_text() -> None:
    file = io.StringIO()
    cells = ["=1+1", "+1", "-5 C", "@SUM(A1)", "\t=1", "plain", 'say "so",\nnow']
    write_csv([Row("a.md", cell, 3, True) for cell in cells], file)
    file.seek(0)
    table = list(csv.reader(file))
    assert table[0] == ["document", "answer", "page", "verified"]
    assert [row[1] for row in table[1:]] == ["'=1+1", "'+1", "'-5 C", "'@SUM(A1)", "'\t=1", "plain", 'say "so",\nnow']
    assert table[1][2:] == ["3", "yes"]


def test_asking_each_in_words_renumbers_the_markers_over_all_documents(library: Library, samples: Path) -> None:
    answer: Answer = build_chain(library, Scripted()).invoke(
        {"question": "Who is the manager, in each document?", "within": [samples / "safety-rules.html", samples / "volunteer-handbook.pdf"]}
    )
    assert answer.mode == "each"
    for citation in answer.citations:
        assert answer.evidence[citation.marker - 1].chunk.path == citation.path
        assert f"[{citation.marker}]" in answer.text


def test_the_table_has_a_row_for_each_document_whatever_it_is_called_and_says(tmp_path: Path) -> None:
    for folder, text in (("a", "The parrot is called Quill | Jr. and is 3."), ("b", "The parrot is called Bramble.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "n|1.txt").write_text(text)
    with Library.open(tmp_path / "library", create=True) as library:
        library.add([tmp_path / "a", tmp_path / "b"])
        query = {"question": "What is the parrot called?", "mode": "each", "within": [tmp_path / "a", tmp_path / "b"]}
        answer = build_chain(library, "starter").invoke(query)
    head, rule, *rows = answer.text.splitlines()
    assert (head, rule) == ("| document | answer |", "| --- | --- |") and len(rows) == 2
    assert rows[0].startswith("| a/n\\|1.txt | ") and "Quill" in rows[0] and rows[1].startswith("| b/n\\|1.txt | ")
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)
    assert [citation.marker for citation in answer.citations] == [1, 2]


def test_which_documents_says_yes_with_the_sentence_and_no_by_name(chain: AnswerChain) -> None:
    answer = chain.invoke("Which documents mention otters?")
    found = {"annual-report-2024.md", "history-of-the-mill.txt", "sea-gates-contract.pdf", "trustees-minutes-2024-03-06.docx"}
    assert {Path(citation.path).name for citation in answer.citations} == found
    assert "4 of 10 documents" in answer.text and "Not in: agm-minutes-2024-09-21.docx" in answer.note
    assert all("otter" in citation.quoted()[1].lower() for citation in answer.citations)
    assert chain.invoke("Which documents mention zeppelins?").refused
    assert len(chain.invoke("Which documents mention Baines & Daughter?").citations) == 3, "another man's daughter is not theirs"
