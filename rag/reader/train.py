"""Trains a reader: a low-rank difference to the embedder's encoder that points at answers.

    python -m rag.reader.train QUESTIONS.jsonl.xz... TEACHER --whole --base all-mpnet-base-v2 --epochs 1.25 --lr 1e-4 --dropout 0.1
    python -m rag.reader.train QUESTIONS.jsonl.xz PRACTICE.jsonl.xz OUT --teacher TEACHER --base all-mpnet-base-v2

The first makes a teacher, a larger encoder all of whose weights learn; the second a reader, that learns from the questions and from
what the teacher says to each pair. Both go on where they were stopped, in a folder of their own. `--dry-run` reads all, takes two
steps, says how long the whole would take, and writes nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ingest.errors import IngestError
from ingest.text import bert
from ingest.text.bert import Shape, read_weights
from ingest.text.embedder import default_directory, weights_sha256
from model.train.data import plain_errors, read_questions
from model.train.outputs import read_state, write_state
from rag.errors import RagError, ReaderError
from rag.reader import store
from rag.reader.data import Pairs, build
from rag.reader.lessons import Taught, ask, batches_each, length, loss, rows_of, stream, wanted
from rag.reader.mine import nearest
from rag.reader.model import CONFIG, FILE, logits
from rag.reader.network import Network, low_rank, whole
from rag.reader.teacher import read_encoder
from rag.reader.variants import variants
from rag.reader.windows import Pieces

Progress = Callable[[int, int, float], None]
"""step, of how many, loss"""
_NEAR = 3
"""Passages from elsewhere that a question is read with."""
_HINTS = ("strategyqa",)
"""Sources whose passages hint at the answer and don't give it."""


@dataclass(frozen=True)
class Plan:
    """How a network learns.

    Attributes:
        peak: the highest rate; it rises over a twentieth of the steps and then falls in a line to zero.
        dropout: none for a reader, which has too little room rather than too much.
        distil: share of the loss that is the distance from the teacher, where there is one.
        tokens: word pieces of a batch, padding counted in.
    """

    epochs: float
    peak: float
    dropout: float = 0.0
    distil: float = 0.7
    seed: int = 0
    decay: float = 0.01
    tokens: int = 49_152
    save_every: int = 500


def train(
    network: Network,
    pairs: Pairs,
    pieces: Pieces,
    plan: Plan,
    out: Path | None,
    progress: Progress,
    taught: Taught | None = None,
    steps: int | None = None,
) -> None:
    """Learns for plan.epochs or `steps`, from the checkpoint in `out` where there is one; leaves one there, or without `out` none."""
    optimizer = torch.optim.AdamW(network.parameters.values(), lr=plan.peak, betas=(0.9, 0.98), weight_decay=plan.decay)
    first = _resume(network, optimizer, out) if out else 0
    device = next(iter(network.parameters.values())).device
    layer = torch.compile(bert.layer, dynamic=False) if device.type == "cuda" else bert.layer
    if device.type == "cuda":
        torch._dynamo.config.recompile_limit = 64  # one for each length, in training and in asking
    lengths = np.array([length(pairs, p) for p in pairs.pairs])
    total = steps or max(1, round(plan.epochs * batches_each(lengths, plan.tokens)))
    for step, numbers in enumerate(stream(total, lengths, plan.tokens, plan.seed)):
        if step < first:
            continue
        torch.manual_seed(plan.seed * 1_000_003 + step)
        done = step / total
        for group in optimizer.param_groups:
            group["lr"] = plan.peak * min(1.0, 20 * (step + 1) / total, (1 - done) / 0.95)
        read = rows_of(pairs, pieces, numbers)
        want = wanted(pairs, numbers, read, taught).to(device)
        value = loss(logits(network.weights(), network.shape, read.to(device), plan.dropout, layer=layer), want, plan.distil)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if out and ((step + 1) % plan.save_every == 0 or step + 1 == total):
            _save(network, optimizer, out, step + 1)
        if (step + 1) % 50 == 0 or step + 1 == total or device.type == "cpu":
            progress(step + 1, total, value.item())


def _save(network: Network, optimizer: torch.optim.Optimizer, out: Path, step: int) -> None:
    """Whole or not at all: written beside, then renamed, the step's number last."""
    tensors = {name: p.detach() for name, p in network.parameters.items()}
    for name, p in network.parameters.items():
        tensors |= {f"{key}/{name}": value for key, value in optimizer.state[p].items()}
    save_file({name: t.contiguous().cpu() for name, t in tensors.items()}, out / f"state-{step}.safetensors.tmp")
    (out / f"state-{step}.safetensors.tmp").replace(out / f"state-{step}.safetensors")
    state = read_state(out)
    write_state(out, {**state, "step": step})
    if state.get("step", 0) not in (0, step):
        (out / f"state-{state['step']}.safetensors").unlink(missing_ok=True)


def _resume(network: Network, optimizer: torch.optim.Optimizer, out: Path) -> int:
    step = read_state(out).get("step", 0)
    if step:
        tensors = load_file(out / f"state-{step}.safetensors")
        for name, p in network.parameters.items():
            p.data.copy_(tensors[name])
            moments = {key.partition("/")[0]: t for key, t in tensors.items() if key.partition("/")[2] == name}
            optimizer.state[p] = {key: t if key == "step" else t.to(p.device) for key, t in moments.items()}
    return int(step)


def _claim(out: Path, told: dict[str, Any]) -> None:
    """Makes `out` this run's folder. One that holds anything else, or a run of another plan, is left as it is."""
    before = read_state(out) if out.is_dir() else {}
    if before:
        if any(before.get(key) != value for key, value in told.items()):
            raise ReaderError(f"{out}: holds a run that was begun otherwise", "give the options it was begun with, or a new folder")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ReaderError(f"{out}: isn't empty, and no reader was trained in it", "name a new folder")
    else:
        out.mkdir(parents=True, exist_ok=True)
        write_state(out, {**told, "step": 0})


def _load_teacher(run: Path, pieces: Pieces, device: torch.device) -> Network:
    try:
        told = read_state(run)
        base, step, is_whole = Path(told["base"]), told["step"], told["whole"]
    except (OSError, KeyError) as error:
        raise ReaderError(f"{run}: no teacher in it ({error})", "train one with --whole --base DIR") from error
    if not is_whole:
        raise ReaderError(f"{run}: holds a reader, not a teacher", "train a teacher with --whole --base DIR")
    network = whole(*read_encoder(base, pieces), 0, device)
    tensors = load_file(run / f"state-{step}.safetensors")
    for name, p in network.parameters.items():
        p.data.copy_(tensors[name])
    return network


def go_on_from(network: Network, start: Path) -> None:
    """Gives a reader's network the weights of another reader of its rank."""
    try:
        tensors = store.load(start / FILE)
    except (OSError, SafetensorError) as error:
        raise ReaderError(f"{start}: no reader can be read from it ({error})", "name a reader's folder") from error
    for name, p in network.parameters.items():
        if name not in tensors or tensors[name].shape != p.shape:
            raise ReaderError(f"{start}: a reader of another rank or for another encoder", "give the rank that its config.json says")
        p.data.copy_(tensors[name])


def export(network: Network, rank: int, base: Path, out: Path) -> None:
    """What `Reader.load` reads: the difference, and what it is a difference to."""
    store.save(network.parameters, out / FILE)
    told = {"base_sha256": weights_sha256(base), "rank": rank, "calibration": [1.0, 0.0, 0.0]}
    (out / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def make(
    questions: Sequence[Path],
    out: Path,
    base: Path,
    plan: Plan,
    rank: int | None,
    teacher: Path | None = None,
    dry_run: bool = False,
    start: Path | None = None,
) -> None:
    """A reader of this rank over the encoder in `base`, or, without a rank, a teacher that is `base` all of whose weights learn.

    Args:
        start: a reader that it goes on from.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    home = base if rank else default_directory()
    pieces, shape, embedder = Pieces(home / "tokenizer.json"), Shape.read(home / "config.json"), read_weights(home)
    rows = [row for file in questions for row in read_questions(file) if row.source not in _HINTS]
    if not dry_run:
        _claim(
            out,
            {
                "made_by": "rag.reader.train",
                "base": str(base.resolve()),
                "whole": not rank,
                "rank": rank,
                "start": str(start),
                **asdict(plan),
            },
        )
    rows = rows[: 100 if dry_run else None]
    _say(f"{len(rows)} questions; looking for passages that are near and don't answer")
    near = nearest({name: t.to(device) for name, t in embedder.items()}, shape, pieces, rows, _NEAR)
    pairs = build(rows, pieces, near, plan.seed, variants(rows, near, plan.seed))
    _say(f"{len(pairs.pairs)} pairs, {sum(p.answerable for p in pairs.pairs)} of them answered")
    taught = ask(_load_teacher(teacher, pieces, device), pairs, pieces, 2 * plan.tokens) if teacher else None
    network = low_rank(embedder, shape, rank, plan.seed, device) if rank else whole(*read_encoder(base, pieces), plan.seed, device)
    if start:
        go_on_from(network, start)
    began = time.monotonic()

    def progress(step: int, of: int, value: float) -> None:
        _say(f"step {step}/{of}  loss {value:.3f}  {(time.monotonic() - began) / step:.2f} s a step")

    train(network, pairs, pieces, plan, None if dry_run else out, progress, taught, steps=2 if dry_run else None)
    if rank and not dry_run:
        export(network, rank, base, out)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@plain_errors(RagError, IngestError)
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rag.reader.train", description="Train a reader, or its teacher.")
    parser.add_argument("questions", type=Path, nargs="+", help="JSON lines of question, contexts, answers, kind, source (.xz or plain)")
    parser.add_argument("out", type=Path, help="the run's folder; an interrupted run goes on from it")
    parser.add_argument("--base", type=Path, help="the encoder's folder, by default the embedder's that comes with Octavo")
    parser.add_argument("--whole", action="store_true", help="train all of the base's weights: a teacher")
    parser.add_argument("--teacher", type=Path, help="the folder of a teacher's run")
    parser.add_argument("--start", type=Path, help="the folder of a reader to go on from")
    parser.add_argument("--rank", type=int, default=72, help="of the difference to each matrix")
    parser.add_argument("--epochs", type=float, default=6.0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="two steps on a hundred questions; nothing is written")
    a = parser.parse_args()
    plan = Plan(epochs=a.epochs, peak=a.lr, dropout=a.dropout, seed=a.seed)
    make(a.questions, a.out, a.base or default_directory(), plan, None if a.whole else a.rank, a.teacher, a.dry_run, a.start)


if __name__ == "__main__":
    main()
