"""Exponentials, sigmoids and rotations as integers, each the nearest to its true value: no library's rounding steers.

Everything is reckoned with Python's long integers, 128 bits behind the point, so that the last digit is never in doubt.
"""

from functools import cache
from math import isqrt

import numpy as np

from lithify.codecs.array_types import I32, U32
from lithify.codecs.text.lm.array_types import I16

EXP_BITS = 12
EXPS = 1 << EXP_BITS
"""Steps of a power of two: a fraction of an exponent is cut to so many bits."""
SIGMOIDS = 4096
"""Steps of a sigmoid from 0 to 16."""
_POINT = 128
_ONE = 1 << _POINT


@cache
def falling_powers(bits: int) -> U32:
    """2^(bits - i / EXPS) for i from 0 to EXPS - 1, rounded."""
    step = _ONE >> 1
    for _ in range(EXP_BITS):
        step = isqrt(step << _POINT)
    found, power = [], _ONE
    for _ in range(EXPS):
        found.append(_rounded(power, bits))
        power = power * step >> _POINT
    return np.array(found, np.uint32)


@cache
def sigmoids() -> I32:
    """65536 / (1 + e^-x) for x from 0 to 16 in steps of 1/256, rounded."""
    step = _exp_minus(_ONE >> 8)
    found, power = [], _ONE
    for _ in range(SIGMOIDS + 1):
        found.append(_rounded((_ONE << _POINT) // (_ONE + power), 16))
        power = power * step >> _POINT
    return np.array(found, np.int32)


def rotations(frequencies: list[int], positions: int) -> tuple[I16, I16]:
    """Cosines and sines of position times frequency, each times 2^14 and rounded: (positions, frequencies).

    frequencies  in radians a position, times 2^128
    """
    columns = [_turned(frequency, positions) for frequency in frequencies]
    whole = np.array(columns, np.int64).reshape(len(frequencies), positions, 2).transpose(1, 0, 2)
    return np.ascontiguousarray(whole[..., 0], np.int16), np.ascontiguousarray(whole[..., 1], np.int16)


def frequency(base_bits: int, base: int, pair: int, pairs: int) -> int:
    """base^(-pair / pairs) times 2^128, base being `base` / 2^base_bits: radians a position."""
    exponent = _ln(base << _POINT >> base_bits) * pair // pairs
    return _exp_minus(exponent)


def _rounded(value: int, bits: int) -> int:
    return (value >> (_POINT - bits - 1)) + 1 >> 1


def _exp_minus(x: int) -> int:
    """e^-x times 2^128, of a number that is not negative."""
    halvings = max(0, x.bit_length() - _POINT + 8)
    small, term, total, count = x >> halvings, _ONE, 0, 0
    while term:
        total += -term if count & 1 else term
        count += 1
        term = (term * small >> _POINT) // count
    for _ in range(halvings):
        total = total * total >> _POINT
    return total


def _ln(x: int) -> int:
    """The natural logarithm of a number above 1, times 2^128: of its mantissa, and so many times that of 2."""
    doublings = x.bit_length() - 1 - _POINT
    return _ln_small(x >> doublings) + doublings * _ln_small(2 * _ONE)


def _ln_small(x: int) -> int:
    """The same of 1 to 2, by the series of the area tangent."""
    ratio = (x - _ONE << _POINT) // (x + _ONE)
    square, term, total, count = ratio * ratio >> _POINT, ratio, 0, 1
    while term:
        total += term // count
        term = term * square >> _POINT
        count += 2
    return 2 * total


def _turned(angle: int, positions: int) -> list[tuple[int, int]]:
    """Cosine and sine of each multiple of an angle, times 2^14 and rounded."""
    cos, sin = _cos_sin(angle)
    x, y, found = _ONE, 0, []
    for _ in range(positions):
        found.append((_rounded(x, 14), _rounded(y, 14)))
        x, y = (x * cos - y * sin) >> _POINT, (x * sin + y * cos) >> _POINT
    return found


def _cos_sin(angle: int) -> tuple[int, int]:
    """Of at most one radian, by their series."""
    cos = sin = 0
    term, count = _ONE, 0
    while term:
        sign = -1 if count & 2 else 1
        if count & 1:
            sin += sign * term
        else:
            cos += sign * term
        count += 1
        term = (term * angle >> _POINT) // count
    return cos, sin
