"""What a network makes of a guess: by how much it is moved, and how far off it will be then. Numbers are whole."""

import numpy as np

from lithify.codecs.array_types import I32, U8
from lithify.codecs.arrays.network import (
    HIDDEN_AT,
    HIDDEN_MAX,
    HIDDEN_ONE,
    INPUT_MAX,
    INPUT_ONE,
    OFF_MAX,
    SEEN,
    UNITS,
    WEIGHT_ONE,
    WIDER_MAX,
)
from lithify.codecs.arrays.remainders import level_of, within
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.vectors import (
    LANES,
    all_of,
    all_real,
    greater,
    lane_of,
    last_lane,
    lesser,
    pair_products,
    reals,
    row_of,
    set_row,
    wholes,
)

_PAST = 2 * LANES - 2
"""Of this pair the first says whether there is a past; that of the next one is always 1."""
_MOST = 1 << 26
"""Regressors that are farther off tell no more."""
_LEVEL_AT_ONE = 24
"""Of an error of four steps."""
_INPUT_BITS, _HIDDEN_BITS = 4, 6
"""Products of inputs, or of hidden units, and weights lose so many bits to become hidden units."""
_OUTPUT_ONE = HIDDEN_ONE * WEIGHT_ONE
_OUTPUT_PART = np.float32(1 / _OUTPUT_ONE)
_WIDER_BITS = 11
_WIDER_ONE = 1 << _WIDER_BITS
_WIDER_PART = np.float32(1 / (_WIDER_ONE << WIDER_MAX))


@inlined
def _paired(one: I32, other: I32) -> I32:
    return (one & all_of(0xFFFF)) | (other << all_of(16))


@inlined
def _beside_expected(many: I32, one: np.float32, most: int) -> I32:
    """Numbers beside what is expected, of which `one` is what a 1 becomes; none is far beyond `most`."""
    some = lesser(greater(many, all_of(-most)), all_of(most))
    some = wholes(reals(some) * all_real(one))
    return lesser(greater(some, all_of(-INPUT_MAX)), all_of(INPUT_MAX))


@inlined
def see(room: I32, g: I32, h: I32, j: I32, changes: I32, expected: np.float32, level: int, has_past: bool) -> None:
    """Take in what tells of a guess, beside the error that is expected (in 1/16, and its level)."""
    one = np.float32(16 * INPUT_ONE) / expected
    most = min(wide(expected * np.float32(0.5)) + 1, _MOST)
    set_row(room, 0, _paired(_beside_expected(g, one, most), _beside_expected(h, one, most)))
    changed = _beside_expected(changes, np.float32(INPUT_ONE) / expected, most << 4)
    octaves = within((level - _LEVEL_AT_ONE) * (INPUT_ONE // 4), INPUT_MAX)
    farther = _beside_expected(j, one, most) | last_lane(INPUT_ONE)
    set_row(room, LANES, _paired(farther, changed | last_lane(octaves)))
    if has_past:
        room[unsigned(_PAST)] |= INPUT_ONE


@inlined
def see_place(room: I32, levels: U8, value: int, first: int, down: int, across: int) -> None:
    """Take in where a value stands: beside 0, beside the block's first, and in its frame from -256 to 255."""
    room[unsigned(2 * LANES)] = (_signed_level(levels, value) & 0xFFFF) | _signed_level(levels, value - first) << 16
    room[unsigned(2 * LANES + 1)] = (down & 0xFFFF) | across << 16


@inlined
def _signed_level(levels: U8, value: int) -> int:
    level = level_of(levels, abs(value)) << 1
    return level if value >= 0 else -level


@inlined
def _sums(table: I32, at: int, count: int, room: I32, first: int, pairs: int, sums: I32) -> I32:
    """What sixteen units of a layer of `count` add up of pairs of numbers, on top of what they have."""
    for pair in range(first, first + pairs):
        sums = sums + pair_products(all_of(wide(room[unsigned(pair)])), row_of(table, at))
        at += count
    return sums


@inlined
def _hidden(sums: I32, lost: int) -> I32:
    return lesser(greater(sums >> all_of(lost), all_of(0)), all_of(HIDDEN_MAX))


@bare
def answer(table: I32, room: I32) -> tuple[int, int]:
    """What the network says of what was seen: both outputs, in 1/8192."""
    first, second = wide(table[0]), wide(table[1])
    at, half = wide(LANES), first >> 1
    for unit in range(0, first, UNITS):
        one = _sums(table, at + unit, first, room, 0, SEEN, all_of(0))
        other = _sums(table, at + unit + LANES, first, room, 0, SEEN, all_of(0))
        set_row(room, HIDDEN_AT + (unit >> 1), _paired(_hidden(one, _INPUT_BITS), _hidden(other, _INPUT_BITS)))
    at += SEEN * first
    weights, behind = at + second, HIDDEN_AT + half
    for unit in range(0, second, UNITS):
        head = at + unit
        one = _sums(table, weights + unit, second, room, HIDDEN_AT, half, row_of(table, head))
        other = _sums(table, weights + unit + LANES, second, room, HIDDEN_AT, half, row_of(table, head + LANES))
        set_row(room, behind + (unit >> 1), _paired(_hidden(one, _HIDDEN_BITS), _hidden(other, _HIDDEN_BITS)))
    at = weights + half * second
    out = _sums(table, at + LANES, LANES, room, behind, second >> 1, row_of(table, at))
    return lane_of(out, 0), lane_of(out, 1)


@inlined
def moved_by(output: int, expected: np.float32) -> int:
    """By how much a guess is moved, in 1/16."""
    return wide(np.float32(within(output, OFF_MAX * _OUTPUT_ONE)) * expected * _OUTPUT_PART)


@inlined
def widened(output: int, expected: np.float32) -> np.float32:
    """The error that is expected then: between powers of two it grows evenly."""
    octaves = within(output >> 2, WIDER_MAX * _WIDER_ONE)
    times = (_WIDER_ONE + (octaves & (_WIDER_ONE - 1))) << ((octaves >> _WIDER_BITS) + WIDER_MAX)
    return expected * np.float32(times) * _WIDER_PART
