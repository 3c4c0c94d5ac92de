"""What an encoder that weighs all its choices would choose: the cheapest way through a stretch of plain bytes.

Encoders like 7-Zip, zopfli and libdeflate's highest levels do not take the longest match, but the tokens that cost
least together. What a token costs they know from the codes of the block; here it is reckoned from the tokens so far, so
that both directions know it. A stretch is planned from its end to its beginning: the best token at a place does not
depend on how one came there, so that a token that was not foreseen spoils nothing.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32
from lithify.codecs.kernel import once, unsigned, wide
from lithify.codecs.media.deflate.presets import CONFIG_CHAIN, CONFIG_NICE, CONFIG_WINDOW
from lithify.codecs.media.deflate.symbols import DISTANCE_BITS, DISTANCE_SYMBOL, LENGTH_BITS, LENGTH_SYMBOL
from lithify.codecs.media.deflate.words import match_length

STRETCH, _BEYOND = 8192, 512
_PLACES = 65536
_ROOM = STRETCH + _BEYOND + 1
TOKEN_AT, LONGEST_AT, GAP_AT = 0, _ROOM, 2 * _ROOM
PLAN_NUMBERS = 3 * _ROOM
"""Of each place: the token planned; the longest match; how much more, in 1/16 bit, the next best would cost."""
_COSTS_AT = _ROOM
_LENGTH_COSTS, _DISTANCE_COSTS = _COSTS_AT + 256, _COSTS_AT + 256 + 259
COUNTS_AT = _COSTS_AT + 256 + 259 + 30
_LENGTH_COUNTS, _DISTANCE_COUNTS = COUNTS_AT + 256, COUNTS_AT + 256 + 29
WEIGHT_NUMBERS = COUNTS_AT + 256 + 29 + 30
_FAR = 1 << 40
_HALVED_ABOVE = 1 << 15


@once
def _sixteenths(number: int) -> int:
    """About 16 times the logarithm of a number, to base 2."""
    bits = wide(0)
    while number >> (bits + 1):
        bits += 1
    return 16 * bits + ((number << 4) >> bits) - 16


@once
def begin_counts(weights: I64) -> None:
    """Before the first token, something like any text."""
    for i in range(256):
        weights[COUNTS_AT + i] = 4
    for i in range(29):
        weights[_LENGTH_COUNTS + i] = max(60 - 3 * i, 4)
    for i in range(30):
        weights[_DISTANCE_COUNTS + i] = 4 + 2 * i


@once
def count_token(weights: I64, token: int, literal: int) -> None:
    """Another token there was."""
    if token == 0:
        weights[unsigned(COUNTS_AT + literal)] += 4
    else:
        weights[_LENGTH_COUNTS + LENGTH_SYMBOL[token >> 16]] += 4
        weights[_DISTANCE_COUNTS + DISTANCE_SYMBOL[token & 0xFFFF]] += 4


@once
def _weigh(weights: I64) -> None:
    """Costs, in 1/16 bit, from counts; which are halved when they are many."""
    symbols, distances = wide(0), wide(0)
    for i in range(COUNTS_AT, _DISTANCE_COUNTS):
        symbols += weights[i]
    for i in range(_DISTANCE_COUNTS, _DISTANCE_COUNTS + 30):
        distances += weights[i]
    all_symbols, all_distances = _sixteenths(symbols), _sixteenths(distances)
    for i in range(256):
        weights[_COSTS_AT + i] = all_symbols - _sixteenths(weights[COUNTS_AT + i])
    for length in range(3, 259):
        symbol = wide(LENGTH_SYMBOL[length])
        weights[_LENGTH_COSTS + length] = (
            all_symbols - _sixteenths(weights[_LENGTH_COUNTS + symbol]) + 16 * wide(LENGTH_BITS[symbol])
        )
    for symbol in range(30):
        weights[_DISTANCE_COSTS + symbol] = (
            all_distances - _sixteenths(weights[_DISTANCE_COUNTS + symbol]) + 16 * wide(DISTANCE_BITS[symbol])
        )
    if symbols > _HALVED_ABOVE:
        for i in range(COUNTS_AT, _DISTANCE_COUNTS + 30):
            weights[i] = (weights[i] + 1) >> 1


@once
def plan(plain: U8, words: U32, places: U16, config: I64, weights: I64, plans: I32, start: int, stop: int) -> int:
    """Plan from `start` to `stop`, where all places are remembered, and some behind; gives the work it was."""
    _weigh(weights)
    size = len(plain)
    horizon = min(size, stop + _BEYOND)
    window, chain = config[CONFIG_WINDOW], config[CONFIG_CHAIN]
    weights[unsigned(horizon - start)] = 0
    work = wide(0)
    for at in range(horizon - 1, start - 1, -1):
        here = at - start
        best = weights[unsigned(_COSTS_AT + wide(plain[unsigned(at)]))] + weights[unsigned(here + 1)]
        second, token, longest = wide(_FAR), wide(0), wide(0)
        reached, most = wide(2), min(258, horizon - at)
        nice = min(config[CONFIG_NICE], most)
        place = at - wide(places[unsigned(at & (_PLACES - 1))])
        left = chain
        while most > 2 and left > 0 and place < at and at - place <= window:
            work += 1
            if plain[unsigned(place + reached)] == plain[unsigned(at + reached)]:
                length = match_length(words, place, at, most)
                work += length >> 3
                if length > reached:
                    distance = at - place
                    far = weights[unsigned(_DISTANCE_COSTS + wide(DISTANCE_SYMBOL[unsigned(distance)]))]
                    for n in range(reached + 1, length + 1):
                        cost = far + weights[unsigned(_LENGTH_COSTS + n)] + weights[unsigned(here + n)]
                        if cost < best:
                            second, best, token = best, cost, n << 16 | distance
                        elif cost < second:
                            second = cost
                    reached = length
                    longest = length << 16 | distance
                    if length >= nice:
                        break
            before = place - wide(places[unsigned(place & (_PLACES - 1))])
            if before == place:
                break
            place = before
            left -= 1
        weights[unsigned(here)] = best
        plans[unsigned(TOKEN_AT + here)] = token
        plans[unsigned(LONGEST_AT + here)] = longest
        plans[unsigned(GAP_AT + here)] = min(second - best, 1 << 20)
    return work


def new_plans() -> tuple[I64, I32]:
    """Room for costs and one stretch."""
    return np.zeros(WEIGHT_NUMBERS, np.int64), np.zeros(PLAN_NUMBERS, np.int32)
