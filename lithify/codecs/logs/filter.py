"""The filter of a block: which three bytes in a row occur in its texts, so that most searches need not unpack them.

A bitmap of hashed trigrams, case folded. What it says is there may not be; what it says is not there is not.
"""

import numpy as np

from lithify.codecs.logs.arrays import U8
from lithify.codecs.logs.kernel import kernel, wide

TEXT_BYTES_MIN = 1 << 17
"""Less text is unpacked in a millisecond and needs no filter."""
_BITS_MIN, _BITS_MAX = 10, 15  # 128 bytes to 4 KiB
_FULL = 0.5  # a filter with more of its bits set keeps out too little to be worth its bytes


@kernel
def _mark(text: U8, bitmap: U8, bits: int) -> None:
    window, run = 0, 0
    for byte in text:
        c = wide(byte)
        if c == 10:
            run = 0
            continue
        if 65 <= c <= 90:
            c |= 32
        window = (window << 8 | c) & 0xFFFFFF
        run += 1
        if run >= 3:
            at = ((window * 0x9E3779B1) & 0xFFFFFFFF) >> (32 - bits)
            bitmap[at >> 3] |= 1 << (at & 7)


def make_filter(texts: bytes) -> bytes:
    """The filter of texts that are ended by line ends; nothing if it would not help."""
    if len(texts) < TEXT_BYTES_MIN:
        return b""
    bitmap = np.zeros(1 << (_BITS_MAX - 3), np.uint8)
    _mark(np.frombuffer(texts, np.uint8), bitmap, _BITS_MAX)
    bits = np.unpackbits(bitmap, bitorder="little")
    if bits.mean() > _FULL:
        return b""
    while len(bits) > 1 << _BITS_MIN:
        folded = bits[::2] | bits[1::2]  # what half the bits of a hash say
        if folded.mean() > _FULL:
            break
        bits = folded
    return np.packbits(bits, bitorder="little").tobytes()


def may_have(bitmap: bytes, run: bytes) -> bool:
    """Whether some text may hold the bytes; always, where there is no filter, or fewer than three bytes."""
    if not bitmap or len(run) < 3:
        return True
    bits = len(bitmap).bit_length() + 2
    wanted = np.zeros(len(bitmap), np.uint8)
    _mark(np.frombuffer(run, np.uint8), wanted, bits)
    return not (wanted & ~np.frombuffer(bitmap, np.uint8)).any()
