"""Step 3: tune a distilled student on questions over numbered passages, in the form of `model.grounded`.

    python -m model.train.tune DISTILLED_RUN TOKENIZER.gguf QUESTIONS.jsonl.xz RUN [--steps 4000]

The loss is on the answers alone. Run it again to go on.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from model.config import Gemma2Config
from model.gemma2 import Gemma2
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.train.data import QuestionRows, read_questions
from model.train.trainer import load_weights, train

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]


def tune(base: Path, tokenizer_file: Path, questions: Path, out: Path, *, steps: int, peak: float, tokens: int, refuse: float) -> None:
    """Trains for `steps` batches of about `tokens` tokens; a share `refuse` of extractive questions loses its passage."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = read_tokenizer(GGUFFile(tokenizer_file).values, str(tokenizer_file))
    rows = QuestionRows(read_questions(questions), tokenizer, refuse)
    network = Gemma2(Gemma2Config.from_dict(json.loads((base / "config.json").read_text())), "flex" if device.type == "cuda" else "blocked")
    network.load_state_dict(load_weights(base))
    network.to(device)
    if device.type == "cuda":
        for layer in network.layers:
            layer.compile(dynamic=False)

    def batches() -> Iterator[Batch]:
        for epoch in count():
            yield from rows.batches(epoch, tokens)

    stream, at = batches(), 0

    def loss_at(step: int) -> tuple[Tensor, int]:
        nonlocal at
        for _ in range(step - at):  # a resumed run passes over the batches that it has seen
            next(stream)
        ids, labels = (torch.from_numpy(a).to(device) for a in next(stream))
        at = step + 1
        with torch.autocast(device.type, torch.bfloat16):
            hidden = network.hidden(ids)
            logits = network.logits(hidden[labels >= 0])  # (answer tokens, vocab_size)
        return F.cross_entropy(logits, labels[labels >= 0]), ids.numel()

    train(network, loss_at, out=out, steps=steps, peak=peak)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.tune", description="Tune a student on grounded questions.")
    parser.add_argument("base", type=Path, help="folder of a distilling run")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file whose tokenizer the student uses")
    parser.add_argument("questions", type=Path, help="JSON lines of question, contexts, answers, kind (.xz or plain)")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--tokens", type=int, default=16_384, help="tokens a step")
    parser.add_argument("--refuse", type=float, default=0.12, help="share of questions asked without their passage")
    a = parser.parse_args()
    tune(a.base, a.tokenizer, a.questions, a.out, steps=a.steps, peak=a.lr, tokens=a.tokens, refuse=a.refuse)


if __name__ == "__main__":
    main()
