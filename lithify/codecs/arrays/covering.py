"""Few values that stand for many within an error: a table, for arrays in which few different values occur.

An even grid has points everywhere within the range, also where no value ever lies; who codes on it pays for them.
"""

from math import floor, log2

import numpy as np

_GAIN = 0.8
"""A table is worth a trial if it has so many times the points of an even grid, or fewer."""
_SLACKS = (0.25, 0.125, 0.03)
_SLACK_COST = 1.003


def covering(table: np.ndarray, error: float) -> np.ndarray | None:
    """Floats such that each of `table` (different, in order) is within `error` of one of them, and few of them.

    None if an even grid does not have many more points, or there is no room for an error.
    """
    if not error > 0:
        return None
    wide = table.astype(np.float64)
    first = _first_of_groups(wide, 2 * error)
    if len(first) > _GAIN * (float(wide[-1]) - wide[0]) / (2 * error):
        return None
    for slack in _SLACKS:
        slacker = _first_of_groups(wide, 2 * error * (1 - slack))
        if len(slacker) <= _SLACK_COST * len(first):
            first = slacker
            break
    last = np.append(first[1:], len(wide)) - 1
    found = _simplest(wide[last] - error, wide[first] + error).astype(table.dtype)
    apart = len(found) == 1 or bool((np.diff(found) > 0).all())
    return found if apart else None


def _first_of_groups(numbers: np.ndarray, span: float) -> np.ndarray:
    """Where groups begin that each span at most so much, made greedily: they are the fewest."""
    behind = np.searchsorted(numbers, numbers + span, side="right").tolist()
    first = [0]
    while behind[first[-1]] < len(numbers):
        first.append(behind[first[-1]])
    return np.array(first)


def _simplest(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Numbers from low to high, multiples of a power of two that is as large as it can be for all of them."""
    middle = (low + high) / 2
    room = float((high - low).min())
    power = 2.0 ** floor(log2(room)) if room > 0 else 0.0
    found: np.ndarray = np.rint(middle / power) * power if power else middle
    return found
