"""Values that lie so near to a fill that a bound alone would let them become fills: numbers, and then none.

A fill that is far from all values, as most are, needs none of this. Zero is a fill too, of rain and of radiances.
"""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.bound import Bound, Looseness
from lithify.codecs.arrays.specials import same_bits

_OWN_SHARE, _MOVED_SHARE = 0.45, 0.5
"""Of a bound: what is left for the coder, and how far from the fill values are moved. Steps of twice the first then
lead from the fill past what was moved, and both together stay within the bound."""


class Moved(NamedTuple):
    """Values none of which is near to a fill, and what they may still differ by."""

    values: Values
    bound: Bound


def became_missing(before: Values, after: Values, fills: Sequence[np.generic]) -> Bools:
    """Where a value that means something became one that means that there is none."""
    found: Bools = np.zeros(before.shape, np.bool_)
    for fill in fills:
        found |= (after == fill) & (before != fill)
    return found


def moved_from_fills(values: Values, fills: Sequence[np.generic], bound: Looseness) -> Moved | None:
    """Floating-point values to be coded instead; None: a bound of this kind has no room for that."""
    by = _absolute(values, fills, bound)
    if by is None:
        return None
    wide, found, missing = values.astype(np.float64), values.copy(), _missing(values, fills)
    for fill in map(float, fills):
        with np.errstate(invalid="ignore", over="ignore"):  # of infinities, which are near to nothing
            apart = wide - fill
            near = (np.abs(apart) < _MOVED_SHARE * by) & ~missing
            found[near] = (fill + np.copysign(_MOVED_SHARE * by, apart[near])).astype(values.dtype)
    return Moved(found, Bound("abs", _OWN_SHARE * by))


def is_within(before: Values, after: Values, fills: Sequence[np.generic], bound: Looseness) -> bool:
    """Whether all values are within a bound that `moved_from_fills` made use of, and what is none is to the bit."""
    by = _absolute(before, fills, bound)
    if by is None or became_missing(before, after, fills).any():
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(before.astype(np.float64) - after.astype(np.float64)) <= by
    return bool(np.where(_missing(before, fills), same_bits(before, after), near & np.isfinite(after)).all())


def _missing(values: Values, fills: Sequence[np.generic]) -> Bools:
    """Where there is no value: fills, and what is not finite."""
    found: Bools = ~np.isfinite(values)
    for fill in fills:
        found |= values == fill
    return found


def _absolute(values: Values, fills: Sequence[np.generic], bound: Looseness) -> float | None:
    """A bound in the unit of the values."""
    if not isinstance(bound, Bound) or bound.kind == "pwrel":
        return None
    by = bound.value
    if bound.kind == "rel":
        inside = values[~_missing(values, fills)]
        by *= float(inside.max()) - float(inside.min()) if inside.size else 0.0
    return by if by > 0 and isfinite(by) else None
