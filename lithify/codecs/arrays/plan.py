"""How an array is coded: its specials, its grid, which earlier frames tell most; chosen on a piece from the middle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isqrt, prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.bands import LEVELS_MAX, Depth
from lithify.codecs.arrays.base import FINER, Base
from lithify.codecs.arrays.block import COUNTED_MAX, Coding, Lags, Tolerance
from lithify.codecs.arrays.bound import Bound
from lithify.codecs.arrays.counting import uneven_bits
from lithify.codecs.arrays.cube import BLOCK_VALUES_MAX, FRAMED_VALUES_MAX, Cube, Shape, read_cube
from lithify.codecs.arrays.finding import distinct, find_grids, quantised_grid, rounded_grid, tighter_grids
from lithify.codecs.arrays.general import encode_general
from lithify.codecs.arrays.grids import Affine, Decimal, Fixed, Grid, Native, Ordered, Ranks, read_grid
from lithify.codecs.arrays.network import read_network
from lithify.codecs.arrays.reach import FAR
from lithify.codecs.arrays.specials import CLASSES_MAX, bits_of, classes_of, find_specials
from lithify.codecs.arrays.trials import BASE, GRID, LAGS, LARGER, NEVER, Share, Trials, length_of
from lithify.codecs.arrays.wire import Reader
from lithify.codecs.codec import Effort
from lithify.codecs.tried import tell_try
from lithify.errors import Corrupt

WITH_NETWORK = 0x80
"""In front of the code of a grid: a network lies between them."""
_ALONE: Lags = (BLOCK_VALUES_MAX, BLOCK_VALUES_MAX)
"""Every frame by itself: no block has so many."""
_NEAREST: Lags = (1, 2)
_DOUBT = 0.02
"""Whole blocks gain more by the nearest frames than parts do: others must be smaller by so much."""
_BASE_AXIS_MIN, _BASE_FRAMES_MIN = 8, 8
_BASE_BITS_MAX = 1.75
"""A base wins where a value costs little; above so many bits it never did."""
_HALF_STEP = 128 * FINER
_HOPELESS, _SURE = 1.2, 0.97
"""A base that loses by more on a part is not looked into; one that loses by less, or wins by less, may do otherwise on
a larger part: there is more of what is smooth in it."""
_GRIDS: dict[type[Grid], str] = {
    Native: "whole numbers",
    Affine: "even steps",
    Decimal: "decimals",
    Ranks: "ranks of few values",
    Ordered: "the order of floats",
    Fixed: "fixed point",
}
"""As people call them."""
_PIECE_FRAMES = 8
_ALIKE = 1.15
"""A grid whose differences are larger by so much than another's is not the better one."""
_LONG = 1 << 19
"""Arrays of more values look far: what looked 1 to 4 % worse on a part was never by more than 0.2 % on the whole of the
data set's, where there is time to learn it (made fields of small frames: 1 %)."""
_UNEVEN_BITS = 0.02
_CLEARLY = 0.99
"""Counting is worth a trial if it may save so many bits a number, and its time if it saves so much of a part."""
_ROWS_VALUES = 1 << 17
"""So many values say whether some numbers come far more often than those around them."""
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
            trials = Trials(stacked, cube, tolerance, effort)
            plan = _bounded(Plan(Coding(dtype, grid, specials), tolerance, False), trials, valid)
            if effort == "fast" or not _merges_nothing(stacked[valid], grid):
                return plan
            exactly = Trials(stacked, cube, Tolerance(), effort)
            return _smaller_of((plan, trials), (_exact(specials, exactly, valid, fills, inner=inner), exactly))
    return _exact(specials, Trials(stacked, cube, Tolerance(), effort), valid, fills, inner=inner)


def _exact(specials: np.ndarray, trials: Trials, valid: np.ndarray, fills: Sequence[Any], *, inner: bool) -> Plan:
    """The plan for an array that comes back to the bit."""
    stacked, effort = trials.stacked, trials.effort
    codings = []
    for grid in find_grids(stacked, valid, effort, inner=inner):
        own = find_specials(stacked, fills, zeros=True) if isinstance(grid, Fixed) else specials
        codings.append(Coding(stacked.dtype, grid, own))
    trial = _GridTrial(stacked, trials.tolerance, effort)
    coding = trial.best(codings)
    if coding is None:
        return Plan(Coding(stacked.dtype, None, specials), trials.tolerance, True)
    return with_lags(Plan(coding, trials.tolerance, trial.is_near(coding)), trials)


def _bounded(plan: Plan, trials: Trials, valid: np.ndarray) -> Plan:
    """The best plan within the tolerance of this one, which has only a grid."""
    plan = _with_base(with_lags(plan, trials), trials)
    if trials.effort == "fast" or plan.tolerance.pointwise:
        return plan
    return _with_tighter_grid(plan, trials, valid)


def _merges_nothing(values: np.ndarray, grid: Grid) -> bool:
    """Whether few different values stay as many on a grid: a bound finer than their own rounding wins nothing."""
    some = values[:: max(1, len(values) // _SOME_VALUES)]
    different = distinct(some)
    if 2 * len(different) > len(some):
        return False
    return len(distinct(grid.split(different.reshape(1, 1, -1), range(1)).integers)) == len(different)


def _smaller_of(*plans: tuple[Plan, Trials]) -> Plan:
    """By a part from the middle."""
    lengths = [trials.length(plan.coding, BASE) for plan, trials in plans]
    for (plan, trials), length in zip(plans, lengths, strict=True):
        if length < NEVER:
            tell_try(f"a part on {_called(plan.coding)}", trials.part(BASE).values.nbytes, length)
    return plans[lengths.index(min(lengths))][0]


def _called(coding: Coding) -> str:
    """What a coding is, as people call it."""
    grid = coding.grid
    name = "no grid" if grid is None else _GRIDS.get(type(grid), "a grid")
    return f"{name}{' over a wavelet' * (coding.base is not None)}"


def pack_header(cube: Cube, coding: Coding) -> bytes:
    """What every block needs."""
    grid = coding.grid
    head = cube.pack() + bytes([len(coding.specials)])
    head += coding.specials.astype(coding.specials.dtype.newbyteorder("<")).tobytes()
    if grid is None:
        return head + b"\0"
    if coding.network is None:
        return head + bytes([grid.code]) + grid.pack()
    return head + bytes([grid.code | WITH_NETWORK]) + coding.network.pack() + grid.pack()


def read_header(reader: Reader, shape: Shape, dtype: np.dtype, *, inner: bool = False) -> tuple[Cube, Coding]:
    """The cube and the coding of an array. Raises Truncated, Corrupt or LimitExceeded."""
    cube = read_cube(reader, shape)
    count = reader.varint(CLASSES_MAX)
    form = bits_of(np.zeros(1, dtype)).dtype
    specials = np.frombuffer(reader.take(count * form.itemsize), form.newbyteorder("<")).astype(form)
    code = reader.byte()
    network = None
    if code & WITH_NETWORK:
        if inner or code == WITH_NETWORK:
            raise Corrupt(f"array payload: a network {'inside another array' if inner else 'without a grid'}")
        network = read_network(reader)
    grid = read_grid(reader, code & ~WITH_NETWORK, dtype, cube.stack[0], inner=inner)
    return cube, Coding(dtype, grid, specials, network=network)


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
        least = min((self._length(coding, "fast") for coding in codings), default=NEVER)
        near = [coding for coding in codings if self._length(coding, "fast") <= _ALIKE * least]
        if least >= NEVER:
            return None
        if len(near) > 1:
            near.sort(key=lambda coding: self._length(coding, self._effort))
        for coding in codings:
            by = self._effort if (id(coding), self._effort) in self._lengths else "fast"
            if (length := self._length(coding, by)) < NEVER:
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
            self._lengths[key] = grid_bytes + length_of(self._piece, self._frames, coding, self._tolerance, effort)
        return self._lengths[key]


def _piece(stacked: np.ndarray) -> tuple[np.ndarray, range]:
    """Some neighbouring values from the middle: a sixteenth of them all, within bounds."""
    most = GRID.of(stacked.size)
    frames = min(_PIECE_FRAMES, len(stacked)) if stacked.shape[1] > 1 else 1
    rows = min(stacked.shape[1], isqrt(most // frames))
    lengths = frames, rows, min(stacked.shape[2], max(1, most // (frames * rows)))
    starts = [(length - part) // 2 for length, part in zip(stacked.shape, lengths, strict=True)]
    box = tuple(slice(at, at + part) for at, part in zip(starts, lengths, strict=True))
    return np.ascontiguousarray(stacked[box]), range(starts[0], starts[0] + frames)


def with_lags(plan: Plan, trials: Trials) -> Plan:
    """The plan with the frames that predict best: one and two before, none, or as far as a longer axis repeats."""
    if trials.effort == "fast":
        return plan
    lead = trials.cube.ordered[:-2]
    strides = [prod(lead[axis + 1 :]) for axis in range(len(lead)) if lead[axis] > 1]
    choices: set[Lags] = {_NEAREST}
    if strides:
        choices.add(_ALONE)
    for longer, shorter in pairwise(strides):
        choices |= {(shorter, longer), (longer, longer + shorter), (longer, 2 * longer)}
    choices = {one for one in choices if one in (_NEAREST, _ALONE) or one[1] <= BLOCK_VALUES_MAX}
    if choices == {_NEAREST}:
        return replace(plan, coding=_with_more(replace(plan.coding, lags=_NEAREST), trials))

    def length(lags: Lags, effort: Effort = trials.effort) -> int:
        return trials.length(replace(plan.coding, lags=lags), LAGS, effort)

    # Which past tells most is seen by differences, too: one that tells less than the frame before never was the best.
    quick = {nearer: length((nearer, nearer), "fast") for nearer, _ in sorted(choices)}
    nearer = min(quick, key=lambda lag: quick[lag])
    lags = max(lags for lags in choices if lags[0] == nearer)
    if lags != _NEAREST and length(lags) * (1 + _DOUBT) >= length(_NEAREST):
        lags = _NEAREST
    return replace(plan, coding=_with_more(replace(plan.coding, lags=lags), trials))


def _with_more(coding: Coding, trials: Trials) -> Coding:
    """The coding with what else makes a part smaller, once its lags are known."""
    return _with_counts(_with_ladder(_with_reach(coding, trials), trials), trials)


def _with_reach(coding: Coding, trials: Trials) -> Coding:
    """The coding, or one that looks far: long arrays learn what that needs, short ones are tried."""
    if FAR.framed(*trials.cube.step) > FRAMED_VALUES_MAX:
        return coding
    far = replace(coding, reach=FAR)
    if trials.stacked.size > _LONG:
        return far
    return min(coding, far, key=lambda one: trials.length(one, GRID))


def _with_ladder(coding: Coding, trials: Trials) -> Coding:
    """The coding, or one that predicts ranks by where their values stand, if a part of a block is smaller by that."""
    if not isinstance(coding.grid, Ranks) or not coding.grid.is_uneven:
        return coding
    laddered = (replace(coding, laddered=True, lags=lags) for lags in sorted({coding.lags, _NEAREST}))
    return min([coding, *laddered], key=lambda one: trials.length(one, GRID))


def _with_counts(coding: Coding, trials: Trials) -> Coding:
    """The coding, or one that counts how often which number occurs, if a part of a block becomes clearly smaller."""
    if coding.grid is None or coding.counted or _uneven_bits(trials.stacked, coding, coding.grid) < _UNEVEN_BITS:
        return coding
    counted = replace(coding, counted=True)
    return counted if trials.length(counted, GRID) < _CLEARLY * trials.length(coding, GRID) else coding


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


def _with_base(plan: Plan, trials: Trials) -> Plan:
    """The plan with a base under its blocks, if a part of a block becomes smaller by it."""
    grid = plan.coding.grid
    if trials.effort == "fast" or not isinstance(grid, Affine) or min(trials.stacked.shape[1:]) < _BASE_AXIS_MIN:
        return plan
    trial = _BaseTrial(plan.coding, trials, BASE)
    size, bytes_ = trials.part(BASE).values.size, trials.part(BASE).values.nbytes
    if 8 * trial.length(None) > _BASE_BITS_MAX * size:
        return plan
    base = trial.best(trials.effort)
    gain = trial.length(base) / trial.length(None)
    if _SURE < gain < _HOPELESS:
        larger = _BaseTrial(plan.coding, trials, LARGER)
        gain = larger.length(base) / larger.length(None)
    for one in (None, base):
        tell_try(f"a part on {_called(replace(plan.coding, base=one))}", bytes_, trial.length(one))
    return replace(plan, coding=replace(plan.coding, base=base)) if gain < 1 else plan


def _with_tighter_grid(plan: Plan, trials: Trials, valid: np.ndarray) -> Plan:
    """The plan, or one on a grid that suits values which lie on few places, if a part of a block is smaller by that."""
    if plan.coding.base is not None:
        return plan
    share = trials.part(GRID).values.size / trials.stacked.size

    def length(coding: Coding) -> int:
        grid_bytes = 0 if coding.grid is None else len(coding.grid.pack())
        return int(grid_bytes * share) + trials.length(coding, GRID)

    others = [
        replace(plan.coding, grid=grid)
        for grid in tighter_grids(trials.stacked, valid, plan.tolerance.by, trials.effort)
    ]
    if not others:
        return plan
    best = min([plan.coding, *others], key=length)
    return plan if best is plan.coding else replace(plan, coding=_with_counts(_with_ladder(best, trials), trials))


class _BaseTrial:
    """How small a part of an array becomes by one base or another."""

    def __init__(self, coding: Coding, trials: Trials, share: Share) -> None:
        self._coding, self._trials, self._share = coding, trials, share
        self._lengths: dict[Base | None, int] = {}

    def length(self, base: Base | None) -> int:
        """Bytes of the part over this base; None: over none."""
        if base not in self._lengths:
            coding = self._coding if base is None else replace(self._coding, base=base)
            self._lengths[base] = self._trials.length(coding, self._share, "default")
        return self._lengths[base]

    def best(self, effort: Effort) -> Base:
        """The best base of a few."""
        times = (0, LEVELS_MAX) if len(self._trials.part(self._share).frames) >= _BASE_FRAMES_MIN else (0,)
        first = min((Base(Depth(time, LEVELS_MAX), 3 * _HALF_STEP) for time in times), key=self.length)
        if self.length(first) > _HOPELESS * self.length(None):
            return first
        if effort == "max":
            return min((first._replace(step=halves * _HALF_STEP) for halves in range(1, 7)), key=self.length)
        coarser = first._replace(step=4 * _HALF_STEP)
        if self.length(coarser) < self.length(first):
            return coarser
        return min(first, first._replace(step=2 * _HALF_STEP), key=self.length)
