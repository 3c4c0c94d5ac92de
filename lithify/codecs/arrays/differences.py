"""Integers on a grid for who is in a hurry: differences from a fixed guess, shuffled and given to zstd."""

import numpy as np

from lithify.codecs.array_types import I32, U8, U32
from lithify.codecs.arrays.general import shuffled, unshuffled
from lithify.codecs.kernel import bare, inlined, wide
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Corrupt, Truncated

_LEVEL = 1
_WIDTHS = (1, 2, 4)
_SLAB_VALUES = 1 << 15
_NARROW = 1 << 27
"""Sums of four differences of such numbers have 32 bits: vectors are then four times as fast as the kernel."""


@inlined
def _median(a: int, b: int, c: int) -> int:
    """a + b - c within a and b."""
    return max(min(a, b), min(max(a, b), a + b - c))


@bare
def run_differences(
    values: I32, mask: U8, codes: U32, frames: int, rows: int, columns: int, lag: int, back: bool
) -> None:
    """Write what each value differs by from its guess to `codes` (0, -1, 1, -2 … as 0, 1, 2, 3 …), or add it.

    The guess is that of neighbours in the frame; from frame `lag` on, of how they changed since the frame `lag` before.
    What is masked is skipped, and has the value of its neighbour to the left (above it at the left edge).
    """
    size = rows * columns
    for f in range(frames):
        for y in range(rows):
            first = f * size + y * columns
            west = wide(values[first - columns]) if y > 0 else wide(0)
            north_west = west
            if f >= lag:
                past = first - lag * size
                west -= wide(values[past - columns]) if y > 0 else wide(0)
                north_west = west
            for x in range(columns):
                here = first + x
                north = wide(values[here - columns]) if y > 0 else west
                under = wide(0)
                if f >= lag:
                    under = wide(values[here - lag * size])
                    if y > 0:
                        north -= wide(values[here - lag * size - columns])
                guess = under + _median(west, north, north_west)
                if mask[here]:
                    values[here] = np.int32(guess)
                elif back:
                    code = wide(codes[here])
                    values[here] = np.int32(guess + ((code >> 1) ^ -(code & 1)))
                else:
                    difference = wide(values[here]) - guess
                    codes[here] = np.uint32((difference << 1) ^ (difference >> 63))
                west = wide(values[here]) - under
                north_west = north


def encode_differences(values: I32, mask: U8, lag: int) -> bytes:
    """The stream of a block (frames, rows, columns)."""
    codes = np.zeros(values.shape, np.uint32)
    frames, rows, columns = values.shape
    if mask.any() or np.abs(values).max(initial=0) >= _NARROW:
        flat = codes.reshape(-1)
        run_differences(values.reshape(-1).copy(), mask.reshape(-1), flat, frames, rows, columns, lag, False)
    else:
        some = max(1, _SLAB_VALUES // (rows * columns))
        for start in (*range(0, min(lag, frames), some), *range(lag, frames, some)):
            stop = min(start + some, lag if start < lag else frames, frames)
            past = values[start - lag : stop - lag] if start >= lag else None
            codes[start:stop] = _codes(values[start:stop], past)
    most = int(codes.max(initial=0))
    width = next(width for width in _WIDTHS if most < 1 << (8 * width))
    plain = codes.astype(np.dtype(f"<u{width}")).tobytes()
    return bytes([width]) + Zstd(ZstdParams(level=_LEVEL)).encode_block(shuffled(plain, width))


def _codes(values: I32, past: I32 | None) -> I32:
    """What `run_differences` writes for frames without a mask, whose values are below _NARROW."""
    changed = values if past is None else values - past
    west, north, north_west = changed[:, 1:, :-1], changed[:, :-1, 1:], changed[:, :-1, :-1]
    left = changed.copy()
    left[:, 0, 1:] -= changed[:, 0, :-1]
    left[:, 1:, 0] -= changed[:, :-1, 0]
    left[:, 1:, 1:] -= np.clip(west + north - north_west, np.minimum(west, north), np.maximum(west, north))
    codes: I32 = (left << 1) ^ (left >> 31)
    return codes


def decode_differences(stream: bytes, mask: U8, lag: int, size: int | None = None) -> I32:
    """The values of a block, or of its first frames. Raises Truncated or Corrupt.

    size   of the block, in values; None: as many as the mask has
    """
    if not stream:
        raise Truncated("array payload: differences have no bytes")
    width = stream[0]
    if width not in _WIDTHS:
        raise Corrupt(f"array payload: differences of {width} bytes; expected one of {_WIDTHS}")
    size = mask.size if size is None else size
    plain = unshuffled(Zstd().decode(stream[1:], shared=b"", length=width * size), width, mask.size)
    codes = np.frombuffer(plain, np.dtype(f"<u{width}")).astype(np.uint32)
    values = np.zeros(mask.size, np.int32)
    frames, rows, columns = mask.shape
    run_differences(values, mask.reshape(-1), codes, frames, rows, columns, lag, True)
    return values.reshape(mask.shape)
