"""How an array is coded: its specials, its grid, which earlier frames tell most; chosen on a piece from the middle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isqrt, prod
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
_BASE_AXIS_MIN, _BASE_FRAMES_MIN = 8, 8
_BASE_BITS_MAX = 3.0
"""A base wins where a value costs little; above so many bits it never did."""
_HALF_STEP = 128 * FINER
_HOPELESS = 1.1
_NEVER = 1 << 62
_PIECE_MAX, _LAGS_MAX, _BASE_MAX = 1 << 17, 1 << 16, 1 << 18
_TRIED_MIN, _PIECE_FRAMES = 1 << 15, 8
_TILE_MIN = 32
"""Values that lags and bases are tried on, and the least side of the tile that they come from."""
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
            plan = _with_lags(Plan(Coding(dtype, grid, specials), tolerance, False), stacked, cube, effort)
            return _with_base(plan, stacked, cube, effort)
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
    return _with_lags(plan, stacked, cube, effort)


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
    most = _share(stacked.size, 6, _PIECE_MAX)
    frames = min(_PIECE_FRAMES, len(stacked)) if stacked.shape[1] > 1 else 1
    rows = min(stacked.shape[1], isqrt(most // frames))
    lengths = frames, rows, min(stacked.shape[2], max(1, most // (frames * rows)))
    starts = [(length - part) // 2 for length, part in zip(stacked.shape, lengths, strict=True)]
    box = tuple(slice(at, at + part) for at, part in zip(starts, lengths, strict=True))
    return np.ascontiguousarray(stacked[box]), range(starts[0], starts[0] + frames)


def _share(values: int, part: int, most: int) -> int:
    """How many of so many values something is tried on."""
    return min(max(values // part, _TRIED_MIN), most)


def _with_lags(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan with the frames that predict best: one and two before, none, or as far as a longer axis repeats."""
    if effort == "fast":
        return plan
    lead = cube.ordered[:-2]
    strides = [prod(lead[axis + 1 :]) for axis in range(len(lead)) if lead[axis] > 1]
    choices: set[Lags] = {(1, 2)}
    if strides:
        choices.add(_ALONE)
    for longer, shorter in pairwise(strides):
        choices |= {(shorter, longer), (longer, longer + shorter), (longer, 2 * longer)}
    values, frames = _column(stacked, cube, _share(stacked.size, 16, _LAGS_MAX))

    def length(coding: Coding) -> int:
        packed = encode_block(values, frames, coding, plan.tolerance, effort)
        return _NEVER if packed is None else len(packed)

    codings = [replace(plan.coding, lags=lags) for lags in sorted(choices)]
    best = min(codings, key=length) if len(codings) > 1 else plan.coding
    return replace(plan, coding=min(best, replace(best, edged=True), key=length))


def _column(stacked: np.ndarray, cube: Cube, most: int) -> tuple[np.ndarray, range]:
    """What a block in the middle has in its own middle: all frames of about so many values, but a tile at least."""
    blocks = cube.blocks()
    block = blocks[len(blocks) // 2]
    box = []
    side = max(_TILE_MIN, isqrt(most // len(block.frames)))
    for part in (block.rows, block.columns):
        start = part.start + max(0, (len(part) - side) // 2)
        box.append(slice(start, min(start + side, part.stop)))
    frames = range(block.frames.start, min(block.frames.stop, block.frames.start + max(1, most // _TILE_MIN**2)))
    return np.ascontiguousarray(stacked[frames.start : frames.stop, box[0], box[1]]), frames


def _with_base(plan: Plan, stacked: np.ndarray, cube: Cube, effort: Effort) -> Plan:
    """The plan with a base under its blocks, if a whole block in the middle becomes smaller by it."""
    grid = plan.coding.grid
    if effort == "fast" or not isinstance(grid, Affine) or min(stacked.shape[1:]) < _BASE_AXIS_MIN:
        return plan
    values, frames = _column(stacked, cube, _share(stacked.size, 4, _BASE_MAX))

    def length(base: Base | None) -> int:
        packed = encode_block(values, frames, replace(plan.coding, base=base), plan.tolerance, effort)
        return _NEVER if packed is None else len(packed)

    plain = length(None)
    if 8 * plain > _BASE_BITS_MAX * values.size:
        return plan
    times = (0, LEVELS_MAX) if len(frames) >= _BASE_FRAMES_MIN else (0,)
    tried = {base: length(base) for base in (Base(Depth(time, LEVELS_MAX), 3 * _HALF_STEP) for time in times)}
    first = min(tried, key=lambda base: tried[base])
    if tried[first] < _HOPELESS * plain:
        for halves in (2, 4) if effort == "default" else (1, 2, 4, 5, 6):
            base = first._replace(step=halves * _HALF_STEP)
            tried[base] = length(base)
    best = min(tried, key=lambda base: tried[base])
    return replace(plan, coding=replace(plan.coding, base=best)) if tried[best] < plain else plan
