"""The layout of a .gguf file: a header of values and tensor entries, then the tensors themselves, mapped.

The gguf package reads this too, but takes 2 s for the 32,000 pieces of the starter's tokenizer, and 12 s for Gemma's 256,000.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType
from gguf.quants import quant_shape_to_byte_shape
from numpy.typing import NDArray

_SCALARS = {
    GGUFValueType.UINT8: "<u1",
    GGUFValueType.INT8: "<i1",
    GGUFValueType.UINT16: "<u2",
    GGUFValueType.INT16: "<i2",
    GGUFValueType.UINT32: "<u4",
    GGUFValueType.INT32: "<i4",
    GGUFValueType.FLOAT32: "<f4",
    GGUFValueType.BOOL: "?",
    GGUFValueType.UINT64: "<u8",
    GGUFValueType.INT64: "<i8",
    GGUFValueType.FLOAT64: "<f8",
}
_PLAIN: dict[GGMLQuantizationType, np.dtype[Any]] = {GGMLQuantizationType.F32: np.dtype("<f4"), GGMLQuantizationType.F16: np.dtype("<f2")}


@dataclass(frozen=True)
class StoredTensor:
    name: str
    kind: GGMLQuantizationType
    data: NDArray[Any]
    """Numbers, or for quantised kinds the bytes of each row's blocks: (..., bytes a row)."""


class GGUFFile:
    """A .gguf file's `values` by key, and its `tensors`.

    Raises:
        ValueError: it isn't one, or it ends too early.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 4
        if self._map[:4] != b"GGUF" or self._scalar("<u4") not in (2, 3):
            raise ValueError("it doesn't begin as one")
        try:
            tensors, values = self._scalar("<u8"), self._scalar("<u8")
            self.values: dict[str, Any] = {self._string(): self._value(GGUFValueType(self._scalar("<u4"))) for _ in range(values)}
            entries = [self._entry() for _ in range(tensors)]
            align = int(self.values.get("general.alignment", 32))
            start = -(-self._at // align) * align
            self.tensors = [self._tensor(start, *entry) for entry in entries]
        except (struct.error, IndexError, UnicodeDecodeError, TypeError) as error:
            raise ValueError(f"it ends too early, or is damaged ({error})") from error

    def _scalar(self, form: str) -> Any:
        return self._array(form, 1)[0].item()

    def _array(self, form: str, count: int) -> NDArray[Any]:
        array = np.frombuffer(self._map, np.dtype(form), count, self._at)
        self._at += array.nbytes
        return array

    def _string(self) -> str:
        (length,) = struct.unpack_from("<Q", self._map, self._at)
        start = self._at + 8
        if start + length > len(self._map):
            raise IndexError("a text past the end")
        self._at = start + length
        return self._map[start : self._at].decode("utf-8")

    def _value(self, kind: GGUFValueType) -> Any:
        if kind == GGUFValueType.STRING:
            return self._string()
        if kind != GGUFValueType.ARRAY:
            return self._scalar(_SCALARS[kind])
        of, count = GGUFValueType(self._scalar("<u4")), self._scalar("<u8")
        if of == GGUFValueType.STRING:
            return [self._string() for _ in range(count)]
        if of == GGUFValueType.ARRAY:
            return [self._value(of) for _ in range(count)]
        return self._array(_SCALARS[of], count).tolist()

    def _entry(self) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
        name, dimensions = self._string(), self._scalar("<u4")
        shape = tuple(int(n) for n in reversed(self._array("<u8", dimensions)))
        return name, shape, GGMLQuantizationType(self._scalar("<u4")), self._scalar("<u8")

    def _tensor(self, start: int, name: str, shape: tuple[int, ...], kind: GGMLQuantizationType, offset: int) -> StoredTensor:
        stored: np.dtype[Any] = _PLAIN.get(kind, np.dtype(np.uint8))
        form = shape if kind in _PLAIN else quant_shape_to_byte_shape(shape, kind)
        data = np.frombuffer(self._map, stored, int(np.prod(form)), start + offset)
        return StoredTensor(name, kind, data.reshape(form))
