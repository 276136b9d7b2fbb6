"""A GGUF file, as this engine, llama.cpp and Ollama open it."""

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from torch import Tensor

from model.config import Gemma2Config
from model.errors import SourceError
from model.load.checkpoint import Checkpoint
from model.load.gguf import TENSORS, query_scalar
from model.tokenizer import Tokenizer

_OURS = {ours: theirs for theirs, ours in TENSORS.items()}
_KINDS = {torch.bfloat16: GGMLQuantizationType.BF16, torch.float16: GGMLQuantizationType.F16, torch.float32: GGMLQuantizationType.F32}


def gguf_name(name: str) -> str:
    """layers.3.self_attn.q_proj.weight -> blk.3.attn_q.weight"""
    if name in ("embed_tokens.weight", "norm.weight"):
        return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{_OURS[rest.removesuffix('.weight')]}.weight"


def check_sayable(config: Gemma2Config, origin: Path | str) -> None:
    """Raises SourceError where a GGUF file would be read as another network than this one."""
    if (scalar := config.query_pre_attn_scalar) != query_scalar(config):
        reason = f"a GGUF file can't say its query_pre_attn_scalar of {scalar}: {query_scalar(config)} would be taken for it"
        raise SourceError(f"{origin}: {reason}", "use its folder as it is")


def new_writer(config: Gemma2Config, card: dict[str, str]) -> GGUFWriter:
    """A writer that has config and card: `name` and `license` under the names that others read, all else under octavo."""
    writer = GGUFWriter(None, "gemma2")
    for key, text in card.items():
        writer.add_string(f"general.{key}" if key in ("name", "license") else f"octavo.{key}", text)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_sliding_window(config.sliding_window)
    writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    writer.add_final_logit_softcapping(config.final_logit_softcapping)
    return writer


def write_vocabulary(writer: GGUFWriter, tokens: list[str], scores: list[float], kinds: list[int]) -> None:
    """Adds a SentencePiece vocabulary with Gemma's control tokens."""
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokens.index("<bos>"))
    writer.add_eos_token_id(tokens.index("<end_of_turn>"))
    writer.add_eot_token_id(tokens.index("<end_of_turn>"))
    writer.add_unk_token_id(tokens.index("<unk>"))
    writer.add_pad_token_id(tokens.index("<pad>"))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def write_gguf(writer: GGUFWriter, out: Path) -> None:
    """Writes the file whole or not at all."""
    beside = out.with_name(f"{out.name}.tmp")
    writer.write_header_to_file(beside)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    beside.replace(out)


def write_checkpoint(checkpoint: Checkpoint, tensors: Iterable[tuple[str, Tensor]], out: Path) -> None:
    """Matrices in the type that they have, norms as 1 + weight in fp32. Mapped tensors are read while they are written.

    Raises:
        SourceError: GGUF can't say this config or tokenizer.
    """
    config = checkpoint.config
    check_sayable(config, checkpoint.origin)
    writer = new_writer(config, checkpoint.card)
    write_vocabulary(writer, *pieces_of(checkpoint.tokenizer, config.vocab_size, checkpoint.origin))
    for name, tensor in tensors:
        kept = tensor.float() + 1 if tensor.dim() == 1 else tensor.to(tensor.dtype if tensor.dtype in _KINDS else torch.float32)
        writer.add_tensor(gguf_name(name), kept.contiguous().view(torch.uint8).numpy(), raw_dtype=_KINDS[kept.dtype])
    write_gguf(writer, out)


def pieces_of(tokenizer: Tokenizer, size: int, origin: str) -> tuple[list[str], list[float], list[int]]:
    """A BPE vocabulary as SentencePiece's pieces, their scores and types, with unused ones up to `size`.

    SentencePiece merges the pair whose joined piece scores best, so a piece's score is the place of its first merge, from the end.

    Raises:
        SourceError: not all pairs that make a piece are merges of this tokenizer's.
    """
    data = json.loads(tokenizer.to_json())
    vocab: dict[str, int] = data["model"]["vocab"]
    kinds = dict.fromkeys(vocab, TokenType.NORMAL)
    kinds |= {token["content"]: TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED for token in data["added_tokens"]}
    kinds |= {"<unk>": TokenType.UNKNOWN, **{f"<0x{byte:02X}>": TokenType.BYTE for byte in range(256)}}
    normal = {piece for piece, kind in kinds.items() if kind == TokenType.NORMAL}
    merges = {(left, right): n for n, (left, right) in enumerate(data["model"]["merges"]) if {left, right, left + right} <= normal}
    rank: dict[str, int] = {}
    for (left, right), n in merges.items():
        rank.setdefault(left + right, n)
    pairs = ((piece[:cut], piece[cut:]) for piece in rank for cut in range(1, len(piece)))
    if any(pair not in merges for pair in pairs if pair[0] in normal and pair[1] in normal):
        raise SourceError(f"{origin}: a GGUF file can't say its tokenizer's merges", "use its folder as it is")
    names = {i: piece for piece, i in vocab.items()}
    tokens = [names.get(i, f"<unused_{i}>") for i in range(size)]
    last = len(data["model"]["merges"])
    unmade = {piece for piece in normal if len(piece) > 1 and piece not in rank}
    types = [TokenType.UNUSED if i not in names or token in unmade else kinds[token] for i, token in enumerate(tokens)]
    return tokens, [-float(rank.get(token, last)) for token in tokens], [int(kind) for kind in types]
