"""A coder of bits for kernels that must be fast: a span of 48 bits, in units of 16, kept in registers.

Where `bit_coder` keeps its numbers in an array and looks for a whole byte after each bit, here they go in and out of
every function, and one is due once in sixteen bits. Chances are in 1/65536, and at least CHANCE_MIN either way; a
stream is at most two bytes above its worth.
"""

import numpy as np

from lithify.codecs.array_types import U16
from lithify.codecs.kernel import inlined, unsigned, wide

State = tuple[int, int, int]
"""What is left of the value (or, encoding, where the span begins), the span, and the unit that comes next."""
CHANCE_MIN = 32
UNIT_BYTES = 2
UNITS_PER_BIT_MAX = 1
_UNIT_BITS = 16
_UNIT = (1 << _UNIT_BITS) - 1
_LEAST_BITS = 32
_LEAST = 1 << _LEAST_BITS
"""Of a span, after each bit: one bit takes at most eleven of its bits, so that one unit more is enough."""
_START = 1 << (_LEAST_BITS + _UNIT_BITS)
_BEGINNING_UNITS = 3


@inlined
def begun(units: U16, decoding: bool) -> State:
    """Before the first bit."""
    if decoding:
        return wide(units[0]) << 32 | wide(units[1]) << 16 | wide(units[2]), wide(_START), wide(_BEGINNING_UNITS)
    return wide(0), wide(_START), wide(0)


@inlined
def coded(units: U16, state: State, chance: int, decoding: bool, told: int) -> tuple[int, State]:
    """One bit that is a one with such a chance, and what comes after it. No index is compared."""
    value, span, place = state
    bound = (span >> _UNIT_BITS) * chance
    bit = wide(value < bound) if decoding else told
    rest = span - bound
    span = rest + ((bound - rest) & -bit)
    moved = bound & (bit - 1)
    value = value - moved if decoding else value + moved
    if span < _LEAST:
        if decoding:
            value = value << _UNIT_BITS | wide(units[unsigned(place)])
        else:
            _put(units, place, value >> _LEAST_BITS)
            value = (value & (_LEAST - 1)) << _UNIT_BITS
        span <<= _UNIT_BITS
        place += 1
    return bit, (value, span, place)


@inlined
def _put(units: U16, place: int, unit: int) -> None:
    """A unit; one too many is carried to those before it, of which some are not full: all are below one."""
    if unit > _UNIT:
        before = place - 1
        while units[unsigned(before)] == _UNIT:
            units[unsigned(before)] = 0
            before -= 1
        units[unsigned(before)] += 1
    units[unsigned(place)] = unit & _UNIT


def room(units: int) -> U16:
    """Where a stream of so many units is written."""
    return np.zeros(units + _BEGINNING_UNITS, np.uint16)


def grown(units: U16, more: int) -> U16:
    """The same units, with room for more behind them."""
    return np.concatenate([units, room(more)])


def ended(units: U16, state: State) -> bytes:
    """The stream: what was written, and the fewest bytes that bring it into the span, given that zeros follow."""
    value, span, place = map(int, state)
    for kept in (_LEAST_BITS + _UNIT_BITS, _LEAST_BITS + 8, _LEAST_BITS):
        nearest = -(-value >> kept) << kept
        if nearest < value + span:
            break
    whole = int.from_bytes(units[:place].astype(">u2").tobytes(), "big") << _UNIT_BITS
    return (whole + (nearest >> _LEAST_BITS)).to_bytes(UNIT_BYTES * (place + 1), "big").rstrip(b"\0")


def units_of(stream: bytes, behind: int) -> U16:
    """A stream as units, with so many zeros behind it."""
    padded = stream.ljust(-(-len(stream) // UNIT_BYTES) * UNIT_BYTES, b"\0")
    units = room(len(padded) // UNIT_BYTES + behind)
    units[: len(padded) // UNIT_BYTES] = np.frombuffer(padded, ">u2")
    return units
