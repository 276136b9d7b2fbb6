"""Step 4: export one GGUF file, weights in 4 bits, that this engine and llama.cpp both open.

    python -m model.train.export TUNED_RUN... TOKENIZER.gguf OUT.gguf [--read QUESTIONS.jsonl.xz]

Of several runs that go on from one another it writes the mean of the weights, which answers better than each run (Wortsman et al.,
"Model soups", arXiv 2203.05482).
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from gguf import GGMLQuantizationType
from torch import Tensor

from model.errors import SourceError
from model.gemma2 import Gemma2
from model.load.gguf_file import GGUFFile
from model.load.safetensors import card_of, read_json
from model.save.export import check_new
from model.save.gguf import check_sayable, gguf_name, new_writer, write_gguf, write_vocabulary
from model.tokenizer import Tokenizer
from model.train.data import plain_errors, read_questions, tokenizer_of
from model.train.examples import QuestionRows
from model.train.quantize import gptq, input_hessians, pack_iq4_nl
from model.train.trainer import read_student

CALIBRATION_QUESTIONS = 160
"""Some 80,000 tokens."""


def mean_of(runs: Sequence[Path]) -> Gemma2:
    """A network of the mean of the runs' weights."""
    network, *others = (read_student(run) for run in runs)
    for other in others:
        if other.config != network.config:
            raise SourceError(f"{runs[0]}: is of another shape than the others", "only runs of one student have a mean")
        for p, q in zip(network.parameters(), other.parameters(), strict=True):
            p.data += q.data
    for p in network.parameters():
        p.data /= len(runs)
    return network


def calibration_texts(questions: Path, tokenizer: Tokenizer) -> Iterator[Tensor]:
    """CALIBRATION_QUESTIONS questions with their sources and answers, as ids (T,)."""
    rows = QuestionRows(read_questions(questions)[: 8 * CALIBRATION_QUESTIONS], tokenizer, unanswerable=0.1)
    examples = (rows.example(number, 0) for number in rows.order(0))
    short = (torch.tensor(prompt + target) for prompt, target in filter(None, examples) if len(prompt) < 1500)
    yield from itertools.islice(short, CALIBRATION_QUESTIONS)


def export(runs: Sequence[Path], tokenizer_file: Path, out: Path, *, calibration: Path | None = None, four_bits: bool = True) -> None:
    """Writes the newest weights of a run, or the mean of several, and the first one's card (`model.train.tune.CARD`), as GGUF.

    Args:
        runs: folders of runs, or GGUF files.
        tokenizer_file: the GGUF file whose tokenizer they use.
        calibration: questions like those to come; quantisation spares the weights that matter on them.
        four_bits: matrices in IQ4_NL; fp32 without. Norms are in fp32 as 1 + weight.

    Raises:
        SourceError: a file can't be read or is there already, the runs are of different shapes, or GGUF can't say their config.
    """
    check_new(out)
    card = {} if runs[0].is_file() else card_of(read_json(runs[0] / "config.json"))
    network = mean_of(runs)
    config, hessians = network.config, {}
    check_sayable(config, runs[0])
    if four_bits and calibration is not None:
        hessians = input_hessians(network, calibration_texts(calibration, tokenizer_of(tokenizer_file)))
    values = GGUFFile(tokenizer_file).values
    writer = new_writer(config, {"name": "Octavo starter", "license": "gemma", **card})
    write_vocabulary(writer, *(values[f"tokenizer.ggml.{key}"] for key in ("tokens", "scores", "token_type")))
    for name, p in network.named_parameters():
        if p.dim() == 1:
            writer.add_tensor(gguf_name(name), (p.detach() + 1).numpy())
        elif four_bits:
            codes, scales = gptq(p.detach(), hessians.get(name, torch.eye(p.shape[1])))
            writer.add_tensor(gguf_name(name), pack_iq4_nl(codes, scales), raw_dtype=GGMLQuantizationType.IQ4_NL)
        else:
            writer.add_tensor(gguf_name(name), p.detach().numpy())
    write_gguf(writer, out)


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.export", description="Write a trained student as one GGUF file.")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of tuning runs, or GGUF files of theirs")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file whose tokenizer the student uses")
    parser.add_argument("out", type=Path)
    parser.add_argument("--read", type=Path, metavar="QUESTIONS", help="questions like those to come, to calibrate the quantisation")
    args = parser.parse_args()
    export(args.runs, args.tokenizer, args.out, calibration=args.read)


if __name__ == "__main__":
    main()
