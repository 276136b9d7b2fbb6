"""Writes the mean of runs' weights as a run of another window and rope theta, to be tuned on long contexts.

    python data/starter/recipe/widen.py RUN... TOKENIZER.gguf OUT [--window 8192] [--theta 100000]

With a window of 4096 the even layers read what stands farther than that behind the question without sight of it, and a passage is read
for what is asked. A larger theta tells far places apart.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.gemma2 import Gemma2
from model.save.export import check_new
from model.train.data import plain_errors
from model.train.export import mean_of
from model.train.outputs import begin_run
from model.train.trainer import save
from model.train.tune import CARD


def widen(runs: Sequence[Path], tokenizer: Path, out: Path, *, window: int, theta: float) -> None:
    """Raises SourceError where the runs can't be read, are of different shapes, or `out` exists."""
    check_new(out)
    mean = mean_of(runs)
    network = Gemma2(replace(mean.config, sliding_window=window, rope_theta=theta))
    network.load_state_dict(mean.state_dict())
    begin_run(out, "tune", tokenizer, 0)
    save(network, [], out, 1, CARD)


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(description="The mean of runs with another window and rope theta.")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs, or GGUF files")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file or folder whose tokenizer they use")
    parser.add_argument("out", type=Path, help="the new run's folder")
    parser.add_argument("--window", type=int, default=8192)
    parser.add_argument("--theta", type=float, default=100_000)
    args = parser.parse_args()
    widen(args.runs, args.tokenizer, args.out, window=args.window, theta=args.theta)


if __name__ == "__main__":
    main()
