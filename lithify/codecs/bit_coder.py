"""The arithmetic coder of bits: 32 bits, carry-less, chances in 1/65536; at most four bytes above their worth."""

from lithify.codecs.array_types import I64, U8
from lithify.codecs.kernel import inlined, wide

LOW, HIGH, CODE, POSITION = range(4)
BYTES_PER_BIT_MAX = 4


@inlined
def next_byte(coder: I64, stream: U8) -> int:
    """The stream's next byte; behind its end there are zeros."""
    at = coder[POSITION]
    coder[POSITION] = at + 1
    return wide(stream[at]) if at < len(stream) else wide(0)


@inlined
def begin(coder: I64, stream: U8, decoding: bool) -> None:
    """Before the first bit."""
    coder[LOW], coder[HIGH] = 0, 0xFFFFFFFF
    if decoding:
        for _ in range(4):
            coder[CODE] = coder[CODE] << 8 | next_byte(coder, stream)


@inlined
def code_bit(coder: I64, stream: U8, p: int, decoding: bool, told: int) -> int:
    """One bit that is a one with chance `p`; gives it back."""
    low, high = coder[LOW], coder[HIGH]
    middle = low + (((high - low) * p) >> 16)
    bit = wide(coder[CODE] <= middle) if decoding else told
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) & 0xFF000000 == 0:
        if decoding:
            coder[CODE] = (coder[CODE] << 8) & 0xFFFFFFFF | next_byte(coder, stream)
        else:
            stream[coder[POSITION]] = high >> 24
            coder[POSITION] += 1
        low = (low << 8) & 0xFFFFFFFF
        high = (high << 8) & 0xFFFFFFFF | 255
    coder[LOW], coder[HIGH] = low, high
    return bit


def ended(stream: bytes, low: int, high: int) -> bytes:
    """The stream and the fewest bytes that bring it between low and high, given that zeros follow."""
    for count in range(5):
        step = 1 << (32 - 8 * count)
        value = -(-low // step) * step
        if value <= high:
            return (stream + value.to_bytes(5, "big")[1 : 1 + count]).rstrip(b"\0")
    raise AssertionError("low is above high")
