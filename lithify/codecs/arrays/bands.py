"""How deep a wavelet goes, where its bands lie in time and space, and what their coefficients weigh."""

from functools import cache
from typing import NamedTuple

_GAIN, _GAIN_INVERSE = 75340, 57007
"""1.149604398 and its inverse, in 1/65536: by so much more a low coefficient weighs, and less a high one."""
LEVELS_MAX = 6
_SMALLEST = 4
"""Shorter axes are not split further."""


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


def depth_for(shape: tuple[int, int, int], most: Depth) -> Depth:
    """As deep as asked for, and as the axes allow."""
    return Depth(min(most.time, _halvings(shape[0])), min(most.space, _halvings(max(shape[1:])), LEVELS_MAX))


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
