"""Step 1: prune. A smaller vocabulary for the teacher, and a student made of some of the teacher's layers.

    python -m model.train.prune TEACHER.gguf TEXT.txt.xz OUT.gguf [--size 32000]

keeps the rows of the vocabulary that the text uses most. Most of a small model is its embedding: 168M of the 268M parameters of
Gemma 3 270M. English needs an eighth of these rows, for 3 % more tokens. `student_of` makes a Gemma 2 network of 12 of the
teacher's 18 layers.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter, TokenType
from torch import Tensor, nn

from model.config import Gemma2Config
from model.errors import SourceError
from model.load.gguf import read_tokenizer
from model.load.gguf_file import GGUFFile
from model.save.export import check_new
from model.save.gguf import write_gguf, write_vocabulary
from model.train.data import plain_errors, read_texts
from model.train.teacher import Teacher

STUDENT_LAYERS = (0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17)
"""Of the teacher's 18. Its global layers 5, 11 and 17 come to odd places, which are the global ones."""
_SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")


def cut_vocabulary(source: Path, texts: Iterable[str], size: int, out: Path) -> None:
    """Writes `source` with only `size` vocabulary rows; quantised tensors are copied as they are.

    Raises:
        SourceError: `source` can't be read, or `out` is there already.
    """
    check_new(out)
    values = GGUFFile(source).values
    reader = GGUFReader(source)
    tokens, scores, kinds = (values[f"tokenizer.ggml.{key}"] for key in ("tokens", "scores", "token_type"))
    tokenizer = read_tokenizer(values, str(source))
    counts: Counter[int] = Counter()
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 64:
            counts.update(i for ids in tokenizer.encode_batch(batch) for i in ids)
            batch = []
    counts.update(i for ids in tokenizer.encode_batch(batch) for i in ids)
    keep = kept_rows(tokens, scores, kinds, counts, size)

    writer = GGUFWriter(None, str(reader.fields["general.architecture"].contents()))
    for key, field in reader.fields.items():
        if key.startswith(("GGUF.", "tokenizer.ggml.")) or key in ("general.architecture",):
            continue
        kind = field.types[0]
        writer.add_key_value(key, field.contents(), kind, field.types[-1] if kind == GGUFValueType.ARRAY else None)
    write_vocabulary(writer, [tokens[i] for i in keep], [scores[i] for i in keep], [kinds[i] for i in keep])
    for tensor in reader.tensors:
        data = tensor.data[keep] if tensor.name == "token_embd.weight" else tensor.data
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=tensor.tensor_type)
    write_gguf(writer, out)


def kept_rows(tokens: list[str], scores: list[float], kinds: list[int], counts: Counter[int], size: int) -> list[int]:
    """The ids to keep: control tokens, single bytes, short runs of white space, then the most frequent pieces.

    A piece is kept together with the pieces that it is merged from: without them the encoder could not produce it.
    """
    index = {t: i for i, t in enumerate(tokens)}
    byte_rows = [i for i, kind in enumerate(kinds) if kind == TokenType.BYTE]
    runs = [i for i, (t, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind == TokenType.USER_DEFINED and t.isspace()]
    keep = dict.fromkeys([index[t] for t in _SPECIAL] + byte_rows + [i for i in runs if len(tokens[i]) <= 8])
    normal = {t: scores[i] for i, t in enumerate(tokens) if kinds[i] == TokenType.NORMAL}
    for row, _ in counts.most_common():
        if kinds[row] != TokenType.NORMAL or row in keep:
            continue
        needed = dict.fromkeys([*(index[t] for t in merged_from(tokens[row], normal)), row])
        new = [i for i in needed if i not in keep]
        if len(keep) + len(new) > size:
            break
        keep.update(dict.fromkeys(new))
    fixed = len(_SPECIAL)
    return list(keep)[:fixed] + sorted(list(keep)[fixed:])


def merged_from(piece: str, scores: dict[str, float]) -> list[str]:
    """The pieces that BPE makes on the way from single characters to `piece`, merging the best-scored pair first."""
    parts, seen = list(piece), [c for c in piece if c in scores]
    while len(parts) > 1:
        joined = [(scores[a + b], -i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in scores]
        if not joined:
            break
        at = -max(joined)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        seen.append(parts[at])
    return seen


def student_of(teacher: Teacher, ids: Tensor, layers: Sequence[int]) -> tuple[Gemma2Config, dict[str, Tensor]]:
    """A Gemma 2 network of some layers of a Gemma 2 or 3 teacher: its config, and its weights by name.

    Gemma 3's QK-norm, which Gemma 2 lacks, is folded into the rows of q and k: where the norm divides by each vector's own RMS, the
    folded rows are divided by the mean RMS that the layer has on `ids`, (B, T).

    Raises:
        SourceError: the teacher is no Gemma, or has fewer layers.
    """
    if not hasattr(teacher.config, "query_pre_attn_scalar"):
        raise SourceError(f"a Gemma 2 can't be cut out of a {teacher.config.model_type!r} model", "give --student or --weights")
    if max(layers) >= len(teacher.layers):
        raise SourceError(f"layer {max(layers)} can't be taken: the teacher has {len(teacher.layers)}, 0 the first")
    rms: dict[str, float] = {}

    def watch(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            rms[name] = args[0].float().square().mean(-1).sqrt().mean().item()

        return hook

    norms = {n: m for n, m in teacher.named_modules() if n.endswith(("q_norm", "k_norm"))}
    handles = [m.register_forward_hook(watch(n)) for n, m in norms.items()]
    with torch.no_grad():
        teacher.hidden(ids)
    for handle in handles:
        handle.remove()

    state = {k.removeprefix("model."): v.float() for k, v in teacher.state_dict().items() if k.startswith("model.")}
    student = {k: v for k, v in state.items() if not k.startswith("layers.")}
    for new, old in enumerate(layers):
        for name, tensor in state.items():
            if not name.startswith(f"layers.{old}.") or "_norm." in name:
                continue
            for part in ("q", "k"):
                norm = f"layers.{old}.self_attn.{part}_norm"
                if name.endswith(f"{part}_proj.weight") and f"{norm}.weight" in state:
                    gain = (1 + state[f"{norm}.weight"]) / rms[f"model.{norm}"]  # (head_dim,)
                    tensor = tensor * gain.repeat(tensor.shape[0] // gain.shape[0])[:, None]
            student[name.replace(f"layers.{old}.", f"layers.{new}.", 1)] = tensor
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps")
    config = Gemma2Config(
        **{key: getattr(teacher.config, key) for key in kept},
        num_hidden_layers=len(layers),
        query_pre_attn_scalar=teacher.config.query_pre_attn_scalar,
        sliding_window=4096,
        attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0,
        rope_theta=10000.0,
        max_position_embeddings=8192,
    )
    return config, student


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.prune", description="Cut a GGUF model's vocabulary.")
    parser.add_argument("teacher", type=Path)
    parser.add_argument("text", type=Path, help="running text, documents separated by a line that is only \\x1e (.xz or plain)")
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=32_000)
    args = parser.parse_args()
    cut_vocabulary(args.teacher, read_texts(args.text), args.size, args.out)


if __name__ == "__main__":
    main()
