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

from lithify.codecs.array_types import I16, I32, I64, U8, U16
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.media.jpeg_header import Picture
from lithify.codecs.media.jpeg_mixing import Desk, Four, Two, decide_four, decide_one, decide_two, rate_after, within
from lithify.codecs.media.jpeg_model import (
    BELOW_BY_PLACE,
    BELOW_BY_SIDE,
    BELOW_SLOTS,
    BY_BEYOND,
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
    LOWEST,
    PREDICTED_BITS,
    SECTIONS,
    SIDES,
    SIGN_BY_BOTH,
    SIGN_BY_PLACE,
    SLOTS,
    START_OF_SECTION,
    WIDER,
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
_BITS_PER_BLOCK_MAX = 3 * 12 + 64 * 2 * (_SIZE_BITS_MAX + 1)
_ROOM = _BITS_PER_BLOCK_MAX * UNITS_PER_BIT_MAX
"""Units that one block takes at most."""
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
    """What is known of a coefficient that comes next."""

    section: int
    kind: int
    """64 * class + place."""
    left: int
    """Coefficients of the section that are not zero and still to come."""
    by_up: int
    by_left: int
    """What the edges predict, in 1/16."""
    both: int
    """The one of them that says more here, or their mean."""
    near: int
    """How large coefficients next to it in its block are."""
    expected: int
    """Level, of 8, of what the coefficients around and next to it have, or of DC how far apart the predictions are."""


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
def _look_around(plane: Plane, coefficients: I16, by: Blocks, share: int) -> None:
    """Sizes around a block; in 32 bits, so that several are added at a time."""
    around, beyond = plane.around, plane.beyond
    times = np.int32(share)
    for i in range(64):
        both = np.int32(_size(coefficients, by.up + i) + _size(coefficients, by.left + i))
        other = np.int32(
            np.int32(4) * _size(coefficients, by.corner + i) + np.int32(6) * _size(coefficients, by.right + i)
        )
        around[i] = np.int32(np.int32(11) * both + other + other)
        beyond[i] = np.int32(times * _size(coefficients, by.one + i) + _size(coefficients, by.two + i))


@inlined
def _near(near: I16, at: int) -> int:
    """The sizes next to a place, of those that are known; there is a border, so that all of them are in it."""
    beside = wide(near[unsigned(at - 1)]) + wide(near[unsigned(at + 1)])
    beside += wide(near[unsigned(at - WIDER)]) + wide(near[unsigned(at + WIDER)])
    askew = wide(near[unsigned(at - WIDER - 1)]) + wide(near[unsigned(at - WIDER + 1)])
    askew += wide(near[unsigned(at + WIDER - 1)]) + wide(near[unsigned(at + WIDER + 1)])
    return 4 * beside + 2 * askew


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
        near += wide(plane.near[unsigned(t.wider[unsigned(place + 9 - step)])])
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
def _size_cells(t: Fixed, plane: Plane, seen: Seen, zone: int, apart: int, inner: int) -> Four:
    """Where the contexts of a size begin.

    apart  how far apart DC of the blocks above and before is
    inner  how many with frequencies both ways are not zero
    """
    levels, kind, place = t.levels, seen.kind, unsigned(seen.kind & 63)
    around, near = _level(levels, wide(plane.around[place])) >> 1, _level(levels, seen.near) >> 1
    beyond, left = _level(levels, wide(plane.beyond[place])), min(seen.left, 31)
    other = _level(levels, abs(seen.by_left)) >> 1 if seen.section == _BOTH else near
    if seen.section == _DC:
        left = _level(levels, abs(seen.by_up - seen.by_left))
        around, near, beyond, other = inner >> 3, _level(levels, apart) >> 1, inner >> 2, left >> 1
    return (
        BY_LEFT + SLOTS * (kind * 32 + left),
        BY_ZONE + SLOTS * ((((kind >> 6) * ZONES + zone) * 8 + around) * 8 + near),
        BY_EDGES + SLOTS * ((kind * LEVELS + _level(levels, abs(seen.both))) * 8 + other),
        BY_BEYOND + SLOTS * ((kind * LEVELS + beyond) * 8 + seen.expected),
    )


@inlined
def _sign_cells(t: Fixed, seen: Seen) -> Two:
    """Where the contexts of a sign are."""
    up, left = _side(t.levels, seen.by_up), _side(t.levels, seen.by_left)
    both = _side(t.levels, seen.both)
    return (
        SIGN_BY_BOTH + (((seen.kind >> 6) * SECTIONS + seen.section) * SIDES + up) * SIDES + left,
        SIGN_BY_PLACE + (seen.kind * SIDES + both) * 8 + seen.expected,
    )


@inlined
def _below_cells(t: Fixed, seen: Seen, sign: int) -> Two:
    """Where the contexts of the bits below the first begin."""
    side = _side(t.levels, seen.both * sign)
    return (
        BELOW_BY_PLACE + BELOW_SLOTS * seen.kind,
        BELOW_BY_SIDE + BELOW_SLOTS * (((seen.kind >> 6) * SECTIONS + seen.section) * SIDES + side),
    )


@inlined
def _code_number(
    desk: Desk, t: Fixed, state: State, plane: Plane, seen: Seen, apart: int, inner: int, told: int
) -> tuple[int, State]:
    """A coefficient, or how far a guess at it is off: how many bits it has, its sign, those below the first."""
    place = seen.kind & 63
    at = _size_cells(t, plane, seen, min((place & 7) + (place >> 3), ZONES - 1), apart, inner)
    size = abs(told)
    length = wide(t.lengths[unsigned(size)]) if size < 256 else 8 + wide(t.lengths[unsigned((size >> 8) & 255)])
    known = wide(0)
    while known < _SIZE_BITS_MAX:
        bit, state = decide_four(desk, state, at, min(known, SLOTS - 1), wide(length > known))
        known += bit
        if not bit:
            break
    if known == 0:
        return wide(0), state
    negative, state = decide_two(desk, state, _sign_cells(t, seen), wide(0), wide(told < 0))
    if known == 1:
        return 1 - 2 * negative, state
    below_at = _below_cells(t, seen, 1 - 2 * negative)
    found, below = wide(1), known - 2
    while below >= max(known - 3, 0):
        slot = min(known, 8) - 2 if below == known - 2 else 7 + 2 * (min(known, 6) - 3) + (found & 1)
        bit, state = decide_two(desk, state, below_at, slot, (size >> below) & 1)
        found = found << 1 | bit
        below -= 1
    while below >= 0:
        bit, state = decide_one(desk, state, LOWEST + 16 * known + below, (size >> below) & 1)
        found = found << 1 | bit
        below -= 1
    return (-found if negative else found), state


@inlined
def _blocks_around(plane: Plane, number: int, row: int, column: int, zero: int) -> Blocks:
    """Where there is no such block, the nearest that there is; at last one of zeros."""
    base, columns = plane.planes[number, 0], plane.planes[number, 1]
    here = 64 * (base + row * columns + column)
    up = here - 64 * columns if row > 0 else (here - 64 if column > 0 else zero)
    left = here - 64 if column > 0 else up
    corner = here - 64 * columns - 64 if row > 0 and column > 0 else up
    right = here - 64 * columns + 64 if row > 0 and column + 1 < columns else up
    one = here - 128 * columns if row > 1 else up
    two = here - 128 if column > 1 else left
    if number > 0:
        two = _same_place(plane.planes, number, wide(0), row, column)
        one = _same_place(plane.planes, number, number - 1, row, column)
    return Blocks(up, left, corner, right, one, two)


@inlined
def _same_place(planes: I64, number: int, other: int, row: int, column: int) -> int:
    """Where the coefficients begin of the block of another plane that shows the same piece of the picture."""
    its_row, its_column = row * planes[other, 2] // planes[number, 2], column * planes[other, 1] // planes[number, 1]
    return wide(64 * (planes[other, 0] + its_row * planes[other, 1] + its_column))


@inlined
def _look(t: Fixed, plane: Plane, number: int, place: int, section: int, left: int, row: int, column: int) -> Seen:
    """What is known of the coefficient that comes next."""
    at = unsigned(64 * number + place)
    by_up = (plane.missing[unsigned(place & 7)] * plane.down[at]) >> PREDICTED_BITS
    by_left = (plane.missing[unsigned(8 + (place >> 3))] * plane.across[at]) >> PREDICTED_BITS
    if section == _DC:
        by_up = by_up if row > 0 else by_left
        by_left = by_left if column > 0 else by_up
    both = by_up if section == _ACROSS else (by_left if section == _DOWN else (by_up + by_left) >> 1)
    near = _near(plane.near, t.wider[unsigned(place)])
    amount = abs(by_up - by_left) if section == _DC else wide(plane.around[unsigned(place)]) + 2 * near
    expected = wide(t.fine[unsigned(min(amount, EXPECTED_MAX))]) >> 2
    return Seen(section, 64 * wide(number > 0) + place, left, by_up, by_left, both, near, expected)


@inlined
def _learn(t: Fixed, plane: Plane, number: int, place: int, ours: int, column: int, value: int) -> None:
    """What a coefficient that is not zero says about the others of its block, and of those that follow."""
    across, down, worth = unsigned(place & 7), unsigned(place >> 3), value * plane.steps[unsigned(64 * number + place)]
    missing, edges, end = plane.missing, t.edges, unsigned(8)
    missing[across] -= edges[down] * worth
    missing[end + down] -= edges[across] * worth
    plane.edges[ours, column, across] += edges[end + down] * worth
    plane.edges[ours, column, end + down] += edges[end + across] * worth
    plane.near[unsigned(t.wider[unsigned(place)])] = min(abs(value), _NEAR_SIZE_MAX)


@inlined
def _run(cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16, decoding: bool) -> tuple[int, int, int]:
    """Encode `coefficients` to `units`, or decode these to `coefficients`, which are zeros then.

    coefficients  blocks of 64, of one plane after another, and one more of zeros
    units         with _BEHIND + _ROOM behind the end if there is a stream in it

    Gives what is left of the coder; its place is -1 if the stream has no room for the blocks, or ended long ago.
    """
    missing, edges = plane.missing, plane.edges
    state, last = begun(units, decoding), len(units) - _ROOM
    zero, done = len(coefficients) - 64, wide(0)
    for number in range(len(plane.planes)):
        base, columns, rows = plane.planes[number, 0], plane.planes[number, 1], plane.planes[number, 2]
        classed = wide(number > 0)
        for row in range(rows):
            ours = row & 1
            for column in range(columns):
                if state[2] > last:
                    return wide(0), wide(0), wide(-1)
                desk = Desk(cells, t.squash, units, rate_after(done), decoding)
                done += 1
                block = base + row * columns + column
                here = 64 * block
                by = _blocks_around(plane, number, row, column, zero)
                _look_around(plane, coefficients, by, 3 if number > 0 else 1)
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
                    for i in range(START_OF_SECTION[section], START_OF_SECTION[section + 1]):
                        if left == 0:
                            break
                        place = t.order[i]
                        seen = _look(t, plane, number, place, section, left, row, column)
                        guess = within((seen.both + 8) >> 4, -_GUESS_MAX, _GUESS_MAX) if section == _DC else wide(0)
                        off = wide(coefficients[unsigned(here + place)]) - guess
                        value, state = _code_number(desk, t, state, plane, seen, apart, inner, off)
                        value += guess
                        if value:
                            left -= 1
                            value = within(value, -_VALUE_MAX, _VALUE_MAX)
                            coefficients[unsigned(here + place)] = value
                            _learn(t, plane, number, place, ours, column, value)
                plane.counts[block] = inner
    return state


@bare
def encode_run(cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16) -> tuple[int, int, int]:
    """`_run` the one way."""
    return _run(cells, t, plane, coefficients, units, False)


@bare
def decode_run(cells: I32, t: Fixed, plane: Plane, coefficients: I16, units: U16) -> tuple[int, int, int]:
    """And the other."""
    return _run(cells, t, plane, coefficients, units, True)


# --- doors ------------------------------------------------------------------------------------------------


def encode_blocks(picture: Picture, coefficients: I16, most: int) -> bytes | None:
    """The stream of all coefficients; None if it takes more than about `most` bytes."""
    units = room(most // UNIT_BYTES + _ROOM)
    padded = np.concatenate([coefficients, np.zeros(64, np.int16)])
    state = encode_run(new_cells(), fixed(), new_plane(picture), padded, units)
    if state[2] < 0:
        return None
    made = ended(units, state)
    return made if UNIT_BYTES * state[2] - len(made) < UNIT_BYTES * _BEHIND else None


def decode_blocks(picture: Picture, stream: bytes) -> I16:
    """The coefficients in a stream. Bytes that no encoder wrote give some coefficients or other, or raise Corrupt."""
    padded = np.zeros(64 * (picture.blocks + 1), np.int16)
    units = units_of(stream, _BEHIND + _ROOM)
    if decode_run(new_cells(), fixed(), new_plane(picture), padded, units)[2] < 0:
        raise Corrupt(f"the coefficients of a JPEG go on behind the {len(stream)} bytes of their stream")
    return padded[:-64]
