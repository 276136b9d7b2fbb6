"""What makes a vector of a text: BERT with the mean of its states, on torch alone, or whatever sentence-transformers can load.

Most embedders of the first kind are small and wanted at once: importing sentence-transformers takes longer than all else that a
question needs. Its vectors are the measure: a folder is read as such a BERT only where nothing in it says otherwise.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase
from tokenizers.normalizers import Sequence as InTurn

from ingest.errors import EmbedderError
from ingest.text.bert import Shape, bf16_gains, mean_pooled, read_weights

_BATCH = 16
_MARKS = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}


class Encoder(Protocol):
    """
    Attributes:
        tokenizer: its definition as JSON.
        max_length: tokens that it reads of a text, with its prompt and marks; what follows is cut off.
        prompts: texts that it puts before others.
        dimensions: numbers in a vector.
    """

    tokenizer: str
    max_length: int
    prompts: tuple[str, ...]
    dimensions: int

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, dimensions), of any length."""
        ...

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, dimensions), of any length."""
        ...


def load_encoder(name: str, directory: Path) -> Encoder:
    """
    Raises:
        EmbedderError: the folder holds nothing that can be read.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" or bf16_gains() else torch.float32
    try:
        return MeanBert(directory, device, dtype) if is_mean_bert(directory) else _SentenceTransformer(directory, device, dtype)
    except Exception as error:  # format errors share no base
        hint = "name a directory, or a model on the Hugging Face hub, that sentence-transformers can load"
        raise EmbedderError(f"can't load the embedder {name!r}: {' '.join(str(error).split())[:200]}", hint) from error


def is_mean_bert(directory: Path) -> bool:
    """Whether a folder in sentence-transformers' layout holds a BERT whose states' mean is the vector, and nothing unusual."""
    try:
        modules = [(part["type"].rpartition(".")[2], part["path"]) for part in _json(directory / "modules.json")]
        (transformer, at), (pooling, pooled) = modules[:2]
        config, bert = _json(directory / pooled / "config.json"), _json(directory / "config.json")
        ways = {key for key, on in config.items() if key.startswith("pooling_mode_") and on} | {config.get("pooling_mode")} - {None}
        return (
            (transformer, at, pooling) == ("Transformer", "", "Pooling")
            and [kind for kind, _ in modules[2:]] in ([], ["Normalize"])
            and ways in ({"pooling_mode_mean_tokens"}, {"mean"})
            and config.get("include_prompt", True)
            and bert["architectures"] == ["BertModel"]
            and bert["hidden_act"] == "gelu"
            and bert.get("position_embedding_type", "absolute") == "absolute"
            and not bert.get("is_decoder")
            and _optional(directory / "sentence_bert_config.json").keys() <= {"max_seq_length", "do_lower_case"}
            and _splits_as_bert(_json(directory / "tokenizer.json"), _optional(directory / "tokenizer_config.json"))
            and [file.name for file in directory.glob("*.safetensors")] == ["model.safetensors"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _splits_as_bert(tokenizer: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether transformers, which builds BERT's tokenizer anew from the words and the settings, would build this one."""
    normalizer = tokenizer["normalizer"]
    told = {"lowercase": "do_lower_case", "strip_accents": "strip_accents", "handle_chinese_chars": "tokenize_chinese_chars"}
    usual = {"lowercase": True, "strip_accents": None, "handle_chinese_chars": True}
    return (
        config.get("tokenizer_class", "BertTokenizer").removesuffix("Fast") == "BertTokenizer"
        and normalizer["type"] == "BertNormalizer"
        and all(normalizer[key] == config.get(name, usual[key]) for key, name in told.items())
        and tokenizer["pre_tokenizer"] == {"type": "BertPreTokenizer"}
        and tokenizer["model"]["type"] == "WordPiece"
        and {token["content"] for token in tokenizer["added_tokens"]} == _MARKS
        and {config.get(side, "right") for side in ("padding_side", "truncation_side")} == {"right"}
    )


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _optional(file: Path) -> dict[str, Any]:
    return _json(file) if file.exists() else {}


class MeanBert:
    """An `Encoder` for the folders of which `is_mean_bert` is true."""

    def __init__(self, directory: Path, device: str, dtype: torch.dtype) -> None:
        settings, config = _optional(directory / "sentence_bert_config.json"), _json(directory / "config.json")
        limits = settings.get("max_seq_length"), _optional(directory / "tokenizer_config.json").get("model_max_length")
        told = next((int(limit) for limit in limits if limit), config["max_position_embeddings"])
        prompts = _optional(directory / "config_sentence_transformers.json").get("prompts") or {}
        self._before_query, self._before_document = (prompts.get(kind) or "" for kind in ("query", "document"))
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        if settings.get("do_lower_case"):
            self._tokenizer.normalizer = InTurn([Lowercase(), self._tokenizer.normalizer])
        self._shape = Shape.read(directory / "config.json")
        self._weights = {name: t.to(device, dtype) for name, t in read_weights(directory).items()}
        self._device = device
        self.prompts = tuple(text for text in prompts.values() if text)
        self.dimensions = int(config["hidden_size"])
        self.max_length = min(told, int(config["max_position_embeddings"]))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_length)
        self.tokenizer: str = self._tokenizer.to_str()

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode([self._before_document + text for text in texts])

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode([self._before_query + text for text in texts])

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(texts)), key=lambda place: len(pieces[place]))
        out = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            lengths = torch.tensor([len(pieces[place]) for place in places])
            ids = torch.zeros(len(places), int(lengths.max()), dtype=torch.long)
            for row, place in enumerate(places):
                ids[row, : len(pieces[place])] = torch.tensor(pieces[place])
            with torch.inference_mode():
                out[places] = mean_pooled(self._weights, self._shape, ids.to(self._device), lengths.to(self._device)).cpu().numpy()
        return out


class _SentenceTransformer:
    """An `Encoder` for all that sentence-transformers can load."""

    def __init__(self, directory: Path, device: str, dtype: torch.dtype) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._model = SentenceTransformer(
            str(directory), device=device, trust_remote_code=False, local_files_only=True, model_kwargs={"dtype": dtype}
        )
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ValueError("it has no fast tokenizer; choose one that has a tokenizer.json")
        self.tokenizer: str = backend.to_str()
        self.prompts = tuple(text for text in self._model.prompts.values() if text)
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.max_length = self._model.max_seq_length or 512

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self._model.encode_document(list(texts), batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self._model.encode_query(list(texts), show_progress_bar=False), dtype=np.float32)
