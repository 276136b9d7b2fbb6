"""The shape of a Gemma 2 network, under the names that Hugging Face's config.json uses.

No field has a default: a checkpoint must say each one, because a guessed window, cap or scale gives a model that
speaks fluently and wrongly.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from model.errors import SourceError


@dataclass(frozen=True)
class Gemma2Config:
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    query_pre_attn_scalar: int
    sliding_window: int
    attn_logit_softcapping: float
    final_logit_softcapping: float
    rms_norm_eps: float
    rope_theta: float
    max_position_embeddings: int

    @classmethod
    def from_dict(cls, values: dict[str, Any], origin: str = "config.json") -> "Gemma2Config":
        """Reads a parsed config.json.

        Raises:
            SourceError: it describes another architecture, lacks a key, or asks for something Gemma 2 doesn't have.
        """
        kind = values.get("model_type", "gemma2")
        if kind != "gemma2":
            raise SourceError(
                f"{origin}: this is a {kind!r} model; Octavo's own engine runs Gemma 2 only",
                "serve other models with Ollama or LM Studio and name them as openai:NAME@URL",
            )
        rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
        if rope.get("rope_type", "default") != "default":
            raise SourceError(f"{origin}: rope type {rope['rope_type']!r} is not Gemma 2's")
        values = {"rope_theta": rope["rope_theta"], **values} if "rope_theta" in rope else values
        missing = [f.name for f in fields(cls) if values.get(f.name) is None]
        if missing:
            raise SourceError(f"{origin}: missing {', '.join(missing)}", "a Gemma 2 checkpoint's config.json has them")
        return cls(**{f.name: values[f.name] for f in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """The keys of config.json, so that transformers opens what we write."""
        return {
            "architectures": ["Gemma2ForCausalLM"],
            "model_type": "gemma2",
            "hidden_activation": "gelu_pytorch_tanh",
            "tie_word_embeddings": True,
            **asdict(self),
        }

    def is_sliding(self, layer: int) -> bool:
        """Layers 0, 2, 4, ... see `sliding_window` tokens; layers 1, 3, 5, ... see everything."""
        return layer % 2 == 0

    @property
    def num_parameters(self) -> int:
        h, d = self.hidden_size, self.head_dim
        attention = h * d * (2 * self.num_attention_heads + 2 * self.num_key_value_heads)
        layer = attention + 3 * h * self.intermediate_size + 4 * h
        return self.vocab_size * h + self.num_hidden_layers * layer + h


def _shape(layers: int, hidden: int, mlp: int, heads: int, kv: int, dim: int, scalar: int, vocab: int) -> Gemma2Config:
    return Gemma2Config(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv,
        head_dim=dim,
        query_pre_attn_scalar=scalar,
        sliding_window=4096,
        attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0,
        rms_norm_eps=1e-6,
        rope_theta=10000.0,
        max_position_embeddings=8192,
    )


SHAPES = {
    "2b": _shape(26, 2304, 9216, 8, 4, 256, 256, 256_000),
    "9b": _shape(42, 3584, 14336, 16, 8, 256, 256, 256_000),
    "27b": _shape(46, 4608, 36864, 32, 16, 128, 144, 256_000),
    "starter": _shape(12, 640, 2048, 4, 1, 256, 256, 32_000),
}
"""The published sizes ("Gemma 2: Improving Open Language Models at a Practical Size", table 1), and the starter's."""
