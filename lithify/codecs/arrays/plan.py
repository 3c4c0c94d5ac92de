"""How an array is coded: its specials, its grid, which earlier frames tell most; chosen on a piece from the middle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, isqrt, prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.bands import LEVELS_MAX, Depth
from lithify.codecs.arrays.base import FINER, Base
from lithify.codecs.arrays.block import COUNTED_MAX, Coding, Lags, Tolerance, encode_block
from lithify.codecs.arrays.bound import Bound
from lithify.codecs.arrays.counting import uneven_bits
from lithify.codecs.arrays.cube import BLOCK_VALUES_MAX, Cube, Shape, read_cube
from lithify.codecs.arrays.finding import distinct, find_grids, quantised_grid, rounded_grid, tighter_grids
from lithify.codecs.arrays.general import encode_general
from lithify.codecs.arrays.grids import Affine, Decimal, Fixed, Grid, Native, Ordered, Ranks, read_grid
from lithify.codecs.arrays.specials import CLASSES_MAX, bits_of, classes_of, find_specials
from lithify.codecs.arrays.wire import Reader
from lithify.codecs.codec import Effort
from lithify.codecs.tried import tell_try

_ALONE: Lags = (BLOCK_VALUES_MAX, BLOCK_VALUES_MAX)
"""Every frame by itself: no block has so many."""
_NEAREST: Lags = (1, 2)
_DOUBT = 0.02
"""Whole blocks gain more by the nearest frames than parts do: others must be smaller by so much."""
_BASE_AXIS_MIN, _BASE_FRAMES_MIN = 8, 8
_BASE_BITS_MAX = 1.75
"""A base wins where a value costs little; above so many bits it never did."""
_HALF_STEP = 128 * FINER
_HOPELESS, _SURE = 1.1, 0.97
"""A base that loses by more on a part is not looked into; one that wins by less may do otherwise on a larger part."""
_NEVER = 1 << 62
_GRIDS: dict[type[Grid], str] = {
    Native: "whole numbers",
    Affine: "even steps",
    Decimal: "decimals",
    Ranks: "ranks of few values",
    Ordered: "the order of floats",
    Fixed: "fixed point",
}
"""As people call them."""
_PIECE_PART, _LAGS_PART, _BASE_PART, _GRID_PART = 16, 32, 8, 16
_DOUBT_PART, _DOUBT_MAX = 3, 1 << 19
_PIECE_MAX, _LAGS_MAX, _BASE_MAX = 1 << 17, 1 << 16, 1 << 17
_TRIED_MIN, _LAGS_MIN, _PIECE_FRAMES = 1 << 15, 1 << 14, 8
_ALIKE = 1.15
"""A grid whose differences are larger by so much than another's is not the better one."""
_UNEVEN_BITS = 0.02
_CLEARLY = 0.99
"""Counting is worth a trial if it may save so many bits a number, and its time if it saves so much of a part."""
_ROWS_VALUES = 1 << 17
_TILE_MIN = 32
"""Values that lags and bases are tried on, and the least side of the tile that they come from."""
_SOME_VALUES = 1 << 15
_QUICKLY_NEAR, _NEAR = 1.4, 0.97
"""Whole blocks race the general coders if a piece did, by the quickest of them and then by all."""
_GAIN_PART, _GAIN_DOUBT = 8, 1.08
"""How much smaller all make it than the quickest is first seen on a part: xz takes longer than our own coder."""


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
            plan = _bounded(Plan(Coding(dtype, grid, specials), tolerance, False), stacked, valid, cube, effort)
            if effort == "fast" or not _merges_nothing(stacked[valid], grid):
                return plan
            without = make_plan(stacked, cube, None, effort, fills, inner=inner)
            return _smaller_of(plan, without, stacked, cube, effort)
    exact = Tolerance()
    codings = []
    for grid in find_grids(stacked, valid, effort, inner=inner):
        own = find_specials(stacked, fills, zeros=True) if isinstance(grid, Fixed) else specials
        codings.append(Coding(dtype, grid, own))
    trial = _GridTrial(stacked, exact, effort)
    coding = trial.best(codings)
    if coding is None:
        return Plan(Coding(dtype, None, specials), exact, True)
    return with_lags(Plan(coding, exact, trial.is_near(coding)), stacked, cube, effort)


def _bounded(plan: Plan, stacked: np.ndarray, valid: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The best plan within the tolerance of this one, which has only a grid."""
    plan = _with_base(with_lags(plan, stacked, cube, effort), stacked, cube, effort)
    if effort == "fast" or plan.tolerance.pointwise:
        return plan
    return _with_tighter_grid(plan, stacked, valid, cube, effort)


def _merges_nothing(values: np.ndarray, grid: Grid) -> bool:
    """Whether few different values stay as many on a grid: a bound finer than their own rounding wins nothing."""
    some = values[:: max(1, len(values) // _SOME_VALUES)]
    different = distinct(some)
    if 2 * len(different) > len(some):
        return False
    return len(distinct(grid.split(different.reshape(1, 1, -1), range(1)).integers)) == len(different)


def _smaller_of(plan: Plan, other: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """By a part from the middle."""
    part, frames = _column(stacked, cube, _share(stacked.size, _BASE_PART, _BASE_MAX, _TRIED_MIN))
    lengths = [_length(part, frames, one.coding, one.tolerance, effort) for one in (plan, other)]
    for one, length in zip((plan, other), lengths, strict=True):
        if length < _NEVER:
            tell_try(f"a part on {_called(one.coding)}", part.nbytes, length)
    return plan if lengths[0] <= lengths[1] else other


def _called(coding: Coding) -> str:
    """What a coding is, as people call it."""
    grid = coding.grid
    name = "no grid" if grid is None else _GRIDS.get(type(grid), "a grid")
    return f"{name}{' over a wavelet' * (coding.base is not None)}"


def _length(values: np.ndarray, frames: range, coding: Coding, tolerance: Tolerance, effort: Effort) -> int:
    """How many bytes some values take as a block; very many if their grid does not suit them."""
    packed = encode_block(values, frames, coding, tolerance, effort)
    return _NEVER if packed is None else len(packed)


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


class _GridTrial:
    """How small a piece of an array becomes on one grid or another.

    What differences of effort `fast` make of it says nearly as much, in a thirtieth of the time: the coder itself is
    only asked about those that are about as good.
    """

    def __init__(self, stacked: np.ndarray, tolerance: Tolerance, effort: Effort) -> None:
        self._piece, self._frames = _piece(stacked)
        self._share = self._piece.size / stacked.size
        self._tolerance, self._effort = tolerance, effort
        self._lengths: dict[tuple[int, Effort], int] = {}

    def best(self, codings: Sequence[Coding]) -> Coding | None:
        """The one whose piece is smallest; None: the piece suits no grid."""
        least = min((self._length(coding, "fast") for coding in codings), default=_NEVER)
        near = [coding for coding in codings if self._length(coding, "fast") <= _ALIKE * least]
        if least >= _NEVER:
            return None
        if len(near) > 1:
            near.sort(key=lambda coding: self._length(coding, self._effort))
        for coding in codings:
            by = self._effort if (id(coding), self._effort) in self._lengths else "fast"
            if (length := self._length(coding, by)) < _NEVER:
                tell_try(f"a piece on {_called(coding)}{', quickly' * (by == 'fast')}", self._piece.nbytes, length)
        return near[0]

    def is_near(self, coding: Coding) -> bool:
        """Whether a general coder may be better: the quickest comes near by what all gain on a part, and all do."""
        quickest = len(encode_general(self._piece, "fast"))
        if quickest >= _QUICKLY_NEAR * self._length(coding, "fast"):
            return False
        length = self._length(coding, self._effort)
        part = self._piece.reshape(-1)[: max(1, self._piece.size // _GAIN_PART)]
        gain = len(encode_general(part, "fast")) / len(encode_general(part, self._effort))
        if quickest >= min(_QUICKLY_NEAR, _GAIN_DOUBT * gain) * length:
            return False
        return len(encode_general(self._piece, self._effort)) < _NEAR * length

    def _length(self, coding: Coding, effort: Effort) -> int:
        key = id(coding), effort
        if key not in self._lengths:
            grid_bytes = 0 if coding.grid is None else int(self._share * len(coding.grid.pack()))
            self._lengths[key] = grid_bytes + _length(self._piece, self._frames, coding, self._tolerance, effort)
        return self._lengths[key]


def _piece(stacked: np.ndarray) -> tuple[np.ndarray, range]:
    """Some neighbouring values from the middle: a sixth of them all, within bounds."""
    most = _share(stacked.size, _PIECE_PART, _PIECE_MAX, _TRIED_MIN)
    frames = min(_PIECE_FRAMES, len(stacked)) if stacked.shape[1] > 1 else 1
    rows = min(stacked.shape[1], isqrt(most // frames))
    lengths = frames, rows, min(stacked.shape[2], max(1, most // (frames * rows)))
    starts = [(length - part) // 2 for length, part in zip(stacked.shape, lengths, strict=True)]
    box = tuple(slice(at, at + part) for at, part in zip(starts, lengths, strict=True))
    return np.ascontiguousarray(stacked[box]), range(starts[0], starts[0] + frames)


def _share(values: int, part: int, most: int, least: int) -> int:
    """How many of so many values something is tried on."""
    return min(max(values // part, least), most)


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
    values, frames = _column(stacked, cube, _share(stacked.size, _LAGS_PART, _LAGS_MAX, _LAGS_MIN))

    def length(coding: Coding, effort: Effort = effort) -> int:
        return _length(values, frames, coding, plan.tolerance, effort)

    # Which past tells most is seen by differences, too: one that tells less than the frame before never was the best.
    quick = {nearer: length(replace(plan.coding, lags=(nearer, nearer)), "fast") for nearer, _ in sorted(choices)}
    nearer = min(quick, key=lambda lag: quick[lag])
    tried = {_NEAREST, max(lags for lags in choices if lags[0] == nearer)}
    lengths = {lags: length(replace(plan.coding, lags=lags)) for lags in sorted(tried)}
    lags = min(lengths, key=lambda lags: lengths[lags] * (1 if lags == _NEAREST else 1 + _DOUBT))
    best = replace(plan.coding, lags=lags)
    edged = replace(best, edged=True)
    best = edged if length(edged) < lengths[lags] else best
    return _with_counts(_with_ladder(replace(plan, coding=best), stacked, cube, effort), stacked, cube, effort)


def _with_ladder(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan, or one that predicts ranks by where their values stand, if a part of a block is smaller by that."""
    grid = plan.coding.grid
    if not isinstance(grid, Ranks) or not grid.is_uneven:
        return plan
    values, frames = _column(stacked, cube, _share(stacked.size, _GRID_PART, _BASE_MAX, _TRIED_MIN))

    laddered = (replace(plan.coding, laddered=True, lags=lags) for lags in sorted({plan.coding.lags, _NEAREST}))
    return replace(
        plan,
        coding=min(
            [plan.coding, *laddered], key=lambda coding: _length(values, frames, coding, plan.tolerance, effort)
        ),
    )


def _with_counts(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan, or one that counts how often which number occurs, if a part of a block becomes clearly smaller."""
    grid = plan.coding.grid
    if grid is None:
        return plan
    if _uneven_bits(stacked, plan.coding, grid) < _UNEVEN_BITS:
        return plan
    values, frames = _column(stacked, cube, _share(stacked.size, _GRID_PART, _BASE_MAX, _TRIED_MIN))
    counted = replace(plan.coding, counted=True)
    less, length = (_length(values, frames, one, plan.tolerance, effort) for one in (counted, plan.coding))
    return replace(plan, coding=counted) if less < _CLEARLY * length else plan


def _uneven_bits(stacked: np.ndarray, coding: Coding, grid: Grid) -> float:
    """What some rows, or the middle of long ones, say of how often which number occurs."""
    count, rows, columns = stacked.shape
    wide = min(columns, _ROWS_VALUES)
    some, left = min(count, max(1, _ROWS_VALUES // wide)), (columns - wide) // 2
    first = (count - some) // 2
    part = stacked[first : first + some, :: max(1, some * rows * wide // _ROWS_VALUES), left : left + wide]
    valid = (classes_of(part, coding.specials) == 0) & np.isfinite(part)
    split = grid.split(np.where(valid, part, np.zeros((), part.dtype)), range(first, first + some))
    return uneven_bits(split.integers, valid, COUNTED_MAX)


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
    trial = _BaseTrial(plan, *_column(stacked, cube, _share(stacked.size, _BASE_PART, _BASE_MAX, _TRIED_MIN)))
    if 8 * trial.length(None) > _BASE_BITS_MAX * trial.values.size:
        return plan
    base = trial.best(effort)
    gain = trial.length(base) / trial.length(None)
    if _SURE < gain < 1 / _SURE:
        larger = _BaseTrial(plan, *_column(stacked, cube, _share(stacked.size, _DOUBT_PART, _DOUBT_MAX, _TRIED_MIN)))
        gain = larger.length(base) / larger.length(None)
    for coding in (plan.coding, replace(plan.coding, base=base)):
        tell_try(f"a part on {_called(coding)}", trial.values.nbytes, trial.length(coding.base))
    return replace(plan, coding=replace(plan.coding, base=base)) if gain < 1 else plan


def _with_tighter_grid(plan: Plan, stacked: np.ndarray, valid: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan, or one on a grid that suits values which lie on few places, if a part of a block is smaller by that."""
    if plan.coding.base is not None:
        return plan
    tile, frames = _column(stacked, cube, _share(stacked.size, _GRID_PART, _BASE_MAX, _TRIED_MIN))

    def length(one: Plan) -> int:
        grid_bytes = 0 if one.coding.grid is None else len(one.coding.grid.pack()) * tile.size // stacked.size
        return grid_bytes + _length(tile, frames, one.coding, one.tolerance, effort)

    others = [
        replace(plan, coding=replace(plan.coding, grid=grid, base=None))
        for grid in tighter_grids(stacked, valid, plan.tolerance.by, effort)
    ]
    if not others:
        return plan
    best = min([plan, *others], key=length)
    return plan if best is plan else with_lags(best, stacked, cube, effort)


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
            self._lengths[base] = _length(self.values, self._frames, coding, self._plan.tolerance, "default")
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
