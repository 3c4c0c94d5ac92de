"""A smooth block as a few large numbers: the 9/7 wavelet of Cohen, Daubechies and Feauveau, by lifting, in integers.

Along time first, then along rows and columns together. It need not be reversible: what it loses is made good, or is
within the bound. What matters is that every decoder computes the same integers.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.kernel import bare, wide

_TOGETHER = 32
"""Lines that are lifted side by side."""
_LIFTS = (-103949, -3472, 57862, 29066)
"""-1.586134342, -0.052980119, 0.882911076 and 0.443506852, in 1/65536."""
_GAIN, _GAIN_INVERSE = 75340, 57007
"""1.149604398 and its inverse, in 1/65536: by so much more a low coefficient weighs, and less a high one."""
LEVELS_MAX = 6
_SMALLEST = 4
"""Shorter axes are not split further."""


_Step = tuple[int, int, int, int, int, int]


class Depth(NamedTuple):
    """How often the axes are halved: time, and rows with columns."""

    time: int
    space: int


class Band(NamedTuple):
    """Where the coefficients of one kind lie in a frame, those half as fine (their parents), and what they weigh."""

    row: int
    column: int
    rows: int
    columns: int
    parent_row: int
    parent_column: int
    parent_rows: int
    parent_columns: int
    kind: int
    """0 low both ways, 1 high along a row, 2 high along a column, 3 high both ways."""
    level: int
    gain: int
    """How many times low less how many times high."""


@bare
def _lift(
    data: I32, line: I64, outer: int, outer_step: int, n: int, step: int, inner: int, inner_step: int, back: bool
) -> None:
    """Split lines of n values into low and high halves, or join them; `line` is room for n times _TOGETHER values."""
    half = (n + 1) >> 1
    for o in range(outer):
        for first in range(0, inner, _TOGETHER):
            count = min(_TOGETHER, inner - first)
            start = o * outer_step + first * inner_step
            for i in range(n):
                place = i
                if back:
                    place = 2 * i if i < half else 2 * (i - half) + 1
                for j in range(count):
                    line[place * _TOGETHER + j] = data[start + i * step + j * inner_step]
            for k in range(4):
                number = 3 - k if back else k
                times = wide(_LIFTS[0])
                if number == 1:
                    times = wide(_LIFTS[1])
                elif number == 2:
                    times = wide(_LIFTS[2])
                elif number == 3:
                    times = wide(_LIFTS[3])
                for i in range(1 - (number & 1), n, 2):
                    left = i - 1 if i > 0 else i + 1
                    right = i + 1 if i + 1 < n else i - 1
                    for j in range(count):
                        both = line[left * _TOGETHER + j] + line[right * _TOGETHER + j]
                        change = (times * both + 32768) >> 16
                        line[i * _TOGETHER + j] += -change if back else change
            for i in range(n):
                place = i
                if not back:
                    place = 2 * i if i < half else 2 * (i - half) + 1
                for j in range(count):
                    data[start + i * step + j * inner_step] = np.int32(line[place * _TOGETHER + j])


def depth_for(shape: tuple[int, int, int], most: Depth) -> Depth:
    """As deep as asked for, and as the axes allow."""
    return Depth(min(most.time, _halvings(shape[0])), min(most.space, _halvings(max(shape[1:])), LEVELS_MAX))


def transform(cube: I32, depth: Depth) -> None:
    """Replace the values of a cube by its coefficients."""
    steps = _steps(cube.shape, depth)
    _apply(cube, steps, back=False)


def restore(cube: I32, depth: Depth) -> None:
    """Replace coefficients by the values, or what is near them."""
    _apply(cube, _steps(cube.shape, depth)[::-1], back=True)


def bands(rows: int, columns: int, levels: int) -> list[Band]:
    """The bands of a frame, from the coarsest."""
    sizes = [(rows, columns)]
    for _ in range(levels):
        h, w = sizes[-1]
        sizes.append(((h + 1) >> 1, (w + 1) >> 1))
    low = sizes[-1]
    found = [Band(0, 0, *low, 0, 0, 0, 0, 0, levels, 2 * levels)]
    for level in range(levels, 0, -1):
        (h, w), (lh, lw) = sizes[level - 1], sizes[level]
        places = ((0, lw, lh, w - lw, 1), (lh, 0, h - lh, lw, 2), (lh, lw, h - lh, w - lw, 3))
        for row, column, high, wide_, kind in places:
            parent = (0, 0, 0, 0)
            if level < levels:
                ph, pw = sizes[level + 1]
                parent = (
                    ph if kind & 2 else 0,
                    pw if kind & 1 else 0,
                    lh - ph if kind & 2 else ph,
                    lw - pw if kind & 1 else pw,
                )
            gain = 2 * (level - 1) - (2 if kind == 3 else 0)
            found.append(Band(row, column, high, wide_, *parent, kind, level, gain))
    return [band for band in found if band.rows and band.columns]


def time_bands(frames: int, levels: int) -> tuple[list[int], list[int]]:
    """For each frame of coefficients: the frame before it in its band, else its parent (-1: none); and its gain."""
    sizes = [frames]
    for _ in range(levels):
        sizes.append((sizes[-1] + 1) >> 1)
    before, gains = [], []
    for t in range(sizes[-1]):
        before.append(t - 1)
        gains.append(levels)
    for level in range(levels, 0, -1):
        start, end = sizes[level], sizes[level - 1]
        parent_start = sizes[level + 1] if level < levels else 0
        for t in range(start, end):
            before.append(t - 1 if t > start else parent_start)
            gains.append(level - 2)
    return before, gains


@cache
def step_for(step: int, gain: int) -> int:
    """The step of a coefficient of this gain, in 1/256, if an even one has `step`."""
    for _ in range(abs(gain)):
        step = (step * (_GAIN_INVERSE if gain > 0 else _GAIN) + 32768) >> 16
    return max(step, 1)


def _halvings(length: int) -> int:
    count = 0
    while length >= 2 * _SMALLEST:
        length = (length + 1) >> 1
        count += 1
    return count


def _steps(shape: tuple[int, ...], depth: Depth) -> list[_Step]:
    """What is lifted, one after another: outer, outer step, n, step, inner, inner step."""
    frames, rows, columns = shape
    size = rows * columns
    out: list[_Step] = []
    f = frames
    for _ in range(depth.time):
        out.append((1, 0, f, size, size, 1))
        f = (f + 1) >> 1
    h, w = rows, columns
    for _ in range(depth.space):
        out.append((frames, size, h, columns, w, 1))
        out.append((frames, size, w, 1, h, columns))
        h, w = (h + 1) >> 1, (w + 1) >> 1
    return [step for step in out if step[2] > 1]


def _apply(cube: I32, steps: list[_Step], *, back: bool) -> None:
    flat = cube.reshape(-1)
    line = np.zeros(max(cube.shape) * _TOGETHER, np.int64)
    for step in steps:
        _lift(flat, line, *step, back)
