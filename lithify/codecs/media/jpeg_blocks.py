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

from lithify.codecs.array_types import I16, I32, I64, U8
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, ended
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.media.jpeg_header import Picture
from lithify.codecs.media.jpeg_mixing import Bits, Six, Three, decide, decide_three, plain, within
from lithify.codecs.media.jpeg_model import (
    BELOW_BASES,
    BELOW_SLOTS,
    CLASSES,
    COUNT_BASES,
    COUNT_ROWS,
    COUNT_SLOTS,
    EXPECTED_MAX,
    FINE_LEVELS,
    LEVELS,
    PREDICTED_BITS,
    ROW,
    ROWS_BY_ZONE,
    ROWS_PER_CLASS,
    SECTIONS,
    SIDES,
    SIGN_BASES,
    SIGN_SLOT,
    SLOTS,
    START_OF_SECTION,
    WIDER,
    ZONES,
    Desk,
    Fixed,
    Model,
    Plane,
    fixed,
    new_desk,
    new_model,
    new_plane,
)
from lithify.errors import Corrupt

_BOTH, _ACROSS, _DOWN, _DC = range(SECTIONS)
_SIZE_BITS_MAX = 15
_GUESS_MAX = 4096
_VALUE_MAX = 32767
_RATE, _RATE_FIRST, _RATE_BLOCKS = 6, 8, 512
"""The step of the weights falls from their sum to the first, by half after so many blocks."""
_NEAR_SIZE_MAX = 255
_BITS_PER_BLOCK_MAX = 3 * 12 + 64 * 2 * (_SIZE_BITS_MAX + 1)
_ROOM = _BITS_PER_BLOCK_MAX * BYTES_PER_BIT_MAX
"""Bytes that one block takes at most."""
_BEHIND = 1024
"""Zeros that may be read behind the end of a stream: without that, a few bytes could ask for minutes of work."""


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
    inner: int
    """How many with frequencies both ways are not zero."""
    by_up: int
    by_left: int
    """What the edges predict, in 1/16."""
    both: int
    """The one of them that says more here, or their mean."""
    expected: int
    """Fine level of what the coefficients around and next to it have, or of DC how far apart the predictions are."""


@inlined
def _sign(value: int) -> int:
    return wide(value > 0) - wide(value < 0)


@inlined
def _sign_at(coefficients: I16, at: int) -> int:
    return _sign(wide(coefficients[unsigned(at)]))


@inlined
def _level(levels: I32, size: int) -> int:
    return wide(levels[unsigned(min(size, EXPECTED_MAX))])


@inlined
def _side(level: int, value: int) -> int:
    """A level as a number of SIDES, with the sign of its value."""
    return SIDES // 2 + min(level, SIDES // 2) * _sign(value)


@inlined
def _size(coefficients: I16, at: int) -> np.int32:
    return np.int32(abs(np.int32(coefficients[unsigned(at)])))


@inlined
def _look_around(desk: Desk, coefficients: I16, here: int, by: Blocks, share: int) -> None:
    """Sizes around a block; in 32 bits, so that several are added at a time."""
    told, around, beyond = desk.told, desk.around, desk.beyond
    desk.near[:] = 0
    times = np.int32(share)
    for i in range(64):
        both = np.int32(_size(coefficients, by.up + i) + _size(coefficients, by.left + i))
        other = np.int32(
            np.int32(4) * _size(coefficients, by.corner + i) + np.int32(6) * _size(coefficients, by.right + i)
        )
        around[i] = np.int32(np.int32(11) * both + other + other)
        beyond[i] = np.int32(times * _size(coefficients, by.one + i) + _size(coefficients, by.two + i))
        told[i] = coefficients[unsigned(here + i)]


@inlined
def _tell_neighbours(near: I32, at: int, size: int) -> None:
    """A coefficient adds to what is known next to it in the block; `near` has a border, so that all of it has room."""
    some, much = 2 * size, 4 * size
    near[unsigned(at - 1)] += much
    near[unsigned(at + 1)] += much
    near[unsigned(at - WIDER)] += much
    near[unsigned(at + WIDER)] += much
    near[unsigned(at - WIDER - 1)] += some
    near[unsigned(at - WIDER + 1)] += some
    near[unsigned(at + WIDER - 1)] += some
    near[unsigned(at + WIDER + 1)] += some
    near[unsigned(at - 2)] += some
    near[unsigned(at + 2)] += some
    near[unsigned(at - 2 * WIDER)] += some
    near[unsigned(at + 2 * WIDER)] += some


@inlined
def _code_count(m: Model, t: Fixed, bits: Bits, at: Six, weights: int, most: int, told: int) -> int:
    """A number of at most `most` bits: how many it has, one decision for each, then those below the first."""
    size = wide(t.lengths[unsigned(told)])
    seen, value, below, slot = wide(0), wide(1), wide(-1), wide(0)
    while True:
        wanted = wide(size > seen) if below < 0 else (told >> below) & 1
        bit = decide(m, t, bits, at, slot, weights + ROW * min(slot, COUNT_ROWS - 1), wanted)
        if below < 0:
            seen += bit
            if bit and seen < most:
                slot = seen
                continue
            if seen < 2:
                return seen
            below = seen - 2
        else:
            value = value << 1 | bit
            below -= 1
        if below < 0:
            return value
        slot = 5 + (1 << (seen - 1)) - seen + value


@inlined
def _count_cells(bases: I64, classed: int, section: int, contexts: Six) -> Six:
    """Where the contexts of a count begin, given their numbers."""
    part, step = COUNT_SLOTS * (classed * SECTIONS + section), COUNT_SLOTS * CLASSES * SECTIONS
    return (
        bases[COUNT_BASES] + part + step * contexts[0],
        bases[COUNT_BASES + 1] + part + step * contexts[1],
        bases[COUNT_BASES + 2] + part + step * contexts[2],
        bases[COUNT_BASES + 3] + part + step * contexts[3],
        bases[COUNT_BASES + 4] + part + step * contexts[4],
        bases[COUNT_BASES + 5] + part + step * contexts[5],
    )


@inlined
def _wanted(t: Fixed, told: I32, section: int) -> int:
    """How many coefficients of a section are not zero."""
    count = wide(0)
    for i in range(START_OF_SECTION[section], START_OF_SECTION[section + 1]):
        count += wide(told[unsigned(t.order[i])] != 0)
    return count


@inlined
def _inner_contexts(counts: I32, by: Blocks) -> Six:
    """Of how many coefficients with frequencies both ways are not zero, from those of the blocks around."""
    above, before = wide(counts[unsigned(by.up >> 6)]), wide(counts[unsigned(by.left >> 6)])
    corner, right = wide(counts[unsigned(by.corner >> 6)]), wide(counts[unsigned(by.right >> 6)])
    mean = (2 * above + 2 * before + corner + right + 3) // 6
    other = (wide(counts[unsigned(by.one >> 6)]) + wide(counts[unsigned(by.two >> 6)])) >> 1
    slope, mostly = within(above + before - corner, 0, 49), mean >> 2
    return (
        mean,
        (above >> 2) * LEVELS + (before >> 2),
        other,
        mostly * LEVELS + (other >> 2),
        mostly * LEVELS + (right >> 2),
        slope,
    )


@inlined
def _edge_contexts(t: Fixed, desk: Desk, section: int, inner: int) -> Six:
    """Of how many coefficients of an edge are not zero, from all that is known of their sizes."""
    around, near, beyond = wide(0), wide(0), wide(0)
    for i in range(START_OF_SECTION[section], START_OF_SECTION[section + 1]):
        place = unsigned(t.order[i])
        around += wide(desk.around[place])
        near += wide(desk.near[unsigned(t.wider[place])])
        beyond += wide(desk.beyond[place])
    one, two, three = _level(t.levels, around >> 1), _level(t.levels, near), _level(t.levels, beyond)
    return inner, (inner >> 2) * LEVELS + one, one, one * LEVELS + two, one * LEVELS + three, two


@inlined
def _code_left(
    m: Model, t: Fixed, bits: Bits, desk: Desk, counts: I32, by: Blocks, section: int, classed: int, inner: int
) -> int:
    """How many coefficients of a section are not zero."""
    told = wide(0) if bits.decoding else _wanted(t, desk.told, section)
    contexts = _inner_contexts(counts, by) if section == _BOTH else _edge_contexts(t, desk, section, inner)
    at = _count_cells(m.bases, classed, section, contexts)
    weights = ROW * (ROWS_PER_CLASS * classed + ROWS_BY_ZONE + COUNT_ROWS * section)
    left = _code_count(m, t, bits, at, weights, wide(6) if section == _BOTH else wide(3), told)
    return min(left, START_OF_SECTION[section + 1] - START_OF_SECTION[section])


@inlined
def _number_cells(m: Model, t: Fixed, desk: Desk, seen: Seen, zone: int, apart: int) -> Six:
    """Where the contexts of a size begin.

    apart  how far apart DC of the blocks above and before is
    """
    bases, levels, kind, place = m.bases, t.levels, seen.kind, unsigned(seen.kind & 63)
    around = _level(levels, wide(desk.around[place])) >> 1
    near = _level(levels, wide(desk.near[unsigned(t.wider[place])])) >> 1
    beyond = _level(levels, wide(desk.beyond[place]))
    left, few = min(seen.left, 31), wide(t.left[unsigned(seen.left)])
    other = few if seen.section != _BOTH else _level(levels, abs(seen.by_left)) >> 1
    if seen.section == _DC:
        left = _level(levels, abs(seen.by_up - seen.by_left))
        few = left >> 1
        around, near, beyond, other = seen.inner >> 3, _level(levels, apart) >> 1, seen.inner >> 2, few
    return (
        bases[0] + SLOTS * (kind * 32 + left),
        bases[1] + SLOTS * ((kind * 8 + near) * 8 + few),
        bases[2] + SLOTS * ((((kind >> 6) * ZONES + zone) * 8 + around) * 8 + near),
        bases[3] + SLOTS * ((kind * LEVELS + _level(levels, abs(seen.both))) * 8 + other),
        bases[4] + SLOTS * ((kind * LEVELS + beyond) * 8 + (seen.expected >> 2)),
        bases[5] + SLOTS * ((kind * 8 + (seen.expected >> 2)) * 8 + few),
    )


@inlined
def _sign_cells(m: Model, t: Fixed, coefficients: I16, by: Blocks, seen: Seen) -> Three:
    """Where the contexts of a sign are."""
    bases, levels, kind, place = m.bases, t.levels, seen.kind, seen.kind & 63
    up = _side(_level(levels, abs(seen.by_up)), seen.by_up)
    left = _side(_level(levels, abs(seen.by_left)), seen.by_left)
    both = _side(_level(levels, abs(seen.both)), seen.both)
    one, two = _sign_at(coefficients, by.one + place), _sign_at(coefficients, by.two + place)
    return (
        bases[SIGN_BASES] + (((kind >> 6) * SIDES + up) * SIDES + left) * SECTIONS + seen.section,
        bases[SIGN_BASES + 1] + kind * 9 + 3 * one + two + 4,
        bases[SIGN_BASES + 2] + (kind * SIDES + both) * 8 + (seen.expected >> 2),
    )


@inlined
def _code_number(
    m: Model, t: Fixed, bits: Bits, desk: Desk, coefficients: I16, by: Blocks, seen: Seen, told: int
) -> int:
    """A coefficient, or how far a guess at it is off: how many bits it has, its sign, those below the first."""
    place = seen.kind & 63
    zone = min((place & 7) + (place >> 3), ZONES - 1)
    apart = abs(wide(coefficients[unsigned(by.up)]) - wide(coefficients[unsigned(by.left)]))
    at = _number_cells(m, t, desk, seen, zone, apart)
    weights = ROW * (ROWS_PER_CLASS * (seen.kind >> 6) + seen.section * ZONES + zone)
    size = abs(told)
    length = wide(t.lengths[unsigned(size)]) if size < 256 else 8 + wide(t.lengths[unsigned((size >> 8) & 255)])
    known = wide(0)
    while known < _SIZE_BITS_MAX:
        slot = min(known, SLOTS - 1)
        bit = decide(m, t, bits, at, slot, weights + ROW * SECTIONS * ZONES * slot, wide(length > known))
        known += bit
        if not bit:
            break
    if known == 0:
        return wide(0)
    row = weights + ROW * SECTIONS * ZONES * SIGN_SLOT
    negative = decide_three(m, t, bits, _sign_cells(m, t, coefficients, by, seen), wide(0), row, wide(told < 0))
    below_at = _below_cells(m, t, seen, zone, 1 - 2 * negative)
    found, below = wide(1), known - 2
    while below >= max(known - 3, 0):
        slot = min(known, 8) - 2 if below == known - 2 else 7 + 2 * (min(known, 6) - 3) + (found & 1)
        row = weights + ROW * SECTIONS * ZONES * (SIGN_SLOT + 1 + slot)
        found = found << 1 | decide_three(m, t, bits, below_at, slot, row, (size >> below) & 1)
        below -= 1
    while below >= 0:
        found = found << 1 | plain(m, t, bits, 16 * known + below, (size >> below) & 1)
        below -= 1
    return -found if negative else found


@inlined
def _below_cells(m: Model, t: Fixed, seen: Seen, zone: int, sign: int) -> Three:
    """Where the contexts of the bits below the first begin."""
    classed = seen.kind >> 6
    predicted = _side(_level(t.levels, abs(seen.both)), seen.both * sign)
    return (
        m.bases[BELOW_BASES] + BELOW_SLOTS * seen.kind,
        m.bases[BELOW_BASES + 1] + BELOW_SLOTS * ((classed * SECTIONS + seen.section) * SIDES + predicted),
        m.bases[BELOW_BASES + 2] + BELOW_SLOTS * ((classed * ZONES + zone) * FINE_LEVELS + seen.expected),
    )


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
def _look(
    t: Fixed,
    plane: Plane,
    desk: Desk,
    number: int,
    place: int,
    section: int,
    left: int,
    inner: int,
    row: int,
    column: int,
) -> Seen:
    """What is known of the coefficient that comes next."""
    by_up = (desk.missing[place & 7] * plane.down[number, place]) >> PREDICTED_BITS
    by_left = (desk.missing[8 + (place >> 3)] * plane.across[number, place]) >> PREDICTED_BITS
    if section == _DC:
        by_up = by_up if row > 0 else by_left
        by_left = by_left if column > 0 else by_up
    both = by_up if section == _ACROSS else (by_left if section == _DOWN else (by_up + by_left) >> 1)
    amount = wide(desk.around[unsigned(place)]) + 2 * wide(desk.near[unsigned(t.wider[unsigned(place)])])
    if section == _DC:
        amount = abs(by_up - by_left)
    expected = wide(t.fine[unsigned(min(amount, EXPECTED_MAX))])
    return Seen(section, 64 * wide(number > 0) + place, left, inner, by_up, by_left, both, expected)


@inlined
def _learn(t: Fixed, plane: Plane, desk: Desk, number: int, place: int, ours: int, column: int, value: int) -> None:
    """What a coefficient that is not zero says about the others of its block, and of those that follow."""
    across, down, worth = place & 7, place >> 3, value * plane.steps[number, place]
    desk.missing[across] -= t.edges[0, down] * worth
    desk.missing[8 + down] -= t.edges[0, across] * worth
    plane.edges[ours, column, across] += t.edges[1, down] * worth
    plane.edges[ours, column, 8 + down] += t.edges[1, across] * worth
    _tell_neighbours(desk.near, wide(t.wider[unsigned(place)]), min(abs(value), _NEAR_SIZE_MAX))


@bare
def run(m: Model, t: Fixed, plane: Plane, desk: Desk, coefficients: I16, stream: U8, decoding: bool) -> int:
    """Encode `coefficients` to `stream`, or decode `stream` to `coefficients`, which are zeros then.

    coefficients  blocks of 64, of one plane after another, and one more of zeros

    Gives the bytes written or read; -1 if the stream has no room for them, or ended long ago.
    """
    coder, missing, edges = m.coder, desk.missing, plane.edges
    begin(coder, stream, decoding)
    zero, done = len(coefficients) - 64, wide(0)
    for number in range(len(plane.planes)):
        base, columns, rows = plane.planes[number, 0], plane.planes[number, 1], plane.planes[number, 2]
        classed = wide(number > 0)
        for row in range(rows):
            ours = row & 1
            for column in range(columns):
                if coder[POSITION] > len(stream) + _BEHIND if decoding else coder[POSITION] + _ROOM > len(stream):
                    return wide(-1)
                bits = Bits(stream, _RATE + _RATE_FIRST * _RATE_BLOCKS // (_RATE_BLOCKS + done), decoding)
                done += 1
                block = base + row * columns + column
                by = _blocks_around(plane, number, row, column, zero)
                _look_around(desk, coefficients, 64 * block, by, 3 if number > 0 else 1)
                for i in range(8):
                    missing[i] = edges[1 - ours, column, i] if row > 0 else 0
                    missing[8 + i] = edges[ours, column - 1, 8 + i] if column > 0 else 0
                    edges[ours, column, i], edges[ours, column, 8 + i] = 0, 0
                inner, left = wide(0), wide(0)
                for section in range(SECTIONS):
                    left = wide(1)
                    if section != _DC:
                        left = _code_left(m, t, bits, desk, plane.counts, by, section, classed, inner)
                    if section == _BOTH:
                        inner = left
                    for i in range(START_OF_SECTION[section], START_OF_SECTION[section + 1]):
                        if left == 0:
                            break
                        place = t.order[i]
                        seen = _look(t, plane, desk, number, place, section, left, inner, row, column)
                        guess = within((seen.both + 8) >> 4, -_GUESS_MAX, _GUESS_MAX) if section == _DC else wide(0)
                        off = wide(desk.told[place]) - guess
                        value = guess + _code_number(m, t, bits, desk, coefficients, by, seen, off)
                        if value:
                            left -= 1
                            value = within(value, -_VALUE_MAX, _VALUE_MAX)
                            coefficients[unsigned(64 * block + place)] = value
                            _learn(t, plane, desk, number, place, ours, column, value)
                plane.counts[block] = inner
    return wide(coder[POSITION])


# --- doors ------------------------------------------------------------------------------------------------


def encode_blocks(picture: Picture, coefficients: I16, most: int) -> bytes | None:
    """The stream of all coefficients; None if it takes more than about `most` bytes."""
    model, stream = new_model(), np.zeros(most + _ROOM, np.uint8)
    padded = np.concatenate([coefficients, np.zeros(64, np.int16)])
    written = run(model, fixed(), new_plane(picture), new_desk(), padded, stream, False)
    if written < 0:
        return None
    made = ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))
    return made if written - len(made) < _BEHIND else None


def decode_blocks(picture: Picture, stream: bytes) -> I16:
    """The coefficients in a stream. Bytes that no encoder wrote give some coefficients or other, or raise Corrupt."""
    padded = np.zeros(64 * (picture.blocks + 1), np.int16)
    source = np.frombuffer(bytearray(stream), np.uint8)
    if run(new_model(), fixed(), new_plane(picture), new_desk(), padded, source, True) < 0:
        raise Corrupt(f"the coefficients of a JPEG go on behind the {len(stream)} bytes of their stream")
    return padded[:-64]
