"""How coarse an array may become while its quality stays above a floor.

Two ways are compared on a part: every value on a grid of even steps, or the coefficients of a wavelet in even steps and
nothing on top of them, which no largest error limits. The better one is then made as coarse as the measured quality of
the whole array allows. Quality is measured on the very values that a decoder will give.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isqrt, log, log2, sqrt
from typing import Any

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.bands import LEVELS_MAX, Depth
from lithify.codecs.arrays.base import FINER, STEP_MAX, Base, rebuilt, transformed
from lithify.codecs.arrays.block import Coding, Tolerance, decode_block, encode_block
from lithify.codecs.arrays.bound import Floor
from lithify.codecs.arrays.cube import Cube, slices_of
from lithify.codecs.arrays.films import COARSEST, MOST, Film, can_be_filmed
from lithify.codecs.arrays.finding import quantised_grid
from lithify.codecs.arrays.grids import Affine
from lithify.codecs.arrays.plan import Plan, make_plan, with_lags
from lithify.codecs.arrays.specials import classes_of, find_specials
from lithify.codecs.arrays.trials import Trials
from lithify.codecs.codec import Effort
from lithify.codecs.similarity import SIDE, similarity
from lithify.codecs.tried import tell_try

_PARTS = (8, 1 << 17), (4, 1 << 19)
"""Which part of an array is tried, and at most how many values; the larger one if the smaller leaves it open."""
_PART_MIN, _SAMPLE_FRAMES, _SIDE_MIN = 1 << 15, 32, 32
_CLOSE = 1.2
"""A way that makes a part larger by so much will not be the better one."""
_AXIS_MIN = 8
_EVEN_STEP = 256 * FINER
"""The step that a base is told, if it is one step of the grid."""
_TRIES = 12
_QUANTISERS_PER_BIT, _QUANTISER_START = 60, 120
"""Of a film: how many steps double its errors, about, and where to begin."""
_FILM_DECIBELS_MAX = 58.0
"""Brightness of 10 bits and the finest quantiser give no more."""
_NEAR, _NEAR_ENOUGH = 0.996, 0.98
"""A loss so near to what is allowed will do (seeking on is worth less than 0.1 % of the bytes), and on parts."""
_SIMILAR_START, _SIMILAR_SHARE = 4e-3, 0.98
_SIMILAR_FRAMES, _SAMPLE_LOOKS = 64, 8
_LEAP = 8.0
_Again = Callable[[float], np.ndarray | None]


@dataclass(frozen=True, slots=True)
class _Judge:
    """What an array that comes back is compared with.

    frames  the values, stacked
    valid   those that are measured
    span    from the least to the largest of them
    looks   of how many frames similarity is measured, at most
    """

    floor: Floor
    cube: Cube
    frames: np.ndarray
    valid: Bools
    span: float
    looks: int = _SIMILAR_FRAMES

    @property
    def allowed(self) -> float:
        """The loss that the floor allows; of similarity a little is left for who looks at other windows."""
        if self.floor.metric == "psnr":
            return float(10 ** (-self.floor.value / 20))
        return sqrt(_SIMILAR_SHARE * (1 - self.floor.value))

    @property
    def can_be_measured(self) -> bool:
        """Whether frames are large enough for what the floor is about."""
        shape = self.cube.shape
        return self.floor.metric == "psnr" or (len(shape) > 1 and min(shape[-2:]) >= SIDE)

    def loss(self, again: np.ndarray | None) -> float:
        """The root mean square of errors as a part of the span, or the root of what structures lack in similarity."""
        if again is None or not np.isfinite(again[self.valid]).all():
            return inf
        if self.floor.metric == "psnr":
            errors = again[self.valid].astype(np.float64) - self.frames[self.valid]
            return sqrt(float(np.mean(np.square(errors)))) / self.span
        kept = np.where(self.valid, again, self.frames)
        before, after, valid = (self.cube.unstacked(one) for one in (self.frames, kept, self.valid))
        return sqrt(max(0.0, 1 - _similar(before, after, valid, self.span, self.looks)))


def _similar(before: Values, after: Values, valid: Bools, span: float, looks: int) -> float:
    """Mean structural similarity of the frames of the last two axes, of so many of them."""
    frames = [array.reshape(-1, *before.shape[-2:]) for array in (before, after, valid)]
    found = []
    for exact, other, inside in zip(*(one[:: max(1, len(one) // looks)] for one in frames), strict=True):
        if inside.any():
            middle = exact[inside].astype(np.float64).mean()
            pair = [np.where(inside, array.astype(np.float64) - middle, 0.0) for array in (exact, other)]
            found.append(similarity(pair[0], pair[1], middle, span, inside))
    return float(np.mean(found)) if found else 0.0


class _Way(ABC):
    """A way to make an array coarser; how coarse is one number."""

    @abstractmethod
    def start(self, judge: _Judge) -> float:
        """A first guess."""

    @abstractmethod
    def most(self, judge: _Judge) -> float:
        """As coarse as it can be."""

    @abstractmethod
    def again(self, judge: _Judge) -> _Again:
        """What comes back of the values, by how coarse they became."""

    @abstractmethod
    def plan(self, judge: _Judge, coarse: float, effort: Effort) -> Plan:
        """How blocks are coded."""


@dataclass(frozen=True, slots=True)
class _Even(_Way):
    """Values on a grid of even steps."""

    specials: np.ndarray

    def start(self, judge: _Judge) -> float:
        return judge.span * (sqrt(3) * judge.allowed if judge.floor.metric == "psnr" else _SIMILAR_START)

    def most(self, judge: _Judge) -> float:
        return judge.span

    def again(self, judge: _Judge) -> _Again:
        values = judge.frames[judge.valid]

        def of(error: float) -> np.ndarray | None:
            grid = quantised_grid(values, error)
            if grid is None:
                return None
            split = grid.split(judge.frames, range(len(judge.frames)))
            return grid.join(split.integers, split.low, range(len(judge.frames)))

        return of

    def plan(self, judge: _Judge, coarse: float, effort: Effort) -> Plan:
        coding = Coding(judge.frames.dtype, quantised_grid(judge.frames[judge.valid], coarse), self.specials)
        return with_lags(
            Plan(coding, Tolerance(coarse), False), Trials(judge.frames, judge.cube, Tolerance(coarse), effort)
        )


@dataclass(frozen=True, slots=True)
class _Smooth(_Way):
    """The coefficients of a wavelet in even steps; `time`: how deep it goes along the frames."""

    specials: np.ndarray
    grid: Affine
    time: int

    def start(self, judge: _Judge) -> float:
        return _EVEN_STEP

    def most(self, judge: _Judge) -> float:
        return STEP_MAX

    def again(self, judge: _Judge) -> _Again:
        blocks = []
        for block in judge.cube.blocks():
            box = slices_of(block)
            fine = self.grid.fine(judge.frames[box], FINER)
            assert fine is not None
            blocks.append((box, transformed(fine, judge.valid[box], self._depth)))

        def of(step: float) -> np.ndarray | None:
            out = judge.frames.copy()
            for box, coefficients in blocks:
                if coefficients is None:
                    return None
                out[box] = self.grid.join_fine(rebuilt(coefficients, _whole(step)).astype(np.int64), FINER)
            return out

        return of

    def plan(self, judge: _Judge, coarse: float, effort: Effort) -> Plan:
        base = Base(self._depth, _whole(coarse))
        return Plan(Coding(judge.frames.dtype, self.grid, self.specials, base=base, alone=True), Tolerance(inf), False)

    @property
    def _depth(self) -> Depth:
        return Depth(self.time, LEVELS_MAX)


@dataclass(frozen=True, slots=True)
class _Filmed(_Way):
    """A film, as coarse as its quantiser says; `grid`: what brightness stands for."""

    specials: np.ndarray
    grid: Affine
    made: dict[tuple[int, str], bytes | None]

    def start(self, judge: _Judge) -> float:
        return _coarse_of(_QUANTISER_START)

    def most(self, judge: _Judge) -> float:
        return _coarse_of(COARSEST)

    def again(self, judge: _Judge) -> _Again:
        found: dict[int, np.ndarray | None] = {}

        def of(coarse: float) -> np.ndarray | None:
            quantiser = _quantiser_of(coarse)
            if quantiser not in found:
                found.clear()
                found[quantiser] = self._decoded(judge, quantiser)
            return found[quantiser]

        return of

    def _decoded(self, judge: _Judge, quantiser: int) -> np.ndarray | None:
        coding, tolerance = self._coding(judge, quantiser), Tolerance(inf)
        out = judge.frames.copy()
        for block in judge.cube.blocks():
            values = np.ascontiguousarray(judge.frames[slices_of(block)])
            packed = encode_block(values, block.frames, coding, tolerance, "max")
            if packed is None:
                return None
            out[slices_of(block)] = decode_block(packed, values.shape, block.frames, coding)
        return out

    def plan(self, judge: _Judge, coarse: float, effort: Effort) -> Plan:
        return Plan(self._coding(judge, _quantiser_of(coarse)), Tolerance(inf), False)

    def _coding(self, judge: _Judge, quantiser: int) -> Coding:
        return Coding(judge.frames.dtype, self.grid, self.specials, film=Film(quantiser, self.made))


def _coarse_of(quantiser: int) -> float:
    """As the other ways have it: errors grow about as it does."""
    return float(2 ** (quantiser / _QUANTISERS_PER_BIT))


def _quantiser_of(coarse: float) -> int:
    return min(max(round(_QUANTISERS_PER_BIT * log2(coarse)), 4), COARSEST)


def plan_for_floor(stacked: np.ndarray, cube: Cube, floor: Floor, effort: Effort, fills: Sequence[Any]) -> Plan:
    """The plan for an array of floats, in the form of its cube, whose quality must not fall below a floor."""
    specials = find_specials(stacked, fills, zeros=False)
    valid = (classes_of(stacked, specials) == 0) & np.isfinite(stacked)
    inside = stacked[valid]
    span = floor.span or (float(inside.max()) - float(inside.min()) if inside.size else 0.0)
    judge = _Judge(floor, cube, stacked, valid, span)
    if inside.size and span > 0 and isfinite(span) and judge.allowed > 0 and judge.can_be_measured:
        for way, start in _by_size(judge, _ways(judge, specials, effort), specials, effort):
            coarse = _coarsest(judge, way, start, _NEAR)
            if coarse is not None:
                return _or_film(judge, way.plan(judge, coarse, effort), specials, effort)
    return make_plan(stacked, cube, None, effort, fills, inner=False)


def _ways(judge: _Judge, specials: np.ndarray, effort: Effort) -> list[_Way]:
    """The ways that suit."""
    ways: list[_Way] = [_Even(specials)]
    if effort != "fast" and min(judge.frames.shape[1:]) >= _AXIS_MIN:
        inside = judge.frames[judge.valid]
        middle = float(inside.min()) / 2 + float(inside.max()) / 2
        unit = judge.span * (sqrt(12) * judge.allowed if judge.floor.metric == "psnr" else _SIMILAR_START)
        grid = Affine(judge.frames.dtype, np.array([unit]), np.array([middle]))
        ways += [
            _Smooth(specials, grid, time) for time in ((0, LEVELS_MAX) if len(judge.frames) >= _AXIS_MIN else (0,))
        ]
    return ways


def _or_film(judge: _Judge, plan: Plan, specials: np.ndarray, effort: Effort) -> Plan:
    """The plan, or films if those are smaller: parts of an array do not tell what they gain where frames repeat."""
    decibels = judge.floor.value if judge.floor.metric == "psnr" else _FILM_DECIBELS_MAX
    if effort != "max" or decibels > _FILM_DECIBELS_MAX or not can_be_filmed(judge.cube.step):
        return plan
    low = float(judge.frames[judge.valid].min())
    way = _Filmed(specials, Affine(judge.frames.dtype, np.array([judge.span / MOST]), np.array([low])), {})
    coarse = _coarsest(judge, way, way.start(judge), _NEAR)
    film = None if coarse is None else way.plan(judge, coarse, effort)
    if film is None:
        return plan
    lengths = [_length(judge, one, effort) for one in (plan, film)]
    for coder, length in zip(("without a film", "as a film in AV1"), lengths, strict=True):
        tell_try(coder, judge.frames.nbytes, length)
    return film if lengths[1] < lengths[0] else plan


def _by_size(judge: _Judge, ways: list[_Way], specials: np.ndarray, effort: Effort) -> list[tuple[_Way, float]]:
    """The ways, that which makes a part smallest first, each with how coarse it may be there."""
    starts = [way.start(judge) for way in ways]
    order = list(range(len(ways)))
    sizes = dict.fromkeys(min(max(judge.frames.size // part, _PART_MIN), most) for part, most in _PARTS)
    for size in sizes:  # of a small array only one: a second look at the same part would say the same
        sample = _sample(judge, size, specials)
        if not sample.valid.any():
            continue
        lengths: dict[int, int] = {}
        for number in order:
            coarse = _coarsest(sample, ways[number], starts[number], _NEAR_ENOUGH)
            plan = None if coarse is None else ways[number].plan(sample, coarse, effort)
            if coarse is not None and plan is not None:
                lengths[number], starts[number] = _length(sample, plan, effort), coarse
        order = sorted(lengths, key=lambda number: lengths[number]) or order
        order = [number for number in order if lengths.get(number, 0) <= _CLOSE * lengths.get(order[0], 0)]
        if len(order) == 1:
            break
    return [(ways[number], starts[number]) for number in order]


def _sample(judge: _Judge, values: int, specials: np.ndarray) -> _Judge:
    """Tiles from all over the array, of about so many values, side by side; to be judged by the span of the whole.

    One tile alone would not do: where some parts vary more than others, the error that is allowed is unevenly shared.
    """
    frames, rows, columns = judge.frames.shape
    depth = min(frames, _SAMPLE_FRAMES)
    side = max(isqrt(values // (4 * depth)), _SIDE_MIN)
    first = (frames - depth) // 2
    high, wide = min(rows, side), min(columns, side)
    tiles = [
        judge.frames[first : first + depth, y : y + high, x : x + wide]
        for y in _places(rows, high)
        for x in _places(columns, wide)
    ]
    part = np.concatenate(tiles, axis=2)
    valid = (classes_of(part, specials) == 0) & np.isfinite(part)
    return _Judge(judge.floor, Cube(part.shape, (0, 1, 2), (depth, high, wide)), part, valid, judge.span, _SAMPLE_LOOKS)


def _places(length: int, side: int) -> tuple[int, ...]:
    """Where tiles begin along an axis: two if they fit."""
    if length < 2 * side:
        return ((length - side) // 2,)
    return length // 4 - side // 2, length - length // 4 - side + side // 2


def _length(judge: _Judge, plan: Plan, effort: Effort) -> int:
    """The bytes of all blocks; those that cannot be coded so count as they are."""
    total = 0
    for block in judge.cube.blocks():
        values = np.ascontiguousarray(judge.frames[slices_of(block)])
        packed = encode_block(values, block.frames, plan.coding, plan.tolerance, effort)
        total += values.nbytes if packed is None else len(packed)
    return total


def _coarsest(judge: _Judge, way: _Way, start: float, near: float) -> float | None:
    """How coarse the values may become; None: as little as was tried was too much. By secants of logarithms."""
    again, most = way.again(judge), way.most(judge)
    best: float | None = None
    worst = inf
    at, power = min(start, most), 1.0
    last: tuple[float, float] | None = None
    for _ in range(_TRIES):
        loss = judge.loss(again(at))
        if loss <= judge.allowed:
            best = max(best or 0.0, at)
            if loss >= near * judge.allowed or at >= most:
                break
        else:
            worst = min(worst, at)
        if last is not None and 0 < loss < inf and 0 < last[1] < inf and at != last[0] and loss != last[1]:
            power = min(max(log(loss / last[1]) / log(at / last[0]), 0.25), 2.0)
        last = at, loss
        aim = (1 + near) / 2 * judge.allowed
        leap = (aim / loss) ** (1 / power) if 0 < loss < inf else (_LEAP if loss == 0 else 1 / _LEAP)
        at = min(at * min(max(leap, 1 / _LEAP), _LEAP), most)
        if best is not None and not best < at < worst:
            if worst == inf or worst / best < 1 / near:
                break
            at = sqrt(best * worst)
    return best


def _whole(step: float) -> int:
    return min(max(round(step), 1), STEP_MAX)
