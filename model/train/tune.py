"""Step 3: tune a distilled student on questions over numbered passages, in the form of `model.grounded`.

    python -m model.train.tune STUDENT TOKENIZER.gguf QUESTIONS.jsonl.xz... RUN [--steps 4000 | --minutes 10] [--teacher RUN]
    torchrun --nproc-per-node 2 -m model.train.tune ...

The loss is the cross-entropy of the answers and, with a teacher, the distillation loss on every token that is read. Without a
teacher a student forgets how to read anything else (its divergence from the teacher went from 0.3 to 4) and learns its questions by
heart. Run it again to go on.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.gguf_file import GGUFFile
from model.load.safetensors import read_json
from model.train.data import Question, plain_errors, read_questions, tokenizer_of
from model.train.distill import divergence_from
from model.train.examples import Augment, Batch, QuestionRows
from model.train.outputs import begin_run, check_run_folder
from model.train.teacher import Teacher, check_same_vocabulary, load_teacher
from model.train.trainer import Loss, Network, ranks, read_student, train

CARD = {"prompt": "grounded", "evidence_order": "best first", "recommended_context": "1000"}
"""What a tuned model says of itself: the form of its prompt, and the order and number of tokens of sources that suit it best."""


Augmenter = Callable[[list[Question]], Augment]
"""(all questions) -> what changes one of them each time that it is read."""


def read_network(source: Path, backend: str) -> Network:
    """The network in a folder or GGUF file: a Gemma 2 as a student, any other as a teacher, in fp32.

    Raises:
        SourceError: there is none, or it can't be read.
    """
    if source.is_file():
        kind = GGUFFile(source).values.get("general.architecture")
    else:
        kind = read_json(source / "config.json").get("model_type")
    if kind == "gemma2":
        return read_student(source, backend)
    teacher = load_teacher(source, backend)
    for p in teacher.parameters():
        p.data = p.data.float()
    return teacher


def loss_of(network: Network, teacher: Teacher | None, batches: Iterator[Batch], device: torch.device) -> Loss:
    """The loss on a step's batch, distillation's included where there is a teacher, of a student then."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch._dynamo.config.recompile_limit = 64  # sliding and global layers, for each of the lengths
        for layer in [*network.layers, *(teacher.layers if teacher is not None else [])]:
            layer.compile(dynamic=False)
    distillation_loss = divergence_from(teacher, network) if teacher is not None and isinstance(network, Gemma2) else None
    at = 0

    def loss_at(step: int) -> tuple[Tensor, int]:
        nonlocal at
        for _ in range(step - at):  # a resumed run skips the batches that it has seen
            next(batches)
        ids, labels = (torch.from_numpy(a).to(device, non_blocking=True) for a in next(batches))
        at = step + 1
        answers = labels >= 0
        with torch.autocast(device.type, torch.bfloat16):
            hidden = network.hidden(ids)
            logits = network.logits(hidden[answers])  # (answer tokens, vocab_size)
        loss = F.cross_entropy(logits, labels[answers])
        if teacher is not None and distillation_loss is not None:
            with torch.no_grad():
                teacher_hidden = teacher.hidden(ids)
            targets = F.pad(ids[:, 1:], (0, 1))
            text = targets != 0  # 0 is padding
            loss = loss + distillation_loss(hidden[text], teacher_hidden[text], targets[text])
        return loss, ids.numel()

    return loss_at


def tune(
    base: Path,
    tokenizer_file: Path,
    questions: Sequence[Path],
    out: Path,
    *,
    steps: int,
    peak: float,
    tokens: int,
    refuse: float,
    oversampled: Sequence[str] = (),
    inverted: Sequence[str] = (),
    minutes: float | None = None,
    teacher: Path | None = None,
    muon: bool = False,
    augment: Augmenter | None = None,
    rows_of: type[QuestionRows] = QuestionRows,
    seed: int = 0,
) -> None:
    """Tunes the student or teacher in `base` on questions; see `QuestionRows` for how they are put.

    Args:
        steps: how many batches of about `tokens` tokens a process, unless `minutes` says for how long.
        peak: the highest learning rate.
        refuse: share of the extractive questions that are put without the passage that answers them.
        teacher: what a student goes on being distilled from.
        rows_of: how the questions are put.
        seed: of the questions' order and of all that is drawn.

    Raises:
        SourceError: a file can't be read, or `out` is no place for the run.
    """
    check_run_folder(out, "tune", base, tokenizer_file, teacher, *questions)
    with ranks() as here:
        device = here.device
        backend = "flex" if device.type == "cuda" else "blocked"
        tokenizer = tokenizer_of(tokenizer_file)
        asked = [q for file in questions for q in read_questions(file)]
        rows = rows_of(asked, tokenizer, refuse, oversampled, inverted, augment and augment(asked), seed)
        if not rows.any_fits():
            raise SourceError(f"{questions[0]}: no question to learn from", "a question needs contexts, each of some words and no book")
        network = read_network(base, backend).to(device)
        teaching = None
        if teacher is not None:
            if not isinstance(network, Gemma2):
                raise SourceError(f"{base}: holds a teacher; --teacher is for a student")
            teaching = load_teacher(teacher, backend).to(device)
            check_same_vocabulary(network, teaching, base)
        loss = loss_of(network, teaching, rows.batches(tokens, here.rank, here.count), device)
        begin_run(out, "tune", tokenizer_file, here.rank)
        train(network, loss, out=out, steps=steps, peak=peak, minutes=minutes, muon=muon, card=CARD)


@plain_errors()
def main(augment: Augmenter | None = None, rows_of: type[QuestionRows] = QuestionRows) -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.tune", description="Tune a student on grounded questions.")
    parser.add_argument("base", type=Path, help="a distilling run's folder, or a GGUF file, of a student or a teacher")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file or folder whose tokenizer it uses")
    parser.add_argument("questions", type=Path, nargs="+", help="JSON lines of question, contexts, answers, kind, source (.xz or plain)")
    parser.add_argument("out", type=Path, help="the run's folder; an interrupted run goes on from it")
    parser.add_argument("--teacher", type=Path, help="a GGUF file or folder, as for model.train.distill: go on distilling")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=4000)
    length.add_argument("--minutes", type=float, help="train for so long in all instead")
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--tokens", type=int, default=16_384, help="tokens a step and a GPU")
    parser.add_argument("--refuse", type=float, default=0.12, help="share of questions asked without their passage")
    parser.add_argument("--ask", nargs="+", default=[], metavar="SOURCE", help="learn to ask questions like these sources' too")
    parser.add_argument("--muon", action="store_true", help="Muon instead of AdamW for the layers' matrices")
    parser.add_argument("--twice", nargs="+", default=[], metavar="SOURCE", help="sources whose questions count double")
    parser.add_argument("--seed", type=int, default=0, help="of the questions' order and of all that is drawn")
    a = parser.parse_args()
    sizes: dict[str, Any] = {"steps": a.steps, "minutes": a.minutes, "peak": a.lr, "tokens": a.tokens}
    kinds: dict[str, Any] = {"refuse": a.refuse, "oversampled": a.twice, "inverted": a.ask, "rows_of": rows_of, "seed": a.seed}
    tune(a.base, a.tokenizer, a.questions, a.out, teacher=a.teacher, muon=a.muon, augment=augment, **kinds, **sizes)


if __name__ == "__main__":
    main()
