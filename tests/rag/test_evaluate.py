"""Measuring: the same path as a user's, nothing asked twice, and nothing lost because one question fails."""

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ingest import Library
from rag import build_chain
from rag.answer import NOT_FOUND
from rag.errors import EvalError
from rag.evaluate import ask_all, evaluate_answers, read_lines, summary, temporary_library

ROWS = [
    {
        "id": "a",
        "question": "When was the mill at Brook built?",
        "contexts": ["The mill at Brook was built in 1641 by Agnes."],
        "answers": ["1641"],
        "supporting": [True],
    },
    {
        "id": "b",
        "question": "Who owns the ferry?",
        "contexts": ["The ferry belongs to Tom Reed.", "Bread is baked daily."],
        "answers": ["Tom Reed"],
        "supporting": [True, False],
    },
    {"id": "c", "question": "What is the boiling point of helium?", "contexts": ["Bread is baked daily."], "answers": []},
]
KEYS = {"id", "answer", "refused", "citations", "retrieved", "probability", "seconds", "error", "marks", "hashes"}
PARTS = {"question", "model", "prompt", "gate", "reader", "embedder", "library", "code"}


def quiet(done: int, total: int) -> None:
    pass


def as_json(predictions: list[dict[str, Any]]) -> Any:
    return json.loads(json.dumps(predictions))


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Library, dict[str, str]]]:
    with temporary_library({c for row in ROWS for c in row["contexts"]}) as found:
        yield found


def said(*replies: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(reply) for reply in replies]))


def ask(
    made: tuple[Library, dict[str, str]], model: str | GenericFakeChatModel, out: Path | None, rows: Sequence[dict[str, Any]] = ROWS
) -> tuple[list[dict[str, Any]], int]:
    return ask_all(build_chain(made[0], model), rows, made[1], out, quiet)


def test_each_question_sees_only_its_own_contexts(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "q.jsonl.xz", "wt") as file:
        file.write("\n".join(json.dumps(r) for r in ROWS))
    shown = evaluate_answers(tmp_path / "q.jsonl.xz", None, "starter", tmp_path / "out.jsonl", quiet)
    predictions = written(tmp_path / "out.jsonl")
    assert [p["id"] for p in predictions] == ["a", "b", "c"]
    assert all(len(p["retrieved"]) == len(r["contexts"]) for p, r in zip(predictions, ROWS, strict=True))
    assert set(predictions[0]) == KEYS and set(predictions[0]["hashes"]) == PARTS
    assert predictions[0]["hashes"]["library"] != predictions[1]["hashes"]["library"], "each one's contexts are its library"
    assert predictions[2]["refused"] and 0 <= predictions[2]["probability"] < 0.2
    assert (shown["questions"], shown["kept"], shown["failed"], shown["library_changed"]) == (3, 0, [], False)
    assert shown["retrieval_recall"] == 1.0 and 0 < shown["intervals"]["retrieval_recall"][0] < 1


def test_one_failure_is_a_row_with_its_reason_and_does_not_end_the_run(made: tuple[Library, dict[str, str]], tmp_path: Path) -> None:
    """Nor does a row without contexts: nothing to look in is no answer."""
    rows = [*ROWS[:2], {"id": "d", "question": "Who?", "contexts": [" "], "answers": []}]
    predictions, _ = ask(made, said("", "Tom Reed [1]"), tmp_path / "out.jsonl", rows)
    assert [(p["answer"], p["refused"]) for p in predictions] == [("", False), ("Tom Reed [1]", False), (NOT_FOUND, True)]
    assert [p["error"] for p in predictions] == ["the model's reply is empty", "", ""]
    assert written(tmp_path / "out.jsonl") == as_json(predictions)
    assert summary(predictions)["failed"] == [{"id": "a", "error": "the model's reply is empty"}]


def test_a_model_that_breaks_in_whatever_way_costs_one_question(made: tuple[Library, dict[str, str]]) -> None:
    predictions, _ = ask(made, said("1641 [1]"), None, ROWS[:2])  # the script has ended, which LangChain tells as a RuntimeError
    assert predictions[0]["marks"]["right"] == 1
    assert predictions[1]["error"] and predictions[1]["marks"]["F1"] == 0
    with pytest.raises(EvalError, match="none of the 1 questions could be asked: "):
        summary(predictions[1:])


def test_what_failed_is_asked_again_and_what_was_answered_is_not(made: tuple[Library, dict[str, str]], tmp_path: Path) -> None:
    first, _ = ask(made, said("", "Tom Reed [1]"), tmp_path / "out.jsonl", ROWS[:2])
    second, kept = ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:2])  # a second question would fail
    assert kept == 1 and second[1:] == as_json(first[1:])
    assert [p["error"] for p in second] == ["", ""]
    assert sorted(p["id"] for p in written(tmp_path / "out.jsonl")) == ["a", "b"]


class Stop:
    """Ctrl-C while the answer is told that is so many."""

    def __init__(self, at: int) -> None:
        self.at, self.told = at, list[tuple[int, int]]()

    def __call__(self, done: int, total: int) -> None:
        self.told.append((done, total))
        if done == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("left", ["", '{"id": "b", "answer": "To'])
def test_a_run_that_was_stopped_goes_on(made: tuple[Library, dict[str, str]], tmp_path: Path, left: str) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        ask_all(build_chain(made[0], said("1641 [1]")), ROWS[:2], made[1], out, Stop(1))
    first = out.read_text()
    out.write_text(first + left)
    going = Stop(9)
    predictions, kept = ask_all(build_chain(made[0], said("Tom Reed [1]")), ROWS[:2], made[1], out, going)
    assert kept == 1 and going.told == [(1, 2), (2, 2)]
    assert out.read_text().startswith(first) and written(out) == as_json(predictions)


CHANGES: dict[str, Any] = {
    "another question": lambda rows: [rows[0] | {"question": "When was the mill built?"}],
    "other accepted answers": lambda rows: [rows[0] | {"answers": ["1642"]}],
    "other contexts": lambda rows: [rows[0] | {"contexts": [*rows[0]["contexts"], *rows[1]["contexts"]]}],
    "another id": lambda rows: [rows[0] | {"id": "z"}],
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_question_is_asked(made: tuple[Library, dict[str, str]], tmp_path: Path, change: str) -> None:
    ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:1])
    predictions, kept = ask(made, said("Agnes [1]"), tmp_path / "out.jsonl", CHANGES[change](ROWS))
    assert kept == 0 and predictions[0]["answer"] == "Agnes [1]"
    assert written(tmp_path / "out.jsonl") == as_json(predictions), "the file holds what was asked now"


SETTINGS = {
    "OCTAVO_GATE_THRESHOLD": "0.01",
    "OCTAVO_MAX_ANSWER_TOKENS": "77",
    "OCTAVO_SERVER_WINDOW": "3000",
    "OCTAVO_CONTEXT_TOKENS": "99",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_with_another_setting_all_is_asked_again(
    made: tuple[Library, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:1])
    monkeypatch.setenv(name, SETTINGS[name])
    assert ask(made, said("Agnes [1]"), tmp_path / "out.jsonl", ROWS[:1])[1] == 0


def test_in_a_library_that_was_added_to_all_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The mill at Brook was built in 1641 by Agnes.")
    (tmp_path / "more.txt").write_text("Bread is baked daily.")
    kept = []
    with Library.open(tmp_path / "library", create=True) as library:
        for files in (["mill.txt"], [], ["more.txt"]):
            if files:
                library.add([tmp_path / name for name in files])
            kept.append(ask_all(build_chain(library, said("1641 [1]")), ROWS[:1], None, tmp_path / "out.jsonl", quiet)[1])
    assert kept == [0, 1, 0]


def test_predictions_of_an_older_octavo_are_asked_again(made: tuple[Library, dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text('{"id": "a", "answer": "1641", "refused": false, "citations": [], "retrieved": []}\n')
    assert ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:1])[1] == 0
    assert len(written(tmp_path / "out.jsonl")) == 1


@pytest.mark.parametrize("text", ["My letters.\n", "My letters.", json.dumps(ROWS[0]) + "\n", "[]\n", '{"id": "a"'])
def test_a_file_of_something_else_is_not_written_over(made: tuple[Library, dict[str, str]], tmp_path: Path, text: str) -> None:
    (tmp_path / "out.jsonl").write_text(text + '{"id": 1}\n' if text == '{"id": "a"' else text)
    before = (tmp_path / "out.jsonl").read_bytes()
    with pytest.raises(EvalError, match=r"out.jsonl, line 1: not a prediction"):
        ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:1])
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_predictions_through_a_link_stay_behind_it(made: tuple[Library, dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text('{"id": "cut')
    (tmp_path / "out.jsonl").symlink_to("real.jsonl")
    ask(made, said("1641 [1]"), tmp_path / "out.jsonl", ROWS[:1])
    assert (tmp_path / "out.jsonl").is_symlink() and len(written(tmp_path / "real.jsonl")) == 1


def test_the_models_weights_are_in_its_hash(made: tuple[Library, dict[str, str]]) -> None:
    from rag.hashes import hashes

    chain = build_chain(made[0], "starter")
    before = hashes(chain)["model"]
    assert before == hashes(build_chain(made[0], "starter"))["model"] and before.startswith("starter:")
    chain.model.chat.model.network.norm.weight.data.mul_(1.5)
    assert hashes(chain)["model"] != before


def test_a_servers_model_is_known_by_name_and_address_and_no_password_is_written() -> None:
    from rag.hashes import _model
    from rag.models import answer_model
    from rag.settings import Settings

    named = _model(answer_model("openai:gemma2@http://me:secret@localhost:11434/v1", Settings()))
    assert named == "gemma2@localhost:11434"


@pytest.mark.parametrize(
    ("text", "message"), [("{", "line 1: not JSON"), ('{"id": 1}', "line 1: no 'question'"), ("[]", "no 'id'"), ("", "no questions")]
)
def test_a_bad_question_file_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(text)
    with pytest.raises(EvalError, match=message):
        read_lines(tmp_path / "q.jsonl", "id", "question")
    with pytest.raises(EvalError, match="can't be read"):
        read_lines(tmp_path / "none.jsonl", "id")
    (tmp_path / "q.xz").write_bytes(b"no xz")
    with pytest.raises(EvalError, match="can't be read"):
        read_lines(tmp_path / "q.xz", "id")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": " "}, "question must be a text"),
        ({"question": 3}, "question must be a text"),
        ({"answers": "1641"}, "answers must be a list of texts"),
        ({"answers": [1641]}, "answers must be a list of texts"),
        ({"contexts": None}, "contexts must be a list of texts"),
        ({"id": None}, "id must be a text or a number"),
        ({"id": ["a"]}, "id must be a text or a number"),
    ],
)
def test_a_row_that_cannot_be_asked_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps(ROWS[0]) + "\n" + json.dumps(ROWS[0] | change))
    with pytest.raises(EvalError, match=f"question 2: .*{message}"):
        evaluate_answers(tmp_path / "q.jsonl", None, "starter", None, quiet)


def test_questions_asked_at_once_are_answered_as_one_by_one_and_written_in_order(
    made: tuple[Library, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that writes its answers itself is asked several at once; in fp32, since batches round otherwise in bf16."""
    monkeypatch.setenv("OCTAVO_DTYPE", "float32")
    chain = build_chain(made[0], "starter")
    chain.model = replace(chain.model, can=replace(chain.model.can, quotes=False))
    alone = [chain.invoke({"question": row["question"], "within": [made[1][c] for c in row["contexts"]]}).text for row in ROWS]
    rows = [{**row, "id": f"{row['id']}{n}"} for n in range(3) for row in ROWS]
    predictions, _ = ask_all(chain, rows, made[1], tmp_path / "out.jsonl", quiet)
    assert [p["answer"] for p in predictions] == alone * 3
    assert [p["id"] for p in written(tmp_path / "out.jsonl")] == [row["id"] for row in rows]
