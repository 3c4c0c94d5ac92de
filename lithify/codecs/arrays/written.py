"""Pieces of variables as files that others read: NumPy's `.npy`, and NetCDF in its classic form.

Classic NetCDF says at its begin where everything lies, and then holds nothing but values: its length is known before
the first value was decoded, and it is written as fast as somebody reads it, in little memory. It has three spellings;
the oldest that can hold the types and sizes at hand is chosen, since most programs read that.
"""

import io
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from struct import pack
from typing import Literal

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.containers.description import Attribute, Attributes
from lithify.codecs.arrays.cutting import Piece, cut_all, cut_one
from lithify.codecs.arrays.labelled import LabelledFile
from lithify.codecs.arrays.wish import Cut
from lithify.errors import BadArgument

Form = Literal["npy", "netcdf"]
FORMS: tuple[Form, ...] = ("npy", "netcdf")
_TYPES = {"i1": 1, "S1": 2, "i2": 3, "i4": 4, "f4": 5, "f8": 6, "u1": 7, "u2": 8, "u4": 9, "i8": 10, "u8": 11}
_LATE_TYPES = frozenset({"u1", "u2", "u4", "i8", "u8"})
_CHAR, _DIMENSION, _VARIABLE, _ATTRIBUTE = 2, 10, 11, 12
_CLASSIC, _LONG_OFFSETS, _LONG_COUNTS = 1, 2, 5
"""The spellings, by the byte behind `CDF`."""
_SIGNED_MAX = 2**31 - 1


@dataclass(frozen=True)
class Written:
    """A file on its way out.

    length  of all its blocks together
    """

    length: int
    blocks: Iterator[bytes]


def write(file: LabelledFile, wish: Cut, form: Form) -> Written:
    """What is wanted of a file, in a form. Raises NotFound, BadArgument or Conflict before the first block."""
    if form == "npy":
        return npy(cut_one(file, wish))
    pieces = cut_all(file, wish)
    groups = {piece.variable.group for piece in pieces}
    inner = file.attributes.get(groups.pop(), {}) if len(groups) == 1 else {}
    return netcdf(pieces, {**file.attributes.get("", {}), **inner})


def npy(piece: Piece) -> Written:
    """One array, as numpy.save writes it."""
    texts = piece.whole().astype(np.str_) if piece.dtype.hasobject else None
    dtype = piece.dtype if texts is None else texts.dtype
    head = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": piece.shape}
    np.lib.format.write_array_header_1_0(head, described)
    blocks = piece.blocks() if texts is None else iter([texts])
    length = len(head.getvalue()) + prod(piece.shape) * dtype.itemsize
    return Written(length, _after(head.getvalue(), (block.tobytes() for block in blocks)))


def _after(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from blocks


# --- NetCDF -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A variable as NetCDF holds it."""

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    type: str
    attributes: Attributes
    blocks: Callable[[], Iterator[Values]]

    @property
    def length(self) -> int:
        return prod(self.shape) * np.dtype(self.type).itemsize


def netcdf(pieces: Sequence[Piece], attributes: Attributes) -> Written:
    """Variables with their attributes, and those of the whole. Every dimension has a fixed length.

    Texts become characters with `_Encoding`, as xarray does it, and halves of floats whole ones.
    Raises BadArgument for what cannot be in one such file.
    """
    coordinates = frozenset(piece.variable.name for piece in pieces if piece.variable.is_coordinate)
    columns = [_column(piece, _explained(piece, coordinates)) for piece in pieces]
    names = [one.name for one in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadArgument(f"two variables are called {twice!r}, in different groups: ask for one at a time")
    header = _Header(columns, attributes, _sides(columns))
    return Written(header.end, _after(header.written(), _bodies(columns)))


def _explained(piece: Piece, coordinates: Container[str]) -> Attributes:
    """The attributes of a piece, that name the coordinate of each axis that is gone: it has one value left."""
    gone = [
        name
        for name, part in zip(piece.variable.dimensions, piece.parts, strict=True)
        if isinstance(part, int) and piece.variable.group + name in coordinates
    ]
    if piece.variable.is_coordinate or not gone:
        return piece.attributes
    named = piece.attributes.get("coordinates")
    words = [*(named.split() if isinstance(named, str) else ()), *gone]
    return {**piece.attributes, "coordinates": " ".join(dict.fromkeys(words))}


def _column(piece: Piece, attributes: Attributes) -> _Column:
    if piece.dtype.hasobject:
        return _of_texts(piece, attributes)
    kind = "f4" if piece.dtype == np.float16 else piece.dtype.str[1:]
    if kind not in _TYPES:
        raise BadArgument(f"{piece.variable.name} is of type {piece.dtype}, which NetCDF has not; ask for .npy")
    stored = np.dtype(">" + kind)
    return _Column(
        piece.name,
        piece.dimensions,
        piece.shape,
        kind,
        attributes,
        lambda: (one.astype(stored) for one in piece.blocks()),
    )


def _of_texts(piece: Piece, attributes: Attributes) -> _Column:
    """Texts as rows of characters, each as long as the longest."""
    raw = np.asarray([str(text).encode() for text in piece.whole().reshape(-1)] or [b""], np.bytes_)
    width = max(1, raw.dtype.itemsize)
    characters = raw.astype(f"S{width}").view("S1")[: prod(piece.shape) * width]
    name = f"{piece.name}_characters"
    return _Column(
        piece.name,
        (*piece.dimensions, name),
        (*piece.shape, width),
        "S1",
        {**attributes, "_Encoding": "utf-8"},
        lambda: iter([characters]),
    )


def _sides(columns: Sequence[_Column]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in columns:
        for name, side in zip(one.dimensions, one.shape, strict=True):
            if found.setdefault(name, side) != side:
                raise BadArgument(
                    f"the dimension {name} has {found[name]} steps for one variable and {side} for {one.name}: "
                    "ask for one at a time"
                )
            if not side:
                raise BadArgument(f"the dimension {name} of {one.name} is empty, which classic NetCDF cannot hold")
    return found


def _bodies(columns: Sequence[_Column]) -> Iterator[bytes]:
    for one in columns:
        for block in one.blocks():
            yield block.tobytes()
        yield bytes(-one.length % 4)


class _Header:
    """What stands before the values. `begins` say where those of each variable do, `end` where the last ends."""

    def __init__(self, columns: Sequence[_Column], attributes: Attributes, sides: Mapping[str, int]) -> None:
        self._columns, self._attributes, self._sides = columns, attributes, sides
        self._version = _LONG_COUNTS if self._needs_long_counts() else _CLASSIC
        self._place()
        if self.end > _SIGNED_MAX and self._version == _CLASSIC:
            self._version = _LONG_OFFSETS
            self._place()

    def _place(self) -> None:
        self.begins = [0] * len(self._columns)
        at = len(self.written())
        for number, one in enumerate(self._columns):
            self.begins[number] = at
            at += one.length + -one.length % 4
        self.end = at

    def _needs_long_counts(self) -> bool:
        told = [self._attributes, *(one.attributes for one in self._columns)]
        types = {_kind(value) for some in told for value in some.values()} | {one.type for one in self._columns}
        largest = max((*(one.length for one in self._columns), *self._sides.values()), default=0)
        return bool(types & _LATE_TYPES) or largest > _SIGNED_MAX

    def written(self) -> bytes:
        """The header itself."""
        number = {name: at for at, name in enumerate(self._sides)}
        dimensions = [self._text(name) + self._count(side) for name, side in self._sides.items()]
        variables = [
            self._text(one.name)
            + self._count(len(one.dimensions))
            + b"".join(self._count(number[name]) for name in one.dimensions)
            + self._all(one.attributes)
            + pack(">i", _TYPES[one.type])
            + self._count(one.length + -one.length % 4)
            + pack(">i" if self._version == _CLASSIC else ">q", begin)
            for one, begin in zip(self._columns, self.begins, strict=True)
        ]
        head = b"CDF" + bytes([self._version]) + self._count(0) + self._list(_DIMENSION, dimensions)
        return head + self._all(self._attributes) + self._list(_VARIABLE, variables)

    def _count(self, count: int) -> bytes:
        return pack(">q" if self._version == _LONG_COUNTS else ">i", count)

    def _list(self, tag: int, items: Sequence[bytes]) -> bytes:
        return pack(">i", tag if items else 0) + self._count(len(items)) + b"".join(items)

    def _text(self, text: str) -> bytes:
        raw = text.encode()
        return self._count(len(raw)) + raw + bytes(-len(raw) % 4)

    def _all(self, attributes: Attributes) -> bytes:
        return self._list(_ATTRIBUTE, [self._attribute(name, value) for name, value in attributes.items()])

    def _attribute(self, name: str, value: Attribute) -> bytes:
        if isinstance(value, np.ndarray):
            kind = _kind(value)
            raw = value.astype(">" + kind).tobytes()
            return self._text(name) + pack(">i", _TYPES[kind]) + self._count(value.size) + raw + bytes(-len(raw) % 4)
        return self._text(name) + pack(">i", _CHAR) + self._text(value if isinstance(value, str) else "\n".join(value))


def _kind(value: Attribute) -> str:
    """The type of an attribute, as NetCDF holds it."""
    if not isinstance(value, np.ndarray):
        return "S1"
    return "f4" if value.dtype == np.float16 else str(value.dtype.str[1:])
