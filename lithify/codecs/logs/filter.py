"""The filter of a block: which short pieces occur in its texts, so that most searches unpack none of them.

A bitmap of hashed pieces: four letters in a row, case folded; four digits; six digits and dots, as in addresses. What
it says is there may not be; what it says is not there is not. Pieces of both letters and digits would fill it: they
are what random ids are made of.
"""

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.logs.streams import Stream

FILTERED = (Stream.TEMPLATES, Stream.GROUPS, Stream.WORDS, Stream.LEFT)
"""The streams whose texts the filter tells of."""

TEXT_BYTES_MIN = 1 << 17
"""Less text is unpacked in a few milliseconds and needs no filter."""
_IN_A_ROW, _DOTTED = 4, 6
_BITS_MIN, _BITS_MAX = 10, 17  # 128 bytes to 16 KiB
_BYTES_PER_BYTE = 1 / 256  # of text: 0.3 to 1.5 % of a block, on ten logs
_FULL = 0.7  # with more of its bits set a word of seven letters passes every third time


@inlined
def _place(window: int, bytes_: int, bits: int) -> int:
    """The bit of the last bytes of a window."""
    key = unsigned(window) & ((unsigned(1) << unsigned(8 * bytes_)) - unsigned(1))
    return wide((key * unsigned(0x9E3779B97F4A7C15)) >> unsigned(64 - bits))


@bare
def _mark(text: U8, bitmap: U8, bits: int) -> None:
    window = wide(0)
    letters, digits, dotted = 0, 0, 0
    for byte in text:
        c = wide(byte)
        if 65 <= c <= 90:
            c |= 32
        window = window << 8 | c
        is_digit = 48 <= c <= 57
        letters = letters + 1 if 97 <= c <= 122 or c == 95 or c >= 128 else 0
        digits = digits + 1 if is_digit else 0
        dotted = dotted + 1 if is_digit or c == 46 else 0
        if max(letters, digits) >= _IN_A_ROW:
            at = _place(window, _IN_A_ROW, bits)
            bitmap[at >> 3] |= 1 << (at & 7)
        if dotted >= _DOTTED and digits < _DOTTED:
            at = _place(window, _DOTTED, bits)
            bitmap[at >> 3] |= 1 << (at & 7)


def make_filter(texts: bytes) -> bytes:
    """The filter of texts; nothing if it would not help, or be too large for what it spares."""
    if len(texts) < TEXT_BYTES_MIN:
        return b""
    bitmap = np.zeros(1 << (_BITS_MAX - 3), np.uint8)
    _mark(np.frombuffer(texts, np.uint8), bitmap, _BITS_MAX)
    bits = np.unpackbits(bitmap, bitorder="little")
    while len(bits) > 1 << _BITS_MIN:
        folded = bits[::2] | bits[1::2]  # what half the bits of a hash say
        if folded.mean() > _FULL and len(bits) <= 8 * _BYTES_PER_BYTE * len(texts):
            break
        bits = folded
    return b"" if bits.mean() > _FULL else np.packbits(bits, bitorder="little").tobytes()


def may_have(bitmap: bytes, piece: bytes) -> bool:
    """Whether some text may hold these bytes; always, where there is no filter, or they are too short to tell."""
    if not bitmap:
        return True
    wanted = np.zeros(len(bitmap), np.uint8)
    _mark(np.frombuffer(piece, np.uint8), wanted, len(bitmap).bit_length() + 2)
    return not (wanted & ~np.frombuffer(bitmap, np.uint8)).any()
