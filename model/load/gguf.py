"""A .gguf file: one file with config, tokenizer and (quantised) tensors, as llama.cpp and Ollama use.

Tensors are turned back into plain numbers on loading. GGUF keeps RMSNorm's 1 + weight where Hugging Face keeps weight.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gguf import GGML_QUANT_SIZES, TokenType
from tokenizers import AddedToken, decoders, normalizers
from tokenizers import Tokenizer as Encoder
from tokenizers import models as encoders
from torch import Tensor

from model.config import ELSEWHERE, Gemma2Config, require, shown
from model.errors import SourceError
from model.linear import Packed
from model.load.checkpoint import Checkpoint
from model.load.dequantize import dequantized, packed, stays_packed
from model.load.gguf_file import GGUFFile, StoredTensor
from model.tokenizer import Tokenizer, is_content

_CONFIG = {
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "sliding_window": "attention.sliding_window",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "max_position_embeddings": "context_length",
    "rope_theta": "rope.freq_base",
}
_LEFT_OUT = {"rope_theta": 10000.0, "sliding_window": 4096, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
"""What llama.cpp takes for granted where a file doesn't say it: most leave out the first, those of Gemma 2's first days all."""
TENSORS = {
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""A block's tensors: GGUF's name -> ours."""


def read_gguf(file: Path, origin: str = "") -> Checkpoint:
    """Reads a Gemma 2 GGUF file; tensors are mapped and dequantised one at a time when asked for.

    Args:
        origin: what it was named as, where that says more than the file.

    Raises:
        SourceError: not a GGUF file, or not Gemma 2's architecture.
    """
    stored = GGUFFile(file)
    values = stored.values
    origin = origin or str(file)
    architecture = values.get("general.architecture")
    if architecture != "gemma2":
        raise SourceError(f"{origin}: holds a {shown(architecture)} model; Octavo's own engine runs Gemma 2 only", ELSEWHERE)
    tokenizer = read_tokenizer(values, origin)
    return Checkpoint(
        origin=origin,
        config=_config(values, len(values["tokenizer.ggml.tokens"]), origin),
        tokenizer=tokenizer,
        tensors=lambda: ((parameter_name(t.name), as_stored(t)) for t in stored.tensors),
        card={k.partition(".")[2]: str(v) for k, v in values.items() if k.startswith(("general.", "octavo.")) and isinstance(v, str | int)},
        packed=_packed(stored.tensors),
    )


def _packed(tensors: Iterable[StoredTensor]) -> Counter[str]:
    """How many weights of each kind `as_stored` leaves packed."""
    found = Counter[str]()
    for tensor in tensors:
        if stays_packed(tensor.data, tensor.kind):
            numbers, size = GGML_QUANT_SIZES[tensor.kind]
            found[tensor.kind.name] += tensor.data.size // size * numbers
    return found


def query_scalar(config: Gemma2Config) -> int:
    """The query_pre_attn_scalar that readers of GGUF files take for granted: 27B has one of its own, known by its 46 layers."""
    return config.hidden_size // config.num_attention_heads if config.num_hidden_layers == 46 else config.head_dim


def _config(values: dict[str, Any], vocab_size: int, origin: str) -> Gemma2Config:
    names = {ours: f"gemma2.{theirs}" for ours, theirs in _CONFIG.items()}
    found = {ours: values[theirs] for ours, theirs in names.items() if theirs in values}
    found = {**_LEFT_OUT, "vocab_size": vocab_size, "query_pre_attn_scalar": found.get("head_dim"), **found}
    config = Gemma2Config.from_dict(found, origin, names)
    config = Gemma2Config.from_dict({**found, "query_pre_attn_scalar": query_scalar(config)}, origin, names)
    fixed = {
        "rope.scaling.type": "none",
        "rope.dimension_count": config.head_dim,
        "rope.freq_base_swa": config.rope_theta,
        "attention.value_length": config.head_dim,
        "attention.sliding_window_pattern": 2,
    }
    for key, value in fixed.items():
        given = values.get(f"gemma2.{key}", value)
        require(given == value, origin, f"gemma2.{key}", given, repr(value))
    return config


def parameter_name(name: str) -> str:
    """blk.3.attn_q.weight -> layers.3.self_attn.q_proj.weight"""
    if name == "token_embd.weight":
        return "embed_tokens.weight"
    if name == "output_norm.weight":
        return "norm.weight"
    parts = name.split(".")
    return f"layers.{parts[1]}.{TENSORS.get(parts[2], parts[2])}.weight" if len(parts) == 4 else name


def as_stored(tensor: StoredTensor) -> Tensor | Packed:
    """One GGUF tensor, packed where linear.py has the kind."""
    return packed(tensor.data, tensor.kind) or to_torch(tensor)


def to_torch(tensor: StoredTensor) -> Tensor:
    """One GGUF tensor as fp32, norms brought back to Hugging Face's convention."""
    values = dequantized(tensor.data, tensor.kind)
    return values - 1 if tensor.name.endswith("norm.weight") else values


_LONGEST_PIECE = 1000
"""In characters, far more than Gemma's longest has: every place in a piece is tried for the merge that makes it."""


def read_tokenizer(values: dict[str, Any], origin: str) -> Tokenizer:
    """The SentencePiece vocabulary of a GGUF file as a BPE encoder.

    Raises:
        SourceError: there is none, it is damaged, or it isn't Gemma's.
    """
    tokens = _column(values, "tokens", (str,), origin)
    scores, kinds = _column(values, "scores", (float, int), origin), _column(values, "token_type", (int,), origin)
    if not len(tokens) == len(scores) == len(kinds) or max(map(len, tokens), default=0) > _LONGEST_PIECE:
        raise SourceError(f"{origin}: its tokenizer is damaged: {len(tokens):,} pieces, {len(scores):,} scores, {len(kinds):,} types")
    return build_tokenizer(tokens, scores, kinds, origin)


def _column(values: dict[str, Any], name: str, types: tuple[type, ...], origin: str) -> list[Any]:
    key = f"tokenizer.ggml.{name}"
    if key not in values:
        raise SourceError(f"{origin}: no SentencePiece tokenizer in it ({key} is missing)")
    column = values[key]
    if not isinstance(column, list) or not set(map(type, column)) <= set(types):
        raise SourceError(f"{origin}: its tokenizer is damaged: {key} is {shown(column)}, not a list of {types[0].__name__}")
    return column


def build_tokenizer(tokens: list[str], scores: list[float], kinds: list[int], origin: str) -> Tokenizer:
    """A BPE encoder of SentencePiece's pieces: of two neighbours, those merge first whose joined piece scores best."""
    # some files write the spaces of a run as U+2581, but such pieces are looked for in the text as it comes
    tokens = [
        t.replace("\u2581", " ") if kind == TokenType.USER_DEFINED and len(t) > 1 else t for t, kind in zip(tokens, kinds, strict=True)
    ]
    vocab = {token: i for i, token in enumerate(tokens)}
    normal = {token: vocab[token] for token, kind in zip(tokens, kinds, strict=True) if kind == TokenType.NORMAL}
    merges: list[tuple[float, int, int]] = []
    for token, i in normal.items():
        for cut in range(1, len(token)):
            if (left := normal.get(token[:cut])) is not None and (right := normal.get(token[cut:])) is not None:
                merges.append((-scores[i], left, right))
    merges.sort()
    pairs = [(tokens[left], tokens[right]) for _, left, right in merges]
    encoder = Encoder(encoders.BPE(vocab=vocab, merges=pairs, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    encoder.normalizer = normalizers.Replace(" ", "\u2581")
    encoder.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    control = {t: vocab[t] for t, kind in zip(tokens, kinds, strict=True) if kind in (TokenType.CONTROL, TokenType.UNKNOWN)}
    # Some files mark every special piece as plain user-defined text, <start_of_turn> among them; sort those out by name.
    user = [t for t, kind in zip(tokens, kinds, strict=True) if kind == TokenType.USER_DEFINED]
    content = [t for t in user if is_content(t)]
    control |= {t: vocab[t] for t in user if t not in set(content)}
    encoder.add_tokens([AddedToken(t, normalized=False, special=False) for t in content])
    return Tokenizer(encoder, control, origin)
