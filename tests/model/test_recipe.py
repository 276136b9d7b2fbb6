"""The starter's recipe, walked as data/starter/TRAINING.md writes it: tiny models and texts, a few steps."""

import importlib
import json
import lzma
import random
import re
import runpy
import shlex
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from model import grounded, load_model
from model.train.data import Question, read_questions, tokenizer_of
from model.train.examples import BUCKETS
from tests.conftest import ROOT
from tests.model.tiny import a_gemma_3

STARTER = ROOT / "data" / "starter"
FERRY = "The ferry to Carrick Sands leaves the old quay at nine on every weekday and brings the letters for the whole village. "
MILL = "A tide mill is a water mill that is driven by the rise and fall of the sea, and many coasts had one. It was cheap. "
BRIDGE = "The bridge was built by Thomas Marsh in the spring of 1852. "
GOSSE = "At the quay Walter Gosse, a shipwright of the town, built the gates. The boats were lost in 1801. "
WALK = "People in the village walk to Carrick Sands when the old ferry does not leave the quay. The tide mill was shut in 1793. "
TABLE = "| Boat | Berth |\n|---|---|\n| Gull | 7 |\n| Heron | 12 |\n\n"
TEXT = "\n\n".join(
    [
        *(FERRY * 3, (MILL + "The colours include red, white and green. ") * 3, BRIDGE * 5, GOSSE * 3, WALK * 3),
        *("## Opening hours\n\n- Monday\n- Friday at noon\n", TABLE),
    ]
)
PAIR = ["Salt water is heavier than sweet.", "Ann has salt water and Bo has sweet."]
QUESTIONS = [
    {"question": "Who built the bridge?", "contexts": [BRIDGE + (FERRY * 2).strip()], "answers": ["Thomas Marsh"], "source": "squad"},
    {"question": "Who built the gates?", "contexts": [GOSSE + (FERRY * 2).strip()], "answers": ["Walter Gosse"], "source": "policyqa"},
    {"question": "Who has the heavier water, Ann or Bo?", "contexts": PAIR, "answers": ["Ann"], "source": "ropes"},
    {"question": "Whose water is not so heavy?", "contexts": PAIR, "answers": ["Bo"], "source": "ropes"},
    {"question": "Where is Gull?", "contexts": [TABLE.strip()], "answers": ["7"], "source": "tables"},
]
SIZES = {
    "prune": "--size 320",
    "distill": "--layers 0 1 2 5 --rows 2 --length 32 --steps 2",
    "practice": "--blanks 100",
    "tune": "--steps 2 --tokens 1024",
    "ask": "--minutes 0.03",
    "widen": "",
    "long": "--steps 2 --tokens 1024",
    "export": "",
}
LEARN_BY_HEART = "--steps 80 --tokens 512 --lr 1e-2 --refuse 0"
"""What the teacher needs to ask anything."""


def walk(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs one line of the page in other sizes."""
    python, *words = shlex.split(command.replace(" -m", ""))
    assert python == "python"
    script = ROOT / words[0]
    program = script.stem if script.exists() else words[0].rpartition(".")[2]
    sizes = LEARN_BY_HEART if "runs/asker" in words and program == "tune" else SIZES[program]
    monkeypatch.setattr(sys, "argv", [*words, *sizes.split()])
    if script.exists():
        runpy.run_path(str(script), run_name="__main__")
    else:
        importlib.import_module(words[0]).main()


def rows_of(file: str) -> list[dict[str, Any]]:
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_the_recipe_leads_from_a_teacher_to_a_file_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (STARTER / "TRAINING.md").read_text(encoding="utf-8"), re.DOTALL)
    a_gemma_3(tmp_path / "gemma-3-270m.gguf")
    for name, text in (("text.txt.xz", TEXT), ("questions.jsonl.xz", "\n".join(map(json.dumps, QUESTIONS)))):
        with lzma.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(STARTER / "recipe")
    for command in "".join(blocks).splitlines():
        walk(command, monkeypatch)

    practice = rows_of("practice.jsonl.xz")
    found = {(row["kind"], row["answers"][0]) for row in practice}
    assert {("cloze", "Carrick Sands"), ("list", "red, white and green"), ("list", "Monday, Friday at noon")} <= found
    assert {("definition", MILL.partition(" It")[0]), ("naming", "a shipwright of the town"), ("table", "12")} <= found
    assert {kind for kind, _ in found} == {"cloze", "list", "definition", "naming", "table", "yesno"}
    claims = {row["question"].lower(): row["answers"] for row in practice if row["kind"] == "yesno"}
    assert claims["was the bridge built by thomas marsh in the spring of 1852?"] == ["yes"] and ["no"] in claims.values()

    asked = rows_of("asked.jsonl.xz")
    assert asked and {(row["question"], *row["answers"]) for row in asked} <= {(q["question"], *q["answers"]) for q in QUESTIONS}
    for row in practice + asked:
        (gold,), (answer,) = row["contexts"], row["answers"]
        assert row["once"] == (row["kind"] in ("cloze", "asked"))
        if row["kind"] != "yesno":
            assert all(part in gold for part in answer.split(", ")) and answer not in row["question"]
            assert not any(answer in text for text in row["distractors"])

    from swap import SwapAnswers

    questions = [replace(q, source="one") for q in read_questions(Path("questions.jsonl.xz"))]
    swap, seen = SwapAnswers(questions), set()
    for seed in range(40):
        for q in questions:
            changed = swap(q, random.Random(seed))
            assert any(changed.answers[0] in text for text in changed.contexts)
            seen.add((changed.question, changed.contexts[-1], changed.answers[0]))
    assert ("Who has the heavier water, Bo or Ann?", "Bo has salt water and Ann has sweet.", "Bo") in seen
    assert ("Who built the bridge?", questions[0].contexts[0].replace("Thomas Marsh", "Walter Gosse"), "Walter Gosse") in seen
    assert {(q.question, q.contexts[-1], q.answers[0]) for q in questions} <= seen

    model = load_model("starter.gguf", device="cpu", dtype=torch.float32)
    assert model.card["prompt"] == "grounded" and list(model.generate(model.tokenizer.encode("quay"), max_new_tokens=2))


def test_the_wheel_takes_the_model_and_its_card_and_no_folder_of_the_recipe() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["force-include"]) == {"data/starter/starter.gguf", "data/starter/README.md", "data/reader"}
    assert not [folder for folder in wheel["packages"] if folder.startswith("data")]


def test_long_rows_fill_the_window_and_the_passage_that_answers_stands_anywhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(STARTER / "recipe")
    from long import FAR, FEWEST, LongRows

    tokenizer = tokenizer_of(place / "teacher.gguf")
    contexts = [f"Boat {number} lies in berth {number + 5000}. " + FERRY for number in range(150)]
    questions = [Question(f"Where is boat {n}?", [text], [str(n + 5000)], "extractive") for n, text in enumerate(contexts)]
    rows, refused, places, lengths = LongRows(questions, tokenizer, unanswerable=0.5), 0, set(), []
    for number, gold in enumerate(contexts):
        example = rows.example(number, epoch=0)
        assert example is not None and sum(map(len, example)) <= BUCKETS[-1]
        if len(example[0]) < FEWEST:
            continue
        text, said = map(tokenizer.decode, example)
        lengths.append(len(example[0]))
        refused += said == grounded.REFUSAL
        at = text.find(gold.strip())
        assert (at < 0) == (said == grounded.REFUSAL)
        places |= {round(4 * at / len(text))} if at >= 0 else set()
    assert 0.35 < refused / len(lengths) < 0.65 and 30 < len(lengths) < 65
    assert sum(length > FAR for length in lengths) > 0.4 * len(lengths) and {0, 1, 2, 3, 4} <= places


def test_the_picture_is_drawn_from_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["curve.py", str(STARTER / "figures.json"), str(tmp_path / "evidence.svg")])
    runpy.run_path(str(STARTER / "recipe" / "curve.py"), run_name="__main__")
    assert (tmp_path / "evidence.svg").read_bytes() == (ROOT / "docs" / "evidence.svg").read_bytes()
