"""The doors of the numeric coder: an array of numbers becomes bytes, and comes back whole or in part.

What is written is in FORMAT.md. Without a bound the array comes back bit for bit, NaN payloads and the sign of zero too;
with one, every finite float within it, and all else bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, Literal

import numpy as np

from lithify.codecs.arrays.cube import AXES_MAX, Cube, Shape, cube_count, read_cube, selected, stack
from lithify.codecs.arrays.general import METHODS, decode_general, encode_general
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Effort
from lithify.errors import BadArgument, Corrupt, LimitExceeded, Truncated

_LENGTH_MAX = 1 << 40
Slices = tuple[slice | int, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """By how much a finite float may differ.

    kind     `abs` in the unit of the values; `rel` as a part of their range (largest less smallest valid value of the
             array); `pwrel` as a part of each value, zeros and signs exact
    value    above 0
    """

    kind: Literal["abs", "rel", "pwrel"]
    value: float

    def __post_init__(self) -> None:
        if self.kind not in ("abs", "rel", "pwrel") or not (self.value > 0 and isfinite(self.value)):
            raise BadArgument(f"bound {self.kind}={self.value}: expected abs, rel or pwrel, and a number above 0")


def encode_values(
    values: np.ndarray, *, bound: Bound | None, effort: Effort, fills: Sequence[Any] = ()
) -> bytes:
    """The payload of one array of any shape.

    values   bool, integers, floats of 16, 32 or 64 bits, complex; any byte order and strides
    bound    what finite floats may differ by; None: nothing. Integers are always exact
    fills    values that stand for "no value": always exact, and not part of the range that `rel` means

    Raises BadArgument for a dtype that is no number.
    """
    plain = _as_numbers(values)
    if not plain.size:
        return b""
    cube = stack(plain.shape)
    stacked = cube.stacked(plain)
    blocks = [
        encode_general(stacked[_slices(block)], effort) for block in cube.blocks()
    ]
    return cube.pack() + b"".join(varint(len(block)) for block in blocks) + b"".join(blocks)


def decode_values(payload: bytes, shape: Shape, dtype: np.dtype) -> np.ndarray:
    """The array of `shape` and `dtype`, in the machine's byte order.

    Raises Truncated, Corrupt or LimitExceeded; bytes that no encoder wrote may also give some array or other.
    """
    return decode_part(payload, shape, dtype, (slice(None),) * len(shape))


def decode_part(payload: bytes, shape: Shape, dtype: np.dtype, slices: Slices) -> np.ndarray:
    """A part of the array of `shape`: what `array[slices]` would be. Only the blocks that it touches are decoded.

    slices   a slice or an integer per axis; axes that are not named are whole

    Raises as `decode_values` does, and IndexError for an integer outside its axis.
    """
    number, pair = _number(np.dtype(dtype))
    if len(shape) >= AXES_MAX:
        raise LimitExceeded(f"an array of {len(shape)} axes; the limit is {AXES_MAX - 1}")
    wanted = [np.atleast_1d(np.arange(length)[part]) for length, part in zip(shape, _filled(slices, shape), strict=True)]
    inner = (*shape, 2) if pair else shape
    if pair:
        wanted.append(np.arange(2))
    found = _decoded(payload, inner, number, wanted)
    if pair:
        found = np.ascontiguousarray(found).view(np.dtype(dtype).newbyteorder("="))[..., 0]
    else:
        found = found.view(np.dtype(dtype).newbyteorder("="))
    return found.reshape([len(w) for w, part in zip(wanted, _filled(slices, shape), strict=False) if isinstance(part, slice)])


def _decoded(payload: bytes, shape: Shape, dtype: np.dtype, wanted: list[np.ndarray]) -> np.ndarray:
    """The values at the wanted indices of every axis."""
    lengths = [len(indices) for indices in wanted]
    if not prod(shape):
        if payload:
            raise Corrupt(f"array payload: {len(payload)} bytes for an array without values")
        return np.zeros(lengths, dtype)
    reader = Reader(payload)
    cube = read_cube(reader, shape)
    blocks = _block_bodies(reader, cube)
    flat = np.zeros(prod(lengths), dtype)
    all_blocks = cube.blocks()
    for number, source, target in selected(cube, wanted):
        flat[target] = _decode_block(blocks[number], all_blocks[number].shape, dtype)[np.ix_(*source)]
    ordered = flat.reshape([lengths[axis] for axis in cube.order])
    return np.transpose(ordered, np.argsort(cube.order))


def _block_bodies(reader: Reader, cube: Cube) -> list[bytes]:
    count = cube_count(cube)
    if count > reader.left:
        raise Truncated(f"array payload: {count} blocks, and {reader.left} bytes for them")
    lengths = [reader.varint(_LENGTH_MAX) for _ in range(count)]
    bodies = [reader.take(length) for length in lengths]
    reader.end()
    return bodies


def _decode_block(body: bytes, shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    if not body:
        raise Truncated("array payload: a block has no bytes")
    if body[0] not in METHODS:
        raise Corrupt(f"array payload: a block is kept by method 0x{body[0]:02x}, which does not exist")
    return decode_general(body[0], body[1:], shape, dtype)


def _as_numbers(values: np.ndarray) -> np.ndarray:
    """The array in native byte order, as numbers of one of the kinds that are coded."""
    number, pair = _number(values.dtype)
    native = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False)).reshape(values.shape)
    return native.reshape(-1).view(number).reshape((*values.shape, 2) if pair else values.shape)


def _number(dtype: np.dtype) -> tuple[np.dtype, bool]:
    """The dtype that values of `dtype` are coded as, and whether each is a pair of them. Raises BadArgument."""
    kind, width = dtype.kind, dtype.itemsize
    if kind == "b":
        return np.dtype(np.uint8), False
    if kind in "mM":
        return np.dtype(np.int64), False
    if kind in "iu" and width in (1, 2, 4, 8):
        return np.dtype(f"{kind}{width}"), False
    if kind == "f" and width in (2, 4, 8):
        return np.dtype(f"f{width}"), False
    if kind == "c" and width in (8, 16):
        return np.dtype(f"f{width // 2}"), True
    raise BadArgument(f"values of dtype {dtype!s:.40} are no numbers that can be coded")


def _slices(block: Any) -> tuple[slice, slice, slice]:
    f, r, c = block.frames, block.rows, block.columns
    return slice(f.start, f.stop), slice(r.start, r.stop), slice(c.start, c.stop)


def _filled(slices: Slices, shape: Shape) -> Slices:
    if len(slices) > len(shape):
        raise IndexError(f"{len(slices)} slices for an array of {len(shape)} axes")
    return (*slices, *(slice(None),) * (len(shape) - len(slices)))
