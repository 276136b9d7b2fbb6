"""Training a reader: what is learnt from, a difference that is merged, a run that goes on, a folder that is left alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ingest.text.bert import Shape, encode, read_weights
from ingest.text.embedder import default_directory
from model.train.data import Question
from rag.errors import ReaderError
from rag.reader import Reader
from rag.reader.average import average
from rag.reader.data import build, cut_out, places
from rag.reader.lessons import batches_each, grouped, length
from rag.reader.model import FILE, merged
from rag.reader.network import Network, low_rank
from rag.reader.train import Plan, make, train
from rag.reader.windows import Pieces, Window, batch
from tests.rag.test_reader import MILL, TIDE

QUESTIONS = [
    {"question": "When did the mill burn down?", "contexts": [MILL], "answers": ["3 February 1766"], "kind": "extractive", "source": "own"},
    {"question": "What did building it again cost?", "contexts": [MILL], "answers": ["812 pounds"], "kind": "extractive", "source": "own"},
    {"question": "Do two keepers take turns?", "contexts": [TIDE], "answers": ["yes"], "kind": "yesno", "source": "own"},
    {"question": "Who painted the mill?", "contexts": [MILL], "answers": [], "kind": "unanswerable", "source": "own"},
    {
        "question": "When do the gates close?",
        "contexts": [TIDE, MILL],
        "answers": ["above 4.2 metres"],
        "kind": "extractive",
        "source": "own",
    },
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    return file


def plan(**changes: object) -> Plan:
    return Plan(**{"epochs": 2.0, "peak": 1e-2, "tokens": 256, "save_every": 1, **changes})  # type: ignore[arg-type]


# what is learnt from


def test_an_answers_places_are_whole_words_and_its_sentence_can_be_cut_out() -> None:
    assert places("Pat saw a cat. Cat!", "cat") == [(10, 13)]
    assert places("a cost of $812.", "$812") == [(10, 14)]
    assert places("It is in LEEDS", "Leeds") == [(9, 14)]
    left = cut_out(MILL, ["3 February 1766"])
    assert left is not None and left.startswith("A candle") and "1766" not in left
    assert cut_out("It was built in 1766.", ["1766"]) is None


def test_pairs_say_where_the_answer_stands_or_that_it_does_not(pieces: Pieces) -> None:
    rows = [Question(**q) for q in QUESTIONS]  # type: ignore[arg-type]
    pairs = build(rows, pieces, [[TIDE], [TIDE], [MILL], [TIDE], []])
    told = [(p, pairs.passages[p.passage]) for p in pairs.pairs]
    said = {pieces.tokenizer.decode(text.ids[a : b + 1].tolist()) for p, text in told for a, b in p.spans}
    assert said == {"3 february 1766", "812 pounds", "above 4. 2 metres"}
    judged = [p for p in pairs.pairs if p.question == 2]
    assert [(p.answerable, p.points) for p in judged] == [(True, False), (False, True)]
    assert all(not p.answerable and p.points for p in pairs.pairs if p.question == 3)


def test_of_the_distractors_that_a_question_brings_the_first_is_read_and_answers_nothing(pieces: Pieces) -> None:
    bred = "Loaves are baked on Fridays in the oven behind the shop."
    kinds = {"extractive": "3 February 1766", "yesno": "yes"}
    rows = [Question(f"When, {kind}?", [MILL], [answer], kind, "made", [TIDE, bred]) for kind, answer in kinds.items()]
    pairs = build(rows, pieces, [[], []])
    read = [(p.question, pieces.tokenizer.decode(pairs.passages[p.passage].ids.tolist()), p.answerable) for p in pairs.pairs]
    for question in (0, 1):
        tide = [answerable for asked, text, answerable in read if asked == question and text.startswith("the sea gates")]
        assert tide == [False] and not any("loaves" in text for _, text, _ in read)


def test_batches_of_one_length_have_as_many_rows_and_none_is_left_out(pieces: Pieces) -> None:
    rows = [Question(**q) for q in QUESTIONS]  # type: ignore[arg-type]
    pairs = build(rows, pieces, [[TIDE]] * 5)
    lengths = np.array([length(pairs, p) for p in pairs.pairs])
    batches = grouped(lengths, 300, np.random.default_rng(0))
    assert {n for b in batches for n in b.tolist()} == set(range(len(lengths)))
    assert len(batches) == batches_each(lengths, 300)
    assert len({(-(-lengths[b[0]] // 64), len(b)) for b in batches}) == len({-(-n // 64) for n in lengths})


# what is trained


def test_a_merged_reader_is_the_base_plus_the_difference(tiny: Path, pieces: Pieces) -> None:
    base, shape = read_weights(tiny), Shape.read(tiny / "config.json")
    network = low_rank(base, shape, 3, 0, torch.device("cpu"))
    read = batch(pieces, [(*pieces.read(["Who?", MILL]), Window(0, 40))])
    with torch.no_grad():
        plain = encode(base, shape, read.ids, read.types, read.lengths)
        assert torch.equal(encode(network.weights(), shape, read.ids, read.types, read.lengths), plain)
        for name, p in network.parameters.items():
            p += 0.1 * torch.ones_like(p) * (name.endswith(".up"))
        weights = merged(base, network.parameters)
        for name in shape.linear():
            added = network.parameters[f"{name}.up"] @ network.parameters[f"{name}.down"]
            assert torch.allclose(weights[name] - base[name], added, atol=1e-6)
            assert np.linalg.matrix_rank(added.numpy()) <= 3
        assert not torch.allclose(encode(weights, shape, read.ids, read.types, read.lengths), plain)


def test_the_encoder_says_what_transformers_says(pieces: Pieces) -> None:
    from transformers import BertModel

    home = default_directory()
    rows = [(*pieces.read(["Who built it?", text]), Window(0, n)) for text, n in ((MILL, 40), (TIDE, 20))]
    read = batch(pieces, rows)
    inside = torch.arange(read.ids.shape[1]) < read.lengths[:, None]
    with torch.no_grad():
        ours = encode(read_weights(home), Shape.read(home / "config.json"), read.ids, read.types, read.lengths)
        theirs = BertModel.from_pretrained(home)(input_ids=read.ids, token_type_ids=read.types, attention_mask=inside.long())
    assert torch.allclose(ours[inside], theirs.last_hidden_state[inside], atol=1e-4)


class _Stopped(Exception):
    pass


def _quietly(step: int, of: int, value: float) -> None:
    assert step <= of and value > 0


def _stops_at_two(step: int, of: int, value: float) -> None:
    if step == 2:
        raise _Stopped


def test_a_stopped_run_goes_on_to_the_same_weights(tiny: Path, pieces: Pieces, tmp_path: Path) -> None:
    pairs = build([Question(**q) for q in QUESTIONS], pieces, [[TIDE]] * 5)  # type: ignore[arg-type]

    def network() -> Network:
        return low_rank(read_weights(tiny), Shape.read(tiny / "config.json"), 2, 0, torch.device("cpu"))

    through, stopped, resumed = network(), network(), network()
    train(through, pairs, pieces, plan(dropout=0.1), None, _quietly)
    with pytest.raises(_Stopped):
        train(stopped, pairs, pieces, plan(dropout=0.1), tmp_path, _stops_at_two)
    train(resumed, pairs, pieces, plan(dropout=0.1), tmp_path, _quietly)
    assert all(torch.equal(p, resumed.parameters[name]) for name, p in through.parameters.items())
    assert any(not torch.equal(p, stopped.parameters[name]) for name, p in through.parameters.items())
    assert len(list(tmp_path.glob("state-*"))) == 1


def test_a_trained_reader_is_loaded_and_the_command_may_be_given_again(tiny: Path, questions: Path, tmp_path: Path) -> None:
    for _ in range(2):
        make([questions], tmp_path / "run", tiny, plan(epochs=1.0), 2)
    readings = Reader.load(tmp_path / "run", tiny).read("Who?", [MILL, ""])
    assert [len(MILL[r.start : r.end]) > 0 for r in readings] == [True, False]


def test_a_reader_learns_from_a_teacher(tiny: Path, questions: Path, tmp_path: Path) -> None:
    make([questions], tmp_path / "teacher", tiny, plan(epochs=1.0), None)
    make([questions], tmp_path / "taught", tiny, plan(epochs=1.0), 2, tmp_path / "teacher")
    make([questions], tmp_path / "alone", tiny, plan(epochs=1.0), 2)
    assert (tmp_path / "taught" / FILE).read_bytes() != (tmp_path / "alone" / FILE).read_bytes()
    with pytest.raises(ReaderError, match="not a teacher"):
        make([questions], tmp_path / "more", tiny, plan(), 2, tmp_path / "alone")


def test_a_reader_goes_on_from_another_of_its_rank(tiny: Path, questions: Path, tmp_path: Path) -> None:
    make([questions], tmp_path / "first", tiny, plan(epochs=1.0), 2)
    make([questions], tmp_path / "second", tiny, plan(epochs=1.0, peak=1e-12), 2, start=tmp_path / "first")
    first, second = (Reader.load(tmp_path / name, tiny, torch.float32).weights for name in ("first", "second"))
    assert all(torch.allclose(t, second[name], atol=1e-4) for name, t in first.items())
    with pytest.raises(ReaderError, match="another rank"):
        make([questions], tmp_path / "third", tiny, plan(), 3, start=tmp_path / "first")


def test_the_average_of_two_readers_is_their_mean_where_the_rank_suffices(tiny: Path, questions: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        make([questions], tmp_path / str(seed), tiny, plan(epochs=1.0, seed=seed), 2)
    average([tmp_path / "0", tmp_path / "1"], tmp_path / "mean", 4)
    one, two, mean = (Reader.load(tmp_path / name, tiny, torch.float32).weights for name in ("0", "1", "mean"))
    for name, t in mean.items():
        assert torch.allclose(t, (one[name] + two[name]) / 2, atol=3e-4), name
    with pytest.raises(ReaderError, match="isn't empty"):
        average([tmp_path / "0"], tmp_path / "1", 2)


def test_a_dry_run_writes_nothing(tiny: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make([questions], tmp_path / "out", tiny, plan(), 2, dry_run=True)
    assert "step 2/2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_anything_else_is_left_as_it_is(tiny: Path, questions: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear Ann")
    with pytest.raises(ReaderError, match="isn't empty"):
        make([questions], tmp_path / "mine", tiny, plan(), 2)
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    make([questions], tmp_path / "run", tiny, plan(epochs=1.0), 2)
    with pytest.raises(ReaderError, match="begun otherwise"):
        make([questions], tmp_path / "run", tiny, plan(epochs=1.0), 3)
