"""Tiny teachers and questions, for the tests of training."""

import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter

from model.train import prune
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
    prune.write_vocabulary(w, pieces, [-float(i) for i in range(len(pieces))], kinds)
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
