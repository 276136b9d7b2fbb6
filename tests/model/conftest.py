"""Tiny random checkpoints, written by transformers, with a tokenizer of their own; and tiny runs of training."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

BASE: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "query_pre_attn_scalar": 32,
    "sliding_window": 16,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 256,
}
KINDS: dict[str, dict[str, Any]] = {
    "gqa": {},
    "mqa": {"num_key_value_heads": 1},
    "mha": {"num_key_value_heads": 4},
    "like-27b": {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 16, "query_pre_attn_scalar": 8},
}


def oracle(**changes: Any) -> Any:
    """A random Gemma2ForCausalLM, its weights wide enough for both soft-caps to bend the numbers."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    network = Gemma2ForCausalLM(Gemma2Config(**{**BASE, **changes}, attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, p in network.named_parameters():
            if name.endswith(("q_proj.weight", "k_proj.weight")):
                p.normal_(0, 1.2)
            elif "norm" in name:
                p.normal_(0, 0.3)
            elif "embed_tokens" in name:
                p.normal_(0, 0.6)
            else:
                p.normal_(0, 0.2)
    return network


def tokenizer_json() -> str:
    """A byte-fallback BPE like Gemma's: control pieces, white-space and tag pieces, some merges."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>"]
    content = ["\n", "\n\n", "\u2581\u2581", "<table>", "</s>"]
    letters = list("abcdefghijklmnopqrstuvwxyz\u2581.:?<>_ABQS")
    pairs = [("t", "h"), ("th", "e"), ("\u2581", "the"), ("e", "r"), ("\u2581", "a"), ("u", "s")]
    pieces = specials + content + [f"<0x{i:02X}>" for i in range(256)] + letters + ["".join(p) for p in pairs]
    vocab = {p: i for i, p in enumerate(dict.fromkeys(pieces))}
    added = [
        {"id": vocab[p], "content": p, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        for p in specials + content
    ]
    for token in added:
        token["special"] = token["content"] in specials and not token["content"].startswith("<start")
    bos = {"id": "<bos>", "ids": [vocab["<bos>"]], "tokens": ["<bos>"]}
    return json.dumps(
        {
            "version": "1.0",
            "added_tokens": added,
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<bos>": bos},
            },
            "decoder": {
                "type": "Sequence",
                "decoders": [
                    {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                    {"type": "ByteFallback"},
                    {"type": "Fuse"},
                ],
            },
            "model": {
                "type": "BPE",
                "vocab": vocab,
                "merges": [list(p) for p in pairs],
                "byte_fallback": True,
                "unk_token": "<unk>",
                "fuse_unk": True,
            },
        }
    )


NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(scope="session", params=["cpu", pytest.param("cuda", marks=NEEDS_GPU)])
def device(request: pytest.FixtureRequest) -> str:
    """Where the engine runs."""
    return str(request.param)


@pytest.fixture(autouse=True)
def exact_products() -> None:
    """In fp32 on a GPU: training leaves it with coarser ones."""
    torch.set_float32_matmul_precision("highest")


@pytest.fixture(scope="session", params=list(KINDS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """(transformers' network, the directory that it was saved to), of each kind."""
    network = oracle(**KINDS[request.param])
    directory = tmp_path_factory.mktemp(request.param)
    network.save_pretrained(directory, max_shard_size="200KB")
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return network, directory


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Gemma 3 teacher, text and questions, to read from."""
    from tests.model.tiny import QUESTIONS, a_gemma_3

    place = tmp_path_factory.mktemp("train")
    a_gemma_3(place / "teacher.gguf")
    (place / "text.txt").write_text("the bus at the stable\n\x1e\nthe other bus and the user\n" * 60)
    (place / "q.jsonl").write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    return place


@pytest.fixture(scope="session")
def runs(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of short runs: a student distilled (base), tuned with its teacher (tuned) and without (untaught)."""
    from model.train import distill, tune

    runs, tokenizer = tmp_path_factory.mktemp("runs"), place / "teacher.gguf"
    texts = [place / "text.txt", place / "q.jsonl"]
    distill.distill(tokenizer, texts, runs / "base", layers=(0, 1, 2, 5), steps=3, peak=1e-3, rows=2, length=32)
    for name, teacher in (("tuned", tokenizer), ("untaught", None)):
        sizes = {"steps": 2, "peak": 1e-3, "tokens": 1024, "refuse": 0.2}
        tune.tune(runs / "base", tokenizer, [place / "q.jsonl"], runs / name, teacher=teacher, **sizes)
    return runs
