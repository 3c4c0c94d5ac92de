"""Where the special values of a block lie: class maps, coded bit by bit in the company of their neighbours."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, code_bit, ended
from lithify.codecs.chances import COUNT_MAX, Chances, chances
from lithify.codecs.kernel import bare, inlined, unsigned, wide

CLASS_BITS = 4
_PLACES = 1 << 10
_COUNT_MASK = 1023
_NONE_BUT_SPECIAL = b"\0"
"""Streams lose their last zeros. A block of the first class alone would have no bytes left, which says it has none."""
_ROOM = 16 * BYTES_PER_BIT_MAX


@inlined
def _coded(maps: U32, at: int, reciprocal: I32, coder: I64, stream: U8, decoding: bool, told: int) -> int:
    """One bit by the chance at a place, which learns from it."""
    both = wide(maps[unsigned(at)])
    n, p = both & _COUNT_MASK, both >> 10
    bit = code_bit(coder, stream, min(max(p >> 6, 1), 65535), decoding, told)
    p += ((((bit << 22) - bit) - p) * reciprocal[unsigned(n)]) >> 16
    maps[unsigned(at)] = p << 10 | min(n + 1, COUNT_MAX)
    return bit


@bare
def run_mask(
    classes: U8,
    frames: int,
    rows: int,
    columns: int,
    lag: int,
    maps: U32,
    c: Chances,
    coder: I64,
    stream: U8,
    decoding: bool,
) -> int:
    """Encode class maps to `stream`, or decode them from it. Gives the bytes written; -1: no room.

    A frame that equals the one `lag` before is one bit. Else each value says whether it is special; if so, whether its
    class is that of the last special value, or which it is.
    """
    reciprocal = c.reciprocal
    begin(coder, stream, decoding)
    size = rows * columns
    last = wide(1)
    for f in range(frames):
        first = f * size
        if f >= lag:
            same = wide(1)
            before = first - lag * size
            if not decoding:
                for i in range(size):
                    if classes[first + i] != classes[before + i]:
                        same = wide(0)
                        break
            if not decoding and coder[POSITION] + _ROOM > len(stream):
                return -1
            if _coded(maps, 0, reciprocal, coder, stream, decoding, same):
                if decoding:
                    for i in range(size):
                        classes[first + i] = classes[before + i]
                continue
        for y in range(rows):
            for x in range(columns):
                if not decoding and coder[POSITION] + _ROOM > len(stream):
                    return -1
                here = first + y * columns + x
                place = wide(0)
                if x > 0:
                    place |= wide(classes[here - 1] != 0)
                    if y > 0:
                        place |= wide(classes[here - columns - 1] != 0) << 1
                    if x > 1:
                        place |= wide(classes[here - 2] != 0) << 2
                else:
                    place |= wide(y > 0 and classes[here - columns] != 0)
                if y > 0:
                    place |= wide(classes[here - columns] != 0) << 3
                    if x + 1 < columns:
                        place |= wide(classes[here - columns + 1] != 0) << 4
                    if y > 1:
                        place |= wide(classes[here - 2 * columns] != 0) << 5
                if f >= lag:
                    there = here - lag * size
                    place |= wide(classes[there] != 0) << 6
                    if x + 1 < columns:
                        place |= wide(classes[there + 1] != 0) << 7
                    if y + 1 < rows:
                        place |= wide(classes[there + columns] != 0) << 8
                    place |= wide(1) << 9
                value = wide(classes[here])
                if not _coded(maps, 1 + place, reciprocal, coder, stream, decoding, wide(value != 0)):
                    if decoding:
                        classes[here] = 0
                    continue
                if not _coded(maps, 1 + _PLACES + last, reciprocal, coder, stream, decoding, wide(value == last)):
                    node = wide(1)
                    for k in range(CLASS_BITS - 1, -1, -1):
                        node = node << 1 | _coded(
                            maps, 32 + _PLACES + node, reciprocal, coder, stream, decoding, (value >> k) & 1
                        )
                    last = node & 15
                if decoding:
                    classes[here] = last
    return wide(coder[POSITION])


def encode_mask(classes: U8, lag: int) -> bytes:
    """The stream of the class maps of a block (frames, rows, columns), each 0 to 15; of a byte at least."""
    frames, rows, columns = classes.shape
    stream, coder = np.zeros(classes.size * 2 + 64 + _ROOM, np.uint8), np.zeros(4, np.int64)
    written = run_mask(classes.reshape(-1), frames, rows, columns, lag, _maps(), chances(), coder, stream, False)
    assert written >= 0, "a mask takes less than two bytes a value"
    return ended(stream[:written].tobytes(), int(coder[LOW]), int(coder[HIGH])) or _NONE_BUT_SPECIAL


def decode_mask(stream: bytes, shape: tuple[int, int, int], lag: int) -> U8:
    """The class maps of a block. Bytes that no encoder wrote give some maps or other."""
    frames, rows, columns = shape
    classes, coder = np.zeros(frames * rows * columns, np.uint8), np.zeros(4, np.int64)
    body = np.frombuffer(stream, np.uint8).copy()
    run_mask(classes, frames, rows, columns, lag, _maps(), chances(), coder, body, True)
    return classes.reshape(shape)


def _maps() -> U32:
    return np.full(_PLACES + 64, 1 << 31, np.uint32)
