"""How an array is coded: its specials, its grid, which earlier frames tell most; chosen on a piece from the middle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, isqrt, prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.bands import LEVELS_MAX, Depth
from lithify.codecs.arrays.base import FINER, Base
from lithify.codecs.arrays.block import Coding, Lags, Tolerance, encode_block
from lithify.codecs.arrays.bound import Bound
from lithify.codecs.arrays.cube import BLOCK_VALUES_MAX, Cube, Shape, read_cube
from lithify.codecs.arrays.finding import find_grids, quantised_grid, rounded_grid
from lithify.codecs.arrays.general import encode_general
from lithify.codecs.arrays.grids import Affine, Fixed, Grid, read_grid
from lithify.codecs.arrays.specials import CLASSES_MAX, bits_of, classes_of, find_specials
from lithify.codecs.arrays.wire import Reader
from lithify.codecs.codec import Effort

_ALONE: Lags = (BLOCK_VALUES_MAX, BLOCK_VALUES_MAX)
"""Every frame by itself: no block has so many."""
_NEAREST: Lags = (1, 2)
_DOUBT = 0.02
"""Whole blocks gain more by the nearest frames than parts do: others must be smaller by so much."""
_BASE_AXIS_MIN, _BASE_FRAMES_MIN = 8, 8
_BASE_BITS_MAX = 1.75
"""A base wins where a value costs little; above so many bits it never did."""
_HALF_STEP = 128 * FINER
_HOPELESS, _SURE = 1.1, 0.95
"""A base that loses by more on a part is not looked into; one that wins by less may do otherwise on a larger part."""
_NEVER = 1 << 62
_PIECE_PART, _LAGS_PART, _BASE_PART = 16, 32, 8
_DOUBT_PART, _DOUBT_MAX = 2, 1 << 19
_PIECE_MAX, _LAGS_MAX, _BASE_MAX = 1 << 17, 1 << 16, 1 << 17
_TRIED_MIN, _PIECE_FRAMES = 1 << 15, 8
_TILE_MIN = 32
"""Values that lags and bases are tried on, and the least side of the tile that they come from."""
_SOME_VALUES = 1 << 15
_QUICKLY_NEAR, _NEAR = 1.4, 0.97
"""Whole blocks race the general coders if a piece did, by the quickest of them and then by all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written in front of the blocks, what they may differ by, and whether each races the general coders."""

    coding: Coding
    tolerance: Tolerance
    race: bool


def make_plan(
    stacked: np.ndarray, cube: Cube, bound: Bound | None, effort: Effort, fills: Sequence[Any], *, inner: bool
) -> Plan:
    """The plan for an array in the form of its cube; `inner`: it is part of a grid."""
    dtype = stacked.dtype
    specials = find_specials(stacked, fills, zeros=False)
    valid = (classes_of(stacked, specials) == 0) & np.isfinite(stacked)
    if bound is not None and valid.any():
        tolerance, grid = _within(stacked[valid], bound)
        if grid is not None:
            plan = with_lags(Plan(Coding(dtype, grid, specials), tolerance, False), stacked, cube, effort)
            plan = _with_base(plan, stacked, cube, effort)
            if effort == "fast" or not _merges_nothing(stacked[valid], grid):
                return plan
            without = make_plan(stacked, cube, None, effort, fills, inner=inner)
            return _smaller_of(plan, without, stacked, cube, effort)
    piece, frames = _piece(stacked)
    exact = Tolerance()
    plans: list[tuple[int, Plan]] = []
    for grid in find_grids(stacked, valid, inner=inner):
        own = specials
        if isinstance(grid, Fixed):
            own = find_specials(stacked, fills, zeros=True)
        coding = Coding(dtype, grid, own)
        packed = encode_block(piece, frames, coding, exact, effort)
        if packed is not None:
            share = len(grid.pack()) * piece.size // stacked.size
            plans.append((len(packed) + share, Plan(coding, exact, False)))
    if not plans:
        return Plan(Coding(dtype, None, specials), exact, True)
    length, plan = min(plans, key=lambda pair: pair[0])
    quick = len(encode_general(piece, "fast"))
    near = quick < length * _QUICKLY_NEAR and len(encode_general(piece, effort)) < length * _NEAR
    plan = replace(plan, race=near)
    return with_lags(plan, stacked, cube, effort)


def _merges_nothing(values: np.ndarray, grid: Grid) -> bool:
    """Whether few different values stay as many on a grid: a bound finer than their own rounding wins nothing."""
    some = values[:: max(1, len(values) // _SOME_VALUES)]
    different = np.unique(some)
    if 2 * len(different) > len(some):
        return False
    return len(np.unique(grid.split(different.reshape(1, 1, -1), range(1)).integers)) == len(different)


def _smaller_of(plan: Plan, other: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """By a part from the middle."""
    part, frames = _column(stacked, cube, _share(stacked.size, _BASE_PART, _BASE_MAX))
    packed = [encode_block(part, frames, one.coding, one.tolerance, effort) for one in (plan, other)]
    lengths = [_NEVER if one is None else len(one) for one in packed]
    return other if lengths[1] < lengths[0] else plan


def pack_header(cube: Cube, coding: Coding) -> bytes:
    """What every block needs."""
    grid = coding.grid
    head = cube.pack() + bytes([len(coding.specials)])
    head += coding.specials.astype(coding.specials.dtype.newbyteorder("<")).tobytes()
    return head + (b"\0" if grid is None else bytes([grid.code]) + grid.pack())


def read_header(reader: Reader, shape: Shape, dtype: np.dtype, *, inner: bool = False) -> tuple[Cube, Coding]:
    """The cube and the coding of an array. Raises Truncated, Corrupt or LimitExceeded."""
    cube = read_cube(reader, shape)
    count = reader.varint(CLASSES_MAX)
    form = bits_of(np.zeros(1, dtype)).dtype
    specials = np.frombuffer(reader.take(count * form.itemsize), form.newbyteorder("<")).astype(form)
    return cube, Coding(dtype, read_grid(reader, dtype, cube.stack[0], inner=inner), specials)


def _within(values: np.ndarray, bound: Bound) -> tuple[Tolerance, Grid | None]:
    if bound.kind == "pwrel":
        return Tolerance(bound.value, pointwise=True), rounded_grid(values, bound.value)
    by = bound.value
    if bound.kind == "rel":
        by *= float(values.max()) - float(values.min())
    return Tolerance(by), (quantised_grid(values, by) if by > 0 else None)


def _piece(stacked: np.ndarray) -> tuple[np.ndarray, range]:
    """Some neighbouring values from the middle: a sixth of them all, within bounds."""
    most = _share(stacked.size, _PIECE_PART, _PIECE_MAX)
    frames = min(_PIECE_FRAMES, len(stacked)) if stacked.shape[1] > 1 else 1
    rows = min(stacked.shape[1], isqrt(most // frames))
    lengths = frames, rows, min(stacked.shape[2], max(1, most // (frames * rows)))
    starts = [(length - part) // 2 for length, part in zip(stacked.shape, lengths, strict=True)]
    box = tuple(slice(at, at + part) for at, part in zip(starts, lengths, strict=True))
    return np.ascontiguousarray(stacked[box]), range(starts[0], starts[0] + frames)


def _share(values: int, part: int, most: int) -> int:
    """How many of so many values something is tried on."""
    return min(max(values // part, _TRIED_MIN), most)


def with_lags(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan with the frames that predict best: one and two before, none, or as far as a longer axis repeats."""
    if effort == "fast":
        return plan
    lead = cube.ordered[:-2]
    strides = [prod(lead[axis + 1 :]) for axis in range(len(lead)) if lead[axis] > 1]
    choices: set[Lags] = {_NEAREST}
    if strides:
        choices.add(_ALONE)
    for longer, shorter in pairwise(strides):
        choices |= {(shorter, longer), (longer, longer + shorter), (longer, 2 * longer)}
    values, frames = _column(stacked, cube, _share(stacked.size, _LAGS_PART, _LAGS_MAX))

    def length(coding: Coding) -> int:
        packed = encode_block(values, frames, coding, plan.tolerance, effort)
        return _NEVER if packed is None else len(packed)

    lengths = {lags: length(replace(plan.coding, lags=lags)) for lags in sorted(choices)}
    lags = min(lengths, key=lambda lags: lengths[lags] * (1 if lags == _NEAREST else 1 + _DOUBT))
    best = replace(plan.coding, lags=lags)
    edged = length(replace(best, edged=True)) < lengths[lags]
    return replace(plan, coding=replace(best, edged=edged))


def _column(stacked: np.ndarray, cube: Cube, most: int) -> tuple[np.ndarray, range]:
    """A tile of a block in the middle, all frames of about so many values, from where most of what is coded lies."""
    blocks = cube.blocks()
    block = blocks[len(blocks) // 2]
    frames = range(block.frames.start, min(block.frames.stop, block.frames.start + max(1, most // _TILE_MIN**2)))
    inside = stacked[
        frames.start : frames.stop, block.rows.start : block.rows.stop, block.columns.start : block.columns.stop
    ]
    side = max(_TILE_MIN, isqrt(most // len(block.frames)))
    rows, columns = _typical_tile(inside, min(side, len(block.rows)), min(side, len(block.columns)))
    return np.ascontiguousarray(inside[:, rows, columns]), frames


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


def _with_base(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan with a base under its blocks, if a part of a block becomes smaller by it."""
    grid = plan.coding.grid
    if effort == "fast" or not isinstance(grid, Affine) or min(stacked.shape[1:]) < _BASE_AXIS_MIN:
        return plan
    trial = _BaseTrial(plan, *_column(stacked, cube, _share(stacked.size, _BASE_PART, _BASE_MAX)))
    if 8 * trial.length(None) > _BASE_BITS_MAX * trial.values.size:
        return plan
    base = trial.best(effort)
    gain = trial.length(base) / trial.length(None)
    if _SURE < gain < 1 / _SURE:
        larger = _BaseTrial(plan, *_column(stacked, cube, _share(stacked.size, _DOUBT_PART, _DOUBT_MAX)))
        gain = larger.length(base) / larger.length(None)
    return replace(plan, coding=replace(plan.coding, base=base)) if gain < 1 else plan


class _BaseTrial:
    """How small a part of an array becomes by one base or another."""

    def __init__(self, plan: Plan, values: np.ndarray, frames: range) -> None:
        self.values = values
        self._plan, self._frames = plan, frames
        self._lengths: dict[Base | None, int] = {}

    def length(self, base: Base | None) -> int:
        """Bytes of the part over this base; None: over none."""
        if base not in self._lengths:
            coding = replace(self._plan.coding, base=base)
            packed = encode_block(self.values, self._frames, coding, self._plan.tolerance, "default")
            self._lengths[base] = _NEVER if packed is None else len(packed)
        return self._lengths[base]

    def best(self, effort: Effort) -> Base:
        """The best base of a few."""
        times = (0, LEVELS_MAX) if len(self._frames) >= _BASE_FRAMES_MIN else (0,)
        first = min((Base(Depth(time, LEVELS_MAX), 3 * _HALF_STEP) for time in times), key=self.length)
        if self.length(first) > _HOPELESS * self.length(None):
            return first
        if effort == "max":
            return min((first._replace(step=halves * _HALF_STEP) for halves in range(1, 7)), key=self.length)
        coarser = first._replace(step=4 * _HALF_STEP)
        if self.length(coarser) < self.length(first):
            return coarser
        return min(first, first._replace(step=2 * _HALF_STEP), key=self.length)
