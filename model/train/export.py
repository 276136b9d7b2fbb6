"""Step 6: one GGUF file, weights in 4 bits, that this engine and llama.cpp both open.

python -m model.train.export TUNED_RUN TOKENIZER.gguf OUT.gguf
"""

import argparse
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

from model.config import Gemma2Config
from model.load.gguf import TENSORS
from model.load.gguf_file import GGUFFile
from model.train.data import plain_errors
from model.train.prune import write_vocabulary
from model.train.trainer import load_weights

_OURS = {ours: theirs for theirs, ours in TENSORS.items()}


def gguf_name(name: str) -> str:
    """layers.3.self_attn.q_proj.weight -> blk.3.attn_q.weight"""
    if name in ("embed_tokens.weight", "norm.weight"):
        return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{_OURS[rest.removesuffix('.weight')]}.weight"


def export(run: Path, tokenizer_file: Path, out: Path, kind: GGMLQuantizationType = GGMLQuantizationType.Q4_0) -> None:
    """Writes a run's newest weights, matrices in `kind`, norms in fp32 as 1 + weight, and its card (`model.train.tune.CARD`)."""
    described = json.loads((run / "config.json").read_text())
    config = Gemma2Config.from_dict(described)
    values = GGUFFile(tokenizer_file).values
    writer = GGUFWriter(out, "gemma2")
    writer.add_name("Octavo starter")
    writer.add_license("gemma")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_sliding_window(config.sliding_window)
    writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    writer.add_final_logit_softcapping(config.final_logit_softcapping)
    for key, said in described.get("octavo", {}).items():
        writer.add_string(f"octavo.{key}", said)
    write_vocabulary(writer, *(values[f"tokenizer.ggml.{key}"] for key in ("tokens", "scores", "token_type")))
    for name, tensor in load_weights(run).items():
        numbers = tensor.float().numpy()
        if numbers.ndim == 1:
            writer.add_tensor(gguf_name(name), (numbers + 1).astype(np.float32))
        else:
            writer.add_tensor(gguf_name(name), quantize(numbers, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.export", description="Write a trained student as one GGUF file.")
    parser.add_argument("run", type=Path, help="folder of a tuning run")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file whose tokenizer the student uses")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    export(args.run, args.tokenizer, args.out)


if __name__ == "__main__":
    main()
