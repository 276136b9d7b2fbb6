"""The layout of a .gguf file: a header of values and of tensor entries, then the tensors themselves, mapped.

The gguf package has a reader too. It takes 2 s for the 32,000 pieces of the starter's tokenizer, and 12 s for Gemma's 256,000.
"""

import math
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType
from gguf.quants import quant_shape_to_byte_shape
from numpy.typing import NDArray

from model.errors import SourceError

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
_NAMES = {kind.value: kind.name for kind in GGMLQuantizationType}
_READABLE = {kind.value for kind in GGMLQuantizationType if kind.name not in "Q8_1 Q8_K Q1_0 I8 I16 I32 I64 F64".split()}
"""The types that the gguf package turns into numbers; the others are for activations, or aren't used for weights."""

_Entry = tuple[str, tuple[int, ...], GGMLQuantizationType, int]
"""Name, shape, type, offset."""


@dataclass(frozen=True)
class StoredTensor:
    name: str
    kind: GGMLQuantizationType
    data: NDArray[Any]
    """Numbers, or for quantised kinds the bytes of each row's blocks: (..., bytes a row)."""


def _further_parts(path: Path, parts: int) -> Iterator[tuple[Path, int]]:
    """The files beside the first of several, as llama.cpp names them, and which part each is."""
    base = path.name.removesuffix(f"-00001-of-{parts:05}.gguf")
    for n in range(1, parts):
        file = path.with_name(f"{base}-{n + 1:05}-of-{parts:05}.gguf")
        if not file.is_file():
            raise SourceError(f"{path}: is part 1 of a model in {parts} files, and {file.name} is not beside it", "download all of them")
        yield file, n


class GGUFFile:
    """A .gguf file's `values` by key, and its `tensors`; those of all parts, where it is the first of several files.

    Raises:
        SourceError: it isn't one, is damaged or cut short, lacks a part, or holds a tensor of a type that can't be read.
    """

    def __init__(self, path: Path, part: int = 0) -> None:
        """
        Args:
            part: which part of a model this file must be, where that is in several.
        """
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.values, entries = self._header()
            self.parts, found = (self._whole_number(f"split.{key}", default) for key, default in (("count", 1), ("no", 0)))
            if found != part:
                raise SourceError(f"{path}: is part {found + 1} of a model in {self.parts} files", "name the first of them")
            start = self._aligned(self._at)
            self.tensors = [self._tensor(start, *entry) for entry in entries]
        except (OSError, ValueError, IndexError, OverflowError, struct.error) as error:
            raise SourceError(f"{path}: not a readable GGUF file ({error})") from error
        if part == 0 and self.parts > 1:
            self.tensors += [tensor for file, n in _further_parts(path, self.parts) for tensor in GGUFFile(file, n).tensors]

    def _whole_number(self, key: str, default: int) -> int:
        value = self.values.get(key, default)
        if type(value) is not int:
            raise ValueError(f"{key} is no number")
        return value

    def _header(self) -> tuple[dict[str, Any], list[_Entry]]:
        self._at = 4
        if self._map[:4] != b"GGUF" or self._scalar("<u4") not in (2, 3):
            raise ValueError("it doesn't begin as one")
        tensors, values = self._scalar("<u8"), self._scalar("<u8")
        found = {self._string(): self._value(GGUFValueType(self._scalar("<u4"))) for _ in range(values)}
        return found, [self._entry() for _ in range(tensors)]

    def _aligned(self, at: int) -> int:
        step = self._whole_number("general.alignment", 32)
        if step < 1:
            raise ValueError("general.alignment is no size")
        return -(-at // step) * step

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
            raise IndexError("it ends within a text")
        self._at = start + length
        return self._map[start : self._at].decode("utf-8")

    def _value(self, kind: GGUFValueType) -> Any:
        if kind == GGUFValueType.STRING:
            return self._string()
        if kind != GGUFValueType.ARRAY:
            return self._scalar(_SCALARS[kind])
        of, count = GGUFValueType(self._scalar("<u4")), self._scalar("<u8")
        if of == GGUFValueType.ARRAY:
            raise ValueError("an array of arrays, which no model has")
        if of == GGUFValueType.STRING:
            return [self._string() for _ in range(count)]
        return self._array(_SCALARS[of], count).tolist()

    def _entry(self) -> _Entry:
        name, dimensions = self._string(), self._scalar("<u4")
        shape = tuple(int(n) for n in reversed(self._array("<u8", dimensions)))
        kind, offset = self._scalar("<u4"), self._scalar("<u8")
        if kind not in _READABLE:
            raise ValueError(f"tensor {name!r:.100} is of type {_NAMES.get(kind, kind)}, which can't be turned into numbers")
        if 0 in shape:
            raise ValueError(f"tensor {name!r:.100} is empty")
        return name, shape, GGMLQuantizationType(kind), offset

    def _tensor(self, start: int, name: str, shape: tuple[int, ...], kind: GGMLQuantizationType, offset: int) -> StoredTensor:
        stored: np.dtype[Any] = _PLAIN.get(kind, np.dtype(np.uint8))
        form = shape if kind in _PLAIN else quant_shape_to_byte_shape(shape, kind)
        data = np.frombuffer(self._map, stored, math.prod(form), start + offset)
        return StoredTensor(name, kind, data.reshape(form))
