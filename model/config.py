"""The shape of a Gemma 2 network, under the names that Hugging Face's config.json uses.

No size, cap or window has a default: a checkpoint must say each one, because a guessed one gives a model that speaks fluently
and wrongly. For the same reason what can be set otherwise in config.json, and Gemma 2 never sets, is refused.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from model.errors import SourceError

ELSEWHERE = "serve other models with Ollama or LM Studio and name them as openai:NAME@URL"
"""A hint for those who bring another model."""

_FIXED: dict[str, Any] = {
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_act": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "attention_bias": False,
    "use_bidirectional_attention": False,
    "partial_rotary_factor": 1,
    "quantization_config": None,
}
"""Keys that may be left out, and the only value that they have in a Gemma 2."""

_LARGEST = 1 << 20
_MOST_LAYERS = 1024
"""More than any model has: a damaged size is named before memory is asked for."""


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
    def from_dict(cls, values: Mapping[str, Any], origin: str = "config.json", names: Mapping[str, str] | None = None) -> "Gemma2Config":
        """Reads a parsed config.json.

        Args:
            origin: the file, for messages.
            names: what the file calls the keys, where it isn't a config.json.

        Raises:
            SourceError: it describes another architecture, lacks a key, or asks for something Gemma 2 doesn't have.
        """
        kind = values.get("model_type", "gemma2")
        if kind != "gemma2":
            raise SourceError(f"{origin}: this is a {shown(kind)} model; Octavo's own engine runs Gemma 2 only", ELSEWHERE)
        for key, fixed in _FIXED.items():
            require(values.get(key) in (None, fixed), origin, key, values.get(key), repr(fixed))
        values = {**values, "rope_theta": _rope_theta(values, origin)}
        names = {f.name: (names or {}).get(f.name, f.name) for f in fields(cls)}
        if missing := [name for key, name in names.items() if key not in values]:
            raise SourceError(f"{origin}: missing {', '.join(missing)}", "a Gemma 2 checkpoint's config.json has them")
        for f in fields(cls):
            value, most = values[f.name], _MOST_LAYERS if f.name == "num_hidden_layers" else _LARGEST
            if f.type is int:
                require(type(value) is int and 0 < value <= most, origin, names[f.name], value, f"a whole number from 1 to {most:,}")
            else:
                require(type(value) in (int, float) and 0 < value < 1e12, origin, names[f.name], value, "a positive number")
        config = cls(**{f.name: values[f.name] for f in fields(cls)})
        heads, groups = config.num_attention_heads, config.num_key_value_heads
        require(heads % groups == 0, origin, names["num_key_value_heads"], groups, f"a divisor of the {heads} heads")
        require(config.head_dim % 2 == 0, origin, names["head_dim"], config.head_dim, "an even number")
        kinds = ["sliding_attention" if config.is_sliding(i) else "full_attention" for i in range(config.num_hidden_layers)]
        require(values.get("layer_types") in (None, kinds), origin, "layer_types", values.get("layer_types"), "sliding and full in turn")
        return config

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
    def cached_per_token(self) -> int:
        """Numbers that a token leaves in the cache: keys and values of every layer."""
        return 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_dim

    @property
    def num_parameters(self) -> int:
        h, d = self.hidden_size, self.head_dim
        attention = h * d * (2 * self.num_attention_heads + 2 * self.num_key_value_heads)
        layer = attention + 3 * h * self.intermediate_size + 4 * h
        return self.vocab_size * h + self.num_hidden_layers * layer + h


def _rope_theta(values: Mapping[str, Any], origin: str) -> Any:
    """The base of the rotary positions: that of `rope_parameters` counts before the plain key, as in transformers."""
    theta = values.get("rope_theta", 10000.0)
    for key in ("rope_parameters", "rope_scaling"):
        rope = values.get(key)
        if rope is None:
            continue
        plain = isinstance(rope, dict) and not any(isinstance(value, dict) for value in rope.values())
        require(plain, origin, key, rope, "one set of parameters")
        for name in ("rope_type", "type"):
            require(rope.get(name) in (None, "default"), origin, f"{key}.{name}", rope.get(name), "'default'")
        factor = rope.get("partial_rotary_factor")
        require(factor in (None, 1), origin, f"{key}.partial_rotary_factor", factor, "1")
        theta = rope.get("rope_theta", theta)
    return theta


def require(right: bool, origin: str, key: str, value: Any, wanted: str) -> None:
    """Raises SourceError, naming the file and the key, unless `right`."""
    if not right:
        raise SourceError(f"{origin}: {key} is {shown(value)}; in a Gemma 2 it is {wanted}", ELSEWHERE)


def shown(value: Any) -> str:
    """A value as one line of a message has it."""
    return f"a {type(value).__name__}" if isinstance(value, list | dict) else f"{value!r:.60}"


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
    "starter": replace(_shape(12, 640, 2048, 4, 1, 256, 256, 32_000), sliding_window=8192, rope_theta=100_000.0),
}
"""The published sizes ("Gemma 2: Improving Open Language Models at a Practical Size", table 1), and the starter's."""
