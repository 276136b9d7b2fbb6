"""Step 2: teach the student to say what its teacher says, token by token (KL divergence on soft targets).

    python -m model.train.distill TEACHER.gguf TEXT.txt.xz RUN [--steps 3000]

Run it again to go on. Gemma 2's own 2B and 9B models were made so ("Gemma 2", arXiv 2408.00118, section 3.2).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.gemma2 import Gemma2
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.train.data import pack_texts
from model.train.prune import STUDENT_LAYERS, load_teacher, student_of
from model.train.trainer import train


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over positions of KL(teacher || student), from logits (tokens, vocab_size)."""
    target = F.log_softmax(teacher.float(), -1)
    return F.kl_div(F.log_softmax(student.float(), -1), target, log_target=True, reduction="sum") / len(student)


def distill(teacher_file: Path, text: Path, out: Path, *, layers: Sequence[int], steps: int, peak: float, rows: int, length: int) -> None:
    """Trains a student of `teacher_file` on `text` for `steps` batches of `rows` x `length` tokens."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = read_tokenizer(GGUFFile(teacher_file).values, str(teacher_file))
    data = pack_texts(text, tokenizer, length)
    print(f"{data.size / 1e6:.1f}M tokens of text in rows of {length}", flush=True)
    teacher = load_teacher(teacher_file).to(device)
    config, weights = student_of(teacher, torch.from_numpy(data[:8].astype(np.int64)).to(device), layers)
    student = Gemma2(config, backend="flex" if device.type == "cuda" else "blocked")
    student.load_state_dict(weights)
    student.to(device)
    forward, loss_of, teach = student.forward, divergence, teacher.forward
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        forward, loss_of, teach = torch.compile(forward), torch.compile(loss_of), torch.compile(teach)

    def loss_at(step: int) -> tuple[Tensor, int]:
        epoch, place = divmod(step * rows, len(data))
        order = np.random.default_rng(epoch).permutation(len(data))
        batch = data[np.resize(np.roll(order, -place), rows)].astype(np.int64)
        ids = torch.from_numpy(batch).to(device, non_blocking=True)
        with torch.no_grad():
            wanted = teach(ids, use_cache=False).logits
        with torch.autocast(device.type, torch.bfloat16):
            said = forward(ids)
        return loss_of(said.flatten(0, 1), wanted.flatten(0, 1)), ids.numel()

    train(student, loss_at, out=out, steps=steps, peak=peak)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.distill", description="Distil a small Gemma 2 from a teacher.")
    parser.add_argument("teacher", type=Path, help="a Gemma 3 GGUF file (see model.train.prune)")
    parser.add_argument("text", type=Path, help="running text, documents separated by a line that is only \\x1e (.xz or plain)")
    parser.add_argument("out", type=Path, help="the run's folder; an interrupted run goes on from it")
    parser.add_argument("--layers", type=int, nargs="+", default=STUDENT_LAYERS, help="the teacher's layers that the student starts from")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--rows", type=int, default=32, help="sequences a step")
    parser.add_argument("--length", type=int, default=1024, help="tokens a sequence")
    args = parser.parse_args()
    sizes = {"steps": args.steps, "rows": args.rows, "length": args.length}
    distill(args.teacher, args.text, args.out, layers=args.layers, peak=args.lr, **sizes)


if __name__ == "__main__":
    main()
