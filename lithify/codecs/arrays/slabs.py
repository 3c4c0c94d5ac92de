"""The values of a block as integers on their grid, and back: a little at a time, which stays near the processor."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U64, Bools, Values
from lithify.codecs.arrays.grids import K_MAX, Grid

_SLAB_VALUES = 1 << 15
Kept = Callable[[Values, Values], Bools]
Box = tuple[slice, slice]


class Integers(NamedTuple):
    """What became of the values of a block (frames, rows, columns).

    integers  of that shape; 0 where no value is to be predicted
    low       the low bits beside them; None: the grid keeps none
    wrong     the places, in C order, of valid values that do not come back as they should
    """

    integers: I32
    low: U64 | None
    wrong: I64


def split_in_slabs(values: Values, valid: Bools, frames: range, grid: Grid, kept: Kept) -> Integers:
    """The integers of a block; `kept` says where a value that comes back is as good as the one that was."""
    integers = np.zeros(values.shape, np.int32)
    low: U64 | None = None
    wrong = [np.zeros(0, np.int64)]
    for box, place in _slabs(values.shape):
        here, some = frames[box[0]], valid[box]
        split = grid.split(values[box], here)
        inside = some & (np.abs(split.integers) <= K_MAX)
        k = split.integers if inside.all() else np.where(inside, split.integers, 0)
        integers[box] = k
        if split.low is not None:
            low = np.zeros(values.shape, np.uint64) if low is None else low
            low[box] = split.low
        good = kept(values[box], np.ascontiguousarray(grid.join(k, split.low, here)))
        if not good.all():
            wrong.append(place + np.flatnonzero(some & ~good))
    return Integers(integers, low, np.concatenate(wrong))


def join_in_slabs(integers: I32, low: U64 | None, frames: range, grid: Grid, dtype: np.dtype) -> Values:
    """The values of a block. Raises Corrupt for integers that are not on the grid."""
    values = np.empty(integers.shape, dtype)
    for box, _ in _slabs(integers.shape):
        part = integers[box].astype(np.int64)
        values[box] = grid.join(part, None if low is None else low[box], frames[box[0]])
    return values


def _slabs(shape: tuple[int, ...]) -> Iterator[tuple[Box, int]]:
    """Some whole frames, or some rows of one, and where they begin in C order: neighbours of about so many values."""
    frames, rows, columns = shape
    step = max(1, _SLAB_VALUES // (rows * columns))
    rows_step = rows if step > 1 else max(1, _SLAB_VALUES // columns)
    for frame in range(0, frames, step):
        for row in range(0, rows, rows_step):
            yield (slice(frame, frame + step), slice(row, row + rows_step)), (frame * rows + row) * columns
