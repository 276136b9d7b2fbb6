"""Text to token ids and back, with one rule that keeps documents harmless: text never becomes a control token.

Tokenizer files turn a literal "<end_of_turn>" in a text into the control token of that name. Here the control pieces are taken out
of the encoder: they exist only as ids (`bos_id`, `start_of_turn_id`, ...) that code places.
"""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer as Encoder

from model.errors import SourceError

# Gemma's vocabulary has whole pieces for runs of white space and for these tags: plain content, not control.
_CONTENT = re.compile(
    r"[\n\t\u2581 ]+"
    r"|</?(table|caption|thead|tbody|tfoot|tr|th|td|h[1-6]|blockquote|strong|strike|code|em|sub|sup|[biaus]|ul|ol|li|dl|dt|dd|pre|p|br|hr|img)>"
)


def is_content(piece: str) -> bool:
    """Whether a special piece of a tokenizer file stands for text that documents may hold."""
    return _CONTENT.fullmatch(piece) is not None


_ROLES = {"user": "user", "assistant": "model"}


class Tokenizer:
    """Encodes without control tokens, decodes without showing any, and lays out Gemma's chat turns."""

    def __init__(self, encoder: Encoder, control: dict[str, int], origin: str) -> None:
        self._encoder = encoder
        self._control = {i: piece for piece, i in control.items()}
        self._bytes = {encoder.token_to_id(f"<0x{byte:02X}>"): bytes([byte]) for byte in range(256)}
        try:
            encoder.encode("\0\U0010ffff")  # in no vocabulary: fails, if it does, now and not within a document
        except Exception as error:
            raise SourceError(f"{origin}: the tokenizer can't encode every text ({error})") from error
        try:
            self.bos_id = control["<bos>"]
            self.start_of_turn_id = control["<start_of_turn>"]
            self.end_of_turn_id = control["<end_of_turn>"]
            self.stop_ids = frozenset({control["<eos>"], self.end_of_turn_id})
        except KeyError as error:
            raise SourceError(f"{origin}: the tokenizer has no {error} piece, so it is not Gemma's") from error

    @classmethod
    def from_json(cls, text: str, origin: str = "tokenizer.json", vocab_size: int | None = None) -> "Tokenizer":
        """From the contents of Hugging Face's tokenizer.json.

        Raises:
            SourceError: it is no tokenizer of Gemma's, or has more pieces than the network's `vocab_size`.
        """
        try:
            encoder, control, size = _read_json(text)
        except Exception as error:  # plain Exception is what the tokenizers library raises
            raise SourceError(f"{origin}: not a tokenizer.json with a BPE vocabulary ({error!r:.100})") from error
        if vocab_size is not None and size > vocab_size:
            raise SourceError(f"{origin}: has {size:,} pieces; the network has {vocab_size:,}", "take both from one checkpoint")
        return cls(encoder, control, origin)

    def encode(self, text: str) -> list[int]:
        """Text from anywhere -> ids, none of them a control token, no <bos>."""
        ids: list[int] = self._encoder.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        return ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [e.ids for e in self._encoder.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> text; control tokens show as nothing, broken byte sequences as U+FFFD."""
        stream = TextStream(self)
        return "".join([*map(stream.push, ids), stream.flush()])

    def to_json(self) -> str:
        """Hugging Face's tokenizer.json: here, control pieces in a text are control tokens, and <bos> stands before it."""
        data = json.loads(self._encoder.to_str())
        plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        control = [{"id": i, "content": piece, **plain, "special": True} for i, piece in self._control.items()]
        data["added_tokens"] = sorted(data["added_tokens"] + control, key=lambda token: token["id"])
        data["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, *({"Sequence": {"id": x, "type_id": 0}} for x in "AB")],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [self.bos_id], "tokens": ["<bos>"]}},
        }
        return json.dumps(data, ensure_ascii=False)

    def piece(self, token: int) -> str | bytes:
        """What a token adds to a text: a byte of a character, or text; nothing for a control token."""
        if token in self._control:
            return b""
        if token in self._bytes:
            return self._bytes[token]
        text: str = self._encoder.decode([token], skip_special_tokens=False)
        return text

    def turn(self, role: str, content: Sequence[int]) -> list[int]:
        """<start_of_turn>role\\n ... <end_of_turn>\\n around ids that are already encoded."""
        return [*self.open_turn(role), *content, *self.close_turn()]

    def open_turn(self, role: str) -> list[int]:
        return [self.start_of_turn_id, *self.encode(f"{_ROLES[role]}\n")]

    def close_turn(self) -> list[int]:
        return [self.end_of_turn_id, *self.encode("\n")]

    def chat(self, messages: Sequence[tuple[str, str | Sequence[str]]]) -> list[int]:
        """(role, text) pairs -> the ids of Gemma 2's chat template, ready for the model's turn.

        A text may be a list of pieces: each is encoded on its own and the ids are joined, so that the tokens of a prompt
        are the sum of the tokens of its pieces. Roles are "system", "user" and "assistant". Gemma 2 has no system role, so
        its text opens the first user turn; neighbours of one role become one turn, since turns must alternate and begin
        with the user.
        """
        turns: list[tuple[str, list[str]]] = []
        for role, text in messages:
            role = "user" if role == "system" else role
            pieces = [text] if isinstance(text, str) else list(text)
            if turns and turns[-1][0] == role:
                turns[-1][1].extend(["\n\n", *_trim(pieces)])
            else:
                turns.append((role, _trim(pieces)))
        if turns and turns[0][0] == "assistant":
            turns.insert(0, ("user", []))
        ids = [self.bos_id]
        for role, pieces in turns:
            ids += self.turn(role, [i for piece in pieces for i in self.encode(piece)])
        return ids + self.open_turn("assistant")


def _read_json(text: str) -> tuple[Encoder, dict[str, int], int]:
    """The encoder without control pieces, their ids, and how many ids there are."""
    data: dict[str, Any] = json.loads(text)
    added, vocab = data["added_tokens"], data["model"]["vocab"]
    for token in added:
        vocab.setdefault(token["content"], token["id"])
    control = {t["content"]: vocab[t["content"]] for t in added if t["special"] or not is_content(t["content"])}
    data["added_tokens"] = [t for t in added if t["content"] not in control]
    data["post_processor"] = data["truncation"] = data["padding"] = None
    # an added token must not come out of merges either
    pairs = [m.split(" ") if isinstance(m, str) else m for m in data["model"]["merges"]]
    data["model"]["merges"] = [pair for pair in pairs if "".join(pair) not in control]
    return Encoder.from_str(json.dumps(data)), control, 1 + max(vocab.values())


def _trim(pieces: list[str]) -> list[str]:
    """Trims a message as the template does: the start of its first piece and the end of its last."""
    pieces = [pieces[0].lstrip(), *pieces[1:]] if pieces else []
    return [*pieces[:-1], pieces[-1].rstrip()] if pieces else []


class TextStream:
    """Decodes ids that arrive one by one; bytes of a character are held back until it is whole or can't become so."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._bytes = getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        piece = self._tokenizer.piece(token)
        return self._bytes.decode(piece) if isinstance(piece, bytes) else self.flush() + piece

    def flush(self) -> str:
        return self._bytes.decode(b"", final=True)
