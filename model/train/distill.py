"""Step 2: distil. The student learns its teacher's distribution of each next token (KL divergence), and the text's own next token.

    python -m model.train.distill TEACHER TEXT.txt.xz... RUN [--steps 3000 | --minutes 30] [--weights STUDENT]
    torchrun --nproc-per-node 2 -m model.train.distill ...   # the same batches, shared out among GPUs

Run it again to go on; `--dry-run` reads all files, takes two batches and says what a run would need.
Gemma 2's own 2B and 9B models were made so ("Gemma 2", arXiv 2408.00118, section 3.2).
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.config import Gemma2Config
from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.safetensors import read_json
from model.train.data import TEXT_FILES, pack_texts, plain_errors, tokenizer_of
from model.train.outputs import begin_run, check_run_folder
from model.train.prune import STUDENT_LAYERS, student_of
from model.train.teacher import Teacher, check_same_vocabulary, load_teacher
from model.train.trainer import Loss, Ranks, ranks, read_student, train

_LOGITS_AT_ONCE = 1 << 27
"""Logits in memory at a time, 0.5 GB in fp32. All those of 32,768 positions and 32,000 pieces would take 4.2 GB, several times over."""

TEXT_WEIGHT = 0.3
"""Weight of the cross-entropy with the text; the rest is that of the divergence from the teacher.

A teacher whose vocabulary was cut reads words in pieces that it never saw. On text unlike that which the cut was made for, its
cross-entropy is 28 % higher than with its whole vocabulary, and not all that it predicts there is worth learning.
"""

Kernel = Callable[[Tensor, Tensor, Tensor, float, float | None], tuple[Tensor, Tensor]]


def divergence(
    student_logits: Tensor, teacher_logits: Tensor, targets: Tensor, cap: float, teacher_cap: float | None
) -> tuple[Tensor, Tensor]:
    """The distillation loss, summed over positions, and its gradient with respect to the student's logits.

    The loss is (1 - TEXT_WEIGHT) * KL(teacher || student) - TEXT_WEIGHT * log p_student(target).

    Args:
        student_logits: (tokens, vocab_size), before the soft-cap.
        teacher_logits: the same of the teacher.
        targets: (tokens,), the tokens that follow in the text.
        cap: the student's final_logit_softcapping.
        teacher_cap: the teacher's, or None.
    """
    tanh = torch.tanh(student_logits.float() / cap)
    capped = teacher_logits.float() if teacher_cap is None else torch.tanh(teacher_logits.float() / teacher_cap) * teacher_cap
    log_p, log_q = capped.log_softmax(-1), (tanh * cap).log_softmax(-1)
    teacher_probs = (1.0 - TEXT_WEIGHT) * log_p.exp()
    loss = (teacher_probs * (log_p - log_q)).sum() - TEXT_WEIGHT * log_q.gather(1, targets[:, None]).sum()
    text_probs = torch.full_like(targets[:, None], TEXT_WEIGHT, dtype=log_p.dtype)
    target_probs = teacher_probs.scatter_add(1, targets[:, None], text_probs)
    return loss, ((log_q.exp() - target_probs) * (1.0 - tanh.square())).to(student_logits.dtype)


class Divergence(torch.autograd.Function):
    """Mean `divergence` over N positions, from final hidden states (N, hidden) and output heads (vocab_size, hidden).

    The gradient is computed in the forward pass, chunk by chunk, while both models' logits of the chunk are in memory: the logits of
    all positions are never held at once, and none is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Tensor,
        teacher_hidden: Tensor,
        teacher_head: Tensor,
        targets: Tensor,
        caps: tuple[float, float | None],
        kernel: Kernel,
    ) -> Tensor:
        compute_dtype = torch.bfloat16 if hidden.is_cuda else hidden.dtype
        x, w = hidden.to(compute_dtype), head.to(compute_dtype)
        hidden_grad, head_grad, total = torch.empty_like(x), torch.zeros_like(head), torch.zeros((), device=x.device)
        tokens = max(1, _LOGITS_AT_ONCE // len(head))
        for start in range(0, len(x), tokens):
            chunk = slice(start, start + tokens)
            loss, grad = kernel(x[chunk] @ w.T, teacher_hidden[chunk] @ teacher_head.T, targets[chunk], *caps)
            total += loss
            hidden_grad[chunk] = grad @ w
            head_grad += grad.T @ x[chunk]
        ctx.save_for_backward(hidden_grad, head_grad)
        ctx.dtype = hidden.dtype
        return total / len(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden_grad, head_grad = ctx.saved_tensors
        scale = gradients[0] / len(hidden_grad)
        return hidden_grad.to(ctx.dtype) * scale, head_grad * scale, None, None, None, None, None


def divergence_from(teacher: Teacher, student: Gemma2) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The distillation loss as a function of (student's hidden states (N, hidden), teacher's hidden states, targets (N,))."""
    caps = student.config.final_logit_softcapping, teacher.cap
    kernel = torch.compile(divergence) if teacher.head.is_cuda else divergence

    def loss(hidden: Tensor, teacher_hidden: Tensor, targets: Tensor) -> Tensor:
        inputs = hidden, student.embed_tokens.weight, teacher_hidden, teacher.head, targets
        return Divergence.apply(*inputs, caps, kernel)  # type: ignore[no-any-return, no-untyped-call]

    return loss


def rows_of(stream: NDArray[np.uint32], length: int, step: int, rows: int, here: Ranks) -> NDArray[np.int64]:
    """This process's share of a step's batch: (rows / processes, length + 1), the last column being only a target.

    Each epoch cuts the text at other places, so that no row comes twice.
    """
    per_epoch = len(stream) // length - 1
    epoch, place = divmod(step * rows, per_epoch)
    rng = np.random.default_rng(epoch)
    starts = rng.permutation(per_epoch) * length + rng.integers(length)
    mine = starts[(place + np.arange(here.rank, rows, here.count)) % per_epoch]
    batch: NDArray[np.int64] = stream[mine[:, None] + np.arange(length + 1)].astype(np.int64)
    return batch


def distill(
    source: Path,
    texts: Sequence[Path],
    out: Path,
    *,
    layers: Sequence[int] = STUDENT_LAYERS,
    shape: Path | None = None,
    start: Path | None = None,
    steps: int,
    peak: float,
    rows: int,
    length: int,
    minutes: float | None = None,
    muon: bool = False,
    dry: bool = False,
) -> None:
    """Distils the teacher in `source` on `texts` into a student in `out`.

    Args:
        start: the student to begin with; without it a new one of the config in `shape`, or one cut out of the teacher's `layers`.
        steps: how many batches of `rows` x `length` tokens, unless `minutes` says for how long.
        peak: the highest learning rate.
        dry: only says what a run would need.

    Raises:
        SourceError: a file can't be read, or `out` is no place for the run.
    """
    check_run_folder(out, "distill", source, start, *texts)
    with ranks() as here:
        device, cuda = here.device, here.device.type == "cuda"
        if rows % here.count:
            raise SourceError(f"--rows {rows} can't be shared out evenly among {here.count} processes")
        stream = pack_texts(texts, tokenizer_of(source), length).reshape(-1)
        backend = "flex" if cuda else "blocked"
        teacher = load_teacher(source, backend).to(device)
        if start is not None:
            student = read_student(start, backend)
        elif shape is not None:
            student = new_student(shape, backend)
        else:
            sample = torch.from_numpy(stream[: 8 * length].astype(np.int64)).view(-1, length)
            config, weights = student_of(teacher, sample.to(device), layers)
            student = Gemma2(config, backend)
            student.load_state_dict(weights)
        check_same_vocabulary(student, teacher, start or shape)
        student.to(device)
        if here.rank == 0:
            print(f"{stream.size / 1e6:.1f}M tokens of text in rows of {length}; {here.count} x {device.type}", flush=True)
        loss_at = loss_of(student, teacher, stream, rows, length, here)
        if dry:
            report = dry_run_report(student, teacher, loss_at, muon, here)
            if here.rank == 0:
                print(report)
            return
        begin_run(out, "distill", source, here.rank)
        train(student, loss_at, out=out, steps=steps, peak=peak, minutes=minutes, end=0.1, muon=muon)


def new_student(file: Path, backend: str) -> Gemma2:
    """A student of the config in `file`, its matrices drawn with Hugging Face's standard deviation of 0.02."""
    student = Gemma2(Gemma2Config.from_dict(read_json(file), str(file)), backend)
    torch.manual_seed(0)
    for p in student.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.02)
    return student


def loss_of(student: Gemma2, teacher: Teacher, stream: NDArray[np.uint32], rows: int, length: int, here: Ranks) -> Loss:
    """The loss on this process's share of a step's batch."""
    cuda = here.device.type == "cuda"
    student_hidden, teacher_hidden, loss = student.hidden, teacher.hidden, divergence_from(teacher, student)
    if cuda:
        torch.set_float32_matmul_precision("high")
        student_hidden, teacher_hidden = torch.compile(student_hidden), torch.compile(teacher_hidden)

    def loss_at(step: int) -> tuple[Tensor, int]:
        batch = torch.from_numpy(rows_of(stream, length, step, rows, here))
        batch = batch.pin_memory().to(here.device, non_blocking=True) if cuda else batch
        ids, targets = batch[:, :-1].contiguous(), batch[:, 1:].flatten()
        with torch.no_grad():
            taught = teacher_hidden(ids)
        with torch.autocast(here.device.type, torch.bfloat16, enabled=cuda):
            hidden = student_hidden(ids)
        return loss(hidden.flatten(0, 1), taught.flatten(0, 1), targets), ids.numel()

    return loss_at


def dry_run_report(student: Gemma2, teacher: Teacher, loss_at: Loss, muon: bool, here: Ranks) -> str:
    """Takes two batches forwards and back (the first may compile) and says what a run needs."""
    student.requires_grad_(True)
    for step in range(2):
        began = time.monotonic()
        loss, tokens = loss_at(step)
        torch.autograd.backward(loss)
        value, seconds = loss.item(), time.monotonic() - began
    size, teacher_size = (sum(p.numel() for p in network.parameters()) for network in (student, teacher))
    in_muon = sum(p.numel() for p in student.layers.parameters() if muon and p.dim() > 1)
    copies = 4 if here.count == 1 else 5  # weights, gradients, AdamW's two moments (Muon has one); gradients to be averaged
    memory = 4 * (copies * size - in_muon) + 2 * teacher_size
    peak = ""
    if torch.cuda.is_available():
        peak = f"; with activations and without the moments {torch.cuda.max_memory_allocated() / 1e9:.1f} GB at the most"
    return (
        f"dry run: a student of {size / 1e6:,.1f}M; loss {value:.3f} on a batch of {tokens:,} tokens, {seconds:.1f} s\n"
        f"memory on each device: {memory / 1e9:.1f} GB for the teacher in bf16 and the student in fp32 with gradients and moments{peak}"
    )


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.distill", description="Distil a small Gemma 2 from a teacher.")
    parser.add_argument("teacher", type=Path, help="a Gemma 2 or 3 GGUF file, or the folder of any causal model in Hugging Face's layout")
    parser.add_argument("texts", type=Path, nargs="+", help=f"{TEXT_FILES} (.xz or plain)")
    parser.add_argument("out", type=Path, help="the run's folder; an interrupted run goes on from it")
    parser.add_argument("--layers", type=int, nargs="+", default=STUDENT_LAYERS, help="the teacher's layers that the student starts from")
    parser.add_argument("--student", type=Path, metavar="CONFIG.json", help="start from random weights of this Gemma 2 config instead")
    # not --start, which torchrun takes for one of its own options cut short
    parser.add_argument("--weights", type=Path, help="start from the Gemma 2 in this folder or GGUF file instead")
    parser.add_argument("--dry-run", action="store_true", help="read everything, take two batches, and say what a run needs")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=3000)
    length.add_argument("--minutes", type=float, help="train for so long in all instead")
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--muon", action="store_true", help="Muon instead of AdamW for the layers' matrices")
    parser.add_argument("--rows", type=int, default=32, help="sequences a step, over all GPUs")
    parser.add_argument("--length", type=int, default=1024, help="tokens a sequence")
    args = parser.parse_args()
    sizes = {"steps": args.steps, "minutes": args.minutes, "rows": args.rows, "length": args.length}
    student = {"layers": args.layers, "shape": args.student, "start": args.weights}
    distill(args.teacher, args.texts, args.out, peak=args.lr, muon=args.muon, dry=args.dry_run, **student, **sizes)


if __name__ == "__main__":
    main()
