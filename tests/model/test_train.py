"""The way from a teacher to one small file, walked with a tiny teacher on the CPU."""

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize
from safetensors.torch import load_file
from torch.nn import functional as F

from model import grounded, load_model
from model.config import SHAPES
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.train import ask, distill, export, passages, practice, prune, quantize, tune
from model.train.data import Question, pack_texts, read_questions, read_texts
from model.train.examples import QuestionRows, pad
from model.train.muon import Muon
from model.train.teacher import load_teacher
from model.train.trainer import WEIGHTS, Ranks, load_weights, rate, read_student, train
from tests.model.conftest import tokenizer_json

QUESTIONS = [
    {
        "question": f"Where is the bus {i}?",
        "contexts": [f"The bus {i} is at the stable {i}."],
        "answers": [f"at the stable {i}"],
        "kind": "extractive",
    }
    for i in range(12)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Gemma 3 teacher, text and questions."""
    place = tmp_path_factory.mktemp("train")
    vocab = json.loads(tokenizer_json())["model"]["vocab"]
    pieces = [*sorted(vocab, key=lambda p: vocab[p]), "Q", "w", "\u2581the\u2581bus"]
    pieces = list(dict.fromkeys(pieces))
    kinds = [
        3 if (p.startswith("<") and p.endswith("_turn>")) or p in ("<pad>", "<eos>", "<bos>", "<mask>", "<unused0>") else 1 for p in pieces
    ]
    kinds = [2 if p == "<unk>" else 6 if p.startswith("<0x") else k for p, k in zip(pieces, kinds, strict=True)]
    kinds = [4 if p.isspace() else k for p, k in zip(pieces, kinds, strict=True)]
    w = GGUFWriter(place / "teacher.gguf", "gemma3")
    sizes = {"embedding_length": 32, "feed_forward_length": 64, "block_count": 6, "attention.head_count": 2, "attention.head_count_kv": 1}
    for key, value in {**sizes, "attention.key_length": 16, "attention.sliding_window": 8, "context_length": 512}.items():
        w.add_uint32(f"gemma3.{key}", value)
    prune.write_vocabulary(w, pieces, [-float(i) for i in range(len(pieces))], kinds)
    rng = np.random.default_rng(0)
    shapes = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    shapes |= {"ffn_gate": (64, 32), "ffn_up": (64, 32), "ffn_down": (32, 64)}
    norms = {"attn_norm": 32, "post_attention_norm": 32, "ffn_norm": 32, "post_ffw_norm": 32, "attn_q_norm": 16, "attn_k_norm": 16}
    w.add_tensor("token_embd.weight", rng.normal(0, 0.5, (len(pieces), 32)).astype(np.float32))
    w.add_tensor("output_norm.weight", np.ones(32, dtype=np.float32))
    for layer in range(6):
        for name, shape in shapes.items():
            w.add_tensor(f"blk.{layer}.{name}.weight", rng.normal(0, 0.2, shape).astype(np.float32))
        for name, size in norms.items():
            w.add_tensor(f"blk.{layer}.{name}.weight", np.ones(size, dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    (place / "text.txt").write_text("the bus at the stable\n\x1e\nthe other bus and the user\n" * 60)
    (place / "q.jsonl").write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    return place


def test_from_a_teacher_to_a_file_that_the_engine_opens(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = place / "base"
    texts = [place / "text.txt", place / "q.jsonl"]
    distill.distill(place / "teacher.gguf", texts, base, layers=(0, 1, 2, 5), steps=3, peak=1e-3, rows=2, length=32)
    settings = {"steps": 2, "peak": 1e-3, "tokens": 1024, "refuse": 0.2}
    tokenizer = place / "teacher.gguf"
    tune.tune(tokenizer, tokenizer, [place / "q.jsonl"], place / "tuned-teacher", **settings)
    tune.tune(base, tokenizer, [place / "q.jsonl"], place / "tuned", teacher=tokenizer, **settings)
    tune.tune(base, tokenizer, [place / "q.jsonl"], place / "untaught", **settings)
    taught, untaught = load_weights(place / "tuned"), load_weights(place / "untaught")
    assert not torch.equal(taught["embed_tokens.weight"], untaught["embed_tokens.weight"])  # all that is read teaches
    assert "tokens/s" in capsys.readouterr().out
    export.export([place / "tuned"], tokenizer, place / "out.gguf", read=place / "q.jsonl")
    model = load_model(place / "out.gguf", device="cpu", dtype=torch.float32)
    ids = torch.tensor([[model.tokenizer.bos_id, *model.tokenizer.encode("the bus at the stable")]])
    exact = Gemma2(model.config).eval()
    exact.load_state_dict(load_weights(place / "tuned"))
    with torch.inference_mode():
        a, b = exact(ids).log_softmax(-1), model.forward(ids).log_softmax(-1)
    assert (model.card["prompt"], model.card["recommended_context"]) == ("grounded", "256")
    assert (a.exp() * (a - b)).sum(-1).mean() < 0.1  # 4 bits cost a little
    assert (a - b).abs().max() > 0


@pytest.mark.parametrize("muon", [False, True])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, muon: bool) -> None:
    config = dataclasses.replace(SHAPES["starter"], vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, head_dim=16)

    def run(out: str, stop_at: int | None = None, save_minutes: float = 0.0) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        network = Gemma2(config)
        torch.nn.init.normal_(network.embed_tokens.weight)

        def loss_at(step: int) -> tuple[torch.Tensor, int]:
            if step == stop_at:
                raise KeyboardInterrupt
            ids = torch.randint(0, 50, (2, 16), generator=torch.Generator().manual_seed(step))
            return torch.nn.functional.cross_entropy(network(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()), ids.numel()

        train(network, loss_at, out=tmp_path / out, steps=8, peak=1e-2, muon=muon, save_minutes=save_minutes)
        return load_weights(tmp_path / out)

    whole = run("whole", save_minutes=60.0)
    with pytest.raises(KeyboardInterrupt):
        run("parts", stop_at=5)
    parts = run("parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    small = read_student(tmp_path / "parts").state_dict()
    assert all(torch.equal(whole[name].bfloat16().float(), small[name]) for name in whole)


def test_muon_is_torchs_muon() -> None:
    make = torch.Generator().manual_seed(0)
    ours = [torch.randn(shape, generator=make) for shape in ((8, 20), (20, 8), (8, 20), (6, 6))]
    theirs = [p.clone() for p in ours]
    pair = Muon(ours, lr=0.1), torch.optim.Muon(theirs, lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=make)
            b.grad = a.grad.clone()
        for optimizer in pair:
            optimizer.step()
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).norm() < 0.01 * b.norm()  # five rounds in bf16


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_same_batches(place: Path) -> None:
    def run(out: Path, *launch: str) -> dict[str, torch.Tensor]:
        files = [str(f) for f in (place / "teacher.gguf", place / "text.txt", out)]
        sizes = "--layers 0 1 2 5 --steps 3 --rows 4 --length 32 --lr 1e-3".split()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *launch, "-m", "model.train.distill", *files, *sizes]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("tokens/s") == 1
        return load_weights(out)

    one = run(place / "one")
    two = run(place / "two", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_batches_are_shared_out_and_every_epoch_cuts_the_text_anew() -> None:
    stream = np.arange(1000, dtype=np.uint16)
    whole = distill.rows_of(stream, 10, 7, 4, Ranks(torch.device("cpu")))
    halves = [distill.rows_of(stream, 10, 7, 4, Ranks(torch.device("cpu"), rank, 2)) for rank in (0, 1)]
    assert np.array_equal(np.stack(halves, 1).reshape(4, 11), whole)
    cuts = [
        {int(row[0]) % 10 for step in range(24) for row in distill.rows_of(stream, 10, 25 * e + step, 4, Ranks(torch.device("cpu")))}
        for e in (0, 1)
    ]
    assert cuts[0] != cuts[1]


@pytest.mark.parametrize("teacher_cap", [None, 4.0])
def test_the_chunked_loss_and_its_gradient_are_those_of_the_plain_one(monkeypatch: pytest.MonkeyPatch, teacher_cap: float | None) -> None:
    monkeypatch.setattr(distill, "_LOGITS_AT_ONCE", 5 * 40)  # a last chunk that is shorter
    make = torch.Generator().manual_seed(0)
    hidden, head, taught, teacher_head = (torch.randn(n, 8, generator=make, dtype=torch.float64) * 2 for n in (13, 40, 13, 40))
    following = torch.randint(0, 40, (13,), generator=make)
    found, wanted = [], []
    for plain, grads in ((False, found), (True, wanted)):
        x, w = (t.float().clone().requires_grad_() for t in (hidden, head))
        if plain:
            said = (torch.tanh(x @ w.T / 6.0) * 6.0).log_softmax(-1)
            meant = taught.float() @ teacher_head.float().T
            target = (meant if teacher_cap is None else torch.tanh(meant / teacher_cap) * teacher_cap).log_softmax(-1)
            loss = 0.7 * F.kl_div(said, target, log_target=True, reduction="batchmean") + 0.3 * F.nll_loss(said, following)
        else:
            loss = distill.Divergence.apply(x, w, taught.float(), teacher_head.float(), following, (6.0, teacher_cap), distill.divergence)
        (2 * loss).backward()
        grads += [loss.detach(), x.grad, w.grad]
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_teacher_with_our_attention_is_transformers_teacher(place: Path) -> None:
    from transformers import Gemma3ForCausalLM

    ours = load_teacher(place / "teacher.gguf").float()
    theirs = Gemma3ForCausalLM._from_config(ours.config, attn_implementation="eager").eval()
    theirs.load_state_dict({**ours.state_dict(), "lm_head.weight": ours.head})
    assert all(b.dtype == torch.float32 for b in ours.buffers())
    ids = torch.randint(0, ours.config.vocab_size, (2, 40), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(ours.logits(ours.hidden(ids)), theirs(ids).logits, atol=1e-4)


def test_distilling_starts_from_given_weights_for_some_time(place: Path, tmp_path: Path) -> None:
    sizes = {"layers": (0, 1, 2, 5), "steps": 3, "rows": 2, "length": 32}
    files = place / "teacher.gguf", [place / "text.txt"]
    distill.distill(*files, tmp_path / "a", peak=1e-2, **sizes)
    distill.distill(*files, tmp_path / "b", peak=0.0, minutes=0.003, start=tmp_path / "a", **sizes)
    a, b = load_file(tmp_path / "a" / WEIGHTS), load_file(tmp_path / "b" / WEIGHTS)
    assert all(torch.equal(a[name], b[name]) for name in a)
    (tmp_path / "bad.gguf").write_bytes(b"no weights")
    (tmp_path / "empty").mkdir()
    for start in ("none", "bad.gguf", "empty"):
        with pytest.raises(SourceError, match=start):
            distill.distill(*files, tmp_path / "c", peak=0.0, start=tmp_path / start, **sizes)


SMALL = {"num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 32, "head_dim": 8}


def a_teacher(kind: str, folder: Path) -> None:
    """A checkpoint of transformers' own making, with the tests' tokenizer beside it."""
    import transformers

    vocab = len(json.loads(tokenizer_json())["model"]["vocab"])
    sizes = {
        "vocab_size": vocab,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
    }
    config = getattr(transformers, f"{kind}Config")(**sizes)
    torch.manual_seed(0)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json())


@pytest.mark.parametrize("kind", ["Gemma2", "Llama"])
def test_any_causal_model_may_teach_a_student_of_any_config(
    kind: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_teacher(kind, tmp_path / "teacher")
    frequencies = [b for name, b in load_teacher(tmp_path / "teacher").named_buffers() if "inv_freq" in name]
    assert frequencies and all(b.dtype == torch.float32 for b in frequencies)
    vocab = len(json.loads(tokenizer_json())["model"]["vocab"])
    config = {**SHAPES["starter"].to_dict(), **SMALL, "vocab_size": vocab}
    (tmp_path / "small.json").write_text(json.dumps(config))
    command = ["distill", str(tmp_path / "teacher"), str(place / "text.txt"), str(place / "q.jsonl"), str(tmp_path / "run")]
    command += ["--student", str(tmp_path / "small.json"), "--rows", "2", "--length", "16", "--steps", "2"]
    monkeypatch.setattr(sys, "argv", [*command, "--dry-run"])
    distill.main()
    assert "dry run: a student of 0.0M; loss" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(sys, "argv", command)
    distill.main()
    assert read_student(tmp_path / "run").config.num_hidden_layers == 2
    if kind == "Llama":
        monkeypatch.setattr(sys, "argv", [*command[:5], *command[7:]])
        with pytest.raises(SystemExit, match="can't be cut out of a 'llama' model"):
            distill.main()
    if kind == "Gemma2":  # a student is a teacher too, and a Gemma 2 of others a student to start from
        for source in (["--layers", "0", "3"], ["--weights", str(tmp_path / "teacher")]):
            monkeypatch.setattr(sys, "argv", [*command[:5], *source, *command[7:], "--dry-run"])
            distill.main()
        shutil.copy(tmp_path / "teacher" / "tokenizer.json", tmp_path / "run")
        monkeypatch.setattr(sys, "argv", [command[0], str(tmp_path / "run"), *command[2:], "--dry-run"])
        distill.main()


@pytest.mark.parametrize("layers", [(0, 5), (0, 5) * 23], ids=["few", "as many as 27B has"])
def test_our_gguf_file_may_teach(layers: tuple[int, ...], place: Path, tmp_path: Path) -> None:
    distill.distill(place / "teacher.gguf", [place / "text.txt"], tmp_path / "a", layers=layers, steps=1, peak=1e-3, rows=2, length=32)
    export.export([tmp_path / "a"], place / "teacher.gguf", tmp_path / "a.gguf", four_bits=False)
    ids = torch.arange(5, 45)[None]
    exact = Gemma2(read_student(tmp_path / "a").config).eval()
    exact.load_state_dict(load_weights(tmp_path / "a"))
    teacher = load_teacher(tmp_path / "a.gguf").float()
    with torch.inference_mode():
        assert torch.allclose(teacher.logits(teacher.hidden(ids)), exact(ids), atol=0.05)


@pytest.mark.parametrize(
    ("bad", "given"),
    [
        ("no.gguf", {"teacher": "no.gguf"}),
        ("bad.gguf", {"teacher": "bad.gguf"}),
        ("tokenizer.json", {"teacher": "empty"}),
        ("odd: .*head_dim", {"teacher": "odd"}),
        ("none.txt", {"text": "none.txt"}),
        ("bad.txt.xz", {"text": "bad.txt.xz"}),
        ("none.json", {"student": "none.json"}),
        ("bad.json", {"student": "bad.json"}),
        ("wide.json", {"student": "wide.json"}),
        ("layer 17", {"layers": "17"}),
        ("empty", {"weights": "empty"}),
    ],
)
def test_every_bad_file_is_named_in_one_line(
    bad: str, given: dict[str, str], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("empty", "odd"):
        (tmp_path / folder).mkdir()
    (tmp_path / "odd" / "tokenizer.json").write_text(tokenizer_json())
    (tmp_path / "odd" / "config.json").write_text(json.dumps({**SHAPES["2b"].to_dict(), "head_dim": 25.6}))
    for name in ("bad.gguf", "bad.txt.xz", "bad.json"):
        (tmp_path / name).write_bytes(b"{")
    (tmp_path / "wide.json").write_text(json.dumps({**SHAPES["starter"].to_dict(), **SMALL, "vocab_size": 999}))
    files = {"teacher": place / "teacher.gguf", "text": place / "text.txt", **{k: tmp_path / v for k, v in given.items()}}
    options = [f"--{k}={given[k] if k == 'layers' else files[k]}" for k in given if k not in ("teacher", "text")]
    command = [str(files["teacher"]), str(files["text"]), str(tmp_path / "run"), *options, "--length", "32", "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["distill", *command])
    with pytest.raises(SystemExit, match=bad) as stop:
        distill.main()
    assert "\n" not in str(stop.value).partition("\n  ")[0]


@pytest.mark.parametrize(("module", "files"), [(export, ["run", "t.gguf", "out.gguf"]), (prune, ["none.gguf", "text.txt", "out.gguf"])])
def test_a_missing_file_is_one_line_in_the_other_commands_too(
    module: ModuleType, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["command", *(str(tmp_path / f) for f in files)])
    with pytest.raises(SystemExit, match=rf"{files[0]}.*No such file") as stop:
        module.main()
    assert "\n" not in str(stop.value)


def test_a_cut_vocabulary_reaches_every_row_it_keeps(place: Path) -> None:
    prune.cut_vocabulary(place / "teacher.gguf", read_texts(place / "text.txt"), 285, place / "cut.gguf")
    reader = GGUFReader(place / "cut.gguf")
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    tokenizer = read_tokenizer(GGUFFile(place / "cut.gguf").values, "cut")
    assert len(tokens) <= 285
    kept = [i for i, kind in enumerate(kinds) if kind == 1]
    assert kept
    for i in kept:
        assert tokenizer.encode(tokens[i].replace("\u2581", " ")) == [i]
    assert {t.name for t in reader.tensors} == {t.name for t in GGUFReader(place / "teacher.gguf").tensors}


def test_only_answers_are_learnt_and_refusals_have_no_passage_that_answers(place: Path) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "t")
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


def test_half_of_the_answers_change_from_epoch_to_epoch_and_their_passages_with_them(place: Path) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "t")
    rows = QuestionRows(read_questions(place / "q.jsonl"), tokenizer, unanswerable=0.0)
    said = []
    for epoch in range(40):
        example = rows.example(3, epoch)
        assert example is not None
        prompt, answer = (tokenizer.decode(ids) for ids in example)
        said.append(answer.partition(" [")[0].strip())
        assert f"The bus 3 is {said[-1]}." in prompt
        assert said[-1] == "at the stable 3" or "is at the stable 3." not in prompt
    assert 10 <= said.count("at the stable 3") <= 30
    assert len(set(said)) > 5


def test_a_teachers_questions_change_their_answers_too_but_not_yes_and_no(place: Path) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "t")
    gold, beside = "The wheel of the mill is made of oak and no iron is in it.", "The users and the stables know the bus."
    made = {"contexts": [gold, beside], "source": "made"}
    asked = [
        Question(**made, question="What is the wheel made of?", answers=["oak"], kind="asked"),
        Question(**made, question="What is not in it?", answers=["iron"], kind="asked"),
        Question(**made, question="is the wheel made of iron?", answers=["no"], kind="yesno"),
    ]
    rows = QuestionRows([*asked, *read_questions(place / "q.jsonl")], tokenizer, unanswerable=0.0)
    said: dict[int, set[str]] = {0: set(), 2: set()}
    for number, found in said.items():
        for epoch in range(40):
            example = rows.example(number, epoch)
            assert example is not None
            prompt, answer = (tokenizer.decode(ids) for ids in example)
            found.add(answer.partition(" [")[0].strip())
            assert beside in prompt and (number == 0 or "made of oak and no iron" in prompt)
    assert said == {0: {"oak", "iron"}, 2: {"no"}}
    assert {rows.questions[i].kind for i in rows.order(1)} == {"yesno", "extractive"}


def test_two_things_trade_their_names_in_passage_question_and_answer(place: Path) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "t")
    told = {
        "contexts": ["Salt water is heavier than sweet.", "Ann has salt water and Bo has sweet."],
        "source": "ropes",
        "kind": "extractive",
    }
    pair = [
        Question(**told, question="Who has the heavier water, Ann or Bo?", answers=["Ann"]),
        Question(**told, question="Whose water is not so heavy?", answers=["Bo"]),
    ]
    rows = QuestionRows([*pair, *read_questions(place / "q.jsonl")], tokenizer, unanswerable=0.0)
    seen = set()
    for epoch in range(40):
        example = rows.example(0, epoch)
        assert example is not None
        prompt, answer = (tokenizer.decode(ids) for ids in example)
        traded = "Bo has salt water and Ann has sweet." in prompt
        assert traded == ("heavier water, Bo or Ann?" in prompt) == answer.startswith(" Bo [") != ("Ann has salt" in prompt)
        seen.add(traded)
    assert seen == {True, False}


def test_what_is_packed_is_what_was_rounded() -> None:
    matrix = torch.randn(64, 96, generator=torch.Generator().manual_seed(0)) * 0.05
    matrix[3, :32] = 0.0
    steps, scales = quantize.rounded(matrix, torch.eye(96))
    stored = torch.from_numpy(dequantize(quantize.packed(steps, scales), GGMLQuantizationType.IQ4_NL).copy())
    assert torch.equal(stored, quantize.STEPS[steps] * scales.repeat_interleave(32, 1))
    assert (stored - matrix).norm() < 0.08 * matrix.norm()
    assert stored[3, :32].abs().max() < 1e-4


def test_rounding_spares_what_the_inputs_need() -> None:
    make = torch.Generator().manual_seed(0)
    x = torch.randn(512, 8, generator=make) @ torch.randn(8, 64, generator=make) + 0.1 * torch.randn(512, 64, generator=make)
    matrix = torch.randn(48, 64, generator=make)

    def error(moments: torch.Tensor) -> float:
        steps, scales = quantize.rounded(matrix, moments)
        return F.mse_loss(x @ (quantize.STEPS[steps] * scales.repeat_interleave(32, 1)).T, x @ matrix.T).item()

    assert error(x.T @ x) < 0.3 * error(torch.eye(64))


def test_moments_are_those_of_what_each_matrix_reads(place: Path) -> None:
    network = read_student(place / "base")
    ids = torch.tensor([3, 1, 4, 1, 5, 9])
    moments = quantize.second_moments(network, [ids])
    with torch.inference_mode():
        hidden = network.hidden(ids[None])[0]
    read = hidden.T @ hidden
    assert torch.allclose(moments["embed_tokens.weight"], read + read.diagonal().mean() * torch.eye(len(read)), atol=1e-4)
    assert set(moments) == {name for name, p in network.named_parameters() if p.dim() > 1}


def test_the_mean_of_runs_is_exported(place: Path, tmp_path: Path) -> None:
    tuned, base = place / "tuned", place / "base"
    export.export([tuned, base], place / "teacher.gguf", tmp_path / "mean.gguf", four_bits=False)
    mean, a, b = (dict(read_student(source).named_parameters()) for source in (tmp_path / "mean.gguf", tuned, base))
    assert not torch.equal(a["embed_tokens.weight"], b["embed_tokens.weight"])
    assert all(torch.allclose(mean[name], (a[name] + b[name]) / 2, atol=1e-6) for name in mean)


def test_rate_warms_up_holds_and_ends_where_it_should() -> None:
    rates = [rate(step, step / 1000, 1.0) for step in range(1001)]
    assert rates[0] < rates[50] < rates[100] == rates[740] == 1.0 > rates[800] > rates[999] > rates[1000] == 0.0
    assert rate(1000, 1.0, 1.0, end=0.1) == pytest.approx(0.1)


def test_bad_training_files_are_named(tmp_path: Path, place: Path) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "t")
    (tmp_path / "short.txt").write_text("the")
    (tmp_path / "bad.txt.xz").write_bytes(b"no xz")
    (tmp_path / "bad.jsonl").write_text('{"question": 1}')
    for file, read in (("none.txt", None), ("short.txt", None), ("bad.txt.xz", None), ("bad.jsonl", read_questions)):
        with pytest.raises(SourceError, match=file):
            read(tmp_path / file) if read else pack_texts([tmp_path / file], tokenizer, 64)
    with pytest.raises(SourceError, match="no checkpoint"):
        load_weights(tmp_path)


def test_practice_asks_what_the_text_itself_answers() -> None:
    passage = "The ferry to Carrick Sands leaves the old quay at nine on every weekday and brings the letters for the whole village. "
    mill = "A tide mill is a water mill that is driven by the rise and fall of the sea, and many coasts had one. It was cheap. "
    text = "\n\n".join(
        [
            passage * 3,
            (mill + "The colours include red, white and green. ") * 3,
            ("The bridge was built by Thomas Marsh in the spring of 1852. ") * 5,
            ("People still remember 1793 and John Pellow for the old quay, where the nets were dried by all. ") * 3,
            ("People in the village walk to Carrick Sands when the old ferry does not leave the quay. The tide mill stands still. ") * 3,
            "## Opening hours\n\n- Monday\n- Friday at noon\n",
            "| Boat | Berth |\n|---|---|\n| Gull | 7 |\n| Heron | 12 |\n\n",
        ]
    )
    rows = practice.practice([text], [text], 100, 100)
    asked = {(row["kind"], row["answers"][0]) for row in rows}
    assert {("cloze", "Carrick Sands"), ("list", "red, white and green"), ("list", "Monday, Friday at noon")} <= asked
    assert asked & {("table", "7"), ("table", "12")}
    assert ("yesno", "yes") in asked or ("yesno", "no") in asked
    assert ("definition", mill.partition(" It")[0]) in asked
    for row in rows:
        gold, *others = row["contexts"]
        parts = row["answers"][0].split(", ") if row["kind"] == "list" else row["answers"]
        assert row["kind"] == "yesno" or all(part in gold for part in parts)
        assert not any(row["answers"][0] in other for other in others)
        assert row["kind"] == "yesno" or row["answers"][0] not in row["question"]


def test_a_name_is_what_stands_beside_it() -> None:
    told = "At the quay Walter Gosse, a shipwright of the town, built the gates. The widow of a captain, Mrs Agnes Thorle, was a guest. "
    other = "In May Thomas Marsh, however, left. Then the boats, Carrick Sands, and the mill were lost to John Pellow, the day was over."
    rows = [row for seed in range(9) for row in practice.who_is([told + other], random.Random(seed))]
    assert {row["answers"][0] for row in rows} == {"a shipwright of the town", "The widow of a captain"}
    assert {row["question"].lower() for row in rows} >= {"who is walter gosse?", "who was mrs agnes thorle?"}


def test_what_a_passage_enumerates() -> None:
    said = "The mill sold meal of wheat, sifted flour and rye. When he came, she was there, and we left."
    assert passages.enumerations(said) == ["wheat, sifted flour and rye"]
    assert passages.enumerations("Bring:\n\n- a lamp\n- a rope\n- dry boots\n") == ["a lamp, a rope, dry boots"]
    table = "| Boat | Berth |\n|---|---|\n| Gull | 7 |\n| Heron |  |"
    assert set(ask.answers_wanted(table, random.Random(0))) == {"Gull", "7", "Heron"}
    assert ask.short_tables(f"Boats\n\n{table}\n| Tern | 9 |\n\nThe end.") == [f"{table}\n| Tern | 9 |"]


def test_a_claim_with_another_year_in_it_is_no_longer_true() -> None:
    passages = ["The bridge was built by the parish in the spring of 1852.", "A mill stood there in 1793. The boat was lost in 1801."]
    asked = {row["question"].lower(): row["answers"] for seed in range(20) for row in practice.claims(passages, random.Random(seed))}
    assert asked["was the bridge built by the parish in the spring of 1852?"] == ["yes"]
    assert asked["was the bridge built by the parish in the spring of 1801?"] == ["no"]
    assert all(answers == (["yes"] if "1852" in question else ["no"]) for question, answers in asked.items() if "bridge" in question)


def test_prompts_of_different_lengths_are_continued_together_as_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = load_teacher(place / "teacher.gguf", "eager").float()
    drawn_from: list[torch.Tensor] = []

    def likeliest(p: torch.Tensor, _: int) -> torch.Tensor:
        drawn_from.append(p)
        return p.argmax(-1, keepdim=True)

    monkeypatch.setattr(torch, "multinomial", likeliest)
    rng = random.Random(0)
    prompts = [[rng.randrange(1, 300) for _ in range(length)] for length in (12, 3, 7, 2, 5, 10)]  # the teacher's window is 8
    padded = torch.tensor([[0] * (12 - len(p)) + p for p in prompts])
    said = ask.write(teacher, padded, torch.zeros(6, dtype=torch.bool), -1, -1)
    assert said.shape == (6, ask.LONGEST)
    for row, (prompt, found) in enumerate(zip(prompts, said, strict=True)):
        whole = torch.tensor([[*prompt, *found.tolist()]])
        with torch.inference_mode():
            alone = teacher.logits(teacher.hidden(whole))[0, len(prompt) - 1 : -1].topk(ask.LIKELIEST)[0].softmax(-1)
        assert torch.allclose(torch.stack([p[row] for p in drawn_from]), alone, atol=1e-5)


def test_a_teachers_questions_are_kept_where_it_answers_them_as_it_meant(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = read_tokenizer(GGUFFile(place / "teacher.gguf").values, "")
    passage = "The old mill at the quay has a wheel of oak and was built by Zed. " * 12
    other = "People in the village keep the boats at the other quay, where nobody asks for the wheel any more. " * 9

    unknown = tokenizer.encode("Z")[-1]

    class Knows(torch.nn.Module):
        """Foretells every token but those of one answer."""

        head = torch.zeros(1)

        def hidden(self, ids: torch.Tensor) -> torch.Tensor:
            return ids.roll(-1, 1)

        def logits(self, following: torch.Tensor) -> torch.Tensor:
            return F.one_hot(torch.where(following == unknown, 0, following), 400) * 50.0

    said = ["oak\nWhat is the wheel made of?", "Zed\nWho built the mill?", "iron\nWhat is not in it?", "oak\nno"]
    monkeypatch.setattr(ask, "COPIES", len(said))
    ids = [[*tokenizer.encode(" " + text), tokenizer.end_of_turn_id] for text in said]
    written = torch.tensor([i + [0] * (60 - len(i)) for i in ids])
    monkeypatch.setattr(ask, "write", lambda teacher, prompts, *_: written)
    clock = iter([0.0, 1.0, 1.0, 100.0, 100.0])
    monkeypatch.setattr(ask, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    rows = list(ask.ask(Knows(), tokenizer, [passages.passages_of(f"{passage}\n\n{other}")], 1.0, 1))
    assert [(row["question"], row["answers"]) for row in rows] == [("What is the wheel made of?", ["oak"])]
    assert rows[0]["contexts"][0].strip() == passage.strip()
