"""The shape that arrays are coded in: a stack of frames, cut into blocks that decode alone.

The axes of an array are put in an order that makes good frames (the two longest that vary slowest in memory come last,
axes of length 1 first); all but the last two are flattened to one. A block is some neighbouring frames of one tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from lithify.codecs.arrays.reach import NEAR
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt, LimitExceeded

Shape = tuple[int, ...]

BLOCK_VALUES_MAX = 1 << 22
BLOCKS_MAX = 1 << 16
FRAMED_VALUES_MAX = 1 << 24
"""Of a block with all that stands around its frames: what predicting takes memory for."""
AXES_MAX = 32
_TILE_MAX, _STACKED_TILE_MAX = 512, 384
"""Sides of a tile: of few frames, and of many, so that a block still has many of them."""
_FRAMES_MAX = 64
_BLOCK_VALUES_MOST = 1 << 21
"""Of what is written here: 0.7 s to decode for whoever wants one of them."""
_BLOCK_VALUES = 1 << 19
"""Small frames are stacked higher, up to so many values: a block learns from nobody else."""
_FRAMES_MIN = 8
"""Of a block of large frames. What one of them costs is that of all before it in its block, whatever tiles it has;
16 of them, of 512 by 512 values, took 1.7 % fewer bytes, and the last 1.6 % of decoding 1 GiB."""
_SHORT_AXIS = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Where one block lies in the cube: half-open ranges of frames, rows and columns."""

    frames: range
    rows: range
    columns: range

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns."""
        return len(self.frames), len(self.rows), len(self.columns)


@dataclass(frozen=True, slots=True)
class Cube:
    """How an array of `shape` is stacked and cut.

    order    the axes of the array in the order of the stack; the last two are rows and columns
    step     frames, rows and columns of a block; those at the far ends may have fewer
    """

    shape: Shape
    order: tuple[int, ...]
    step: tuple[int, int, int]

    @property
    def ordered(self) -> Shape:
        """The shape with its axes in order, at least two of them."""
        shape = tuple(self.shape[axis] for axis in self.order)
        return (1,) * (2 - len(shape)) + shape

    @property
    def stack(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the whole."""
        *lead, rows, columns = self.ordered
        return prod(lead), rows, columns

    def blocks(self) -> list[Block]:
        """All blocks: by frames, then rows, then columns."""
        frames, rows, columns = (
            [range(at, min(at + step, length)) for at in range(0, length, step)]
            for length, step in zip(self.stack, self.step, strict=True)
        )
        return [Block(f, r, c) for f in frames for r in rows for c in columns]

    def stacked(self, values: np.ndarray) -> np.ndarray:
        """The array as frames, rows and columns (a view where numpy can make one)."""
        return np.reshape(np.transpose(values, self.order), self.stack)

    def unstacked(self, frames: np.ndarray) -> np.ndarray:
        """The inverse of `stacked`."""
        shape = tuple(self.shape[axis] for axis in self.order)
        return np.transpose(np.reshape(frames, shape), np.argsort(self.order))

    def pack(self) -> bytes:
        """As it is written; the shape itself is known to who reads."""
        return b"".join(map(varint, (*self.order, *self.step)))


def stack(shape: Shape, *, shallow: bool = False) -> Cube:
    """The cube that an array of this shape, of at least one value, makes.

    shallow   whether blocks hold few frames where those are large, so that one of them comes sooner: differences lose
              0.2 % by it, least squares that see fewer frames 9 %
    """
    order = _order(shape)
    cube = Cube(shape, order, (1, 1, 1))
    frames, rows, columns = cube.stack
    if rows == 1:
        return Cube(shape, order, (1, 1, _even(columns, BLOCK_VALUES_MAX // 4)))
    side = _TILE_MAX if frames * _TILE_MAX**2 <= _BLOCK_VALUES_MOST else _STACKED_TILE_MAX
    row_step, column_step = _even(rows, side), _even(columns, side)
    tile = row_step * column_step
    most = min(max(_FRAMES_MAX, _BLOCK_VALUES // tile), max(1, _BLOCK_VALUES_MOST // tile))
    least = 1 if shallow else _FRAMES_MIN
    most = min(most, max(least, _BLOCK_VALUES_MOST // (rows * columns)))
    frame_step = _even(frames, most)
    return Cube(shape, order, (frame_step, row_step, column_step))


def read_cube(reader: Reader, shape: Shape) -> Cube:
    """The cube that was packed for an array of `shape`. Raises Corrupt or LimitExceeded."""
    order = tuple(reader.varint(len(shape)) for _ in shape)
    if sorted(order) != list(range(len(shape))):
        raise Corrupt(f"array payload: {order} is no order of {len(shape)} axes")
    step = (reader.varint(BLOCK_VALUES_MAX), reader.varint(BLOCK_VALUES_MAX), reader.varint(BLOCK_VALUES_MAX))
    if not all(step) or prod(step) > BLOCK_VALUES_MAX:
        raise LimitExceeded(f"array payload: blocks of {step} values; the limit is {BLOCK_VALUES_MAX}")
    if NEAR.framed(*step) > FRAMED_VALUES_MAX:
        raise LimitExceeded(
            f"array payload: blocks of {step} values with their frames; the limit is {FRAMED_VALUES_MAX}"
        )
    cube = Cube(shape, order, step)
    if cube_count(cube) > BLOCKS_MAX:
        raise LimitExceeded(f"array payload: {cube_count(cube)} blocks; the limit is {BLOCKS_MAX}")
    return cube


def cube_count(cube: Cube) -> int:
    """How many blocks there are."""
    return prod(-(-length // step) for length, step in zip(cube.stack, cube.step, strict=True))


def _order(shape: Shape) -> tuple[int, ...]:
    """Axes of length 1, then a short last one (channels, parts of complex numbers), then the rest."""
    axes = range(len(shape))
    long = [axis for axis in axes if shape[axis] > 1]
    ones = [axis for axis in axes if shape[axis] <= 1]
    if len(long) > 2 and shape[long[-1]] <= _SHORT_AXIS < min(shape[long[-2]], shape[long[-3]]):
        long = [long[-1], *long[:-1]]
    return tuple(ones + long)


def _even(length: int, most: int) -> int:
    """The step that cuts `length` into the fewest pieces of at most `most`, all about as long."""
    pieces = -(-length // most)
    return -(-length // pieces)


def selected(cube: Cube, wanted: list[np.ndarray]) -> Iterator[tuple[int, Block, tuple[np.ndarray, ...], np.ndarray]]:
    """The blocks that hold any of the wanted indices (one sorted or unsorted array per axis of the array).

    Gives each block's number, the block, which of its values are wanted (for `np.ix_`), and where those go in the
    flattened result, whose axes are in the order of the stack.
    """
    ordered = [wanted[axis] for axis in cube.order]
    ordered = [np.zeros(1, np.int64)] * (2 - len(ordered)) + ordered
    lead_shape = cube.ordered[:-2]
    if lead_shape:
        grids = np.meshgrid(*ordered[:-2], indexing="ij")
        frames = np.ravel_multi_index(tuple(grid.ravel() for grid in grids), lead_shape)
    else:
        frames = np.zeros(1, np.int64)
    indices = (frames, ordered[-2], ordered[-1])
    target = np.arange(prod(len(axis) for axis in indices)).reshape([len(axis) for axis in indices])
    for number, block in enumerate(cube.blocks()):
        ranges = (block.frames, block.rows, block.columns)
        inside = [np.flatnonzero((i >= r.start) & (i < r.stop)) for i, r in zip(indices, ranges, strict=True)]
        if all(map(len, inside)):
            source = tuple(i[at] - r.start for i, at, r in zip(indices, inside, ranges, strict=True))
            yield number, block, source, target[np.ix_(*inside)]


def slices_of(block: Block) -> tuple[slice, slice, slice]:
    """Where the block lies, for indexing the stack."""
    f, r, c = block.frames, block.rows, block.columns
    return slice(f.start, f.stop), slice(r.start, r.stop), slice(c.start, c.stop)
