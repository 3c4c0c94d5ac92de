"""How far off a guess will be: learnt weights of what errors and experts tell, and the odds that lie in it.

Errors are taken to be spread as the logistic distribution is: logarithms of its odds are sums of what tables have.
"""

import math
from functools import cache

import numpy as np

from lithify.codecs.array_types import F32, I32
from lithify.codecs.kernel import inlined, unsigned, wide
from lithify.codecs.vectors import (
    all_of,
    all_real,
    bits_of,
    greater,
    lesser,
    real_bits,
    real_total,
    reals_of,
    set_reals,
)

FINE = 64
_PLACES = 16 * FINE
_LN_2 = 177
"""In 1/256."""
_AWAY_MAX = 1 << 24
_UNIT = FINE << 24
_LOGISTIC = np.float32(11.5 / 65536)
"""A mean error of 1/16 makes the distribution so wide, in 1/256 and with the 1/65536 of scales."""
_LEAST = 9
_STEP = np.float32(1 / 64)
_TIMES_MAX = np.float32(4)
_ONE = np.float32(1)
_LEAST_MEAN = np.float32(1 / 16)
_MOVED_MAX, _WEIGHT_MIN, _WEIGHT_MAX = (int(np.float32(x).view(np.int32)) for x in (1 / 4, 1 / 256, 1.5))
"""Bits of singles: those of positive ones stand in the same order."""


@cache
def odds() -> I32:
    """256 ln(1 + e^-x), 256 ln(e^x - 1) and 256 ln(cosh(x)) for x in 1/64, one after another. Made once."""
    places = [at / FINE for at in range(_PLACES)]
    softened = [math.log1p(math.exp(-x)) for x in places]
    risen = [math.log(math.expm1(max(x, 0.5 / FINE))) for x in places]
    hung = [math.log(math.cosh(x)) for x in places]
    return np.array([round(256 * x) for x in (*softened, *risen, *hung)], np.int32)


@inlined
def _softened(table: I32, x: int) -> int:
    """256 ln(1 + e^-x)."""
    found = wide(table[unsigned(min(abs(x), _PLACES - 1))])
    return found - 4 * x if x < 0 else found


@inlined
def _risen(table: I32, x: int) -> int:
    """256 ln(e^x - 1)."""
    return wide(table[unsigned(_PLACES + x)]) if x < _PLACES else 4 * x


@inlined
def _hung(table: I32, x: int) -> int:
    """256 ln(cosh(x))."""
    return wide(table[unsigned(2 * _PLACES + abs(x))]) if abs(x) < _PLACES else 4 * abs(x) - _LN_2


@inlined
def odds_outside(table: I32, edge: int, middle: int) -> int:
    """Of a number that is so far from 0 on either side, if the distribution has its middle there."""
    return _LN_2 + _softened(table, -(edge + (_hung(table, middle) >> 2))) - _risen(table, 2 * edge)


@inlined
def odds_beyond(table: I32, edge: int, farther: int) -> int:
    """Of a number beyond an edge that it is beyond a farther one too; both from the middle."""
    return _softened(table, edge) - _risen(table, farther - edge)


@inlined
def odds_within(table: I32, edge: int, nearer: int) -> int:
    """Of a number within an edge on both sides of the middle that it is within a nearer one too."""
    inner = _risen(table, nearer) - 4 * nearer
    return inner + _softened(table, edge) + 4 * edge - _LN_2 - _risen(table, edge - nearer)


@inlined
def odds_below(table: I32, half: int, middle: int) -> int:
    """Of a number that is farther than half a step from 0 that it is below 0."""
    return _softened(table, middle - half) - _softened(table, -half - middle)


@inlined
def expected_error(weights: F32, parts: F32) -> np.float32:
    """How far off a guess is to be expected, in 1/16."""
    return max(real_total(reals_of(weights, 0) * parts), _LEAST_MEAN)


@inlined
def learn_spread(weights: F32, parts: F32, expected: np.float32, found: int) -> None:
    """Weights become larger where a guess was farther off than expected, those most whose parts are large."""
    more = (min(np.float32(found) / expected, _TIMES_MAX) - _ONE) * _STEP / expected
    moved = real_bits(lesser(bits_of(parts * all_real(abs(more))), all_of(_MOVED_MAX)))
    before = reals_of(weights, 0)
    turned = all_real(_ONE if more > 0 else -_ONE)
    after = bits_of(before + before * moved * turned)
    set_reals(weights, 0, real_bits(lesser(greater(after, all_of(_WEIGHT_MIN)), all_of(_WEIGHT_MAX))))


@inlined
def narrowness(expected: np.float32, scale: int) -> int:
    """How many places in the tables there are to a step of numbers, in 1/65536."""
    return _UNIT // (wide(expected * np.float32(scale) * _LOGISTIC) + _LEAST)


@inlined
def place_of(away: int, narrow: int) -> int:
    """Where in the tables something is that is so far away, in 1/16 of a step."""
    return (min(max(away, -_AWAY_MAX), _AWAY_MAX) * narrow) >> 20
