"""How much memory a Gemma 2 takes: its weights, keys and values of a whole window, and what reading a prompt needs."""

from collections.abc import Mapping

from model.config import Gemma2Config

_BITS = {"float32": 32, "bfloat16": 16, "int8": 8, "int4": 4.5, "Q8_0": 8.5, "Q4_0": 4.5, "IQ4_NL": 4.5}
"""Of a weight: each block of 32 has a scale of 16, where a whole row hasn't one."""
_WORKING_TOKENS = 4096
"""Tokens of a prompt that are computed at once, at most."""


def needed(config: Gemma2Config, dtype: str, quantize: str | None = None, packed: Mapping[str, int] | None = None) -> int:
    """Bytes, the weights being as build_network makes them.

    Args:
        dtype: float32 or bfloat16, that of weights which aren't packed, and of keys and values.
        packed: how many weights of each kind stay as a GGUF file stores them.
    """
    window = config.cached_per_token * config.max_position_embeddings
    working = _WORKING_TOKENS * 3 * config.intermediate_size
    return int(_weights(config, quantize or dtype, packed or {}) + (window + working) * _BITS[dtype]) // 8


def _weights(config: Gemma2Config, kind: str, packed: Mapping[str, int]) -> float:
    """Bits. What is stored in 8 is packed anew where int8 or int4 is asked for; the embedding keeps 8 in int4."""
    kept = {stored: count for stored, count in packed.items() if kind not in ("int8", "int4") or stored != "Q8_0"}
    others = config.num_parameters - sum(kept.values())
    embedding = min(others, config.vocab_size * config.hidden_size) if kind == "int4" else 0
    return sum(_BITS[stored] * count for stored, count in kept.items()) + embedding * _BITS["int8"] + (others - embedding) * _BITS[kind]
