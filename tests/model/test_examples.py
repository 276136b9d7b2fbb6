"""Training data: files of text and questions, and questions as token rows."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from model import grounded
from model.errors import SourceError
from model.train.data import Question, pack_texts, read_questions, tokenizer_of
from model.train.examples import QuestionRows, pad
from model.train.trainer import load_weights
from tests.model.tiny import QUESTIONS


def test_only_answers_are_learnt_and_refusals_have_no_passage_that_answers(place: Path) -> None:
    tokenizer = tokenizer_of(place / "teacher.gguf")
    rows = QuestionRows(read_questions(place / "q.jsonl"), tokenizer, unanswerable=0.5)
    refused = 0
    for number, q in enumerate(QUESTIONS):
        example = rows.example(number, epoch=0)
        assert example is not None
        prompt, answer = example
        ids, labels = pad([example], 512)
        assert [i for i in labels[0] if i >= 0] == answer
        assert ids[0, : len(prompt)].tolist() == prompt
        said, text = tokenizer.decode(answer), tokenizer.decode(prompt)
        if said == grounded.REFUSAL:
            refused += 1
            assert q["contexts"][0] not in text
        else:
            shown, place = said.rstrip("]").split(" [")
            assert f"[{place}] {q['contexts'][0].replace(q['answers'][0], shown.strip())}" in text
        assert rows.example(number, epoch=0) == example
    assert 0 < refused < len(QUESTIONS)


def test_bad_training_files_are_named(tmp_path: Path, place: Path) -> None:
    tokenizer = tokenizer_of(place / "teacher.gguf")
    (tmp_path / "short.txt").write_text("the bus " * 20)  # more than one row, less than two
    (tmp_path / "bad.txt.xz").write_bytes(b"no xz")
    for file in ("none.txt", "short.txt", "bad.txt.xz"):
        with pytest.raises(SourceError, match=file):
            pack_texts([tmp_path / file], tokenizer, 64)
    with pytest.raises(SourceError, match="no checkpoint"):
        load_weights(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        '{"question": 1}',
        "[]",
        "{",
        '{"question": 1, "contexts": [], "answers": []}',
        '{"question": "Who?", "contexts": "the mill", "answers": []}',
        '{"question": "Who?", "contexts": ["the mill"], "answers": [7]}',
        '{"question": "Who?", "contexts": ["the mill"], "answers": [], "distractors": "none"}',
        '{"question": "Who?", "contexts": ["the mill"], "answers": null}',
    ],
)
def test_a_line_that_is_no_question_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(f"{json.dumps(QUESTIONS[0])}\n{line}\n")
    with pytest.raises(SourceError, match=r"bad\.jsonl, line 2: not a question"):
        read_questions(tmp_path / "bad.jsonl")


def test_a_damaged_question_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl.xz").write_bytes(b"no xz")
    with pytest.raises(SourceError, match=r"bad\.jsonl\.xz: damaged"):
        read_questions(tmp_path / "bad.jsonl.xz")


def test_given_distractors_are_all_put_and_no_others(place: Path) -> None:
    tokenizer = tokenizer_of(place / "teacher.gguf")
    beside = ["The user is at the quay.", "The quay is at the mill."]
    closed = Question("Where is the quay?", ["The quay is at the bus."], ["at the bus"], "extractive", "", beside, once=True)
    rows = QuestionRows([closed, *read_questions(place / "q.jsonl")], tokenizer, unanswerable=1.0)
    for epoch in range(8):
        example = rows.example(0, epoch)
        assert example is not None
        prompt, answer = (tokenizer.decode(ids) for ids in example)
        assert all(prompt.count(text) == 1 for text in (*closed.contexts, *beside)) and "stable" not in prompt
        assert f"{answer.rpartition(' ')[2]} {closed.contexts[0]}" in prompt
    assert (0 in rows.order(0), 0 in rows.order(1)) == (True, False)


def test_a_changed_question_is_put_over_its_changed_passage(place: Path) -> None:
    def elsewhere(q: Question, rng: random.Random) -> Question:
        return replace(q, contexts=[q.contexts[0].replace("stable", "mill")], answers=[q.answers[0].replace("stable", "mill")])

    tokenizer = tokenizer_of(place / "teacher.gguf")
    rows = QuestionRows(read_questions(place / "q.jsonl"), tokenizer, unanswerable=0.0, augment=elsewhere)
    example = rows.example(3, 0)
    assert example is not None
    prompt, answer = (tokenizer.decode(ids) for ids in example)
    assert "The bus 3 is at the mill 3." in prompt and "stable 3" not in prompt
    assert answer.startswith(" at the mill 3 [")
