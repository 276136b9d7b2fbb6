"""Counting tokens as the embedder counts them, without the embedder: the processes that read files do it too."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any


class TokenCounter:
    """A tokenizer that neither cuts nor pads.

    Attributes:
        definition: the tokenizer as JSON, so that it can be sent to another process.
        limit: tokens of a text that the embedder reads whole, special and prompt tokens not counted.
    """

    def __init__(self, definition: str, limit: int) -> None:
        self.definition = definition
        self.limit = limit

    @cached_property
    def tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.definition)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        return [len(encoding) for encoding in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def digests(self, texts: Sequence[str]) -> list[bytes]:
        """A digest of what the embedder reads of each text, 16 bytes: texts that it can't tell apart have the same."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [hashlib.sha256(str(encoding.ids).encode()).digest()[:16] for encoding in encoded]
