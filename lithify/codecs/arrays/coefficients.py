"""The coefficients of a wavelet, from coarse to fine, each beside its neighbours, its parent and its past."""

from functools import lru_cache

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.arrays.bands import Depth, bands, step_for, time_bands
from lithify.codecs.arrays.model import CONTEXT_BITS, DECISIONS, MIXER_SETS, Model, levels, new_model
from lithify.codecs.arrays.remainders import code_number, level_of, token_of
from lithify.codecs.arrays.spread import expected_error, learn_spread, narrowness
from lithify.codecs.arrays.two_streams import joined, parted
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, POSITION, begin
from lithify.codecs.chances import Chances, chances
from lithify.codecs.kernel import bare, wide
from lithify.codecs.vectors import eight, reals

_VALUE_BYTES_MAX = 100 * BYTES_PER_BIT_MAX
_WHOLE = 1 << 16
_PART_MAX = 1 << 30
_ROUNDING = 102
"""Where a coefficient is rounded up: 0.4 is added (in 1/256); fewer are kept, and what is lost by it is little."""
COEFFICIENT_MAX = (1 << 29) - 1


@bare
def run_bands(
    m: Model,
    levels: U8,
    c: Chances,
    data: I32,
    sizes: I32,
    frames: int,
    rows: int,
    columns: int,
    table: I64,
    before: I64,
    stream: U8,
    plain: U8,
    decoding: bool,
) -> int:
    """Encode coefficients to `stream` and `plain`, or decode them from both. Gives the bytes written; -1: no room.

    sizes    room for the sizes of all coefficients
    table    a Band in each row
    before   a frame's neighbour in time, -1 for none
    """
    squash, stretch, reciprocal = c.squash, c.stretch, c.reciprocal
    maps, mixer, constant, extra, bases, coder = m.maps, m.mixer, m.constant, m.extra, m.bases, m.coder
    begin(coder, stream, decoding)
    area = rows * columns
    for b in range(len(table)):
        row, column, high, wide_ = table[b, 0], table[b, 1], table[b, 2], table[b, 3]
        parent_row, parent_column, parent_high, parent_wide = table[b, 4], table[b, 5], table[b, 6], table[b, 7]
        kind, level = table[b, 8], table[b, 9]
        for f in range(frames):
            past = before[f]
            for y in range(high):
                for x in range(wide_):
                    if not decoding and coder[POSITION] + _VALUE_BYTES_MAX > len(stream):
                        return -1
                    here = f * area + (row + y) * columns + column + x
                    west = north = north_west = north_east = west2 = north2 = wide(0)
                    if x > 0:
                        west = wide(sizes[here - 1])
                        if x > 1:
                            west2 = wide(sizes[here - 2])
                    if y > 0:
                        north = wide(sizes[here - columns])
                        if x > 0:
                            north_west = wide(sizes[here - columns - 1])
                        if x + 1 < wide_:
                            north_east = wide(sizes[here - columns + 1])
                        if y > 1:
                            north2 = wide(sizes[here - 2 * columns])
                    space = 4 * (west + north) + 2 * (north_west + north_east + west2 + north2)
                    time = space
                    if past >= 0:
                        there = past * area + (row + y) * columns + column + x
                        time = 8 * wide(sizes[there])
                        if x > 0:
                            time += 2 * wide(sizes[there - 1])
                        if x + 1 < wide_:
                            time += 2 * wide(sizes[there + 1])
                        if y > 0:
                            time += 2 * wide(sizes[there - columns])
                        if y + 1 < high:
                            time += 2 * wide(sizes[there + columns])
                    parent = space
                    if parent_high > 0 and parent_wide > 0:
                        py, px = min(y >> 1, parent_high - 1), min(x >> 1, parent_wide - 1)
                        up = f * area + (parent_row + py) * columns + parent_column + px
                        parent = 8 * wide(sizes[up])
                        if px > 0:
                            parent += 2 * wide(sizes[up - 1])
                        if px + 1 < parent_wide:
                            parent += 2 * wide(sizes[up + 1])
                        if py > 0:
                            parent += 2 * wide(sizes[up - columns])
                        if py + 1 < parent_high:
                            parent += 2 * wide(sizes[up + columns])
                    sibling = wide(0)
                    if kind == 2 and y < row and x + wide_ < columns:
                        sibling = 16 * wide(sizes[f * area + y * columns + wide_ + x])
                    elif kind == 3:
                        if y < row:
                            sibling = 8 * wide(sizes[f * area + y * columns + column + x])
                        if x < column:
                            sibling += 8 * wide(sizes[f * area + (row + y) * columns + x])
                    energy = (4 * space + 2 * time + parent + sibling) >> 3
                    ls, lt = min(level_of(levels, space), 127), min(level_of(levels, time), 127)
                    lp, lh = min(level_of(levels, parent), 127), min(level_of(levels, sibling), 127)
                    le = level_of(levels, energy)
                    half = min(le >> 1, 63)
                    lw, ln = min(level_of(levels, west << 4) >> 2, 15), min(level_of(levels, north << 4) >> 2, 15)
                    bases[0] = (ls * 4 + kind) * DECISIONS
                    bases[1] = (1 << CONTEXT_BITS) + (lt * 4 + kind) * DECISIONS
                    bases[2] = (2 << CONTEXT_BITS) + half * 16 * DECISIONS
                    bases[3] = (3 << CONTEXT_BITS) + ((lw * 16 + ln) * 4 + min(lt >> 3, 3)) * DECISIONS
                    bases[4] = (4 << CONTEXT_BITS) + ((lp >> 1) * 16 + min(ls >> 2, 15)) * DECISIONS
                    bases[5] = (5 << CONTEXT_BITS) + ((lh >> 1) * 16 + min(lt >> 2, 15)) * DECISIONS
                    bases[6] = (6 << CONTEXT_BITS) + (half * 16 + min(lp >> 2, 15)) * DECISIONS
                    bases[7] = (7 << CONTEXT_BITS) + ((lw * 16 + min(ls >> 2, 15)) * 4 + kind) * DECISIONS
                    bases[8] = (8 << CONTEXT_BITS) + (min(le, 127) * 8 + min(level, 7)) * DECISIONS
                    parts = reals(
                        eight(
                            min(space, _PART_MAX), min(time, _PART_MAX), min(parent, _PART_MAX),
                            min(sibling, _PART_MAX), min(west << 4, _PART_MAX), min(north << 4, _PART_MAX),
                            min(energy, _PART_MAX), 4,
                        )
                    )  # fmt: skip
                    expected = expected_error(m.spread, parts)
                    value = code_number(
                        bases, maps, mixer, constant, extra, min(le >> 2, MIXER_SETS - 1), min(lt >> 2, 15),
                        coder, stream, plain, squash, stretch, reciprocal, decoding,
                        wide(0) if decoding else wide(data[here]), token_of((energy * 11) >> 8), min(level, 7),
                        m.tally, wide(0), m.odds, wide(0), narrowness(expected, _WHOLE),
                    )  # fmt: skip
                    value = min(max(value, -COEFFICIENT_MAX), COEFFICIENT_MAX)
                    if decoding:
                        data[here] = value
                    sizes[here] = abs(value)
                    learn_spread(m.spread, parts, expected, abs(value) * 16 + 4)
    return wide(coder[POSITION])


def quantised(cube: I32, depth: Depth, step: int) -> I32:
    """Coefficients in their steps, rounded a little towards zero. `step`, in 1/256, is that of even weight."""
    steps = _all_steps(cube.shape, depth, step)
    wide_ = np.abs(cube.astype(np.int64)) << 8
    found = ((wide_ + (steps * _ROUNDING >> 8)) // steps).astype(np.int32)
    signed: I32 = np.where(cube < 0, -found, found).astype(np.int32)
    return signed


def scaled(numbers: I32, depth: Depth, step: int) -> I32:
    """Steps as coefficients again."""
    steps = _all_steps(numbers.shape, depth, step)
    found = (np.abs(numbers.astype(np.int64)) * steps + 128) >> 8
    found = np.minimum(found, COEFFICIENT_MAX)
    signed: I32 = np.where(numbers < 0, -found, found).astype(np.int32)
    return signed


def _all_steps(shape: tuple[int, ...], depth: Depth, step: int) -> I64:
    gains, least = _all_gains(shape, depth)
    found: I64 = np.array([step_for(step, gain) for gain in range(least, least + int(gains.max()) + 1)], np.int64)[
        gains
    ]
    return found


@lru_cache(maxsize=16)
def _all_gains(shape: tuple[int, ...], depth: Depth) -> tuple[U8, int]:
    """The gain of every coefficient above the least, and that."""
    frames, rows, columns = shape
    gains = np.zeros((rows, columns), np.int64)
    for band in bands(rows, columns, depth.space):
        gains[band.row : band.row + band.rows, band.column : band.column + band.columns] = band.gain
    both = gains + np.array(time_bands(frames, depth.time)[1])[:, None, None]
    least = int(both.min())
    return (both - least).astype(np.uint8), least


def encode_coefficients(numbers: I32, depth: Depth) -> bytes | None:
    """The stream of coefficients in steps; None if it would be longer than they are."""
    stream = np.zeros(numbers.size * 4 + 2 * _VALUE_BYTES_MAX, np.uint8)
    plain = np.zeros(numbers.size * 4 + 8, np.uint8)
    model = new_model(1, 1, 1)
    if _run(model, numbers.copy(), depth, stream, plain, False) < 0:
        return None
    return joined(model.coder, stream, plain)


def decode_coefficients(stream: bytes, shape: tuple[int, int, int], depth: Depth) -> I32:
    """The coefficients, in steps. Bytes that no encoder wrote give some or other. Raises Truncated or Corrupt."""
    numbers = np.zeros(shape, np.int32)
    _run(new_model(1, 1, 1), numbers, depth, *parted(stream), True)
    return numbers


def _run(model: Model, numbers: I32, depth: Depth, stream: U8, plain: U8, decoding: bool) -> int:
    frames, rows, columns = numbers.shape
    table = np.array(bands(rows, columns, depth.space), np.int64)
    before = np.array(time_bands(frames, depth.time)[0], np.int64)
    sizes = np.zeros(numbers.size, np.int32)
    return run_bands(
        model, levels(), chances(), numbers.reshape(-1), sizes, frames, rows, columns, table, before, stream, plain,
        decoding,
    )  # fmt: skip
