"""NIfTI 1 and 2 in one file: a header of fixed places, then one array, first axis fastest."""

from math import prod
from typing import Any, NamedTuple, cast

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable, bytes_at, of_dtype
from lithify.errors import Corrupt

_RANK_MAX = 7
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 128: "3u1", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8", 1792: "c16", 2304: "4u1",
}  # fmt: skip


class _Places(NamedTuple):
    """Where a version of the header has what, and as which type."""

    header_bytes: int
    sides: tuple[int, str]
    type: tuple[int, str]
    values: tuple[int, str]


_VERSIONS = (
    _Places(348, (40, "8h"), (70, "h"), (108, "f")),
    _Places(540, (16, "8q"), (12, "h"), (168, "q")),
)


def find(data: Bytes, length: int) -> list[Variable]:
    """Its array."""
    for order in "<>":
        size = BytesReader(data, 0, order).number("i")
        for places in _VERSIONS:
            if size == places.header_bytes:
                return _array(data, order, places)
    raise Corrupt("not a NIfTI file")


def _array(data: Bytes, order: str, places: _Places) -> list[Variable]:
    rank, *all_sides = BytesReader(data, places.sides[0], order).numbers(places.sides[1])
    if not 1 <= rank <= _RANK_MAX or min(all_sides[:rank]) < 1:
        raise Corrupt(f"a NIfTI file of {rank} axes, {all_sides}")
    kind = BytesReader(data, places.type[0], order).number(places.type[1])
    offset = BytesReader(data, places.values[0], order).number(places.values[1])
    # Values in the header are none: a bound would loosen what the file is read by.
    if kind not in _TYPES or not places.header_bytes <= offset < 1 << 62:
        raise Corrupt(f"a NIfTI file of type {kind} with values at {offset}")
    dtype = np.dtype(_TYPES[kind]).newbyteorder(cast("Any", order))
    shape = tuple(reversed(all_sides[:rank]))
    is_data = prod(shape) > max(shape)
    return of_dtype(dtype, Variable("", bytes_at(shape, dtype.itemsize, int(offset)), data=is_data, turned=True))
