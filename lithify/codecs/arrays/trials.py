"""How small parts of an array become by one coding or another: each is tried once."""

from math import isfinite, isqrt
from typing import NamedTuple

import numpy as np

from lithify.codecs.arrays.block import Coding, Tolerance, encode_block
from lithify.codecs.arrays.cube import Cube
from lithify.codecs.codec import Effort

NEVER = 1 << 62
"""The length of what has no form."""
_TILE_MIN = 32
"""The least side of a part."""


class Share(NamedTuple):
    """How many values of an array something is tried on."""

    part: int
    most: int
    least: int

    def of(self, values: int) -> int:
        """Of so many."""
        return min(max(values // self.part, self.least), self.most)


LAGS, GRID = Share(32, 1 << 16, 1 << 14), Share(16, 1 << 17, 1 << 15)
BASE, LARGER = Share(8, 1 << 17, 1 << 15), Share(3, 1 << 19, 1 << 15)


class Part(NamedTuple):
    """Some of an array."""

    values: np.ndarray
    """(frames, rows, columns)"""
    frames: range
    """Which of the array these are."""


class Trials:
    """What has been tried on parts of one array."""

    def __init__(self, stacked: np.ndarray, cube: Cube, tolerance: Tolerance, effort: Effort) -> None:
        self.stacked, self.cube, self.tolerance, self.effort = stacked, cube, tolerance, effort
        self._parts: dict[Share, Part] = {}
        self._lengths: dict[tuple[int, Share, Effort], tuple[Coding, int]] = {}

    def part(self, share: Share) -> Part:
        """A part of a block in the middle."""
        if share not in self._parts:
            self._parts[share] = _column(self.stacked, self.cube, share.of(self.stacked.size))
        return self._parts[share]

    def length(self, coding: Coding, share: Share, effort: Effort | None = None) -> int:
        """How many bytes a part takes; very many if its grid does not suit it."""
        key = id(coding), share, effort or self.effort
        if key not in self._lengths:
            # The coding is kept as well: what another has after it is then not its id.
            self._lengths[key] = coding, length_of(*self.part(share), coding, self.tolerance, effort or self.effort)
        return self._lengths[key][1]


def length_of(values: np.ndarray, frames: range, coding: Coding, tolerance: Tolerance, effort: Effort) -> int:
    """How many bytes some values take as a block; very many if their grid does not suit them."""
    packed = encode_block(values, frames, coding, tolerance, effort)
    return NEVER if packed is None else len(packed)


def _column(stacked: np.ndarray, cube: Cube, most: int) -> Part:
    """A tile of a block in the middle, all frames of about so many values, from where most of what is coded lies."""
    blocks = cube.blocks()
    block = blocks[len(blocks) // 2]
    frames = range(block.frames.start, min(block.frames.stop, block.frames.start + max(1, most // _TILE_MIN**2)))
    inside = stacked[
        frames.start : frames.stop, block.rows.start : block.rows.stop, block.columns.start : block.columns.stop
    ]
    side = max(_TILE_MIN, isqrt(most // len(block.frames)))
    rows, columns = _typical_tile(inside, min(side, len(block.rows)), min(side, len(block.columns)))
    return Part(np.ascontiguousarray(inside[:, rows, columns]), frames)


def _typical_tile(values: np.ndarray, rows: int, columns: int) -> tuple[slice, slice]:
    """The tile that changes as much as the mean of all tiles, each counted by how much it changes."""
    high, wide = values.shape[1] // rows, values.shape[2] // columns
    top, left = (values.shape[1] - high * rows) // 2, (values.shape[2] - wide * columns) // 2
    part = values[:, top : top + high * rows, left : left + wide * columns].astype(np.float64)
    steps = np.abs(np.diff(part, axis=2, prepend=part[:, :, :1]))
    steps[~np.isfinite(steps)] = 0
    usual = steps.mean()
    if not (usual > 0 and isfinite(usual)):
        return slice(top, top + rows), slice(left, left + columns)
    changes = np.log2(1 + steps / usual).sum(axis=0).reshape(high, rows, wide, columns).sum(axis=(1, 3))
    wanted = (changes * changes).sum() / changes.sum()
    y, x = np.unravel_index(np.abs(changes - wanted).argmin(), changes.shape)
    top, left = top + int(y) * rows, left + int(x) * columns
    return slice(top, top + rows), slice(left, left + columns)
