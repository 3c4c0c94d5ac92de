"""The two streams that numbers become: bits that are as likely as not, as they are, and those that have chances."""

import numpy as np

from lithify.codecs.array_types import I64, U8
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.bit_coder import HIGH, LOW, POSITION, ended
from lithify.codecs.kernel import inlined, unsigned, wide

PLAIN_AT, PLAIN_BITS, PLAIN_COUNT = range(POSITION + 1, POSITION + 4)
"""Places in the state of a coder, behind those of the coder of bits."""
STATES = PLAIN_COUNT + 1


@inlined
def plain_bits(coder: I64, plain: U8, decoding: bool, told: int, count: int) -> int:
    """The next `count` bits, from the lowest; gives them back. Behind the end there are zeros."""
    held, have, at = coder[PLAIN_BITS], coder[PLAIN_COUNT], coder[PLAIN_AT]
    if decoding:
        while have < count:
            if at < len(plain):
                held |= wide(plain[unsigned(at)]) << have
            at += 1
            have += 8
        told = held & ((1 << count) - 1)
        held >>= count
        have -= count
    else:
        held |= told << have
        have += count
        while have >= 8:
            plain[unsigned(at)] = held & 255
            at += 1
            held >>= 8
            have -= 8
    coder[PLAIN_BITS], coder[PLAIN_COUNT], coder[PLAIN_AT] = held, have, at
    return told


def joined(coder: I64, stream: U8, plain: U8) -> bytes:
    """Both as one stream of bytes, after the last number."""
    end = int(coder[PLAIN_AT])
    plain[end] = coder[PLAIN_BITS]
    bits = plain[: end + 1].tobytes().rstrip(b"\0")
    coded = ended(stream[: coder[POSITION]].tobytes(), int(coder[LOW]), int(coder[HIGH]))
    return varint(len(bits)) + bits + coded


def parted(joint: bytes) -> tuple[U8, U8]:
    """The stream that has chances, and the plain one. Raises Truncated or Corrupt."""
    reader = Reader(joint)
    plain = np.frombuffer(reader.take(reader.varint(reader.left)), np.uint8).copy()
    return np.frombuffer(reader.rest(), np.uint8).copy(), plain
