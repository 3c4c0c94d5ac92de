"""Signed numbers near zero, in binary decisions whose chances are mixed from what nine contexts have seen.

A number's size is put into a token: 0 to 3 stand for themselves, above that two tokens to an octave. Coding starts at
the token that is expected and walks up or down, one decision a step; few are needed where the guess is good.
"""

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.arrays.model import (
    CHANCE_BITS,
    CONTEXT_BITS,
    CONTEXTS,
    COUNT_BITS,
    DECISIONS,
    MIXER_SETS,
    TOKENS,
)
from lithify.codecs.arrays.spread import odds_below, odds_beyond, odds_outside, odds_within, place_of
from lithify.codecs.arrays.tally import ABOVE, BELOW, SURE, pull, pull_below
from lithify.codecs.arrays.two_streams import plain_bits
from lithify.codecs.bit_coder import code_bit
from lithify.codecs.chances import COUNT_MAX, LIMIT
from lithify.codecs.kernel import inlined, unsigned, wide
from lithify.codecs.vectors import (
    LANES,
    all_of,
    divided,
    gathered,
    last_lane,
    lesser,
    looked_up,
    row_of,
    scatter,
    set_row,
    total,
)

_RATE_LEAST, _RATE_FALLS = 1 << 16, 9
_COUNT_MASK = 1023
_CHANCE_MIN = 32
_STRETCHED = CHANCE_BITS + COUNT_BITS - 12
"""Chances are stretched by their upper 12 bits."""
_SHARE, _SCALE = 4, 12
"""Products lose so many bits before they are added up, and the sum so many."""
_UP_MAX, _DOWN, _DOWN_MAX, _FIRST, _ZERO, _SIGN = 8, 9, 3, 13, 14, 15
"""Decisions: 0 to 8 whether it is still larger, 9 to 12 whether it is still smaller, and the three others."""
_BIT, _BIT_MAX = 16, 8
"""Where numbers are counted, bits below the first two are decisions 0 to 8 of a second table."""
_LAST = 63
_ODDS_MAX = 2047
_HALF = 8
"""Of a step, in 1/16."""
SIDES = 16


@inlined
def level_of(levels: U8, value: int) -> int:
    """Four times the logarithm (base 2) of value + 1."""
    out = wide(0)
    if value >= 1 << 24:
        value >>= 20
        out += 80
    if value >= 4096:
        value >>= 12
        out += 48
    return out + wide(levels[unsigned(value)])


@inlined
def within(x: int, most: int) -> int:
    """x, at most so far from 0."""
    return min(max(x, -most), most)


@inlined
def token_of(size: int) -> int:
    """The token of a size."""
    if size < 4:
        return size
    bits = wide(2)
    while size >> (bits + 1):
        bits += 1
    return 2 * bits + ((size >> (bits - 1)) & 1)


@inlined
def approach(maps: U32, at: int, bit: int, reciprocal: I32) -> None:
    """A chance moves by 1 / (n + 1.5) of its way to the bit the n-th time, later by the least such step."""
    both = wide(maps[unsigned(at)])
    n = both & _COUNT_MASK
    p = both >> 10
    p += ((((bit << 22) - bit) - p) * reciprocal[unsigned(n)]) >> 16
    if n < COUNT_MAX:
        n += 1
    maps[unsigned(at)] = p << 10 | n


@inlined
def _decide(
    bases: I64,
    slot: int,
    maps: I32,
    mixer: I32,
    constant: I32,
    row: int,
    other_row: int,
    coder: I64,
    stream: U8,
    squash: I32,
    stretch: I32,
    decoding: bool,
    told: int,
    told_odds: int,
) -> int:
    """One decision, mixed from what its contexts say by two sets of weights. All of them learn, the sets ever less.

    told_odds   the last input; 0: none
    """
    seen = gathered(maps, bases, slot)
    inputs = looked_up(stretch, seen, _STRETCHED) | row_of(constant, 0) | last_lane(told_odds)
    weights, others = row_of(mixer, row), row_of(mixer, other_row)
    one = within(total((inputs * weights) >> all_of(_SHARE)) >> _SCALE, LIMIT)
    two = within(total((inputs * others) >> all_of(_SHARE)) >> _SCALE, LIMIT)
    p = wide(squash[unsigned(((one + two) >> 1) + LIMIT)])
    p = min(max(p, _CHANCE_MIN), 65536 - _CHANCE_MIN)
    bit = code_bit(coder, stream, p, decoding, told)
    rates = wide(len(mixer)) // (LANES + 1) * LANES
    at, other_at = rates + row // LANES, rates + other_row // LANES
    rate, other_rate = wide(mixer[unsigned(at)]), wide(mixer[unsigned(other_at)])
    error = all_of((((bit << 16) - wide(squash[unsigned(one + LIMIT)])) * rate) >> 16)
    set_row(mixer, row, weights + ((inputs * error + all_of(1 << 15)) >> all_of(16)))
    error = all_of((((bit << 16) - wide(squash[unsigned(two + LIMIT)])) * other_rate) >> 16)
    set_row(mixer, other_row, others + ((inputs * error + all_of(1 << 15)) >> all_of(16)))
    mixer[unsigned(at)] = rate - ((rate - _RATE_LEAST) >> _RATE_FALLS)
    mixer[unsigned(other_at)] = other_rate - ((other_rate - _RATE_LEAST) >> _RATE_FALLS)
    count, chance = seen & all_of((1 << COUNT_BITS) - 1), seen >> all_of(COUNT_BITS)
    far = all_of((bit << CHANCE_BITS) - bit) - chance
    chance = chance + divided(far + far, count + count + all_of(3))
    scatter(maps, bases, slot, (chance << all_of(COUNT_BITS)) | lesser(count + all_of(1), all_of(COUNT_MAX)))
    return bit


@inlined
def least_of(token: int) -> int:
    """The least size that has this token."""
    return token if token < 4 else (2 + (token & 1)) << ((token >> 1) - 1)


@inlined
def _counted(
    tally: I32, place: int, decision: int, seen: int, expected: int, negative: int, found: int, left: int
) -> int:
    """The chance of a yes, in 1/4096, that lies in how often what occurred."""
    if decision == _SIGN:
        return pull_below(tally, place, least_of(seen), least_of(seen + 1) + wide(expected <= 1))
    sides = wide(BELOW | ABOVE)
    if decision == _BIT or expected <= 1:
        sides = wide(BELOW) if negative else wide(ABOVE)
    if decision == _BIT:
        return pull(tally, place, sides, found << 1 << left, (2 * found + 1) << left, (found + 1) << 1 << left)
    token = seen
    if decision == _ZERO:
        sides = wide(BELOW | ABOVE)
    elif decision == _FIRST:
        token = expected - 1
    elif decision == _DOWN:
        token = seen - 1
    chance = pull(tally, place, sides, least_of(token), least_of(token + 1), least_of(token + 2))
    return SURE - chance if decision == _DOWN else chance


@inlined
def _told(
    odds: I32, decision: int, seen: int, step: int, expected: int, negative: int, edge: int, middle: int, narrow: int
) -> tuple[int, int]:
    """The odds of a yes that lie in how far off the guess will be, and the edge of what was not ruled out by then."""
    if decision in (_ZERO, _FIRST):
        edge = place_of((least_of(max(expected, 1)) << 4) - _HALF, narrow)
        return within(odds_outside(odds, edge, place_of(middle, narrow)), _ODDS_MAX), edge
    if decision == _DOWN:
        nearer = place_of((least_of(seen) << 4) - _HALF, narrow)
        return within(odds_within(odds, edge, nearer), _ODDS_MAX), nearer
    if decision < _DOWN:
        to_middle = wide(0) if expected > 1 else middle if negative else -middle
        if step == 0 and expected <= 1:
            edge = place_of(_HALF + to_middle, narrow)
        farther = place_of((least_of(seen + 1) << 4) - _HALF + to_middle, narrow)
        return within(odds_beyond(odds, edge, farther), _ODDS_MAX), farther
    if decision == _SIGN and expected <= 1:
        return within(odds_below(odds, place_of(_HALF, narrow), place_of(middle, narrow)), _ODDS_MAX), edge
    return wide(0), edge


@inlined
def code_number(
    bases: I64,
    maps: I32,
    mixer: I32,
    constant: I32,
    extra: U32,
    mixer_set: int,
    second_set: int,
    coder: I64,
    stream: U8,
    plain: U8,
    squash: I32,
    stretch: I32,
    reciprocal: I32,
    decoding: bool,
    told: int,
    expected: int,
    part: int,
    tally: I32,
    place: int,
    odds: I32,
    middle: int,
    narrow: int,
) -> int:
    """One number, and it back.

    bases      where the decisions of each context begin
    expected   the token to start from
    part       how far from the middle of its step the guess was, -8 to 7 in 1/16: the side that is likelier
    tally      how often each number occurred; empty: they are not counted
    place      that of the number 0 in the tally
    odds       tables of a logistic distribution
    middle     where it has its middle, in 1/16 of a step
    narrow     how narrow it is
    """
    expected = min(expected, _LAST - 1)
    size = abs(told)
    token = token_of(size)
    negative = wide(told < 0)
    side = part + 8
    bases[2] += side * DECISIONS
    counted = len(tally) > 0
    seen, step = wide(0), wide(0)
    found, left = wide(0), wide(0)
    decision = wide(_ZERO) if expected <= 1 else wide(_FIRST)
    edge = wide(0)
    while True:
        slot, second = decision, wide(0)
        if decision == _ZERO:
            wanted = wide(token > 0)
        elif decision == _FIRST:
            wanted = wide(token >= expected)
        elif decision == _SIGN:
            wanted = negative
        elif decision == _DOWN:
            slot = _DOWN + min(step, _DOWN_MAX)
            wanted = wide(token < seen)
        elif decision == _BIT:
            slot, second = min(left, _BIT_MAX), wide(1)
            wanted = (size >> left) & 1
        else:
            slot = min(step, _UP_MAX)
            wanted = wide(token > seen)
        if counted:
            chance = _counted(tally, place, decision, seen, expected, negative, found, left)
            constant[CONTEXTS + 1] = stretch[unsigned(chance)]
        told_odds, edge = _told(odds, decision, seen, step, expected, negative, edge, middle, narrow)
        row = second * 2 * DECISIONS + slot
        bit = _decide(
            bases, slot + second * (CONTEXTS << CONTEXT_BITS), maps, mixer, constant,
            (row * MIXER_SETS + mixer_set) * LANES, ((DECISIONS + row) * MIXER_SETS + second_set) * LANES,
            coder, stream, squash, stretch, decoding, wanted, told_odds,
        )  # fmt: skip
        ended = False
        complete = False
        if decision == _ZERO:
            complete = not bit
            seen = bit
            decision = wide(_SIGN)
        elif decision == _SIGN:
            negative = bit
            complete = expected > 1
            if bit and not complete:
                bases[2] += (min(SIDES - side, SIDES - 1) - side) * DECISIONS
            decision = wide(0)
        elif decision == _FIRST:
            seen = expected if bit else expected - 1
            decision = wide(0) if bit else wide(_DOWN)
        elif decision == _DOWN:
            if bit:
                seen -= 1
                step += 1
            ended = not bit or seen == 0
        elif decision == _BIT:
            found = found << 1 | bit
            left -= 1
            if left < 0:
                break
        else:
            if bit:
                seen += 1
                step += 1
            ended = not bit or seen >= _LAST
        if ended:
            complete = expected <= 1 or seen == 0
            decision = wide(_SIGN)
        if complete:
            found = seen
            if seen < 4 or not counted:
                break
            found = 2 + (seen & 1)
            left = (seen >> 1) - 2
            decision = wide(_BIT)
    if seen >= 4 and not counted:
        bits = (seen >> 1) - 1
        slot = min(seen, TOKENS - 1)
        p = min(max(wide(extra[slot]) >> 16, _CHANCE_MIN), 65536 - _CHANCE_MIN)
        bit = code_bit(coder, stream, p, decoding, (size >> (bits - 1)) & 1)
        approach(extra, slot, bit, reciprocal)
        rest = bits - 1
        found = ((2 + (seen & 1)) << 1 | bit) << rest
        found |= plain_bits(coder, plain, decoding, size & ((1 << rest) - 1), rest)
    return -found if negative else found
