"""Bytes compared four at a time: of every place in some bytes, the four that begin there as one number."""

import numpy as np

from lithify.codecs.array_types import U8, U32
from lithify.codecs.kernel import once, unsigned, wide

_WORD_BYTES = 4
NONE, ALL_FOUR = np.uint32(0), np.uint32(0xFFFFFFFF)
FIRST_THREE: np.uint32 = np.frombuffer(b"\xff\xff\xff\0", np.uint32)[0]
FIRST_TWO: np.uint32 = np.frombuffer(b"\xff\xff\0\0", np.uint32)[0]
FIRST_ONE: np.uint32 = np.frombuffer(b"\xff\0\0\0", np.uint32)[0]
"""What of two words must be equal, in the order of bytes of the machine."""
_CASTAGNOLI = 0x82F63B78


def _checksums() -> U32:
    """Of each byte at each of four places, the last place first: CRC-32C, from 0 on, of it and the zeros behind it."""
    table = np.zeros((_WORD_BYTES, 256), np.uint32)
    for byte in range(256):
        rest = byte
        for place in range(_WORD_BYTES):
            for _ in range(8):
                rest = rest >> 1 ^ (_CASTAGNOLI if rest & 1 else 0)
            table[place, byte] = rest
    return table


CHECKSUMS = _checksums()


def words_of(plain: U8) -> U32:
    """For each place the four bytes from it on; zeros stand behind the end, as many as let two more places be asked."""
    padded = np.zeros(len(plain) + 2 * _WORD_BYTES, np.uint8)
    padded[: len(plain)] = plain
    return np.ndarray((len(plain) + _WORD_BYTES,), np.uint32, padded.data, strides=(1,))


@once
def match_length(words: U32, place: int, at: int, longest: int) -> int:
    """How many bytes from `place` on are as those from `at` on, up to `longest`, which both have."""
    length = wide(0)
    while length + _WORD_BYTES <= longest and words[unsigned(place + length)] == words[unsigned(at + length)]:
        length += _WORD_BYTES
    other = words[unsigned(place + length)] ^ words[unsigned(at + length)]
    length += wide(other & FIRST_ONE == 0) + wide(other & FIRST_TWO == 0) + wide(other & FIRST_THREE == 0)
    return min(length, longest)


@once
def checksum(a: int, b: int, c: int, d: int) -> int:
    """The CRC-32C, from 0 on and not inverted, of four bytes: what some processors have an instruction for."""
    return wide(
        CHECKSUMS[3, unsigned(a)] ^ CHECKSUMS[2, unsigned(b)] ^ CHECKSUMS[1, unsigned(c)] ^ CHECKSUMS[0, unsigned(d)]
    )
