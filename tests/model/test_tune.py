"""Tuning: students and teachers learn from questions."""

import json
from pathlib import Path

import pytest
import torch

from model.errors import SourceError
from model.train import tune
from model.train.teacher import load_teacher
from model.train.trainer import load_weights


def test_a_student_with_a_teacher_learns_from_all_that_it_reads(runs: Path) -> None:
    taught, untaught = load_weights(runs / "tuned"), load_weights(runs / "untaught")
    assert not torch.equal(taught["embed_tokens.weight"], untaught["embed_tokens.weight"])


def test_a_teacher_is_tuned_too_and_may_learn_to_ask(place: Path, tmp_path: Path) -> None:
    teacher, sizes = place / "teacher.gguf", {"steps": 2, "peak": 1e-3, "tokens": 1024, "refuse": 0.2}
    tune.tune(teacher, teacher, [place / "q.jsonl"], tmp_path / "answers", **sizes)
    tune.tune(teacher, teacher, [place / "q.jsonl"], tmp_path / "asks", inverted=[""], **sizes)
    answers, asks = (load_teacher(tmp_path / name).head for name in ("answers", "asks"))
    assert not torch.equal(answers, asks)


@pytest.mark.parametrize("contexts", [None, [], ["the mill " * 400], ["the bus " * 200] * 20], ids=["no line", "none", "a book", "many"])
def test_a_file_of_no_question_that_fits_is_one_line(contexts: list[str] | None, place: Path, tmp_path: Path) -> None:
    lines = [] if contexts is None else [json.dumps({"question": "Where is the bus?", "contexts": contexts, "answers": ["the"]})]
    (tmp_path / "odd.jsonl").write_text("\n".join(lines))
    teacher = place / "teacher.gguf"
    with pytest.raises(SourceError, match=r"odd\.jsonl: no question to learn from"):
        tune.tune(teacher, teacher, [tmp_path / "odd.jsonl"], tmp_path / "run", steps=1, peak=1e-3, tokens=1024, refuse=0.0)
