"""Bits of a stream, most significant first: pieces of kernels that read and write them anywhere."""

import numpy as np

from lithify.codecs.array_types import I64, U8
from lithify.codecs.kernel import bare, once, wide


@once
def bits_at(stream: U8, at: int, count: int) -> int:
    """`count` (at most 32) bits from bit `at` on; zeros behind the end."""
    found = wide(0)
    first, last = at >> 3, (at + count + 7) >> 3
    for place in range(first, last):
        found = (found << 8) | (wide(stream[place]) if place < len(stream) else wide(0))
    return (found >> ((last << 3) - at - count)) & ((wide(1) << count) - 1)


@once
def zeros_at(stream: U8, at: int) -> int:
    """How many zero bits stand before the next one; -1: it does not come."""
    end = wide(len(stream)) << 3
    place = wide(at)
    while place < end:
        if (wide(stream[place >> 3]) >> (7 - (place & 7))) & 1:
            return place - at
        place += 1
    return wide(-1)


@once
def put(out: U8, at: int, value: int, count: int) -> int:
    """Put `count` (at most 32) bits at bit `at`; gives the bit behind them, one beyond the end if there is no room."""
    end = at + count
    if end > wide(len(out)) << 3:
        return (wide(len(out)) << 3) + 1
    left = wide(count)
    while left > 0:
        inside = at & 7
        some = min(8 - inside, left)
        piece = (value >> (left - some)) & ((wide(1) << some) - 1)
        out[at >> 3] |= np.uint8(piece << (8 - inside - some))
        at += some
        left -= some
    return end


@once
def put_zeros(out: U8, at: int, zeros: int) -> int:
    """Zeros and a one."""
    beyond = (wide(len(out)) << 3) + 1
    return put(out, min(at + zeros, beyond), wide(1), wide(1))


@bare
def run_fields(numbers: I64, widths: U8, stream: U8, decoding: bool) -> bool:
    """Take numbers of `widths[i]` bits (at most 32) out of `stream`, or put them into it; whether all have room."""
    at = wide(0)
    for i in range(len(numbers)):
        width = wide(widths[i])
        if at + width > wide(len(stream)) << 3:
            return False
        if decoding:
            numbers[i] = bits_at(stream, at, width)
        else:
            put(stream, at, numbers[i], width)
        at += width
    return True
