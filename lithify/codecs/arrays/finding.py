"""Which grids an array may lie on: the coarsest ones that give every value of a sample back, bit for bit.

Floats are often integers in disguise: packed with a scale and an offset, rounded to decimals, or (GRIB) packed frame by
frame with a base of its own. Nothing here is part of the format; what is found is written out, and proved by decoding.
"""

from collections.abc import Iterator
from math import frexp, isfinite

import numpy as np

from lithify.codecs.arrays.covering import covering
from lithify.codecs.arrays.grids import (
    K_MAX,
    MANTISSA,
    Affine,
    Decimal,
    Fixed,
    Grid,
    Native,
    Ordered,
    Ranks,
    odd_times,
    ordered_bits,
)
from lithify.codecs.arrays.lines import line_through
from lithify.codecs.arrays.specials import same_bits
from lithify.codecs.codec import Effort

_SAMPLE = 1 << 15
_DIGITS_MAX = 9
_SPARE_BITS = 3
"""A lattice is worth something if it is so many bits coarser than the rounding of the largest value."""
_COARSER = 1.02
"""Lines of frames are worth a trial if their steps are so much wider than those of an even grid."""
_RANKS_MAX = 1 << 16
_RANKS_SHARE = 20
_EARLY = 4
"""Values are too different for a table if a part of so many of them is."""
_REFINEMENTS = 12
_ASTRAY = 4
"""Roundings that a number may be off a line which was only measured."""
_FRAME_MIN, _FRAMES_TRIED = 64, 8
_LOST = 64
"""Lines for frames are worth something if all but one in so many frames have one."""


def find_grids(stacked: np.ndarray, valid: np.ndarray, effort: Effort, *, inner: bool) -> list[Grid]:
    """The grids worth trying for an array (frames, rows, columns) where `valid`; the likeliest first.

    inner   whether the array is part of a grid: those that have arrays inside are then left out
    """
    values = stacked.reshape(-1) if valid.all() else stacked[valid]
    if not values.size:
        return []
    integers = stacked.dtype.kind in "iu"
    found = _integer_grids(values, effort) if integers else _float_grids(stacked, valid, values, effort)
    return [grid for grid in found if not (inner and _has_arrays(grid))]


def _has_arrays(grid: Grid) -> bool:
    """Whether there are arrays among what is written of a grid."""
    return isinstance(grid, Ranks) or (isinstance(grid, Affine) and grid.is_framed)


def _integer_grids(values: np.ndarray, effort: Effort) -> Iterator[Grid]:
    least, most = int(values.min()), int(values.max())
    sample = _sampled(values)
    step = _common_step(
        sample.astype(object) - least if values.dtype.itemsize == 8 else sample.astype(np.int64) - least
    )
    if step > 1 and not _all_multiples(values, least, step):
        step = 1
    shift = max(0, ((most - least) // step).bit_length() - 29)
    yield Native(values.dtype, least, step, shift)
    span = (most - least) // step + 1
    table = _table(values, span)
    if table is not None:
        yield _ranks(table, effort)


def _all_multiples(values: np.ndarray, least: int, step: int) -> bool:
    from_least = values.astype(np.uint64) - np.uint64(least & (1 << 64) - 1)
    return not (from_least % np.uint64(step)).any()


def _common_step(numbers: np.ndarray) -> int:
    """The greatest common divisor of integers; 1 if all are 0."""
    return min(int(np.gcd.reduce(numbers)) or 1, (1 << 62) - 1)


def _float_grids(stacked: np.ndarray, valid: np.ndarray, values: np.ndarray, effort: Effort) -> Iterator[Grid]:
    sample = _sampled(values)
    lattices = [grid for grid in _lattices(sample) if _fits(grid, sample)]
    if lattices:
        yield lattices[0]
    framed = None if lattices else _per_frame(stacked, valid)
    if framed is not None:
        yield framed
    table = _table(values, _span(lattices[0], values) if lattices else values.size)
    if table is not None:
        yield _ranks(table, effort)
    if not lattices and framed is None:
        fixed = fixed_grid(values)
        if fixed is not None:
            yield fixed
        yield ordered_grid(values)


def _span(lattice: Grid, values: np.ndarray) -> int:
    """How many points of a lattice there are from the least value to the largest."""
    assert isinstance(lattice, Affine | Decimal)
    return int((float(values.max()) - float(values.min())) / lattice.line[0]) + 1


def _lattices(sample: np.ndarray, *, decimals: bool = True) -> Iterator[Grid]:
    """Lattices of one line for all frames, the coarsest first."""
    wide = sample.astype(np.float64)
    largest = float(np.abs(wide).max())
    if largest == 0:
        yield Affine(sample.dtype, np.ones(1), np.zeros(1))
        return
    rounding = 2.0 ** (frexp(largest)[1] - MANTISSA[sample.dtype.itemsize] - 1)
    found = [_binary(sample, wide), _affine(sample, rounding)]
    if decimals:
        found.append(_decimal(sample, wide, rounding))
    steps = [(step, grid) for step, grid in filter(None, found) if step >= rounding * (1 << _SPARE_BITS)]
    yield from (grid for _, grid in sorted(steps, key=lambda pair: -pair[0]))


def _binary(sample: np.ndarray, wide: np.ndarray) -> tuple[float, Grid] | None:
    """Multiples of a power of two, from the smallest value on."""
    mantissa, exponent = np.frexp(wide)
    whole = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    lowest = (whole & -whole).astype(np.float64)
    used = whole > 0
    if not used.any():
        return None
    least = int((np.frexp(lowest[used])[1] - 1 + exponent[used] - 53).min())
    if least < -300:
        return None
    base = float(wide.min())
    with np.errstate(all="ignore"):
        counts = np.ldexp(wide - base, -least)
    if not counts.max() < 2.0**52:
        return None
    step = float(np.ldexp(float(_common_step(counts.astype(np.int64))), least))
    return step, Affine(sample.dtype, np.array([step]), np.array([base]))


def _decimal(sample: np.ndarray, wide: np.ndarray, rounding: float) -> tuple[float, Grid] | None:
    for digits in range(1, _DIGITS_MAX + 1):
        power = float(10**digits)
        if 1 / power < rounding * 2:
            return None
        with np.errstate(all="ignore"):
            whole = np.rint(wide * power)
            back = (whole / power).astype(sample.dtype)
        if np.array_equal(back, sample) and np.abs(whole).max() < 2.0**52:
            first = int(whole.min())
            step = _common_step(whole.astype(np.int64) - first)
            return step / power, Decimal(sample.dtype, first, step, digits)
    return None


def _affine(sample: np.ndarray, rounding: float) -> tuple[float, Grid] | None:
    """Any step: the smallest distance between two values, refined until it fits the largest."""
    numbers = distinct(sample)
    if len(numbers) < 3:
        return None
    different = numbers.astype(np.float64)
    gaps = np.diff(different)
    step = float(gaps[gaps > 4 * rounding].min()) if (gaps > 4 * rounding).any() else 0.0
    if step < rounding * (1 << _SPARE_BITS):
        return None
    offset = different - different[0]
    reach = 64.0
    for _ in range(_REFINEMENTS):
        near = offset <= reach * step
        counts = np.rint(offset[near] / step)
        if near.sum() >= 2 and counts.any():
            step = float((offset[near] * counts).sum() / (counts * counts).sum())
        if near.all():
            break
        reach *= 8
    counts = np.rint(offset / step)
    if counts[-1] > K_MAX:
        return None
    if not (isfinite(step) and counts[-1] > 0):
        return None  # sums of the largest numbers there are overflow
    if np.abs(offset - counts * step).max() > _ASTRAY * rounding:
        return None
    line = line_through(numbers, counts, step)
    grid = Affine(sample.dtype, np.array([line[0]]), np.array([line[1]]))
    return (line[0], grid) if all(map(isfinite, line)) and _fits(grid, sample) else None


def _per_frame(stacked: np.ndarray, valid: np.ndarray) -> Grid | None:
    """A line for each frame: how GRIB packs a field, and whoever scales images to what is in them."""
    frames, rows, columns = stacked.shape
    if frames < 2 or rows * columns < _FRAME_MIN:
        return None
    some = np.unique(np.linspace(0, frames - 1, min(frames, _FRAMES_TRIED)).astype(int))
    tried = [_frame_line(stacked[frame][valid[frame]]) for frame in some]
    if any(line is None for line in tried):
        return None
    same = _of_one_step(stacked, valid, next((line[0] for line in tried if line is not None and line[0]), 0.0))
    if same is not None:
        return same
    lines: list[tuple[float, float] | None] = []
    for frame in range(frames):
        found = _frame_line(stacked[frame][valid[frame]], lines[-1] if lines else None)
        lines.append(found)
    known = [line for line in lines if line is not None and line[0]]
    if not known or lines.count(None) * _LOST > frames:
        return None
    lines = [
        line if line is not None and line[0] else (known[0][0], line[1] if line else known[0][1]) for line in lines
    ]
    steps, bases = (np.array(column) for column in zip(*lines, strict=True))
    return Affine(stacked.dtype, steps[:1] if (steps == steps[0]).all() else steps, bases)


def _of_one_step(stacked: np.ndarray, valid: np.ndarray, step: float) -> Grid | None:
    """A line for each frame from its least value on, all of one step; None if that is not how they lie."""
    known = valid.any(axis=(1, 2))
    if not step or not known.any():
        return None
    least = np.where(valid, stacked, np.inf).min(axis=(1, 2)).astype(np.float64)
    grid = Affine(stacked.dtype, np.array([step]), np.where(known, least, least[known][0]))
    frames = range(len(stacked))
    again = grid.join(grid.split(stacked, frames).integers, None, frames)
    return grid if bool((same_bits(again, stacked) | ~valid).all()) else None


def _frame_line(values: np.ndarray, last: tuple[float, float] | None = None) -> tuple[float, float] | None:
    """Step and base of the lattice that one frame lies on, with the step of the last one if it will do; a step of 0 if
    there is too little to tell."""
    if not values.size:
        return 0.0, 0.0
    if last is not None and last[0]:
        base = float(values.min())
        if _fits(Affine(values.dtype, np.array([last[0]]), np.array([base])), values, all_of_them=True):
            return last[0], base
    different = distinct(values)
    if len(different) < 3:
        return 0.0, float(different[0])
    grid = next((grid for grid in _lattices(different, decimals=False) if _fits(grid, different)), None)
    return grid.line if isinstance(grid, Affine) else None


def fixed_grid(values: np.ndarray) -> Grid | None:
    """Multiples of the rounding of the largest value, the finer bits aside."""
    if values.dtype.itemsize < 4:
        return None
    exponent = frexp(float(np.abs(values.astype(np.float64)).max()))[1] - (24 if values.dtype.itemsize == 4 else 28)
    limit = 98 if values.dtype.itemsize == 4 else 900  # readers refuse exponents from which a number may be infinite
    return Fixed(values.dtype, exponent) if -limit < exponent < limit else None


def ordered_grid(values: np.ndarray) -> Grid:
    """The bits in the order of the floats; of wide ranges the low ones aside."""
    order = ordered_bits(values)
    least, most = int(order.min()), int(order.max())
    return Ordered(values.dtype, least, max(0, (most - least).bit_length() - 29), loses=False)


def quantised_grid(values: np.ndarray, error: float) -> Grid | None:
    """The coarsest grid whose every value is within `error` of those it stands for; None: there is none."""
    if not isfinite(error):
        return None
    least, most = float(values.min()), float(values.max())
    rounding = _rounding(values)
    step = 2 * (error - rounding / 2)
    sample = _sampled(values)
    lattice = next((grid for grid in _lattices(sample) if _fits(grid, sample)), None)
    coarse = _coarser(lattice, values.dtype, error)
    if coarse is not None and coarse[0] >= step:
        return coarse[1]
    if not (step > rounding and isfinite(step)):
        return None
    base = 0.0 if max(-least, most) / step < K_MAX else float(np.rint((least + most) / 2 / step) * step)
    if (most - least) / step >= K_MAX:
        return None
    return Affine(values.dtype, np.array([step]), np.array([base]))


def tighter_grids(stacked: np.ndarray, valid: np.ndarray, error: float, effort: Effort) -> Iterator[Grid]:
    """Grids that may take less than the even one of `quantised_grid`, for values that lie on few places themselves."""
    values = stacked[valid]
    middle = len(stacked) // 2
    line = _frame_line(stacked[middle][valid[middle]])
    if line is not None and line[0] and line[0] * odd_times(line[0], error) > _COARSER * 2 * error:
        framed = _per_frame(stacked, valid)
        if isinstance(framed, Affine) and framed.is_framed:
            yield framed.coarser(error)
    table = _table(values, values.size)
    few = None if table is None else covering(table, error - _rounding(values) / 2)
    if few is not None:
        yield _ranks(few, effort)


def _rounding(values: np.ndarray) -> float:
    """Half the distance of the largest of some floats to the next."""
    largest = max(-float(values.min()), float(values.max()))
    return 2.0 ** (frexp(largest)[1] - MANTISSA[values.dtype.itemsize] - 1) if largest else 0.0


def _coarser(lattice: Grid | None, dtype: np.dtype, error: float) -> tuple[float, Grid] | None:
    """Every odd-numbered point of a lattice that is finer than the error: nothing lies halfway between two of them."""
    if not isinstance(lattice, Affine | Decimal):
        return None
    step, base = lattice.line
    times = odd_times(step, error)
    if times == 1:
        return step, lattice
    return times * step, Affine(dtype, np.array([times * step]), np.array([base]))


def rounded_grid(values: np.ndarray, part: float) -> Grid | None:
    """The bits in order, rounded to so few that no value moves by more than `part` of itself; None: it needs all."""
    if part >= 1:
        return None
    shift = MANTISSA[values.dtype.itemsize] - (1 - frexp(part)[1])
    order = ordered_bits(values)
    zero = 1 << (8 * values.dtype.itemsize - 1)
    if shift < 1:
        return None
    base = int(order.min())
    base -= (base - zero) % (1 << shift)
    if base < 0 or (int(order.max()) - base) >> shift >= K_MAX:
        return None
    return Ordered(values.dtype, base, shift, loses=True)


def _table(values: np.ndarray, span: int) -> np.ndarray | None:
    """The different values in order, if they are few."""
    most = min(_RANKS_MAX, values.size // _RANKS_SHARE, span // 2)
    if most < 1:
        return None
    table = values[:0]
    for part in (_sampled(values), values[: len(values) // _EARLY], values):
        table = distinct(part)
        if len(table) > most:
            return None
    return table


def distinct(values: np.ndarray) -> np.ndarray:
    """The different values in order; of floats, 0 and its negative are the same. By sorting: numpy's own way takes 200
    times as long for whole numbers."""
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _ranks(table: np.ndarray, effort: Effort) -> Grid:
    from lithify.codecs.arrays.values import encode_inner

    return Ranks(table.dtype, table, encode_inner(table, effort))


def _fits(grid: Grid, sample: np.ndarray, *, all_of_them: bool = False) -> bool:
    """Whether the sample comes back, but for a few values in a thousand (patches)."""
    cube = sample.reshape(1, 1, -1)
    split = grid.split(cube, range(1))
    kept = same_bits(grid.join(split.integers, split.low, range(1)), cube)
    return bool(kept.all()) if all_of_them else bool(kept.mean() > 0.999)


def _sampled(values: np.ndarray) -> np.ndarray:
    """A part of many values: every n-th, and a stretch from the middle."""
    if len(values) <= 2 * _SAMPLE:
        return values
    middle = len(values) // 2
    return np.concatenate((values[:: len(values) // _SAMPLE][:_SAMPLE], values[middle : middle + _SAMPLE]))
