"""The coder of symbols: chances in 1/2^24, a range of 64 bits that never has fewer than 56, and a carry.

What a symbol costs is its chance to within 2^-32; what a stream costs beyond that is a byte.
"""

import numpy as np

from lithify.codecs.array_types import I64, U8, U64
from lithify.codecs.kernel import inlined, unsigned, wide

TOTAL_BITS = 24
TOTAL = 1 << TOTAL_BITS
LOW, RANGE, CODE = range(3)
CODE_BYTES = 8
_LAST = (1 << 64) - 1


def new_coder() -> U64:
    """Before the first symbol of an encoder."""
    return np.array([0, _LAST, 0], np.uint64)


def decoder_of(stream: bytes) -> U64:
    """Before the first symbol of a stream; `position` is then CODE_BYTES."""
    return np.array([0, _LAST, int.from_bytes(stream[:CODE_BYTES].ljust(CODE_BYTES, b"\0"), "big")], np.uint64)


@inlined
def put(coder: U64, position: I64, stream: U8, start: int, size: int) -> None:
    """Encode a symbol whose share of TOTAL is from `start` on, `size` long."""
    step = coder[RANGE] >> unsigned(TOTAL_BITS)
    before = coder[LOW]
    low = before + step * unsigned(start)
    length = step * unsigned(size)
    if low < before:
        at = position[0] - 1
        while stream[at] == 255:
            stream[at] = 0
            at -= 1
        stream[at] += 1
    while length < unsigned(1 << 56):
        stream[position[0]] = low >> unsigned(56)
        position[0] += 1
        low <<= unsigned(8)
        length <<= unsigned(8)
    coder[LOW], coder[RANGE] = low, length


@inlined
def place(coder: U64) -> int:
    """Where in TOTAL the next symbol lies."""
    found = coder[CODE] // (coder[RANGE] >> unsigned(TOTAL_BITS))
    return wide(min(found, unsigned(TOTAL - 1)))


@inlined
def take(coder: U64, position: I64, stream: U8, start: int, size: int) -> None:
    """Go on behind a symbol that was found; behind the stream's end there are zeros."""
    step = coder[RANGE] >> unsigned(TOTAL_BITS)
    code, length = coder[CODE] - step * unsigned(start), step * unsigned(size)
    while length < unsigned(1 << 56):
        at = position[0]
        code = code << unsigned(8) | (unsigned(stream[at]) if at < len(stream) else unsigned(0))
        position[0] = at + 1
        length <<= unsigned(8)
    coder[CODE], coder[RANGE] = code, length


def ended(stream: U8, coder: U64) -> bytes:
    """The stream and the fewest bytes that bring it into the last range, given that zeros follow."""
    low, last = int(coder[LOW]), int(coder[LOW]) + int(coder[RANGE]) - 1
    for count in range(CODE_BYTES + 1):
        step = 1 << (64 - 8 * count)
        value = -(-low // step) * step
        if value <= last:
            tail = (value & _LAST).to_bytes(CODE_BYTES, "big")[:count]
            return (_carried(stream, value >> 64) + tail).rstrip(b"\0")
    raise AssertionError("a range is never empty")


def _carried(stream: U8, carry: int) -> bytes:
    found = bytearray(stream)
    at = len(found) - 1
    while carry and found[at] == 255:
        found[at] = 0
        at -= 1
    if carry:
        found[at] += 1
    return bytes(found)
