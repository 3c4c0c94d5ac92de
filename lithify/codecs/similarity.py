"""Structural similarity of two planes of numbers: 1 where they are alike, less the more of their structure differs.

Wang and others, Image Quality Assessment: From Error Visibility to Structural Similarity, 2004, with the uniform window
that most tools use today: squares of 7 by 7, each weighing the same, only those that lie wholly inside, and moments
that divide by 49.
"""

from typing import cast

import numpy as np

from lithify.codecs.array_types import Bools, Values

SIDE = 7
_K1, _K2 = 0.01, 0.03


def similarity(exact: Values, other: Values, middle: float, span: float, valid: Bools | None = None) -> float:
    """The mean over all windows; see `similarities`.

    valid  where there are values, at least one; None: everywhere. A window counts for as much of it as is valid
    """
    found = similarities(exact, other, middle, span)
    if valid is None or valid.all():
        return float(np.mean(found))
    shares = _windows(valid.astype(np.float64))
    return float(np.sum(shares * found) / np.sum(shares))


def similarities(exact: Values, other: Values, middle: float, span: float) -> Values:
    """That of each window of two planes of one shape, at least SIDE by SIDE; which of them is exact matters not.

    middle  what was taken from both, so that squares lose no digits; or 0
    span    the range that values can have
    """
    means = [_windows(array) for array in (exact, other)]
    squares = [_windows(array * array) - mean * mean for array, mean in zip((exact, other), means, strict=True)]
    covariance = _windows(exact * other) - means[0] * means[1]
    one, two = (mean + middle for mean in means)
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    top = (2 * one * two + c1) * (2 * covariance + c2)
    return cast("Values", top / ((one * one + two * two + c1) * (squares[0] + squares[1] + c2)))


def _windows(frame: Values) -> Values:
    """The mean of each square of SIDE."""
    sums = np.pad(frame.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    total = sums[SIDE:, SIDE:] - sums[:-SIDE, SIDE:] - sums[SIDE:, :-SIDE] + sums[:-SIDE, :-SIDE]
    return cast("Values", total / SIDE**2)
