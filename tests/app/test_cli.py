"""The command: its JSON, its exit codes, and one clear line for every mistake."""

import json
import shutil
from pathlib import Path

import pytest

from ingest import IngestError, Library
from tests.app.conftest import Run
from tests.conftest import ROOT

ANSWER = {
    "answer",
    "refused",
    "searched",
    "citations",
    "ledger",
    "pointed",
    "probability",
    "timings",
    "note",
    "claims",
    "unresolved",
    "mode",
}
CITATION = {
    "marker",
    "path",
    "page_start",
    "page_end",
    "char_start",
    "char_end",
    "text",
    "verified",
    "support",
    "span",
    "quote",
    "boxes",
    "pages",
}
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


def test_ask_prints_the_answer_and_the_passages_it_cites(octavo: Run) -> None:
    ran = octavo("ask", AGE)
    assert ran.code == 0
    assert "85" in ran.out
    assert "[" in ran.out and "volunteer-handbook.pdf, page 7" in ran.out


def test_ask_json_has_the_agreed_keys(octavo: Run) -> None:
    pointed = json.loads(octavo("ask", AGE, "--json").out)
    assert pointed["pointed"] and pointed["timings"]["prompt_tokens"] is None, "the reader found it: no model was asked"
    answer = json.loads(octavo("ask", "Does the Society's insurance cover volunteers on duty?", "--json").out)
    assert set(answer) == set(pointed) == ANSWER
    assert set(answer["citations"][0]) == CITATION
    assert set(answer["timings"]) == {"retrieve_s", "first_token_s", "total_s", "prompt_tokens", "completion_tokens"}
    assert answer["ledger"]["total"] + answer["ledger"]["reserve"] <= answer["ledger"]["window"]


def test_ask_looks_where_it_is_told_to(octavo: Run, samples: Path) -> None:
    cited = json.loads(octavo("ask", "What does a ticket cost?", "--in", samples / "faq.md", "--json").out)["citations"]
    assert {Path(c["path"]).name for c in cited} <= {"faq.md"}
    assert octavo("ask", AGE, "--in", "nowhere.md").code == 2


def test_a_task_over_a_whole_document_is_said_and_can_be_refused(octavo: Run) -> None:
    ran = octavo("ask", "What does the contract say?")
    assert ran.code == 0 and "sea-gates-contract.pdf, page 1" in ran.out
    assert "taken as: summarise" in ran.err and "Read 9 of 9 sections" in ran.err
    assert json.loads(octavo("ask", "What does the contract say?", "--mode", "answer", "--json").out)["mode"] == "answer"
    assert octavo("ask", "What does the contract say?", "--mode", "sing").code == 2


def test_each_document_is_asked_and_the_table_written(octavo: Run, samples: Path, tmp_path: Path) -> None:
    within = ["--in", samples / "safety-rules.html", "--in", samples / "volunteer-handbook.pdf"]
    ran = octavo("ask", "Who is the manager?", "--each", *within, "--csv", tmp_path / "table.csv")
    assert ran.code == 0 and "safety-rules.html: " in ran.out and "2 rows in" in ran.err
    head, *rows = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert head == "document,answer,page,verified" and len(rows) == 2 and "Petra Lindqvist" in rows[1]
    assert [set(row) for row in json.loads(octavo("ask", "Who is the manager?", "--each", *within, "--json").out)] == [
        set(head.split(","))
    ] * 2
    assert octavo("ask", "Who?", "--csv", tmp_path / "table.csv").code == 2


def test_a_refusal_is_an_answer(octavo: Run) -> None:
    ran = octavo("ask", "How do I bake a lemon cake?", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["refused"] is True
    assert json.loads(ran.out)["answer"] == "Your documents don't say."


def test_ingest_ask_remove_verify_as_one_would(octavo: Run, tmp_path: Path, samples: Path) -> None:
    shutil.copy(samples / "faq.md", tmp_path / "faq.md")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    place = tmp_path / "lib"
    ran = octavo("ingest", tmp_path / "faq.md", tmp_path / "broken.pdf", "--library", place, "--json")
    assert ran.code == 1
    files = {Path(f["path"]).name: f for f in json.loads(ran.out)["files"]}
    assert files["faq.md"]["status"] == "added"
    assert files["broken.pdf"]["status"] == "failed" and files["broken.pdf"]["reason"]
    assert set(files["faq.md"]) >= {"path", "status", "reason", "pages", "chars", "chunks", "seconds"}
    assert json.loads(octavo("status", "--library", place, "--json").out)["documents"] == 1
    told = octavo("status", "--library", place).out
    assert "1 added, 1 failed; " in told and f"  failed: {tmp_path / 'broken.pdf'}: not a readable PDF" in told
    assert "characters, all indexed" in told
    assert octavo("verify", "--library", place).code == 0
    assert octavo("remove", tmp_path / "faq.md", "--library", place).out == "1 removed\n"
    assert json.loads(octavo("status", "--library", place, "--json").out)["documents"] == 0


def test_eval_writes_predictions_and_prints_figures(octavo: Run, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps({"id": "1", "question": AGE, "answers": ["85"]}) + "\n")
    ran = octavo("eval", tmp_path / "q.jsonl", "--library", "default", "--out", tmp_path / "p.jsonl", "--json")
    assert ran.code == 0
    assert set(json.loads(ran.out)) >= {"F1", "EM", "refusal_precision", "refusal_recall", "citation_precision", "s_per_question"}
    prediction = json.loads((tmp_path / "p.jsonl").read_text())
    assert set(prediction) >= {"id", "answer", "refused", "citations", "retrieved", "probability", "marks", "hashes", "error"}
    assert set(prediction["retrieved"][0]) == {"path", "page_start", "char_start", "char_end"}


QUESTIONS = ROOT / "tests" / "samples_questions.jsonl"
MISTAKES = {
    "missing folder": (["ingest", "/no/such/folder"], "/no/such/folder"),
    "nothing to add": (["ingest", ""], "an empty path"),
    "a folder and nothing": (["ingest", str(ROOT / "data" / "samples"), " "], "an empty path"),
    "nothing to remove": (["remove", ""], "an empty path"),
    "blanks to remove": (["remove", " \t"], "an empty path"),
    "export to nothing": (["export", ""], "names no file"),
    "export to a folder": (["export", str(ROOT)], "is there already"),
    "import of nothing": (["import", "", "--library", "never-made"], "not an exported library"),
    "no library": (["ask", "Who?", "--library", "never-made"], "no library"),
    "status of none": (["status", "--library", "never-made"], "no library"),
    "bad library name": (["ask", "Who?", "--library", "no*name"], "can't be a library's name"),
    "empty question": (["ask", "  "], "empty"),
    "unknown model": (["ask", "Who?", "--model", "gtp"], "no model called 'gtp'"),
    "missing model file": (["ask", "Who?", "--model", "/no/such.gguf"], "no such file"),
    "half a server": (["ask", "Who?", "--model", "openai:gemma2"], "doesn't name a server"),
    "question over the window": (["ask", "mill " * 9000], "too long"),
    "a file as library": (["ask", "Who?", "--library", str(Path(__file__).resolve())], "library"),
    "a file as library to make": (
        ["ingest", str(Path(__file__)), "--library", str(Path(__file__).resolve())],
        "can't be a library's directory",
    ),
    "an answer file in no folder": (["eval", str(QUESTIONS), "--library", "default", "--out", "/no/such/p.jsonl"], "/no/such/p.jsonl"),
    "no question file": (["eval", "/no/such.jsonl"], "can't be read"),
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_mistake_is_one_clear_line_and_a_non_zero_exit(octavo: Run, name: str) -> None:
    args, message = MISTAKES[name]
    ran = octavo(*args)
    assert ran.code == 2
    assert ran.out == ""
    line, *hints = ran.err.strip().splitlines()
    assert line.startswith("error: ") and message in line
    assert all(h.startswith("hint: ") for h in hints) and len(hints) <= 1


def test_a_missing_folder_makes_no_library(octavo: Run, tmp_path: Path) -> None:
    assert octavo("ingest", "/no/such/folder", "--library", tmp_path / "lib").code == 2
    assert not (tmp_path / "lib").exists()


def test_an_empty_path_is_not_the_working_directory(home: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(samples)
    with Library.open(home / "libraries" / "default") as library:
        before = library.documents()
        for path in ("", " ", "\n"):
            with pytest.raises(IngestError, match="an empty path"):
                library.remove(path)
            with pytest.raises(IngestError, match="an empty path"):
                library.add([samples, path])
        assert library.documents() == before


def test_with_json_a_mistake_is_json_too(octavo: Run) -> None:
    ran = octavo("ask", "", "--json")
    assert ran.code == 2
    assert set(json.loads(ran.out)) == {"error", "hint"}


@pytest.mark.parametrize("args", [["ask"], ["nonsense"], ["eval", "a", "b"], ["ask", "x", "--nonsense"], ["ingest", "--exclude"]])
def test_wrong_usage_exits_with_2_and_no_traceback(octavo: Run, args: list[str]) -> None:
    ran = octavo(*args)
    assert ran.code == 2
    assert "Traceback" not in ran.err and ran.err


def test_a_setting_that_makes_no_sense_is_named(octavo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_MAX_ANSWER_TOKENS", "many")
    ran = octavo("ask", "Who?")
    assert ran.code == 2
    assert ran.err.startswith("error: setting OCTAVO_MAX_ANSWER_TOKENS: ")


def test_a_file_that_cannot_be_read_is_named_with_its_reason(octavo: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gone.txt").symlink_to(tmp_path / "nothing")
    (tmp_path / "docs" / "data.bin").write_bytes(b"\x00\x01")
    (tmp_path / "docs" / "evil\x1b]0;x\x07.txt").write_bytes(b" ")
    ran = octavo("ingest", tmp_path / "docs", "--library", tmp_path / "lib", "--json")
    assert ran.code == 1
    files = {Path(f["path"]).name: f for f in json.loads(ran.out)["files"]}
    assert {name: f["status"] for name, f in files.items()} == {
        "gone.txt": "skipped",
        "data.bin": "skipped",
        "evil\x1b]0;x\x07.txt": "failed",
    }
    assert all(f["reason"] for f in files.values())
    assert "\x1b" not in ran.err and "\x07" not in ran.err
