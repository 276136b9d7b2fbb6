"""GGUF files byte by byte, right or wrong: what no writer would make."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFValueType
from numpy.typing import NDArray

from tests.model.conftest import oracle
from tests.model.tiny import a_gemma_2

Value = tuple[GGUFValueType, Any]
FORMS = dict(
    zip((v for v in GGUFValueType if v not in (GGUFValueType.STRING, GGUFValueType.ARRAY)), "BbHhIif?QqD".replace("D", "d"), strict=True)
)


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def packed(kind: GGUFValueType, value: Any) -> bytes:
    """A value; that of an array is (type of its elements, their list)."""
    if kind == GGUFValueType.STRING:
        return text(value)
    if kind == GGUFValueType.ARRAY:
        of, elements = value
        return struct.pack("<IQ", of, len(elements)) + b"".join(packed(of, e) for e in elements)
    return struct.pack(f"<{FORMS[kind]}", value)


def some_blocks(kind: GGMLQuantizationType, rows: int, columns: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random blocks of a K kind, (rows, bytes), that stand for numbers between some -0.3 and 0.3."""
    numbers, size = GGML_QUANT_SIZES[kind]
    blocks = np.random.default_rng(seed).integers(0, 256, (rows * columns // numbers, size), dtype=np.uint8)
    half = np.frombuffer(np.float16(0.3 / (63 * 16 if kind != GGMLQuantizationType.Q6_K else 127 * 32)).tobytes(), np.uint8)
    places = (208,) if kind == GGMLQuantizationType.Q6_K else (0, 2)
    for place in places:
        blocks[:, place : place + 2] = half
    return blocks.reshape(rows, -1)


class Header:
    """A tiny Gemma 2's header, to be changed; `write` puts its tensors behind it."""

    def __init__(self, folder: Path, **sizes: int) -> None:
        sizes = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 32, "head_dim": 16, **sizes}
        a_gemma_2(folder / "whole.gguf", oracle(**sizes))
        reader = GGUFReader(folder / "whole.gguf")
        self.values: dict[str, Value] = {}
        for key, field in reader.fields.items():
            if not key.startswith("GGUF."):
                kind = field.types[0]
                contents = field.contents()
                self.values[key] = (kind, (field.types[1], contents) if kind == GGUFValueType.ARRAY else contents)
        self.tensors = [(t.name, [int(n) for n in t.shape], int(t.tensor_type), t.data) for t in reader.tensors]

    def bytes(self, values: dict[str, Value] | None = None, **first: Any) -> bytes:
        """The file, with other `values`; `first` changes its first tensor's name, shape, kind, offset."""
        values = {**self.values, **(values or {})}
        head = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(values))
        head += b"".join(text(key) + struct.pack("<I", kind) + packed(kind, value) for key, (kind, value) in values.items())
        data, entries = b"", b""
        for number, (name, shape, kind, array) in enumerate(self.tensors):
            entry = {"name": name, "shape": shape, "kind": kind, "offset": len(data), **(first if number == 0 else {})}
            sizes = struct.pack("<I", len(entry["shape"])) + struct.pack(f"<{len(entry['shape'])}Q", *entry["shape"])
            entries += text(entry["name"]) + sizes + struct.pack("<IQ", entry["kind"], entry["offset"])
            data += np.ascontiguousarray(array).tobytes() + bytes(-array.nbytes % 32)
        return head + entries + bytes(-len(head + entries) % 32) + data
