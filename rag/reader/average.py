"""Averages readers of the same encoder: the mean of several runs' differences is steadier than each.

    python -m rag.reader.average READER READER... OUT [--rank 72]

The mean of differences of low rank has a higher rank; what counts least of it is left out again (the singular value decomposition
is the best that a rank can do).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from model.train.data import plain_errors
from rag.errors import ReaderError
from rag.reader import store
from rag.reader.model import CONFIG, DOWN, FILE, UP


def average(readers: Sequence[Path], out: Path, rank: int) -> None:
    """Writes the mean of some readers to the folder `out`.

    Raises:
        ReaderError: one can't be read or is for another encoder than the first, or `out` is in use.
    """
    if out.exists() and any(out.iterdir()):
        raise ReaderError(f"{out}: isn't empty", "name a new folder")
    told, parts = [], []
    for directory in readers:
        try:
            told.append(json.loads((directory / CONFIG).read_text(encoding="utf-8")))
            parts.append(store.load(directory / FILE))
        except (OSError, ValueError, SafetensorError) as error:
            raise ReaderError(f"{directory}: no reader can be read from it ({error})") from error
        if told[-1]["base_sha256"] != told[0]["base_sha256"]:
            raise ReaderError(f"{directory}: was made for another encoder than {readers[0]}")
    mean: dict[str, Tensor] = {}
    for name in parts[0]:
        if name.endswith(UP):
            matrix = name.removesuffix(UP)
            whole = torch.stack([part[name] @ part[matrix + DOWN] for part in parts]).mean(0)
            up, size, down = torch.linalg.svd(whole, full_matrices=False)
            root = size[:rank].sqrt()
            mean |= {matrix + UP: up[:, :rank] * root, matrix + DOWN: root[:, None] * down[:rank]}
        elif not name.endswith(DOWN):
            mean[name] = torch.stack([part[name] for part in parts]).mean(0)
    out.mkdir(parents=True, exist_ok=True)
    store.save(mean, out / FILE)
    (out / CONFIG).write_text(json.dumps({**told[0], "rank": rank, "calibration": [1.0, 0.0, 0.0]}, indent=1) + "\n", encoding="utf-8")


@plain_errors(ReaderError)
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rag.reader.average", description="Average readers.")
    parser.add_argument("readers", type=Path, nargs="+", help="folders that rag.reader.train made")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--rank", type=int, default=72, help="of the mean")
    a = parser.parse_args()
    average(a.readers, a.out, a.rank)


if __name__ == "__main__":
    main()
