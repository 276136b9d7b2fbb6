"""Step 2: teach the student to say what its teacher says, token by token (KL divergence on soft targets), and what the text says.

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
from model.train.teacher import Teacher, load_teacher, one_vocabulary
from model.train.trainer import Loss, Ranks, ranks, read_student, train

_LOGITS_AT_ONCE = 1 << 27
"""Logits held at a time, 0.5 GB in fp32: those of 32,768 positions and 32,000 pieces would be 4.2, several times over."""

TRUTH = 0.3
"""The text's own share of the loss. A teacher with its vocabulary cut reads words in pieces it never saw: on passages unlike the
text that the cut was made for it is 28 % worse than it was whole, and what it says there is not all worth learning."""

Kernel = Callable[[Tensor, Tensor, Tensor, float, float | None], tuple[Tensor, Tensor]]


def divergence(said: Tensor, wanted: Tensor, following: Tensor, cap: float, teacher_cap: float | None) -> tuple[Tensor, Tensor]:
    """(1 - TRUTH) * KL(teacher || student) - TRUTH * log p(following), summed over positions, and its gradient in `said`.

    From logits (tokens, vocab_size), neither soft-capped yet, and the tokens that followed, (tokens,).
    """
    capped = torch.tanh(said.float() / cap)
    meant = wanted.float() if teacher_cap is None else torch.tanh(wanted.float() / teacher_cap) * teacher_cap
    log_p, log_q = meant.log_softmax(-1), (capped * cap).log_softmax(-1)
    p = (1.0 - TRUTH) * log_p.exp()
    loss = (p * (log_p - log_q)).sum() - TRUTH * log_q.gather(1, following[:, None]).sum()
    target = p.scatter_add(1, following[:, None], torch.full_like(following[:, None], TRUTH, dtype=p.dtype))
    return loss, ((log_q.exp() - target) * (1.0 - capped.square())).to(said.dtype)


class Divergence(torch.autograd.Function):
    """Mean `divergence`, from final hidden states: (N, hidden), (vocab_size, hidden), the same of the teacher, and (N,) ids.

    The gradient is worked out on the way forward, while both models' logits of a few thousand positions are at hand, so
    that the whole of neither ever lies in memory and nothing is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Tensor,
        taught: Tensor,
        teacher_head: Tensor,
        following: Tensor,
        caps: tuple[float, float | None],
        kernel: Kernel,
    ) -> Tensor:
        low = torch.bfloat16 if hidden.is_cuda else hidden.dtype
        x, w = hidden.to(low), head.to(low)
        to_hidden, to_head, total = torch.empty_like(x), torch.zeros_like(head), torch.zeros((), device=x.device)
        tokens = max(1, _LOGITS_AT_ONCE // len(head))
        for at in range(0, len(x), tokens):
            part = slice(at, at + tokens)
            loss, slope = kernel(x[part] @ w.T, taught[part] @ teacher_head.T, following[part], *caps)
            total += loss
            to_hidden[part] = slope @ w
            to_head += slope.T @ x[part]
        ctx.save_for_backward(to_hidden, to_head)
        ctx.dtype = hidden.dtype
        return total / len(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        to_hidden, to_head = ctx.saved_tensors
        scale = gradients[0] / len(to_hidden)
        return to_hidden.to(ctx.dtype) * scale, to_head * scale, None, None, None, None, None


def divergence_from(teacher: Teacher, student: Gemma2) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The loss of a student's final hidden states (N, hidden), from its teacher's at the same places and the tokens that follow, (N,)."""
    caps = student.config.final_logit_softcapping, teacher.cap
    kernel = torch.compile(divergence) if teacher.head.is_cuda else divergence

    def loss(hidden: Tensor, taught: Tensor, following: Tensor) -> Tensor:
        ends = hidden, student.embed_tokens.weight, taught, teacher.head, following
        return Divergence.apply(*ends, caps, kernel)  # type: ignore[no-any-return, no-untyped-call]

    return loss


def rows_of(stream: NDArray[np.uint32], length: int, step: int, rows: int, here: Ranks) -> NDArray[np.int64]:
    """This process's share of a step's batch, rows of `length` tokens and the one after.

    Each epoch cuts the text at other places, so that no row comes twice alike.
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
    """Trains a student of the teacher in `source` on `texts` for `steps` batches of `rows` x `length` tokens, or for `minutes`.

    The student is that in `start`, else a new one of the config `shape`, else one cut out of the teacher's `layers`.
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
        one_vocabulary(student, teacher, start or shape)
        student.to(device)
        if here.rank == 0:
            print(f"{stream.size / 1e6:.1f}M tokens of text in rows of {length}; {here.count} x {device.type}", flush=True)
        loss_at = loss_of(student, teacher, stream, rows, length, here)
        if dry:
            said = rehearsed(student, teacher, loss_at, muon, here)
            if here.rank == 0:
                print(said)
            return
        begin_run(out, "distill", source, here.rank)
        train(student, loss_at, out=out, steps=steps, peak=peak, minutes=minutes, end=0.1, muon=muon)


def new_student(file: Path, backend: str) -> Gemma2:
    """A student of the config in `file`, its matrices drawn with the deviation 0.02 of Hugging Face's Gemma 2."""
    student = Gemma2(Gemma2Config.from_dict(read_json(file), str(file)), backend)
    torch.manual_seed(0)
    for p in student.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.02)
    return student


def loss_of(student: Gemma2, teacher: Teacher, stream: NDArray[np.uint32], rows: int, length: int, here: Ranks) -> Loss:
    cuda = here.device.type == "cuda"
    learn, teach, loss = student.hidden, teacher.hidden, divergence_from(teacher, student)
    if cuda:
        torch.set_float32_matmul_precision("high")
        learn, teach = torch.compile(learn), torch.compile(teach)

    def loss_at(step: int) -> tuple[Tensor, int]:
        ids = torch.from_numpy(rows_of(stream, length, step, rows, here))
        ids = ids.pin_memory().to(here.device, non_blocking=True) if cuda else ids
        ids, following = ids[:, :-1].contiguous(), ids[:, 1:].flatten()
        with torch.no_grad():
            taught = teach(ids)
        with torch.autocast(here.device.type, torch.bfloat16, enabled=cuda):
            hidden = learn(ids)
        return loss(hidden.flatten(0, 1), taught.flatten(0, 1), following), ids.numel()

    return loss_at


def rehearsed(student: Gemma2, teacher: Teacher, loss_at: Loss, muon: bool, here: Ranks) -> str:
    """Takes two batches, forwards and back, the first of which may compile, and says what a run needs."""
    student.requires_grad_(True)
    for step in range(2):
        began = time.monotonic()
        loss, tokens = loss_at(step)
        torch.autograd.backward(loss)
        value, took = loss.item(), time.monotonic() - began
    sizes = [(p.numel(), p.dim() > 1) for p in student.layers.parameters()]
    size, rolled = sum(p.numel() for p in student.parameters()), sum(n for n, matrix in sizes if matrix and muon)
    copies = 4 if here.count == 1 else 5  # weights, gradients, AdamW's two moments, of which Muon has one; gradients on their way
    kept = 4 * (copies * size - rolled) + 2 * sum(p.numel() for p in teacher.parameters())
    peak = ""
    if torch.cuda.is_available():
        peak = f"; with activations and without the moments {torch.cuda.max_memory_allocated() / 1e9:.1f} GB at the most"
    return (
        f"dry run: a student of {size / 1e6:,.1f}M; loss {value:.3f} on a batch of {tokens:,} tokens, {took:.1f} s\n"
        f"memory on each device: {kept / 1e9:.1f} GB for the teacher in bf16 and the student in fp32 with gradients and moments{peak}"
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
    length.add_argument("--minutes", type=float, help="train for so long instead")
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
