"""Whole numbers that stand for others: reference + number * 2^exponent, both of them in the file before the numbers.

That is GRIB's simple packing, but for its decimal factor. The numbers of two messages say little about each other, for
each has a reference of its own; their values say much. Values are 32-bit floats; every step is exact, or rounded as
IEEE 754 says, so the numbers come back the same everywhere.
"""

import struct
from dataclasses import dataclass
from math import ldexp

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.reading import Bytes

SCALE_BYTES = 6
_EXPONENT_SIGN = 0x8000
_EXPONENT_MAX = 200
"""Of either sign; beyond, a 32-bit float holds no such numbers."""
_NANS = 0x7FC00000, 0x7FC00001
"""The bits of what is no value, of either kind."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where reference and exponent are.

    ibm    whether the reference is a 32-bit float of IBM's, behind the exponent; else it is one of IEEE 754, before it
    back   bytes from the first of both to the numbers
    holed  whether the two largest numbers stand for no value: NaN, and another NaN
    """

    ibm: bool
    back: int
    holed: bool = False

    def read(self, data: Bytes, offset: int) -> tuple[float, int]:
        """Reference and exponent of the tile at `offset`; 0 and 0 where they are none that can be reckoned with."""
        stored = data[offset - self.back : offset - self.back + SCALE_BYTES]
        if self.ibm:
            exponent, word = struct.unpack(">HI", stored)
            reference = _from_ibm(word)
        else:
            reference, exponent = struct.unpack(">fH", stored)
        signed = -(exponent & ~_EXPONENT_SIGN) if exponent & _EXPONENT_SIGN else exponent
        return (reference, signed) if abs(signed) <= _EXPONENT_MAX and abs(reference) < 1e30 else (0.0, 0)


IBM = Scale(ibm=True, back=7)
"""GRIB 1: exponent, reference, count of bits, numbers."""


def _from_ibm(word: int) -> float:
    """A float of base 16: sign, 7 bits of exponent, 24 of fraction."""
    found = ldexp(word & 0xFFFFFF, 4 * ((word >> 24 & 0x7F) - 64) - 24)
    return -found if word >> 31 else found


def values_of(numbers: Values, reference: float, exponent: int) -> Values:
    """What whole numbers stand for."""
    with np.errstate(over="ignore"):  # of a reference or an exponent that no writer wrote
        found: Values = (reference + np.ldexp(numbers.astype(np.float64), exponent)).astype(np.float32)
    return found


def with_holes(values: Values, numbers: Values, bits: int) -> Values:
    """32-bit floats with a NaN where the largest number of so many bits stands, another where the one before does."""
    found = values.view(np.uint32).copy()
    for kind, pattern in enumerate(_NANS, 1):
        found[numbers == (1 << bits) - kind] = pattern
    return found.view(np.float32)


def holes_filled(numbers: Values, values: Values, bits: int) -> Values:
    """The numbers with the two largest ones for what is NaN, and for nothing else."""
    found = np.minimum(numbers, (1 << bits) - 1 - len(_NANS)).astype(np.uint32)
    found[np.isnan(values)] = (1 << bits) - 1
    found[np.ascontiguousarray(values).view(np.uint32) == _NANS[1]] = (1 << bits) - 2
    return found


def numbers_of(values: Values, reference: float, exponent: int, bits: int) -> Values:
    """The nearest whole numbers of so many bits that stand for `values`; 0 for what is no number."""
    with np.errstate(over="ignore", invalid="ignore"):  # of values that no writer wrote
        found = np.rint(np.ldexp(values.astype(np.float64) - reference, -exponent))
    numbers: Values = np.clip(np.nan_to_num(found, nan=0.0), 0, (1 << bits) - 1).astype(np.uint32)
    return numbers
