"""The encoder on torch alone gives sentence-transformers' own vectors, and leaves to it every model that is not of its kind."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from ingest import Embedder
from ingest.text.embedder import default_directory
from ingest.text.encoders import MeanBert, is_mean_bert, load_encoder

TEXTS = [
    "",
    " \n\t ",
    "The tide mill grinds wheat.",
    "Where IS the Mill's Wheel?",
    "the mill at the quay " * 400,
    "Ünïcödé İstanbul e\u0301 ﬁn 漢字 かな 🙂 \u200b\u00ad\x00\ufffd ﷺ",
    "[SEP] the [MASK] mill [CLS] [PAD] [unused1]",
    "x" * 300,
]


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


def theirs(directory: Path, dtype: torch.dtype = torch.float32) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(directory), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype})


def test_the_default_embedders_vectors_are_those_of_sentence_transformers() -> None:
    whole, model = MeanBert(default_directory(), "cpu", torch.float32), theirs(default_directory())
    documents, questions = model.encode_document(TEXTS), model.encode_query(TEXTS)
    assert cosines(whole.documents(TEXTS), documents).min() > 0.99999 and cosines(whole.queries(TEXTS), questions).min() > 0.99999
    assert whole.max_length == model.max_seq_length == 256 and whole.dimensions == 384
    half = MeanBert(default_directory(), "cpu", torch.bfloat16).documents(TEXTS)
    their_half = theirs(default_directory(), torch.bfloat16).encode_document(TEXTS)
    assert cosines(half, documents).min() > cosines(their_half, documents).min() - 1e-4


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    encoder = MeanBert(default_directory(), "cpu", torch.float32)
    together = encoder.documents(TEXTS * 3)
    assert cosines(together, np.concatenate([encoder.documents([text]) for text in TEXTS * 3])).min() > 0.99999


# small models of the kind, and not of it

Change = Callable[[dict[str, Any]], Any]
WORDS = "the mill quay tide wheat query passage where is grind ##s ##der".split()


def small(directory: Path, changes: Mapping[str, Change] = {}) -> Path:
    """A BERT of two layers of 32 with random weights, as sentence-transformers saves one; `changes` edit JSON files."""
    from transformers import BertConfig, BertModel

    letters = [mark + chr(n) for mark in ("", "##") for n in (*range(33, 127), *map(ord, "éüï漢字"))]
    vocabulary = {piece: n for n, piece in enumerate(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters]))}
    split = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    split.normalizer, split.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    split.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    split.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)])
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=len(vocabulary), **shape)).save_pretrained(directory)
    parts = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    files: dict[str, Any] = {
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"} for n, (kind, path) in enumerate(parts)
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
        "sentence_bert_config.json": {"max_seq_length": 24, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {}},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 48},
        "tokenizer.json": json.loads(split.to_str()),
        "config.json": json.loads((directory / "config.json").read_text()),
    }
    for name, data in files.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(json.dumps((changes[name](data) or data) if name in changes else data))
    return directory


OF_THE_KIND: dict[str, dict[str, Change]] = {
    "as it is": {},
    "prompts": {
        "config_sentence_transformers.json": lambda c: c.update(prompts={"query": "query: ", "document": "passage: ", "other": "the "})
    },
    "a prompt for all": {"config_sentence_transformers.json": lambda c: c.update(prompts={"all": "query: "}, default_prompt_name="all")},
    "no prompts": {"config_sentence_transformers.json": lambda c: {"__version__": {}}},
    "no limit but the tokenizer's": {"sentence_bert_config.json": lambda c: {"do_lower_case": False}},
    "no limit but the network's": {
        "sentence_bert_config.json": lambda c: {"max_seq_length": None},
        "tokenizer_config.json": lambda c: c.pop("model_max_length") and c,
    },
    "capitals matter": {
        "tokenizer_config.json": lambda c: c.update(do_lower_case=False),
        "tokenizer.json": lambda t: t["normalizer"].update(lowercase=False),
    },
    "capitals matter to the tokenizer alone": {
        "tokenizer_config.json": lambda c: c.update(do_lower_case=False),
        "tokenizer.json": lambda t: t["normalizer"].update(lowercase=False),
        "sentence_bert_config.json": lambda c: c.update(do_lower_case=True),
    },
    "not normalized": {"modules.json": lambda m: m[:2]},
    "pooling named anew": {"1_Pooling/config.json": lambda c: {"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": True}},
}


@pytest.mark.parametrize("kind", OF_THE_KIND)
def test_other_models_of_the_kind_are_read_as_sentence_transformers_reads_them(kind: str, tmp_path: Path) -> None:
    assert is_mean_bert(small(tmp_path, OF_THE_KIND[kind]))
    ours, model = MeanBert(tmp_path, "cpu", torch.float32), theirs(tmp_path)
    assert ours.max_length == model.max_seq_length
    assert cosines(ours.documents(TEXTS), model.encode_document(TEXTS)).min() > 0.99999
    assert cosines(ours.queries(TEXTS), model.encode_query(TEXTS)).min() > 0.99999


NOT_OF_IT: dict[str, dict[str, Change]] = {
    "another pooling": {"1_Pooling/config.json": lambda c: c.update(pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)},
    "two poolings": {"1_Pooling/config.json": lambda c: c.update(pooling_mode_cls_token=True)},
    "another pooling, named anew": {"1_Pooling/config.json": lambda c: {"embedding_dimension": 32, "pooling_mode": "cls"}},
    "prompts left out of the mean": {"1_Pooling/config.json": lambda c: c.update(include_prompt=False)},
    "another part": {
        "modules.json": lambda m: [*m[:2], {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
    },
    "pooling alone": {"modules.json": lambda m: m[1:]},
    "another network": {"config.json": lambda c: c.update(architectures=["RobertaModel"], model_type="roberta")},
    "a head": {"config.json": lambda c: c.update(architectures=["BertForMaskedLM"])},
    "another activation": {"config.json": lambda c: c.update(hidden_act="relu")},
    "positions of another kind": {"config.json": lambda c: c.update(position_embedding_type="relative_key")},
    "a decoder": {"config.json": lambda c: c.update(is_decoder=True)},
    "a setting that isn't known": {"sentence_bert_config.json": lambda c: c.update(unpad_inputs=True)},
    "a tokenizer whose settings differ from its file": {"tokenizer_config.json": lambda c: c.update(do_lower_case=False)},
    "accents kept by the file alone": {"tokenizer.json": lambda t: t["normalizer"].update(strip_accents=False)},
    "another tokenizer": {"tokenizer_config.json": lambda c: c.update(tokenizer_class="RobertaTokenizer")},
    "a word of its own": {"tokenizer.json": lambda t: t["added_tokens"].append({**t["added_tokens"][0], "id": 9, "content": "[NEW]"})},
    "cut at the left": {"tokenizer_config.json": lambda c: c.update(truncation_side="left")},
    "no list of parts": {"modules.json": lambda m: {"parts": m}},
}


@pytest.mark.parametrize("kind", NOT_OF_IT)
def test_a_model_that_is_not_of_the_kind_is_left_to_sentence_transformers(kind: str, tmp_path: Path) -> None:
    assert is_mean_bert(small(tmp_path / "plain"))
    assert not is_mean_bert(small(tmp_path / "other", NOT_OF_IT[kind]))


def test_a_folder_with_two_files_of_weights_is_left_to_sentence_transformers(tmp_path: Path) -> None:
    save_file(load_file(small(tmp_path) / "model.safetensors"), tmp_path / "adapter_model.safetensors")
    assert not is_mean_bert(tmp_path)


def test_what_is_not_of_the_kind_is_loaded_all_the_same(tmp_path: Path) -> None:
    small(tmp_path, NOT_OF_IT["another pooling"])
    loaded = load_encoder("small", tmp_path)
    assert cosines(loaded.documents(TEXTS), theirs(tmp_path).encode_document(TEXTS)).min() > 0.99 and loaded.dimensions == 32
    embedder = Embedder.load(str(tmp_path))
    assert embedder.counter.limit == 22 and embedder.query("the mill").shape == (32,)
