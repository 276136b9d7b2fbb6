"""The reader: where in a passage a question's answer stands, and how likely it is that it stands there at all.

A reader is the embedder's encoder with a low-rank difference added to its matrices, and two small heads on top. The embedder
itself stays as it is: the difference goes into a copy.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F

from ingest.forks import refuse_forked
from ingest.text.bert import Shape, Weights, bf16_gains, encode, read_weights
from ingest.text.embedder import default_directory, weights_sha256
from rag.answer import Reading as Reading
from rag.errors import ReaderError
from rag.reader import store
from rag.reader.windows import Batch, Pieces, Text, batch, windows

FILE, CONFIG = "reader.safetensors", "config.json"
UP, DOWN = ".up", ".down"
"""A matrix's difference is its .up (out, rank) times its .down (rank, in)."""
SPAN, ANSWERABLE = "span", "answerable"
"""The heads, each a .weight and a .bias: (2, hidden) for where an answer begins and ends, (1, hidden) over [CLS]."""
_LONGEST_SPAN = 64
"""Word pieces of an answer."""
_TOGETHER = 4
"""Windows of like length that are read in one batch: with eight of any length 29 % was padding, and a CPU took 1.3 times as long."""


def merged(base: Weights, differences: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The base's weights with the differences added, and the heads; in the differences' dtype where they touch it."""
    out = dict(base)
    for name, value in differences.items():
        if name.endswith(UP):
            matrix = name.removesuffix(UP)
            out[matrix] = base[matrix] + value @ differences[matrix + DOWN]
        elif not name.endswith(DOWN):
            out[name] = value
    return out


@dataclass(frozen=True, slots=True)
class Logits:
    """start, end: (batch, length), -inf where no span may begin or end; answerable: (batch,). All in fp32."""

    start: Tensor
    end: Tensor
    answerable: Tensor


def logits(weights: Weights, shape: Shape, read: Batch, dropout: float = 0.0, **options: object) -> Logits:
    hidden = encode(weights, shape, read.ids, read.types, read.lengths, dropout, **options)  # type: ignore[arg-type]
    spans = F.linear(hidden, weights[f"{SPAN}.weight"], weights[f"{SPAN}.bias"]).float()
    start, end = spans.masked_fill(~read.allowed[..., None], -torch.inf).unbind(-1)
    answerable = F.linear(hidden[:, 0], weights[f"{ANSWERABLE}.weight"], weights[f"{ANSWERABLE}.bias"]).float().squeeze(-1)
    return Logits(start, end, answerable)


def best_spans(out: Logits) -> tuple[Tensor, Tensor, Tensor]:
    """(first, last, log-odds against nowhere) of each row's best span that isn't [CLS]; -inf where there is none."""
    length = out.start.shape[1]
    pairs = out.start[:, 1:, None] + out.end[:, None, 1:]
    band = torch.ones(length - 1, length - 1, dtype=torch.bool, device=pairs.device).triu().tril(_LONGEST_SPAN - 1)
    score, place = pairs.masked_fill(~band, -torch.inf).flatten(1).max(1)
    first = place.div(length - 1, rounding_mode="floor")
    return first + 1, place - first * (length - 1) + 1, score - (out.start[:, 0] + out.end[:, 0])


def reader_directory() -> Path:
    """The reader that ships: in data/ of a checkout, beside the code when installed from a wheel."""
    here = Path(__file__).resolve().parent
    for directory in (here.parents[1] / "data" / "reader", here / "weights"):
        if (directory / FILE).is_file():
            return directory
    raise ReaderError("the reader is missing", "reinstall Octavo")


class Reader:
    """A loaded reader.

    Attributes:
        weights: of one dtype, on one device.
        calibration: (a, b, c): answerable is the logistic of a x the head's logit + b x the span's score + c.
    """

    def __init__(self, weights: Weights, shape: Shape, pieces: Pieces, calibration: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> None:
        self.weights, self.shape, self.pieces, self.calibration = weights, shape, pieces, calibration

    @classmethod
    def load(cls, directory: Path | None = None, base: Path | None = None, dtype: torch.dtype | None = None, device: str = "cpu") -> Self:
        """The reader in a folder, over the encoder in `base`.

        Args:
            directory: by default that of the reader that comes with Octavo.
            base: by default the embedder that comes with it.
            dtype: by default bfloat16 where this machine gains by it, else float32.
            device: where it works.

        Raises:
            ReaderError: it can't be read, or was made for another encoder.
            EmbedderError: the embedder isn't installed.
        """
        directory, base = directory or reader_directory(), base or default_directory()
        dtype = dtype or (torch.bfloat16 if device != "cpu" or bf16_gains() else torch.float32)
        try:
            config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
            differences = store.load(directory / FILE)
            made_for, calibration = config["base_sha256"], tuple(map(float, config["calibration"]))
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ReaderError(f"{directory}: no reader can be read from it ({error})", "reinstall Octavo, or train one") from error
        if made_for != weights_sha256(base):
            raise ReaderError(f"{directory}: this reader was made for another encoder than the one in {base}", "train one for it")
        weights = {name: t.to(device, dtype) for name, t in merged(read_weights(base), differences).items()}
        return cls(weights, Shape.read(base / "config.json"), Pieces(base / "tokenizer.json"), calibration)  # type: ignore[arg-type]

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """What each passage says, in their order, the best of its windows. A passage without words says nothing: 0 to 0."""
        refuse_forked()
        asked, *texts = self.pieces.read([question, *passages])
        rows = [(n, window) for n, text in enumerate(texts) for window in windows(asked, text)]
        rows.sort(key=lambda row: row[1].length)
        best: list[Reading | None] = [None] * len(passages)
        for part in (rows[at : at + _TOGETHER] for at in range(0, len(rows), _TOGETHER)):
            with torch.inference_mode():
                told = batch(self.pieces, [(asked, texts[n], window) for n, window in part])
                out = logits(self.weights, self.shape, told.to(next(iter(self.weights.values())).device))
                found = [t.tolist() for t in (*best_spans(out), out.answerable)]
            for (n, _), shift, first, last, score, logit in zip(part, told.shifts.tolist(), *found, strict=True):
                held = best[n]
                if held is None or score > held.score:
                    best[n] = self._reading(passages[n], texts[n], first - shift, last - shift, score, logit)
        return [reading for reading in best if reading is not None]

    def _reading(self, passage: str, text: Text, first: int, last: int, score: float, logit: float) -> Reading:
        if score == -math.inf:
            return Reading(0, 0, score, 0.0)
        start, end = int(text.starts[first]), int(text.ends[last])
        while start > 0 and passage[start].isalnum() and passage[start - 1].isalnum():  # word pieces part words
            start -= 1
        while end < len(passage) and passage[end - 1].isalnum() and passage[end].isalnum():
            end += 1
        a, b, c = self.calibration
        return Reading(start, end, score, 1 / (1 + math.exp(-max(-60.0, min(60.0, a * logit + b * score + c)))))
