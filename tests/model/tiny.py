"""Tiny teachers and questions, for the tests of training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFValueType, GGUFWriter

from model.save.gguf import write_vocabulary
from tests.model.conftest import tokenizer_json

QUESTIONS = [
    {
        "question": f"Where is the bus {i}?",
        "contexts": [f"The bus {i} is at the stable {i}."],
        "answers": [f"at the stable {i}"],
        "kind": "extractive",
    }
    for i in range(12)
]


def a_gemma_3(file: Path) -> None:
    """A GGUF file of random weights, with the tests' tokenizer in it."""
    vocab = json.loads(tokenizer_json())["model"]["vocab"]
    pieces = [*sorted(vocab, key=lambda p: vocab[p]), "Q", "w", "\u2581the\u2581bus"]
    pieces = list(dict.fromkeys(pieces))
    kinds = [
        3 if (p.startswith("<") and p.endswith("_turn>")) or p in ("<pad>", "<eos>", "<bos>", "<mask>", "<unused0>") else 1 for p in pieces
    ]
    kinds = [2 if p == "<unk>" else 6 if p.startswith("<0x") else k for p, k in zip(pieces, kinds, strict=True)]
    kinds = [4 if p.isspace() else k for p, k in zip(pieces, kinds, strict=True)]
    w = GGUFWriter(file, "gemma3")
    sizes = {"embedding_length": 32, "feed_forward_length": 64, "block_count": 6, "attention.head_count": 2, "attention.head_count_kv": 1}
    for key, value in {**sizes, "attention.key_length": 16, "attention.sliding_window": 8, "context_length": 512}.items():
        w.add_uint32(f"gemma3.{key}", value)
    write_vocabulary(w, pieces, [-float(i) for i in range(len(pieces))], kinds)
    rng = np.random.default_rng(0)
    shapes = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    shapes |= {"ffn_gate": (64, 32), "ffn_up": (64, 32), "ffn_down": (32, 64)}
    norms = {"attn_norm": 32, "post_attention_norm": 32, "ffn_norm": 32, "post_ffw_norm": 32, "attn_q_norm": 16, "attn_k_norm": 16}
    w.add_tensor("token_embd.weight", rng.normal(0, 0.5, (len(pieces), 32)).astype(np.float32))
    w.add_tensor("output_norm.weight", np.ones(32, dtype=np.float32))
    for layer in range(6):
        for name, shape in shapes.items():
            w.add_tensor(f"blk.{layer}.{name}.weight", rng.normal(0, 0.2, shape).astype(np.float32))
        for name, size in norms.items():
            w.add_tensor(f"blk.{layer}.{name}.weight", np.ones(size, dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def a_teacher(kind: str, folder: Path) -> None:
    """A checkpoint of transformers' own making, with the tests' tokenizer beside it."""
    import transformers

    vocab = len(json.loads(tokenizer_json())["model"]["vocab"])
    sizes = {
        "vocab_size": vocab,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
    }
    config = getattr(transformers, f"{kind}Config")(**sizes)
    torch.manual_seed(0)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json())


def a_gemma_2(file: Path, network: Any, architecture: str = "gemma2", **changes: Any) -> None:
    """transformers' network as a GGUF file; `changes` are values of its header, by the end of their keys."""
    c = network.config
    writer = GGUFWriter(file, architecture)
    for key, value in {
        "context_length": c.max_position_embeddings,
        "embedding_length": c.hidden_size,
        "block_count": c.num_hidden_layers,
        "feed_forward_length": c.intermediate_size,
        "attention.head_count": c.num_attention_heads,
        "attention.head_count_kv": c.num_key_value_heads,
        "attention.key_length": c.head_dim,
        "attention.value_length": c.head_dim,
        "attention.sliding_window": c.sliding_window,
    }.items():
        writer.add_uint32(f"{architecture}.{key}", value)
    writer.add_float32(f"{architecture}.attention.layer_norm_rms_epsilon", c.rms_norm_eps)
    writer.add_float32(f"{architecture}.attn_logit_softcapping", c.attn_logit_softcapping)
    writer.add_float32(f"{architecture}.final_logit_softcapping", c.final_logit_softcapping)
    vocab = json.loads(tokenizer_json())["model"]["vocab"]
    pieces = sorted(vocab, key=lambda p: vocab[p])
    pieces += [f"<unused{i}>" for i in range(1, c.vocab_size - len(pieces) + 1)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([p.replace("\u2581\u2581", "  ") for p in pieces])
    writer.add_token_scores([-float(i) for i in range(len(pieces))])
    kinds = {p: 3 if p.startswith("<") and len(p) > 1 else 1 for p in pieces}
    kinds |= {p: 6 for p in pieces if p.startswith("<0x")} | dict.fromkeys(("\n", "\n\n", "\u2581\u2581", "<table>", "</s>"), 4)
    writer.add_token_types([kinds[p] for p in pieces])
    for key, value in changes.items():
        kind = GGUFValueType.INT64 if type(value) is int else GGUFValueType.get_type(value)
        writer.add_key_value(f"{architecture}.{key}", value, kind, GGUFValueType.UINT32 if isinstance(value, list) else None)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output"}
    names |= {"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm"}
    names |= {
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
    }
    for name, p in network.model.named_parameters():
        values = p.detach().numpy()
        if name.startswith("layers."):
            _, layer, rest = name.split(".", 2)
            name = f"blk.{layer}.{names[rest.removesuffix('.weight')]}.weight"
        name = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}.get(name, name)
        writer.add_tensor(name, values + 1 if values.ndim == 1 else values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
