"""How corrections are told: bits whose chances adapt, and numbers made of such bits."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.bit_coder import code_bit
from lithify.codecs.kernel import inlined, once, unsigned, wide

NUMBER_CHANCES = 64
"""Chances that a number takes: of each bit of its length, and of the bit below the top, by that length."""
NUMBER_BITS_MAX = 31
_COUNT_MAX = 254
_P_MIN = 16
_RECIPROCALS = np.array([-(-(1 << 32) // (2 * count + 3)) for count in range(_COUNT_MAX + 1)], np.int64)
"""By how often a chance was moved, in 1/2^32: so, what is below 2^17 is divided exactly."""
_EVEN = 32768
_FRESH = 65536 // 48  # a correction is rare until it was seen


def new_chances(count: int, numbers_from: int) -> I32:
    """Chances in 1/65536 that a bit is one, each beside how often it was seen; those of numbers begin even."""
    chances = np.zeros((count, 2), np.int32)
    chances[:numbers_from, 0] = _FRESH
    chances[numbers_from:, 0] = _EVEN
    return chances


@inlined
def coded_chance(coder: I64, stream: U8, chances: I32, at: int, decoding: bool, told: int) -> int:
    """One bit with the chance at `at`, which learns from it."""
    p, n = wide(chances[at, 0]), wide(chances[at, 1])
    bit = code_bit(coder, stream, p, decoding, told)
    share = wide(_RECIPROCALS[unsigned(n)])
    if bit:
        p += (((65536 - p) << 1) * share) >> 32
    else:
        p -= ((p << 1) * share) >> 32
    chances[at, 0] = min(max(p, _P_MIN), 65536 - _P_MIN)
    if n < _COUNT_MAX:
        chances[at, 1] = n + 1
    return bit


@once
def code_chance(coder: I64, stream: U8, chances: I32, at: int, decoding: bool, told: int) -> int:
    """The same, for bits that are not one a token."""
    return coded_chance(coder, stream, chances, at, decoding, told)


@once
def code_plain(coder: I64, stream: U8, bits: int, decoding: bool, told: int) -> int:
    """A number of so many bits, each as likely one as zero."""
    value = wide(0)
    for i in range(bits - 1, -1, -1):
        value = value << 1 | code_bit(coder, stream, _EVEN, decoding, told >> i & 1)
    return value


@once
def code_number(coder: I64, stream: U8, chances: I32, at: int, decoding: bool, told: int) -> int:
    """A number from 0 to 2^31 - 2: the length of the number above it, then its bits below the top one."""
    above = told + 1
    length = wide(0)
    while length < NUMBER_BITS_MAX - 1:
        longer = code_chance(coder, stream, chances, at + length, decoding, wide(above >> (length + 1) != 0))
        if longer == 0:
            break
        length += 1
    value = wide(1)
    for i in range(length - 1, -1, -1):
        bit = above >> i & 1
        if i == length - 1:
            bit = code_chance(coder, stream, chances, at + 32 + length, decoding, bit)
        else:
            bit = code_bit(coder, stream, _EVEN, decoding, bit)
        value = value << 1 | bit
    return value - 1
