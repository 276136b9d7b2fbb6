"""The teacher: any causal language model of transformers, with the same two steps as `Gemma2`: hidden states, then logits.

Attention is `model.attention`'s here too. transformers' fast attention gives every sliding layer a T x T mask, which rules out
torch's fast kernels, and has no soft-cap.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.attention import attention
from model.config import shown
from model.errors import SourceError
from model.load.checkpoint import plain
from model.load.gguf import parameter_name, read_gguf, to_torch
from model.load.gguf_file import GGUFFile


class Teacher(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.model, self.config = network.model, network.config
        if network.lm_head.weight is not network.model.embed_tokens.weight:
            self.lm_head = network.lm_head

    @property
    def head(self) -> Tensor:
        """The output head, (vocab_size, hidden_size); the embedding where the two are tied."""
        weight: Tensor = (self.lm_head if hasattr(self, "lm_head") else self.model.embed_tokens).weight
        return weight

    @property
    def layers(self) -> Any:
        return self.model.layers

    @property
    def cap(self) -> float | None:
        return getattr(self.config, "final_logit_softcapping", None)

    def hidden(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> final hidden states (B, T, hidden_size)."""
        out: Tensor = self.model(input_ids=ids, use_cache=False).last_hidden_state
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size) -> (..., vocab_size) in fp32."""
        logits = F.linear(hidden, self.head).float()
        return logits if self.cap is None else torch.tanh(logits / self.cap) * self.cap


def check_same_vocabulary(student: Any, teacher: Teacher, name: object) -> None:
    """Raises SourceError where the two have different numbers of pieces."""
    if (ours := student.config.vocab_size) != (theirs := len(teacher.head)):
        raise SourceError(f"{name}: the student's vocabulary has {ours:,} pieces, its teacher's {theirs:,}", "both must use one tokenizer")


def load_teacher(source: Path, backend: str = "blocked") -> Teacher:
    """Reads a Gemma 2 or Gemma 3 GGUF file, or a folder of config.json and safetensors as Hugging Face and `model.train` write them.

    Weights are bf16 and frozen; rotary frequencies stay fp32. `backend` is one of `model.attention`'s, or "eager" for transformers'
    own attention, which can generate from a cache with padding.

    Raises:
        SourceError: it can't be read, or is of a kind that transformers doesn't know.
    """
    from transformers import AttentionInterface, AutoModelForCausalLM

    def attend(module: Any, q: Tensor, k: Tensor, v: Tensor, mask: None, scaling: float, **rest: Any) -> tuple[Tensor, None]:
        assert mask is None  # transformers makes none for an attention that it doesn't know
        window, softcap = rest.get("sliding_window"), rest.get("softcap")
        return attention(q, k, v, scale=scaling, softcap=softcap, window=window, backend=backend).transpose(1, 2), None

    kind = "eager"
    if backend != "eager":
        kind = f"octavo-{backend}"
        AttentionInterface.register(kind, attend)
    try:
        if source.is_dir():
            settings = {"attn_implementation": kind, "dtype": torch.bfloat16, "local_files_only": True}
            network: Any = AutoModelForCausalLM.from_pretrained(source, **settings)
        else:
            network = _from_gguf(source, kind)
    except SourceError:
        raise
    except Exception as error:  # transformers has no base class for what it can't read
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise SourceError(f"{source}: no model that transformers can read ({reason})") from error
    for p in network.parameters():  # network.to(bfloat16) would round the rotary frequencies too, which are buffers
        p.data = p.data.to(torch.bfloat16)
    return Teacher(network).eval().requires_grad_(False)


def _from_gguf(file: Path, attn_implementation: str) -> Any:
    from transformers import Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM

    stored = GGUFFile(file)
    found = stored.values.get("general.architecture")
    if found == "gemma2":
        checkpoint = read_gguf(file)
        network: Any = Gemma2ForCausalLM(Gemma2Config(**checkpoint.config.to_dict(), attn_implementation=attn_implementation))
        state = {f"model.{name}": plain(tensor) for name, tensor in checkpoint.tensors()}
    elif found == "gemma3":
        network = Gemma3ForCausalLM(_gemma3_config(stored.values, attn_implementation))
        state = {"model." + _gemma3_name(tensor.name): to_torch(tensor) for tensor in stored.tensors}
    else:
        raise SourceError(
            f"{file}: holds a {shown(found)} model", "a teacher's GGUF file must be Gemma 2 or 3; others in Hugging Face's format"
        )
    network.load_state_dict({**state, "lm_head.weight": state["model.embed_tokens.weight"]})
    return network


def _gemma3_name(theirs: str) -> str:
    name = parameter_name(theirs)
    for norm, ours in (("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm")):
        name = name.replace(norm, ours)
    return name


def _gemma3_config(value: dict[str, Any], attn_implementation: str) -> Any:
    from transformers import Gemma3TextConfig

    return Gemma3TextConfig(
        vocab_size=len(value["tokenizer.ggml.tokens"]),
        hidden_size=value["gemma3.embedding_length"],
        intermediate_size=value["gemma3.feed_forward_length"],
        num_hidden_layers=value["gemma3.block_count"],
        num_attention_heads=value["gemma3.attention.head_count"],
        num_key_value_heads=value["gemma3.attention.head_count_kv"],
        head_dim=value["gemma3.attention.key_length"],
        query_pre_attn_scalar=value["gemma3.attention.key_length"],
        sliding_window=value["gemma3.attention.sliding_window"],
        attn_implementation=attn_implementation,
    )
