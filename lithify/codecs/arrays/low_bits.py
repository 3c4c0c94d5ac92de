"""The low bits of values, too noisy to be predicted: packed one behind another, the lowest first."""

import numpy as np

from lithify.codecs.array_types import U8, U64
from lithify.codecs.kernel import bare, wide
from lithify.errors import Truncated


@bare
def run_bits(low: U64, widths: U8, stream: U8, decoding: bool) -> int:
    """Pack the `widths[i]` low bits of each number into `stream`, or take them out. Gives the bits in all.

    The stream has room for them: who calls has added up the widths.
    """
    bit = wide(0)
    for i in range(len(low)):
        width = wide(widths[i])
        done = wide(0)
        value = low[i]
        found = np.uint64(0)
        while done < width:
            at, inside = bit >> 3, bit & 7
            count = min(8 - inside, width - done)
            if decoding:
                piece = (np.uint64(stream[at]) >> np.uint64(inside)) & np.uint64((1 << count) - 1)
                found |= piece << np.uint64(done)
            else:
                piece = (value >> np.uint64(done)) & np.uint64((1 << count) - 1)
                stream[at] |= np.uint8(piece << np.uint64(inside))
            bit += count
            done += count
        if decoding:
            low[i] = found
    return bit


def pack_bits(low: U64, widths: U8) -> bytes:
    """The bits of all numbers, and zeros up to a whole byte."""
    stream = np.zeros((int(widths.sum(dtype=np.int64)) + 7) // 8, np.uint8)
    run_bits(low.reshape(-1), widths.reshape(-1), stream, False)
    return stream.tobytes()


def unpack_bits(data: bytes, widths: U8) -> U64:
    """The numbers again, in the shape of their widths (each at most 64). Raises Truncated."""
    needed = (int(widths.sum(dtype=np.int64)) + 7) // 8
    if len(data) < needed:
        raise Truncated(f"array payload: {len(data)} bytes of low bits, {needed} are needed")
    low = np.zeros(widths.size, np.uint64)
    run_bits(low, widths.reshape(-1), np.frombuffer(data, np.uint8).copy(), True)
    return low.reshape(widths.shape)
