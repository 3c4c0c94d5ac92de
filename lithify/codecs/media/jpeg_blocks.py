"""The coefficients of a JPEG, block by block: how each is told by its neighbours, in one kernel for both directions.

Planes follow one another, each row by row. Of a block the number of coefficients that are not zero comes first, then
these: what has frequencies both ways (in the order of a scan, up to the last that is not zero), what has one way only
(both edges of the block, each with its own number), and at last DC. So each can lean on all that is known before it:

- the sizes of the same coefficient in the blocks around, and of those next to it in its own block;
- what continues the picture over the upper and the left edge: at an edge, the sum of all frequencies across, for each
  frequency along it, should be what the block beyond ends with. What is missing is what the next coefficient should be.

Ideas from Lepton (Horn et al., NSDI 2017) and paq8px; the numbers are our own. FORMAT.md is the format.

The kernel is compiled without checks of its indices. Each is in bounds by how it is made: masked, clamped, or counted.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U16, U32
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.media.fields import Fields, varint
from lithify.codecs.media.jpeg_header import Picture
from lithify.codecs.media.jpeg_mixing import Desk, Two, decide_three, decide_two, rate_after, within
from lithify.codecs.media.jpeg_model import (
    BELOW_BY_PLACE,
    BELOW_BY_SIDE,
    BELOW_SLOTS,
    BORDER,
    BY_EDGES,
    BY_LEFT,
    BY_ZONE,
    EDGE_BY_AROUND,
    EDGE_BY_BOTH,
    EDGE_SLOTS,
    EXPECTED_MAX,
    INNER_BY_AROUND,
    INNER_BY_OTHERS,
    INNER_SLOTS,
    LEVELS,
    PREDICTED_BITS,
    SECTIONS,
    SIDES,
    SIGN_BY_BOTH,
    SIGN_BY_PLACE,
    SLOTS,
    START_OF_SECTION,
    ZONES,
    Fixed,
    Plane,
    fixed,
    new_cells,
    new_plane,
)
from lithify.codecs.span_coder import UNIT_BYTES, UNITS_PER_BIT_MAX, State, begun, ended, room, units_of
from lithify.errors import Corrupt

_BOTH, _ACROSS, _DOWN, _DC = range(SECTIONS)
_SIZE_BITS_MAX = 15
_GUESS_MAX = 4096
_VALUE_MAX = 32767
_NEAR_SIZE_MAX = 255
_WORD_BYTES = 4
_BITS_PER_BLOCK_MAX = 3 * 12 + 64 * (_SIZE_BITS_MAX + 3)
_ROOM = _BITS_PER_BLOCK_MAX * UNITS_PER_BIT_MAX
"""Units that one block takes at most."""
_LOOSE_ROOM = 64 * (_SIZE_BITS_MAX - 1) // 32 + 2
"""Words of loose bits, the same."""
_BEHIND = 512
"""Units of zeros that may be read behind a stream: without that, a few bytes could ask for minutes of work."""


class Blocks(NamedTuple):
    """Where the coefficients of blocks begin that are known before one."""

    up: int
    left: int
    corner: int
    right: int
    """Above, and one to the right."""
    one: int
    two: int
    """Of the first plane, those two above and two to the left; of others, that of the plane before and of the first."""


class Seen(NamedTuple):
    """What is known of a coefficient before the one that comes first is decoded."""

    kind: int
    """64 * class + place."""
    by_up: int
    by_left: int
    """What the edges predict, in 1/16."""
    both: int
    """The one of them that says more here, or their mean."""
    expected: int
    """Level, of 8, of what the coefficients around and next to it have, or of DC how far apart the predictions are."""
    cells: Two
    """Where the contexts of its size begin, but for that by how many are still to come."""


@inlined
def _sign(value: int) -> int:
    return wide(value > 0) - wide(value < 0)


@inlined
def _level(levels: U8, size: int) -> int:
    return wide(levels[unsigned(min(size, EXPECTED_MAX))])


@inlined
def _side(levels: U8, value: int) -> int:
    """A number of SIDES: the level of a size, with its sign."""
    return SIDES // 2 + min(_level(levels, abs(value)), SIDES // 2) * _sign(value)


@inlined
def _size(coefficients: I16, at: int) -> np.int32:
    return np.int32(abs(np.int32(coefficients[unsigned(at)])))


@inlined
def _look_around(plane: Plane, coefficients: I16, by: Blocks) -> None:
    """Sizes around a block; in 32 bits, so that several are added at a time."""
    around = plane.around
    for i in range(64):
        both = np.int32(_size(coefficients, by.up + i) + _size(coefficients, by.left + i))
        other = np.int32(
            np.int32(4) * _size(coefficients, by.corner + i) + np.int32(6) * _size(coefficients, by.right + i)
        )
        around[i] = np.int32(np.int32(11) * both + other + other)


@inlined
def _near(sizes: I16, section: int, place: int) -> int:
    """The sizes next to a place, of those that are known; but not of the coefficient that comes just before it."""
    at = BORDER + place
    if section == _BOTH:
        beside = wide(sizes[unsigned(at - 1)]) + wide(sizes[unsigned(at - 8)])
        return 4 * beside + 2 * wide(sizes[unsigned(at - 9)])
    step = wide(1) if section == _ACROSS else wide(8)
    inside = at + 9 - step
    beside = wide(sizes[unsigned(at - 2 * step)]) + wide(sizes[unsigned(inside)])
    return 4 * beside + 2 * (wide(sizes[unsigned(inside - step)]) + wide(sizes[unsigned(inside + step)]))


@inlined
def _code_count(desk: Desk, t: Fixed, state: State, at: Two, most: int, told: int) -> tuple[int, State]:
    """A number of at most `most` bits: how many it has, one decision for each, then those below the first."""
    size = wide(t.lengths[unsigned(told)])
    seen, value, below, slot = wide(0), wide(1), wide(-1), wide(0)
    while True:
        wanted = wide(size > seen) if below < 0 else (told >> below) & 1
        bit, state = decide_two(desk, state, at, slot, wanted)
        if below < 0:
            seen += bit
            if bit and seen < most:
                slot = seen
                continue
            if seen < 2:
                return seen, state
            below = seen - 2
        else:
            value = value << 1 | bit
            below -= 1
        if below < 0:
            return value, state
        slot = 5 + (1 << (seen - 1)) - seen + value


@inlined
def _wanted(t: Fixed, coefficients: I16, here: int, section: int) -> int:
    """How many coefficients of a section are not zero."""
    count = wide(0)
    for i in range(START_OF_SECTION[section], START_OF_SECTION[section + 1]):
        count += wide(coefficients[unsigned(here + t.order[i])] != 0)
    return count


@inlined
def _inner_cells(counts: I32, by: Blocks, classed: int) -> Two:
    """Of how many coefficients with frequencies both ways are not zero, from those of the blocks around."""
    above, before = wide(counts[unsigned(by.up >> 6)]), wide(counts[unsigned(by.left >> 6)])
    corner, right = wide(counts[unsigned(by.corner >> 6)]), wide(counts[unsigned(by.right >> 6)])
    mean = (2 * above + 2 * before + corner + right + 3) // 6
    other = (wide(counts[unsigned(by.one >> 6)]) + wide(counts[unsigned(by.two >> 6)])) >> 1
    return (
        INNER_BY_OTHERS + INNER_SLOTS * (64 * classed + mean),
        INNER_BY_AROUND + INNER_SLOTS * ((LEVELS * classed + (mean >> 2)) * LEVELS + (other >> 2)),
    )


@inlined
def _edge_cells(t: Fixed, plane: Plane, section: int, classed: int, inner: int) -> Two:
    """Of how many coefficients of an edge are not zero, from all that is known of their sizes."""
    around, near = wide(0), wide(0)
    step = wide(1) if section == _ACROSS else wide(8)
    for i in range(1, 8):
        place = step * i
        around += wide(plane.around[unsigned(place)])
        near += wide(plane.near[unsigned(BORDER + place + 9 - step)])
    one, two = _level(t.levels, around >> 1), _level(t.levels, 8 * near)
    part = (SECTIONS * classed + section) * LEVELS
    return (
        EDGE_BY_AROUND + EDGE_SLOTS * (part + (inner >> 2)),
        EDGE_BY_BOTH + EDGE_SLOTS * ((part + one) * LEVELS + two),
    )


@inlined
def _code_left(
    desk: Desk,
    t: Fixed,
    state: State,
    plane: Plane,
    coefficients: I16,
    by: Blocks,
    here: int,
    section: int,
    classed: int,
    inner: int,
) -> tuple[int, State]:
    """How many coefficients of a section are not zero."""
    told = wide(0) if desk.decoding else _wanted(t, coefficients, here, section)
    inside = section == _BOTH
    at = _inner_cells(plane.counts, by, classed) if inside else _edge_cells(t, plane, section, classed, inner)
    left, state = _code_count(desk, t, state, at, wide(6) if inside else wide(3), told)
    return min(left, START_OF_SECTION[section + 1] - START_OF_SECTION[section]), state


@inlined
def _sign_cells(t: Fixed, seen: Seen, section: int) -> Two:
    """Where the contexts of a sign are."""
    up, left = _side(t.levels, seen.by_up), _side(t.levels, seen.by_left)
    both = _side(t.levels, seen.both)
    return (
        SIGN_BY_BOTH + (((seen.kind >> 6) * SECTIONS + section) * SIDES + up) * SIDES + left,
        SIGN_BY_PLACE + (seen.kind * SIDES + both) * 8 + seen.expected,
    )


@inlined
def _below_cells(t: Fixed, seen: Seen, section: int, sign: int) -> Two:
    """Where the contexts of the bits below the first begin."""
    side = _side(t.levels, seen.both * sign)
    return (
        BELOW_BY_PLACE + BELOW_SLOTS * seen.kind,
        BELOW_BY_SIDE + BELOW_SLOTS * (((seen.kind >> 6) * SECTIONS + section) * SIDES + side),
    )


@inlined
def _loose_bits(loose: U32, at: int, count: int, told: int, decoding: bool) -> int:
    """Up to 31 bits as they are, from bit `at` on."""
    word, shift = at >> 5, min(64 - (at & 31) - count, 63)  # by 64 nothing is shifted
    if decoding:
        two = wide(loose[unsigned(word)]) << 32 | wide(loose[unsigned(word + 1)])
        return (two >> shift) & ((1 << count) - 1)
    two = told << shift
    loose[unsigned(word)] |= (two >> 32) & 0xFFFFFFFF
    loose[unsigned(word + 1)] |= two & 0xFFFFFFFF
    return told


@inlined
def _code_number(
    desk: Desk, t: Fixed, state: State, seen: Seen, section: int, left: int, at: int, told: int
) -> tuple[int, State, int]:
    """A coefficient, or how far a guess at it is off: how many bits it has, its sign, those below the first.

    left  coefficients of the section that are not zero and still to come; of DC, how far apart the predictions are
    at    of the loose bits
    """
    cells = BY_LEFT + SLOTS * (seen.kind * 32 + min(left, 31)), seen.cells[0], seen.cells[1]
    size = abs(told)
    length = wide(t.lengths[unsigned(size)]) if size < 256 else 8 + wide(t.lengths[unsigned((size >> 8) & 255)])
    bit, state = decide_three(desk, state, cells, wide(0), wide(length > 0))
    if bit == 0:
        return wide(0), state, at
    known = wide(1)
    while known < _SIZE_BITS_MAX:
        bit, state = decide_three(desk, state, cells, min(known, SLOTS - 1), wide(length > known))
        known += bit
        if not bit:
            break
    lower, negative = max(known - 2, 0), wide(told < 0)
    plainly = wide(section == _BOTH) | wide(section == _DC)
    low = (negative & plainly) << lower | (size & ((1 << lower) - 1))
    low = _loose_bits(desk.loose, at, lower + plainly, low, desk.decoding)
    at += lower + plainly
    if plainly:
        negative = low >> lower
        low &= (1 << lower) - 1
    else:
        negative, state = decide_two(desk, state, _sign_cells(t, seen, section), wide(0), negative)
    if known > 1:
        below = _below_cells(t, seen, section, 1 - 2 * negative)
        bit, state = decide_two(desk, state, below, min(known, 8) - 2, (size >> lower) & 1)
        low |= (2 | bit) << lower
    else:
        low = wide(1)
    return (-low if negative else low), state, at


@inlined
def _blocks_around(plane: Plane, number: int, row: int, column: int, zero: int, shown: Two) -> Blocks:
    """Where there is no such block, the nearest that there is; at last one of zeros.

    shown  blocks of the plane before and of the first that stand first in the row of the same piece of the picture
    """
    base, columns = plane.planes[number, 0], plane.planes[number, 1]
    here = 64 * (base + row * columns + column)
    up = here - 64 * columns if row > 0 else (here - 64 if column > 0 else zero)
    left = here - 64 if column > 0 else up
    corner = here - 64 * columns - 64 if row > 0 and column > 0 else up
    right = here - 64 * columns + 64 if row > 0 and column + 1 < columns else up
    if number > 0:
        one = 64 * (shown[0] + plane.shown[0, unsigned(column)])
        return Blocks(up, left, corner, right, one, 64 * (shown[1] + plane.shown[1, unsigned(column)]))
    return Blocks(up, left, corner, right, here - 128 * columns if row > 1 else up, here - 128 if column > 1 else left)


@inlined
def _shown_columns(plane: Plane, number: int) -> None:
    """Which columns of the plane before and of the first show the same piece of the picture: divided once."""
    planes = plane.planes
    for column in range(planes[number, 1]):
        plane.shown[0, column] = column * planes[number - 1, 1] // planes[number, 1]
        plane.shown[1, column] = column * planes[0, 1] // planes[number, 1]


@inlined
def _shown_row(planes: I64, number: int, other: int, row: int) -> int:
    """The first block of the row of another plane that shows the same piece of the picture."""
    return wide(planes[other, 0] + row * planes[other, 2] // planes[number, 2] * planes[other, 1])


@inlined
def _look(t: Fixed, plane: Plane, number: int, section: int, place: int) -> Seen:
    """What is known of the coefficient that comes after the next."""
    levels, at, within_plane = t.levels, unsigned(64 * number + place), unsigned(place)
    by_up = (plane.missing[unsigned(place & 7)] * plane.down[at]) >> PREDICTED_BITS
    by_left = (plane.missing[unsigned(8 + (place >> 3))] * plane.across[at]) >> PREDICTED_BITS
    both = by_up if section == _ACROSS else (by_left if section == _DOWN else (by_up + by_left) >> 1)
    near, around = _near(plane.near, section, place), wide(plane.around[within_plane])
    expected = wide(t.fine[unsigned(min(around + 2 * near, EXPECTED_MAX))]) >> 2
    classed = wide(number > 0)
    kind, zone = 64 * classed + place, min((place & 7) + (place >> 3), ZONES - 1)
    near = _level(levels, near) >> 1
    return Seen(
        kind,
        by_up,
        by_left,
        both,
        expected,
        (
            BY_ZONE + SLOTS * (((classed * ZONES + zone) * 8 + (_level(levels, around) >> 1)) * 8 + near),
            BY_EDGES + SLOTS * (kind * LEVELS + _level(levels, abs(both))),
        ),
    )


@inlined
def _look_at_dc(t: Fixed, plane: Plane, number: int, row: int, column: int, apart: int, inner: int) -> tuple[Seen, int]:
    """What is known of DC, and the level of how far apart its predictions are.

    apart  how far apart DC of the blocks above and before is
    inner  how many with frequencies both ways are not zero
    """
    at, classed = unsigned(64 * number), wide(number > 0)
    by_up = (plane.missing[0] * plane.down[at]) >> PREDICTED_BITS
    by_left = (plane.missing[8] * plane.across[at]) >> PREDICTED_BITS
    by_up = by_up if row > 0 else by_left
    by_left = by_left if column > 0 else by_up
    both, kind, between = (by_up + by_left) >> 1, 64 * classed, abs(by_up - by_left)
    expected, left = wide(t.fine[unsigned(min(between, EXPECTED_MAX))]) >> 2, _level(t.levels, between)
    cells = (
        BY_ZONE + SLOTS * ((classed * ZONES * 8 + (inner >> 3)) * 8 + (_level(t.levels, apart) >> 1)),
        BY_EDGES + SLOTS * (kind * LEVELS + _level(t.levels, abs(both))),
    )
    return Seen(kind, by_up, by_left, both, expected, cells), left


@inlined
def _nothing() -> Seen:
    zero = wide(0)
    return Seen(zero, zero, zero, zero, zero, (zero, zero))


@inlined
def _learn(t: Fixed, plane: Plane, number: int, place: int, ours: int, column: int, value: int) -> None:
    """What a coefficient that is not zero says about the others of its block, and of those that follow."""
    across, down, worth = unsigned(place & 7), unsigned(place >> 3), value * plane.steps[unsigned(64 * number + place)]
    missing, edges, end = plane.missing, t.edges, unsigned(8)
    missing[across] -= edges[down] * worth
    missing[end + down] -= edges[across] * worth
    plane.edges[ours, column, across] += edges[end + down] * worth
    plane.edges[ours, column, end + down] += edges[end + across] * worth
    plane.near[unsigned(BORDER + place)] = min(abs(value), _NEAR_SIZE_MAX)


@inlined
def _run(
    cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16, loose: U32, decoding: bool
) -> tuple[State, int]:
    """Encode `coefficients` to `units`, or decode these to `coefficients`, which are zeros then.

    coefficients  blocks of 64, of one plane after another, and one more of zeros
    units         with _BEHIND + _ROOM behind the end if there is a stream in it

    Gives what is left of the coder; its place is -1 if the stream has no room for the blocks, or ended long ago.
    """
    missing, edges = plane.missing, plane.edges
    state, last = begun(units, decoding), len(units) - _ROOM
    rate = rate_after(wide(0))
    zero, done, at, loose_last = len(coefficients) - 64, wide(0), wide(0), 32 * (len(loose) - _LOOSE_ROOM)
    for number in range(len(plane.planes)):
        base, columns, rows = plane.planes[number, 0], plane.planes[number, 1], plane.planes[number, 2]
        classed, before = wide(number > 0), max(number - 1, 0)
        if number > 0:
            _shown_columns(plane, number)
        for row in range(rows):
            ours = row & 1
            shown = _shown_row(plane.planes, number, before, row), _shown_row(plane.planes, number, wide(0), row)
            for column in range(columns):
                if state[2] > last or at > loose_last:
                    return state, wide(-1)
                if done & 15 == 0:
                    rate = rate_after(done)
                desk = Desk(cells, t.squash, units, loose, rate, decoding)
                done += 1
                block = base + row * columns + column
                here = 64 * block
                by = _blocks_around(plane, number, row, column, zero, shown)
                _look_around(plane, coefficients, by)
                apart = abs(wide(coefficients[unsigned(by.up)]) - wide(coefficients[unsigned(by.left)]))
                plane.near[:] = 0
                for i in range(8):
                    missing[i] = edges[1 - ours, column, i] if row > 0 else 0
                    missing[8 + i] = edges[ours, column - 1, 8 + i] if column > 0 else 0
                    edges[ours, column, i], edges[ours, column, 8 + i] = 0, 0
                inner, left = wide(0), wide(0)
                for section in range(SECTIONS):
                    left = wide(1)
                    if section != _DC:
                        left, state = _code_left(desk, t, state, plane, coefficients, by, here, section, classed, inner)
                    if section == _BOTH:
                        inner = left
                    start, end, guess = START_OF_SECTION[section], START_OF_SECTION[section + 1], wide(0)
                    following, told_by = _nothing(), left
                    if left and section != _DC:
                        following = _look(t, plane, number, section, wide(t.order[start]))
                    seen = following
                    if section == _DC:
                        seen, told_by = _look_at_dc(t, plane, number, row, column, apart, inner)
                        guess = within((seen.both + 8) >> 4, -_GUESS_MAX, _GUESS_MAX)
                    for i in range(start, end):
                        if left == 0:
                            break
                        place = t.order[i]
                        if section != _DC:
                            seen, told_by = following, left
                            following = _look(t, plane, number, section, wide(t.order[i + 1]))
                        off = wide(coefficients[unsigned(here + place)]) - guess
                        value, state, at = _code_number(desk, t, state, seen, section, told_by, at, off)
                        value += guess
                        if value:
                            left -= 1
                            value = within(value, -_VALUE_MAX, _VALUE_MAX)
                            coefficients[unsigned(here + place)] = value
                            _learn(t, plane, number, place, ours, column, value)
                plane.counts[block] = inner
    return state, at


@bare
def encode_run(cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16, loose: U32) -> tuple[State, int]:
    """`_run` the one way."""
    return _run(cells, t, plane, coefficients, units, loose, False)


@bare
def decode_run(cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16, loose: U32) -> tuple[State, int]:
    """And the other."""
    return _run(cells, t, plane, coefficients, units, loose, True)


# --- doors ------------------------------------------------------------------------------------------------


def encode_blocks(picture: Picture, coefficients: I16, most: int) -> bytes | None:
    """The stream of all coefficients; None if it takes more than about `most` bytes."""
    units, loose = room(most // UNIT_BYTES + _ROOM), np.zeros(most // _WORD_BYTES + _LOOSE_ROOM, np.uint32)
    padded = np.concatenate([coefficients, np.zeros(64, np.int16)])
    state, at = encode_run(new_cells(), fixed(), new_plane(picture), padded, units, loose)
    if at < 0:
        return None
    made = ended(units, state)
    if UNIT_BYTES * state[2] - len(made) >= UNIT_BYTES * _BEHIND:
        return None
    bits = loose.astype(">u4").tobytes()[: -(-at // 8)]
    return varint(len(bits)) + bits + made


def decode_blocks(picture: Picture, stream: bytes) -> I16:
    """The coefficients in a stream. Bytes that no encoder wrote give some coefficients or other, or raise Corrupt."""
    fields = Fields(stream)
    bits, made = fields.piece("the loose bits of a JPEG"), fields.rest()
    padded = np.zeros(64 * (picture.blocks + 1), np.int16)
    words = -(-len(bits) // _WORD_BYTES)
    loose = np.frombuffer(bits.ljust(_WORD_BYTES * (words + _LOOSE_ROOM), b"\0"), ">u4").astype(np.uint32)
    units = units_of(made, _BEHIND + _ROOM)
    if decode_run(new_cells(), fixed(), new_plane(picture), padded, units, loose)[1] < 0:
        raise Corrupt(f"the coefficients of a JPEG go on behind the {len(stream)} bytes of their stream")
    return padded[:-64]
