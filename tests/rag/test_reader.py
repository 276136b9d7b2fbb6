"""The reader: spans that map back to the text, a difference that is merged, training that goes on, and what ships."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from ingest.text.embedder import default_directory
from model.train.data import Question
from rag.errors import ReaderError
from rag.reader import Reader
from rag.reader.average import average
from rag.reader.bert import Shape, encode, read_weights
from rag.reader.data import build, cut_out, places, spans_in
from rag.reader.evaluate import Told, figures, fit, off_by, read_all, sets_of
from rag.reader.lessons import batches_each, grouped, length
from rag.reader.model import FILE, merged, reader_directory
from rag.reader.network import Network, low_rank
from rag.reader.train import Plan, make, train
from rag.reader.windows import LONGEST, OVERLAP, Pieces, Window, batch, windows

MILL = (
    "The mill at Sandholm burned down on 3 February 1766. A candle left near the meal bins was blamed for it. "
    "It was built again in brick within two years, at a cost of 812 pounds. The new wheel came from a foundry in Leeds."
)
TIDE = "The sea gates close when the tide rises above 4.2 metres. Two keepers take turns at the winch, and each keeps a log of the hours."
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


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces(default_directory() / "tokenizer.json")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers of 16 with random weights, in Hugging Face's layout, over the embedder's word pieces."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tokenizer.json").write_bytes((default_directory() / "tokenizer.json").read_bytes())
    (folder / "config.json").write_text(
        json.dumps({"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 2, "layer_norm_eps": 1e-12})
    )
    torch.manual_seed(0)
    shapes = {f"embeddings.{n}_embeddings.weight": (s, 16) for n, s in (("word", 30522), ("position", 512), ("token_type", 2))}
    for n in range(2):
        for name, (rows, columns) in {
            **{f"attention.{part}": (16, 16) for part in ("self.query", "self.key", "self.value", "output.dense")},
            "intermediate.dense": (32, 16),
            "output.dense": (16, 32),
        }.items():
            shapes |= {f"encoder.layer.{n}.{name}.weight": (rows, columns), f"encoder.layer.{n}.{name}.bias": (rows,)}
    tensors = {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    for norm in (
        "embeddings.LayerNorm",
        *(f"encoder.layer.{n}.{part}.LayerNorm" for n in range(2) for part in ("attention.output", "output")),
    ):
        tensors |= {f"{norm}.weight": torch.ones(16), f"{norm}.bias": torch.zeros(16)}
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(dtype=torch.float32)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    return file


def plan(**changes: object) -> Plan:
    return Plan(**{"epochs": 2.0, "peak": 1e-2, "tokens": 256, "save_every": 1, **changes})  # type: ignore[arg-type]


# what is read


@given(st.text(alphabet=st.sampled_from("ab Zé漢字ﬁ🙂\n|-.,1\u0301İß"), max_size=900), st.integers(1, 70))
def test_every_piece_of_a_text_is_read_in_some_window_and_knows_where_it_stands(text: str, asked: int) -> None:
    reading = Pieces(default_directory() / "tokenizer.json")
    question, passage = reading.read(["why " * asked, text])
    read = windows(question, passage)
    assert {n for w in read for n in range(w.first, w.last)} == set(range(len(passage.ids)))
    assert all(a.last - b.first == OVERLAP for a, b in pairwise(read))
    rows = batch(reading, [(question, passage, w) for w in read])
    assert rows.ids.shape[1] <= LONGEST
    for row, window in enumerate(read):
        places = rows.allowed[row].nonzero().flatten().tolist()[1:] if window.last > window.first else []
        numbers = [p - int(rows.shifts[row]) for p in places]
        assert numbers == list(range(window.first, window.last))
        assert rows.ids[row, places].tolist() == passage.ids[numbers].tolist()
    for start, end in zip(passage.starts.tolist(), passage.ends.tolist(), strict=True):
        assert 0 <= start < end <= len(text) and text[start:end].strip()


@pytest.mark.parametrize("before", ["", "Überhöhte 漢字 🙂 ﬁnden. " * 3, "A long way to go before it. " * 60])
def test_a_place_in_characters_is_found_again_from_its_pieces(pieces: Pieces, before: str) -> None:
    text = f"{before}It was José Ångström (1814–1874), of Lögdö."
    (passage,) = pieces.read([text])
    ((first, last),) = spans_in(passage, places(text, "josé ångström"))
    assert text[passage.starts[first] : passage.ends[last]] == "José Ångström"


def test_marks_of_the_tokenizer_in_a_document_are_text(pieces: Pieces) -> None:
    (text,) = pieces.read(["[SEP] and [CLS]"])
    assert not {pieces.sep, pieces.cls} & set(text.ids.tolist())


def test_later_windows_of_a_table_begin_with_its_header_and_point_only_at_rows(pieces: Pieces) -> None:
    table = "| Year | Visitors |\n|---|---|\n" + "".join(f"| {year} | {year * 7} |\n" for year in range(1900, 1990))
    question, passage = pieces.read(["How many visitors in 1985?", table])
    later = windows(question, passage)[-1]
    assert 0 < later.header == passage.header < later.first
    rows = batch(pieces, [(question, passage, later)])
    asked = len(question.ids) + 2
    assert rows.ids[0, asked : asked + later.header].tolist() == passage.ids[: later.header].tolist()
    assert not rows.allowed[0, asked : asked + later.header].any()


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


def test_a_reader_for_another_encoder_or_a_damaged_one_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="another encoder"):
        Reader.load(reader_directory(), tiny)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ReaderError, match="no reader can be read"):
        Reader.load(tmp_path)


# what ships


@pytest.mark.parametrize(
    ("question", "file", "answer"),
    [
        ("When did the mill burn down?", "history-of-the-mill.txt", "3 February 1766"),
        ("Why did the mill burn down?", "history-of-the-mill.txt", "candle"),
        ("How much flour can you make in a day?", "faq.md", "90 kg"),
        ("What is the name of the cat?", "faq.md", "Ballast"),
        ("How many visitors came in the year?", "annual-report-2024.md", "9,874"),
    ],
)
def test_the_reader_points_at_answers_in_the_samples(reader: Reader, samples: Path, question: str, file: str, answer: str) -> None:
    text = (samples / file).read_text(encoding="utf-8")
    (reading,) = reader.read(question, [text])
    assert answer in text[reading.start : reading.end]
    assert reading.answerable > 0.5


def test_the_reader_says_nowhere_where_a_passage_does_not_answer(reader: Reader, samples: Path) -> None:
    text = (samples / "history-of-the-mill.txt").read_text(encoding="utf-8")
    for question in ("What is the capital of Mongolia?", "Who composed the opera Carmen?"):
        (reading,) = reader.read(question, [text])
        assert reading.answerable < 0.5 and reading.score < 0


def test_what_ships_is_small_and_ranks_the_passage_that_answers_first(reader: Reader) -> None:
    assert sum(f.stat().st_size for f in reader_directory().iterdir()) <= 6 * 2**20
    readings = reader.read("When do the gates close?", [MILL, TIDE, ""])
    assert max(range(3), key=lambda n: readings[n].answerable) == 1
    assert (readings[2].start, readings[2].end, readings[2].answerable) == (0, 0, 0.0)


# what is measured


def test_a_logistic_is_fitted_that_puts_odds_right() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, 4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-true))
    scale, bias = fit(3 * true + 2, right)
    assert abs(scale - 1 / 3) < 0.05 and abs(bias + 2 / 3) < 0.2
    fitted = 1 / (1 + np.exp(-(scale * (3 * true + 2) + bias)))
    assert off_by(fitted, right) < 0.03 < off_by(1 / (1 + np.exp(-(3 * true + 2))), right)


@pytest.fixture(scope="module")
def dev(shared: Path, reader: Reader) -> dict[str, list[Told]]:
    from rag.evaluate import read_lines

    asked = sets_of(read_lines(shared / "data" / "dev" / "qa_short.jsonl.xz"))
    return {name: read_all(reader, rows) for name, rows in asked.items()}


@pytest.mark.slow
def test_the_figures_of_its_card_hold(dev: dict[str, list[Told]]) -> None:
    told = figures(dev["library"], dev["unanswerable"], dev["cut"])
    print(json.dumps(told))
    assert told["F1"] >= 0.70 and told["EM"] >= 0.55 and told["holds"] >= 0.965
    assert told["refused"]["unanswerable"]["at 95"] >= 0.93 and told["refused"]["unanswerable"]["at 92"] >= 0.945
    assert told["refused"]["cut"]["at 95"] >= 0.72 and told["refused"]["cut"]["at 92"] >= 0.79


@pytest.mark.slow
def test_answerable_is_a_probability(dev: dict[str, list[Told]]) -> None:
    """Its scale and bias were fitted on every other question, so the ones between are judged."""
    rows = [t for name in ("library", "unanswerable", "cut") for t in dev[name][1::2]]
    assert off_by(np.array([t.answerable for t in rows]), np.array([t.holds for t in rows])) < 0.06
