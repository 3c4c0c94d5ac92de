"""Where the values of one array lie in a file: of which type, in which shape, with which gaps between them.

An array is a grid of tiles. A tile is a box of elements that begins at a byte and has one stride (in bytes) per axis,
so that records, interleaved fields and arrays in any order of axes are tiles too; what is cut into chunks or messages
has many.
Everything here trusts its numbers only as far as `checked` has compared them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, cast

import numpy as np

from lithify.codecs.array_types import U8, Bools, Values
from lithify.codecs.arrays.packing import pack_bits, unpack_bits
from lithify.codecs.arrays.scaling import SCALE_BYTES, Scale, holes_filled, numbers_of, values_of, with_holes
from lithify.errors import Corrupt, LimitExceeded

RANK_MAX = 16
ARRAYS_MAX, TILES_MAX = 1 << 14, 1 << 20
"""Of one file, all arrays together: each takes its time, however short."""
TYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")
"""Every type of element, in the order of its number in FORMAT.md."""
BITS_MAX = 32
SCALED_BITS_MIN, SCALED_BITS_MAX = 4, 24
"""Of numbers that stand for floats of 32 bits: memory stays bounded by the original, and a float holds them."""


@dataclass(frozen=True, slots=True)
class Element:
    """How one number is stored.

    type   one of TYPES
    big    whether its most significant byte comes first
    bits   0, or how many bits each number has: unsigned, most significant bit first, one behind the other
    scale  what the numbers stand for, where they are packed and of type f4 for that reason
    """

    type: str
    big: bool = False
    bits: int = 0
    scale: Scale | None = None

    @property
    def stored(self) -> np.dtype[np.generic]:
        """As it lies in the file."""
        return np.dtype((">" if self.big else "<") + self.type)

    @property
    def native(self) -> np.dtype[np.generic]:
        """As it is reckoned with."""
        return np.dtype(self.type)

    @classmethod
    def packed(cls, bits: int) -> "Element":
        """Numbers of so many bits, in the smallest type that holds them."""
        return cls("u1" if bits <= 8 else "u2" if bits <= 16 else "u4", bits=bits)

    @classmethod
    def scaled(cls, bits: int, scale: Scale) -> "Element":
        """Numbers of so many bits that stand for floats."""
        return cls("f4", bits=bits, scale=scale)


@dataclass(frozen=True)
class Extent:
    """The places of an array's values.

    tile     shape of each tile
    strides  bytes from one element of a tile to the next, per axis; for packed bits those of a tile without gaps
    grid     how many tiles there are along each axis; the array's shape is `grid` times `tile`
    offsets  where each tile begins, in the order of the grid, last axis fastest
    """

    element: Element
    tile: tuple[int, ...]
    strides: tuple[int, ...]
    grid: tuple[int, ...]
    offsets: tuple[int, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(count * side for count, side in zip(self.grid, self.tile, strict=True))

    @cached_property
    def tile_bytes(self) -> int:
        """Bytes that the elements of one tile have, gaps not counted."""
        count = prod(self.tile)
        return -(-count * self.element.bits // 8) if self.element.bits else count * self.element.stored.itemsize

    @cached_property
    def stored_bytes(self) -> int:
        """Bytes of all its elements in the file."""
        return self.tile_bytes * len(self.offsets)

    @property
    def value_bytes(self) -> int:
        """Bytes of the array in memory."""
        return prod(self.shape) * self.element.native.itemsize

    def checked(self, length: int) -> "Extent":
        """Itself. Raises Corrupt or LimitExceeded unless it lies in a file of `length` bytes and is not empty."""
        rank = len(self.tile)
        if rank > RANK_MAX:
            raise LimitExceeded(f"an array has {rank} axes; the limit is {RANK_MAX}")
        if not (rank == len(self.strides) == len(self.grid)) or min((*self.tile, *self.grid), default=1) < 1:
            raise Corrupt(f"an array of {self.grid} tiles of shape {self.tile}, strides {self.strides}, cannot be")
        if len(self.offsets) != prod(self.grid):
            raise Corrupt(f"an array has {len(self.offsets)} tiles, its grid {self.grid} has {prod(self.grid)}")
        if self.element.type not in TYPES or not 0 <= self.element.bits <= BITS_MAX:
            raise Corrupt(f"elements of type {self.element} do not exist")
        scale = self.element.scale
        if scale is not None and not (min(self.offsets) >= scale.back >= SCALE_BYTES and self.element.bits):
            raise Corrupt(f"numbers at byte {min(self.offsets)}, and what they stand for {scale.back} bytes before")
        if self.stored_bytes > length or self.value_bytes > 8 * length:
            raise LimitExceeded(f"an array of shape {self.shape} takes more than the {length} bytes of its file")
        if min(self.strides, default=0) < 0 or min(self.offsets) < 0 or max(self.offsets) + self.reach > length:
            raise Corrupt(f"an array of shape {self.shape} lies outside of its {length} bytes")
        return self

    @property
    def reach(self) -> int:
        """Bytes from the begin of a tile to the end of its last element."""
        if self.element.bits:
            return self.tile_bytes
        steps = sum((side - 1) * stride for side, stride in zip(self.tile, self.strides, strict=True))
        return steps + self.element.stored.itemsize

    def gather(self, data: bytes | bytearray | memoryview) -> Values:
        """The values in `data`, native, of `shape`. The extent was checked against the length of `data`."""
        cube = np.empty(self.shape, self.element.native)
        for offset, place in zip(self.offsets, self._places(), strict=True):
            cube[place] = self._read_tile(data, offset)
        return cube

    def scatter(self, cube: Values, out: bytearray) -> None:
        """Write the values of `cube` to their places in `out`, which is long enough (`checked`)."""
        for offset, place in zip(self.offsets, self._places(), strict=True):
            if self.element.bits:
                out[offset : offset + self.tile_bytes] = self._packed(cube[place], out, offset)
            else:
                self._view(out, offset)[...] = cube[place]

    def cover(self, mask: Bools) -> None:
        """Set the bytes that it has in the file to False."""
        for offset in self.offsets:
            self._bytes_of(mask, offset)[...] = False

    def claim(self, mask: Bools) -> bool:
        """Cover its bytes in `mask` if all are free; otherwise leave it as it is and say so."""
        if not self._is_apart():
            return False
        taken: list[Bools] = []
        for offset in self.offsets:
            view = self._bytes_of(mask, offset)
            if not view.all():
                for earlier in taken:
                    earlier[...] = True
                return False
            view[...] = False
            taken.append(view)
        return True

    def _is_apart(self) -> bool:
        """Whether no two elements of a tile share a byte, as far as strides alone can tell."""
        end = self.element.stored.itemsize
        for stride, side in sorted(zip(self.strides, self.tile, strict=True)):
            if side > 1 and stride < end:
                return False
            end = max(end, (side - 1) * stride + end)
        return True

    def _bytes_of(self, mask: Bools, offset: int) -> Bools:
        if self.element.bits:
            return mask[offset : offset + self.tile_bytes]
        size = self.element.stored.itemsize
        return np.ndarray((*self.tile, size), np.bool_, cast("Any", mask), offset, (*self.strides, 1))

    def _read_tile(self, data: bytes | bytearray | memoryview, offset: int) -> Values:
        if not self.element.bits:
            return self._view(data, offset)
        bits, scale = self.element.bits, self.element.scale
        packed: U8 = np.frombuffer(data, np.uint8, self.tile_bytes, offset)
        dtype = self.element.native if scale is None else np.dtype(np.uint32)
        numbers = unpack_bits(packed, bits, prod(self.tile), dtype).reshape(self.tile)
        if scale is None:
            return numbers
        values = values_of(numbers, *scale.read(data, offset))
        return with_holes(values, numbers, bits) if scale.holed else values

    def _packed(self, values: Values, out: bytearray, offset: int) -> bytes:
        bits, scale = self.element.bits, self.element.scale
        numbers = values if scale is None else numbers_of(values, *scale.read(out, offset), bits)
        if scale is not None and scale.holed:
            numbers = holes_filled(numbers, values, bits)
        return pack_bits(numbers.reshape(-1), bits).tobytes()

    def _view(self, data: bytes | bytearray | memoryview, offset: int) -> Values:
        return np.ndarray(self.tile, self.element.stored, data, offset, self.strides)

    def _places(self) -> Iterator[tuple[slice, ...]]:
        for index in np.ndindex(self.grid):
            yield tuple(slice(at * side, (at + 1) * side) for at, side in zip(index, self.tile, strict=True))


def contiguous(tile: Sequence[int], size: int) -> tuple[int, ...]:
    """Strides of a tile without gaps, last axis fastest."""
    found = []
    for side in reversed(tile):
        found.append(size)
        size *= side
    return tuple(reversed(found))


def one_tile(element: Element, shape: Sequence[int], offset: int, strides: Sequence[int] | None = None) -> Extent:
    """An array in one piece; without `strides` it has no gaps."""
    tile = tuple(shape)
    steps = contiguous(tile, element.stored.itemsize) if strides is None else tuple(strides)
    return Extent(element, tile, steps, (1,) * len(tile), (offset,))


def tiled(element: Element, tile: Sequence[int], grid: Sequence[int], offsets: Sequence[int]) -> Extent:
    """An array cut into tiles without gaps."""
    return Extent(element, tuple(tile), contiguous(tile, element.stored.itemsize), tuple(grid), tuple(offsets))


def stacked(extents: Sequence[Extent]) -> Extent:
    """Arrays alike in type, tile, strides and grid, as frames of one array behind a new first axis."""
    first = extents[0]
    tile = (1, *first.tile)
    step = first.strides[0] * first.tile[0] if first.tile else first.element.stored.itemsize
    offsets = tuple(offset for extent in extents for offset in extent.offsets)
    return Extent(first.element, tile, (step, *first.strides), (len(extents), *first.grid), offsets)


def skeleton_mask(extents: Sequence[Extent], length: int) -> Bools:
    """Which of `length` bytes belong to no array."""
    mask: Bools = np.ones(length, np.bool_)
    for extent in extents:
        extent.cover(mask)
    return mask
