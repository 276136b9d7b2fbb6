"""Reads a larger encoder as if it were BERT: one whose vocabulary is BERT's, so that both read the same word pieces."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from ingest.text.bert import Shape, read_weights
from rag.errors import ReaderError
from rag.reader.windows import Pieces

_MPNET = {
    ".attention.attn.q.": ".attention.self.query.",
    ".attention.attn.k.": ".attention.self.key.",
    ".attention.attn.v.": ".attention.self.value.",
    ".attention.attn.o.": ".attention.output.dense.",
    ".attention.LayerNorm.": ".attention.output.LayerNorm.",
}
_MARKS = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}


def read_encoder(directory: Path, pieces: Pieces) -> tuple[dict[str, Tensor], Shape]:
    """Weights under BERT's names, for the word pieces of `pieces`, from a folder that holds a BERT or an MPNet.

    Raises:
        ReaderError: it holds neither, or its vocabulary is another.
    """
    try:
        kind = json.loads((directory / "config.json").read_text(encoding="utf-8"))["model_type"]
        shape = Shape.read(directory / "config.json")
        weights = dict(read_weights(directory))
        theirs = Tokenizer.from_file(str(directory / "tokenizer.json")).get_vocab()
    except (OSError, ValueError, KeyError) as error:
        raise ReaderError(f"{directory}: no encoder can be read from it ({error})", "name a folder with a BERT or an MPNet") from error
    if kind == "mpnet":
        for old, new in _MPNET.items():
            weights = {name.replace(old, new): t for name, t in weights.items()}
        weights["embeddings.position_embeddings.weight"] = weights["embeddings.position_embeddings.weight"][2:]
    elif kind != "bert":
        raise ReaderError(f"{directory}: a {kind} can't be read here", "name a folder with a BERT or an MPNet")
    ours = sorted(pieces.tokenizer.get_vocab().items(), key=lambda item: item[1])
    at = [theirs.get(_MARKS.get(piece, piece), theirs.get(piece)) for piece, _ in ours]
    if None in at:
        raise ReaderError(f"{directory}: its word pieces are others", "name an encoder with BERT's vocabulary (uncased)")
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][torch.tensor(at)]
    return weights, shape
