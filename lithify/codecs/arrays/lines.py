"""The line on which rounded numbers lie: known to half a rounding of each, it is one of few, or there is none."""

import numpy as np

_NARROWINGS = 80
"""Each leaves two thirds of the slopes."""


def line_through(numbers: np.ndarray, counts: np.ndarray, slope: float) -> tuple[float, float]:
    """Step and base of the line that has the most room on either side among all that pass within the rounding of
    every number.

    numbers   floats in order, each different
    counts    doubles in order: how many steps each lies above the first
    slope     the step, nearly: by no more than four roundings of the largest number over all steps

    If there is no such line, what is given is the one that misses by least. Where 0 is among the numbers the base is 0,
    for nothing else gives 0 back.
    """
    wide = numbers.astype(np.float64)
    half = np.spacing(np.abs(numbers)).astype(np.float64) / 2
    low, high = wide - half, wide + half
    if (zeros := np.flatnonzero(wide == 0)).size:
        return _slope(low, high, counts - counts[zeros[0]]), 0.0
    reach = 8 * float(half.max()) / max(float(counts[-1]), 1.0)
    least, most = slope - reach, slope + reach
    for _ in range(_NARROWINGS):
        third = (most - least) / 3
        if _room(low, high, counts, least + third) < _room(low, high, counts, most - third):
            least += third
        else:
            most -= third
    step = (least + most) / 2
    return step, (_top(low, counts, step) + _bottom(high, counts, step)) / 2


def _slope(low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> float:
    """The step of a line from 0; `counts`: how many steps each number lies above it."""
    used = counts != 0
    ends = np.sort((low[used] / counts[used], high[used] / counts[used]), axis=0)
    return float(ends[0].max() + ends[1].min()) / 2


def _top(low: np.ndarray, counts: np.ndarray, step: float) -> float:
    """The least base of a line of this step that passes above all `low`."""
    return float((low - counts * step).max())


def _bottom(high: np.ndarray, counts: np.ndarray, step: float) -> float:
    return float((high - counts * step).min())


def _room(low: np.ndarray, high: np.ndarray, counts: np.ndarray, step: float) -> float:
    """How far a line of this step can be moved; below 0: it does not pass."""
    return _bottom(high, counts, step) - _top(low, counts, step)
