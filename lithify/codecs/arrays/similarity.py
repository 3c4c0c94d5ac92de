"""Structural similarity of arrays, frame by frame: what a floor of quality means by it."""

import numpy as np

from lithify.codecs.array_types import Bools, Values

_SIDE = 7  # Wang and others, Image Quality Assessment, 2004, with the uniform window most tools use today
_K1, _K2 = 0.01, 0.03
_FRAMES_MAX = 64


def similarity(before: Values, after: Values, valid: Bools, span: float) -> float | None:
    """Mean structural similarity of the frames of the last two axes; None if they are too small."""
    if before.ndim < 2 or min(before.shape[-2:]) < _SIDE:
        return None
    rows, columns = before.shape[-2:]
    frames = [array.reshape(-1, rows, columns) for array in (before, after, valid)]
    step = max(1, len(frames[0]) // _FRAMES_MAX)
    found = []
    for exact, other, inside in zip(*(array[::step] for array in frames), strict=True):
        if inside.any():
            middle = exact[inside].astype(np.float64).mean()
            pair = [np.where(inside, array.astype(np.float64) - middle, 0.0) for array in (exact, other)]
            found.append(_of_frame(pair[0], pair[1], middle, span))
    return round(float(np.mean(found)), 6) if found else None


def _of_frame(exact: Values, other: Values, middle: float, span: float) -> float:
    """Of one frame; both less `middle`, so that squares lose no digits."""
    means = [_windows(array) for array in (exact, other)]
    squares = [_windows(array * array) - mean * mean for array, mean in zip((exact, other), means, strict=True)]
    covariance = _windows(exact * other) - means[0] * means[1]
    one, two = (mean + middle for mean in means)
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    top = (2 * one * two + c1) * (2 * covariance + c2)
    return float(np.mean(top / ((one * one + two * two + c1) * (squares[0] + squares[1] + c2))))


def _windows(frame: Values) -> Values:
    """The mean of each square of _SIDE."""
    sums = np.pad(frame.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    total = sums[_SIDE:, _SIDE:] - sums[:-_SIDE, _SIDE:] - sums[_SIDE:, :-_SIDE] + sums[:-_SIDE, :-_SIDE]
    windows: Values = total / _SIDE**2
    return windows
