"""Numbers of any count of bits, most significant first, one behind the other: as GRIB keeps them."""

import numpy as np

from lithify.codecs.array_types import U8, Values

_AT_ONCE = 1 << 16
"""Numbers that are unpacked together: a multiple of 8, so that each batch begins with a byte."""


def unpack_bits(packed: U8, bits: int, count: int, dtype: np.dtype[np.generic]) -> Values:
    """The first `count` numbers of `bits` bits (1 to 32) in `packed`, which has bytes enough."""
    if bits in (8, 16, 32):
        return packed[: count * bits // 8].view(f">u{bits // 8}").astype(dtype)
    found = np.empty(count, dtype)
    weights = np.left_shift(np.uint64(1), np.arange(bits - 1, -1, -1, dtype=np.uint64))
    for start in range(0, count, _AT_ONCE):
        batch = min(_AT_ONCE, count - start)
        piece = packed[start * bits // 8 : -(-(start + batch) * bits // 8)]
        grid = np.unpackbits(piece, count=batch * bits).reshape(batch, bits)
        found[start : start + batch] = (grid * weights).sum(axis=1, dtype=np.uint64).astype(dtype)
    return found


def pack_bits(numbers: Values, bits: int) -> U8:
    """The lowest `bits` bits of each number; the last byte is filled up with zeros."""
    if bits in (8, 16, 32):
        return numbers.astype(f">u{bits // 8}").view(np.uint8)
    pieces = []
    shifts = np.arange(bits - 1, -1, -1, dtype=np.uint64)
    for start in range(0, len(numbers), _AT_ONCE):
        batch = numbers[start : start + _AT_ONCE].astype(np.uint64)
        pieces.append(np.packbits(((batch[:, None] >> shifts) & np.uint64(1)).astype(np.uint8)))
    return np.concatenate(pieces)
