"""How often each number of a block occurred so far, and which way that pulls a decision about the next.

Some numbers come again and again and their neighbours hardly ever: rain rates that were made of 256 steps of
reflectivity, brightnesses that were stretched. How near a number is to its guess says nothing of that.
"""

from lithify.codecs.array_types import I32
from lithify.codecs.kernel import inlined, unsigned, wide

_EVEN, SURE = 2048, 4095
_LARGE = 1 << 50
_AROUND = 8
BELOW, ABOVE = 1, 2


@inlined
def _within(tally: I32, place: int) -> int:
    """The place, or the end that is next to it."""
    return min(max(place, 0), wide(len(tally)) - 1)


@inlined
def _before(tally: I32, place: int) -> int:
    """How many numbers at lower places there were."""
    at, total = place, wide(0)
    while at > 0:
        total += wide(tally[unsigned(at)])
        at &= at - 1
    return total


@inlined
def count(tally: I32, place: int) -> None:
    """There was one more at this place."""
    at = place + 1
    while at < wide(len(tally)):
        tally[unsigned(at)] += 1
        at += at & -at


@inlined
def commonness(tally: I32, place: int) -> int:
    """Whether a number occurs more often than those around it: 0 no, 1 yes, 2 twice, 3 four times as often."""
    first, end = _within(tally, place - _AROUND), _within(tally, place + _AROUND + 1)
    own = (_before(tally, place + 1) - _before(tally, place)) * (end - first)
    usual = _before(tally, end) - _before(tally, first)
    return wide(own > usual) + wide(own > 2 * usual) + wide(own > 4 * usual)


@inlined
def pull(tally: I32, base: int, sides: int, low: int, high: int, end: int) -> int:
    """The chance, in 1/4096, that a number is from `high` to before `end` away from the base and not from `low` to
    before `high`, if all places are alike but for how often each occurred.

    sides   BELOW the base, ABOVE it, or both
    """
    near, far, near_room, far_room = wide(0), wide(0), wide(0), wide(0)
    if sides & ABOVE:
        first, middle, last = _within(tally, base + low), _within(tally, base + high), _within(tally, base + end)
        turn = _before(tally, middle)
        near, far = turn - _before(tally, first), _before(tally, last) - turn
        near_room, far_room = middle - first, last - middle
    if sides & BELOW:
        first, middle = _within(tally, base - end + 1), _within(tally, base - high + 1)
        last = _within(tally, base - low + 1)
        turn = _before(tally, middle)
        near += _before(tally, last) - turn
        far += turn - _before(tally, first)
        near_room += last - middle
        far_room += middle - first
    return _chance(far, far_room, near, near_room)


@inlined
def pull_below(tally: I32, base: int, size: int, end: int) -> int:
    """The chance that a number is below the base, if it is from `size` to before `end` away from it."""
    first, middle = _within(tally, base - end + 1), _within(tally, base - size + 1)
    other, last = _within(tally, base + size), _within(tally, base + end)
    many = _before(tally, middle) - _before(tally, first)
    few = _before(tally, last) - _before(tally, other)
    return _chance(many, middle - first, few, last - other)


@inlined
def _chance(many: int, room: int, few: int, other_room: int) -> int:
    """That it is one of `many` in so much room rather than one of `few`, had both the same room."""
    both = room + other_room
    if room == 0 or other_room == 0:
        return wide(_EVEN) if both == 0 else wide(SURE) if other_room == 0 else wide(0)
    dense, rare = (many * both + room) * other_room, (few * both + other_room) * room
    if dense + rare >= _LARGE:
        dense >>= 12
        rare >>= 12
    return min((dense << 12) // (dense + rare), SURE)
