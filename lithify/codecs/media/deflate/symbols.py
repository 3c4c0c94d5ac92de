"""What RFC 1951 says of lengths and distances: which symbol, how many more bits, and from which value on."""

import numpy as np

from lithify.codecs.array_types import I32

LITERALS, LENGTHS, DISTANCES = 286, 29, 30
END_OF_BLOCK = 256
LENGTH_MIN, LENGTH_MAX = 3, 258
DISTANCE_MAX = 32768
CODE_BITS_MAX, META_BITS_MAX, META_SYMBOLS = 15, 7, 19
STORED, FIXED, DYNAMIC = 0, 1, 2

META_ORDER: I32 = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.int32)
"""The order in which a block tells the lengths of the codes that its code lengths are written in."""
LENGTH_BITS: I32 = np.array([0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0], np.int32)
LENGTH_BASE: I32 = np.array([*(3 + np.cumsum([0, *(1 << LENGTH_BITS[:27])])), 258], np.int32)
DISTANCE_BITS: I32 = np.array([0, 0, *(n for n in range(14) for _ in range(2))], np.int32)
DISTANCE_BASE: I32 = np.array(1 + np.cumsum([0, *(1 << DISTANCE_BITS[:29])]), np.int32)
FIXED_LENGTHS: I32 = np.array([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8 + [5] * 30, np.int32)
"""Of the 288 literals and lengths and the 30 distances of a block with fixed codes."""


def _symbols(base: I32, last: int) -> I32:
    return np.array(np.searchsorted(base, np.arange(last + 1), side="right") - 1, np.int32)


LENGTH_SYMBOL: I32 = _symbols(LENGTH_BASE, LENGTH_MAX)
"""By length; 258 has a symbol of its own."""
DISTANCE_SYMBOL: I32 = _symbols(DISTANCE_BASE, DISTANCE_MAX)
