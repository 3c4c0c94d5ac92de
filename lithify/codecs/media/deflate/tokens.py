"""The tokens of a stream, told by where they differ from what a known encoder would have chosen for the same bytes.

Both directions walk over the same bytes with the same chains of places, predict a token, and code whether it was right;
what a wrong one should have been is told by the places that the chain leads to. One kernel for both directions.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32
from lithify.codecs.bit_coder import POSITION
from lithify.codecs.kernel import inlined, once, unsigned, wide
from lithify.codecs.media.deflate.corrections import NUMBER_CHANCES, code_chance, code_number, code_plain, coded_chance
from lithify.codecs.media.deflate.inflate import BLOCK_COUNT, BLOCK_FINAL, BLOCK_PADDING, BLOCK_TYPE
from lithify.codecs.media.deflate.plans import (
    GAP_AT,
    LONGEST_AT,
    STRETCH,
    TOKEN_AT,
    begin_counts,
    count_token,
    plan,
)
from lithify.codecs.media.deflate.presets import (
    CONFIG_CHAIN,
    CONFIG_FAR,
    CONFIG_GOOD,
    CONFIG_HASH_BITS,
    CONFIG_HASH_BYTES,
    CONFIG_HOW,
    CONFIG_INSIDE,
    CONFIG_LAZY,
    CONFIG_NICE,
    CONFIG_SHORT,
    CONFIG_WINDOW,
    CONFIG_ZERO,
    GREEDY,
    PAIRED,
    PLANNED,
)
from lithify.codecs.media.deflate.words import (
    ALL_FOUR,
    FIRST_ONE,
    FIRST_THREE,
    FIRST_TWO,
    NONE,
    checksum,
    match_length,
)

PLACES = 65536
HASHES = 65536
NOWHERE = -PLACES
_RANKS, _FOURS, _FIVES, _SIXES, _EIGHTS, _CHAINS = 1, 2, 3, 4, 5, 6
"""Behind the chains of zlib's hash stands how many places each of them had when a place was put into it: the difference
of two ranks is how many steps lie between. Behind these, the chains of places that go on with the same four bytes, and
so on."""
"""The head of an empty chain: too far back to be led to."""
WHOLE, COSTLY, WRONG, SLOW, FULL = 0, 1, 2, 3, 4
STATE_AT, STATE_TOKENS, STATE_BLOCKS, STATE_WORK, STATE_FIELDS = 0, 1, 2, 3, 4
_HOPS_MAX = 4096
_WIDEST = 8
"""Bytes of the widest chains: what is not found by these is shorter."""
_JUMPS_FROM = 17
"""Places that a search looks at, from which on the chains of equal bytes are kept: fewer are soon looked at."""
_AHEAD = 1024
"""Places that are remembered at once, where all are, and only what stands before a place is asked for."""
_SPREAD, _SPREAD_BEYOND, _WORD = 0x1E35A7BD, 0x2C1B3C6D, 0xFFFFFFFF
MARGIN = 2048
"""Bytes that the corrections of one token or the head of a block never need."""
_SYMBOLS_USUAL = 16383
_PAIR_BYTES = 8
"""Two places are looked at together: a shorter match at the first one is given up for one as long at the second."""
_LOOKED_AT, _LOOKED_AT_MIN = 1000, 20
_TOKEN_BYTES = 24  # plain bytes that stand for a token where only some are looked at

# Chances: those of what is rare until it was seen, then those of numbers.
_GRADES = 32
_RIGHT = 0  # by what was predicted (8), how the last three predictions did (8), the grade of the match (32)
_LITERAL = 2048  # instead of a match: by the same, without the three
_REFERENCE = 2304
_BY_HOPS = 2560
_PADDED = 2592
_KIND = 2600
_FINAL = 2616
_NOT_TO_END = 2620
_UNUSUAL = 2624
_FLUSHED = 2628
_FORGETS = 2629
_SHORTER = 2640
_SAME_LENGTH = 2656
_NUMBERS = 2912
_N_COUNT, _N_STORED, _N_LENGTH, _N_LESS, _N_MORE, _N_HOPS, _N_HOPS_2, _N_FLUSHED, _N_ALL = range(9)
CHANCES = _NUMBERS + _N_ALL * NUMBER_CHANCES
EVEN_FROM = _KIND


@inlined
def _put(heads: I32, places: U16, chains: int, number: int, at: int) -> None:
    """Put a place into the chain of a number, one of these chains."""
    head = unsigned(chains * HASHES + number)
    back = at - wide(heads[head])
    heads[head] = at
    places[unsigned(chains * PLACES + (at & (PLACES - 1)))] = back if back < PLACES else 0


@once
def _remember(plain: U8, words: U32, heads: I32, places: U16, config: I64, first: int, behind: int) -> None:
    """Put the places from `first` up to before `behind` into their chains."""
    hash_bits, hash_bytes = config[CONFIG_HASH_BITS], config[CONFIG_HASH_BYTES]
    shift, mask = (hash_bits + 2) // 3, (wide(1) << hash_bits) - 1
    last, narrow = len(plain) - hash_bytes, config[CONFIG_SHORT] < 5
    jumps = hash_bits != 0 and config[CONFIG_CHAIN] >= _JUMPS_FROM
    for at in range(first, behind):
        here = unsigned(at & (PLACES - 1))
        if at > last:
            for chains in range(_CHAINS):
                places[unsigned(chains * PLACES) + here] = 0
            continue
        a, b, c = wide(plain[unsigned(at)]), wide(plain[unsigned(at + 1)]), wide(plain[unsigned(at + 2)])
        if hash_bits and hash_bytes == 4:
            h = checksum(a, b, c, wide(plain[unsigned(at + 3)])) & mask
        elif hash_bits:
            h = (a << 2 * shift ^ b << shift ^ c) & mask
        else:
            value = a << 16 | b << 8 | c
            if hash_bytes == 4:
                value = value << 8 | wide(plain[unsigned(at + 3)])
            h = ((value * _SPREAD) & _WORD) >> 16
        if jumps:
            rank = (wide(heads[unsigned(_RANKS * HASHES + h)]) + 1) & (PLACES - 1)
            heads[unsigned(_RANKS * HASHES + h)] = places[unsigned(_RANKS * PLACES) + here] = rank
            beyond = words[unsigned(at + 4)]
            fifth, sixth = wide(beyond & FIRST_ONE), wide(beyond & FIRST_TWO)
            mixed = wide(words[unsigned(at)]) * _SPREAD
            if narrow:
                _put(heads, places, wide(_FOURS), (mixed & _WORD) >> 16, at)
                _put(heads, places, wide(_FIVES), (mixed + fifth * _SPREAD_BEYOND & _WORD) >> 16, at)
            _put(heads, places, wide(_SIXES), (mixed + sixth * _SPREAD_BEYOND & _WORD) >> 16, at)
            _put(heads, places, wide(_EIGHTS), (mixed + wide(beyond) * _SPREAD_BEYOND & _WORD) >> 16, at)
        _put(heads, places, wide(0), h, at)


@inlined
def _search(words: U32, places: U16, config: I64, state: I64, at: int, end: int, least: int, chain: int) -> int:
    """The best match at `at`, a remembered place, that is longer than `least`: length << 16 | distance; 0: none."""
    longest = min(258, end - at)
    hash_bytes = config[CONFIG_HASH_BYTES]
    if least >= longest or longest < hash_bytes or chain == 0:
        return 0
    nice = min(config[CONFIG_NICE], longest)
    window, exact = config[CONFIG_WINDOW], config[CONFIG_HASH_BITS] == 0
    place = at - wide(places[unsigned(at & (PLACES - 1))])
    if place == at or (place == 0 and config[CONFIG_ZERO] == 0) or at - place > window:
        return 0
    limit = max(at - window, wide(0)) if config[CONFIG_ZERO] == 0 else max(at - window - 1, wide(-1))
    if not exact and hash_bytes == 3 and nice >= _WIDEST and config[CONFIG_CHAIN] >= _JUMPS_FROM:
        found = _search_wide(words, places, state, at, longest, least, nice, chain, limit, place)
        if found or least > 2:
            return found
        return _search_three(words, places, state, at, chain, limit, place)
    best, found = least, wide(0)
    left = chain
    first, found_by = words[unsigned(at)], FIRST_THREE if hash_bytes == 3 else ALL_FOUR
    # Four bytes that end where a longer match must go on tell most places apart by one comparison.
    last, compared = max(best - 3, 0), FIRST_THREE if best < 3 else ALL_FOUR
    beyond = words[unsigned(at + last)]
    work = wide(0)
    while True:
        work += 1
        if (words[unsigned(place + last)] ^ beyond) & compared == 0:
            length = match_length(words, place, at, longest)
            work += length >> 3
            if length > best and length >= hash_bytes:
                best = length
                found = length << 16 | (at - place)
                if length >= nice or length == longest:
                    break
                last, compared = best - 3, ALL_FOUR
                beyond = words[unsigned(at + last)]
        if exact and (words[unsigned(place)] ^ first) & found_by != 0:
            left += 1
        before = place - wide(places[unsigned(place & (PLACES - 1))])
        if before <= limit or before == place:
            break
        place = before
        left -= 1
        if left == 0:
            break
    state[STATE_WORK] += work
    return found


@inlined
def _search_three(words: U32, places: U16, state: I64, at: int, chain: int, limit: int, place: int) -> int:
    """The nearest match of three bytes, where none is longer."""
    first, left = words[unsigned(at)], chain
    found = wide(0)
    while place > limit or left == chain:
        if (words[unsigned(place)] ^ first) & FIRST_THREE == 0:
            found = wide(3) << 16 | (at - place)
            break
        left -= 1
        back = wide(places[unsigned(place & (PLACES - 1))])
        if back == 0 or left == 0:
            break
        place -= back
    state[STATE_WORK] += chain - left
    return found


@inlined
def _next_alike(
    words: U32, places: U16, state: I64, chains: int, at: int, place: int, masked: np.uint32, nearest: int, limit: int,
    chain: int,
) -> int:  # fmt: skip
    """The nearest place before `place` that goes on as `at` does, in one of the chains of zlib's hash; -1: none."""
    first, second = words[unsigned(at)], words[unsigned(at + 4)]
    found, walked = wide(-1), wide(0)
    back = wide(places[unsigned(chains * PLACES + (place & (PLACES - 1)))])
    while back:
        walked += 1
        place -= back
        if place <= limit and place != nearest:
            break
        if words[unsigned(place)] == first and (words[unsigned(place + 4)] ^ second) & masked == 0:
            rank = wide(places[unsigned(_RANKS * PLACES + (at & (PLACES - 1)))])
            rank -= wide(places[unsigned(_RANKS * PLACES + (place & (PLACES - 1)))])
            if rank & (PLACES - 1) <= chain:
                found = place
            break
        back = wide(places[unsigned(chains * PLACES + (place & (PLACES - 1)))])
    state[STATE_WORK] += walked
    return found


@once
def _search_wide(
    words: U32, places: U16, state: I64, at: int, longest: int, least: int, nice: int, chain: int, limit: int,
    nearest: int,
) -> int:  # fmt: skip
    """The best match of at least four bytes that is longer than `least`, by a zlib's hash.

    What is longer than some bytes goes on with the same ones: their own chain leads there in fewer steps, and ranks
    say how many the encoder would have taken. Where no place is as another for six bytes, the nearest that is for five
    is the longest match.
    """
    four = wide(0)
    if least < 5:
        four = _next_alike(words, places, state, wide(_FOURS), at, at, NONE, nearest, limit, chain)
        if four < 0:
            return wide(0)
    found = wide(0)
    place = _next_alike(words, places, state, wide(_EIGHTS), at, at, ALL_FOUR, nearest, limit, chain)
    if place >= 0:
        best = max(least, wide(_WIDEST - 1))
        last = best - 3
        beyond = words[unsigned(at + last)]
        work = wide(0)
        while place >= 0:
            if words[unsigned(place + last)] == beyond:
                length = match_length(words, place, at, longest)
                work += length >> 3
                if length > best:
                    best = length
                    found = length << 16 | (at - place)
                    if length >= nice:
                        break
                    last = best - 3
                    beyond = words[unsigned(at + last)]
            place = _next_alike(words, places, state, wide(_EIGHTS), at, place, ALL_FOUR, nearest, limit, chain)
        state[STATE_WORK] += work
        if found:
            return found
    if least >= _WIDEST - 1:
        return wide(0)
    place = _next_alike(words, places, state, wide(_SIXES), at, at, FIRST_TWO, nearest, limit, chain)
    while place >= 0:
        length = wide(6) + wide((words[unsigned(place + 4)] ^ words[unsigned(at + 4)]) & FIRST_THREE == 0)
        if length > max(least, found >> 16):
            found = length << 16 | (at - place)
            if length == _WIDEST - 1:
                return found
        place = _next_alike(words, places, state, wide(_SIXES), at, place, FIRST_TWO, nearest, limit, chain)
    if found or least >= 5:
        return found
    place = _next_alike(words, places, state, wide(_FIVES), at, at, FIRST_ONE, nearest, limit, chain)
    if place >= 0:
        return wide(5) << 16 | (at - place)
    return wide(4) << 16 | (at - four) if least < 4 else wide(0)


@once
def _hops_to(words: U32, places: U16, state: I64, at: int, length: int, distance: int) -> int:
    """How many nearer places match as far; -1: the chain does not lead there."""
    hops = wide(0)
    place = at - wide(places[at & (PLACES - 1)])
    for _ in range(_HOPS_MAX):
        if place == at or at - place > distance:
            return -1
        if at - place == distance:
            return hops
        n = match_length(words, place, at, length)
        state[STATE_WORK] += 1 + (n >> 3)
        hops += n == length
        before = place - wide(places[place & (PLACES - 1)])
        if before == place:
            return -1
        place = before
    return -1


@once
def _place_behind(words: U32, places: U16, state: I64, at: int, length: int, hops: int) -> int:
    """The distance that the chain leads to past `hops` nearer places that match as far; 0: nowhere."""
    place = at - wide(places[at & (PLACES - 1)])
    left = hops
    for _ in range(_HOPS_MAX):
        if place == at or at - place > 32768:
            return 0
        n = match_length(words, place, at, length)
        state[STATE_WORK] += 1 + (n >> 3)
        if n == length:
            if left == 0:
                return at - place
            left -= 1
        before = place - wide(places[place & (PLACES - 1)])
        if before == place:
            return 0
        place = before
    return 0


@once
def _grade(match: int) -> int:
    """How long a match is, in eight steps, and how far, in four."""
    length, distance = match >> 16, match & 0xFFFF
    grade = max(length - 2, 0)
    if length >= 6:
        grade = wide(4) + wide(length >= 10) + wide(length >= 18) + wide(length >= 66)
    return grade << 2 | wide(distance >= 64) + wide(distance >= 1024) + wide(distance >= 8192)


@once
def _planned_grade(gap: int, token: int, longest: int) -> int:
    """How much the next best token costs more, in eight steps; whether the plan is the longest match; how short."""
    grade = wide(0)
    while grade < 7 and gap >= 4 << grade:
        grade += 1
    return grade << 2 | wide(token == longest) << 1 | wide(max(token, longest) >> 16 > 4)


@once
def _code_match(
    plain: U8,
    words: U32,
    places: U16,
    state: I64,
    coder: I64,
    stream: U8,
    chances: I32,
    at: int,
    end: int,
    reference: int,
    kind: int,
    decoding: bool,
    told: int,
) -> int:
    """A match that was not predicted, by a reference that was found there (0: none); 0 if it cannot be."""
    reference_length = reference >> 16
    length, distance = told >> 16, told & 0xFFFF
    if reference_length:
        same = code_chance(
            coder,
            stream,
            chances,
            _SAME_LENGTH + kind * _GRADES + _grade(reference),
            decoding,
            wide(length == reference_length),
        )
        if same:
            length = reference_length
        else:
            less = code_chance(coder, stream, chances, _SHORTER + kind, decoding, wide(length < reference_length))
            if less:
                length = (
                    reference_length
                    - 1
                    - code_number(
                        coder,
                        stream,
                        chances,
                        _NUMBERS + _N_LESS * NUMBER_CHANCES,
                        decoding,
                        reference_length - 1 - length,
                    )
                )
            else:
                length = (
                    reference_length
                    + 1
                    + code_number(
                        coder,
                        stream,
                        chances,
                        _NUMBERS + _N_MORE * NUMBER_CHANCES,
                        decoding,
                        length - reference_length - 1,
                    )
                )
    else:
        length = 3 + code_number(coder, stream, chances, _NUMBERS + _N_LENGTH * NUMBER_CHANCES, decoding, length - 3)
    if length < 3 or length > 258 or length > end - at:
        return 0
    hops = wide(0)
    if not decoding:
        hops = _hops_to(words, places, state, at, length, distance)
    aside = code_chance(coder, stream, chances, _BY_HOPS + kind, decoding, wide(hops < 0))
    if aside:
        distance = 1 + code_plain(coder, stream, 15, decoding, distance - 1)
    else:
        numbers = _N_HOPS_2 if length == reference_length else _N_HOPS
        hops = code_number(coder, stream, chances, _NUMBERS + numbers * NUMBER_CHANCES, decoding, hops)
        if decoding:
            distance = _place_behind(words, places, state, at, length, hops)
    if distance < 1 or distance > at:
        return 0
    if decoding:
        for i in range(length):
            if plain[at + i] != plain[at + i - distance]:
                return 0
    return length << 16 | distance


@once
def _looks_back(tokens: I32, first: int, start: int) -> bool:
    """Whether a match soon behind `start` reaches before it."""
    at = start
    for i in range(first, min(first + _LOOKED_AT, len(tokens))):
        token = wide(tokens[i])
        if at - (token & 0xFFFF) < start:
            return True
        at += max(token >> 16, 1)
    return len(tokens) - first < _LOOKED_AT_MIN


@once
def code_tokens(
    plain: U8,
    words: U32,
    tokens: I32,
    blocks: I64,
    config: I64,
    heads: I32,
    places: U16,
    weights: I64,
    plans: I32,
    coder: I64,
    stream: U8,
    chances: I32,
    state: I64,
    tokens_max: int,
    work_max: int,
    decoding: bool,
) -> int:
    """Code the blocks and their tokens, or (when encoding) about the first `tokens_max` of these."""
    size = len(plain)
    planned, paired = config[CONFIG_HOW] == PLANNED, config[CONFIG_HOW] == PAIRED
    greedy = config[CONFIG_HOW] == GREEDY or paired
    ahead = wide(1) if greedy else wide(_AHEAD)
    plan_start, plan_stop = wide(0), wide(0)
    if planned:
        begin_counts(weights)
    short, far, lazy, good, chain = (
        config[CONFIG_SHORT],
        config[CONFIG_FAR],
        config[CONFIG_LAZY],
        config[CONFIG_GOOD],
        config[CONFIG_CHAIN],
    )
    at, token, block, remembered = wide(0), wide(0), wide(0), wide(0)
    usual, usual_stored = wide(_SYMBOLS_USUAL), wide(0)
    last_kind, history = wide(2), wide(0)
    held, is_held = wide(0), False
    final, literals = wide(0), wide(0)
    while final == 0:
        if block >= len(blocks):
            return FULL
        if coder[POSITION] + MARGIN > len(stream) and not decoding:
            return COSTLY
        final = code_chance(coder, stream, chances, _FINAL, decoding, blocks[block, BLOCK_FINAL])
        kind = code_chance(
            coder, stream, chances, _KIND + last_kind * 4, decoding, wide(blocks[block, BLOCK_TYPE] != 2)
        )
        if kind:
            stored = code_chance(
                coder, stream, chances, _KIND + last_kind * 4 + 1, decoding, wide(blocks[block, BLOCK_TYPE] == 0)
            )
            kind = 1 - stored
        else:
            kind = 2
        last_kind = kind
        count = blocks[block, BLOCK_COUNT]
        left = wide(0)
        if kind == 0:
            if code_chance(coder, stream, chances, _NOT_TO_END + 1, decoding, wide(at + count != size)) == 0:
                count = size - at
            else:
                other = code_chance(coder, stream, chances, _UNUSUAL + 1, decoding, wide(count != usual_stored))
                if other == 0:
                    count = usual_stored
                else:
                    count = code_number(coder, stream, chances, _NUMBERS + _N_STORED * NUMBER_CHANCES, decoding, count)
            usual_stored = count
            if count == 0:
                forgets = wide(0)
                if not decoding:
                    forgets = wide(not _looks_back(tokens, token, at))
                if code_chance(coder, stream, chances, _FORGETS, decoding, forgets):
                    for i in range(len(heads)):
                        heads[i] = NOWHERE
                    if not planned:
                        remembered = at
                    state[STATE_WORK] += len(heads) >> 4
                    if state[STATE_WORK] > work_max:
                        return SLOW
            padded = code_chance(coder, stream, chances, _PADDED, decoding, wide(blocks[block, BLOCK_PADDING] != 0))
            padding = wide(0)
            if padded:
                padding = code_plain(coder, stream, 7, decoding, blocks[block, BLOCK_PADDING])
            if count > 65535 or at + count > size:
                return WRONG
            blocks[block, BLOCK_PADDING] = padding
            _remember(plain, words, heads, places, config, remembered, at + count)
            at += count
            remembered = max(remembered, at)
            is_held = False
        else:
            first, literals = token, wide(0)
            to_end, end = wide(0), size
            if not decoding:
                end = at
                for i in range(token, token + count):
                    end += max(wide(tokens[i]) >> 16, 1)
                to_end = wide(end == size)
            to_end = 1 - code_chance(coder, stream, chances, _NOT_TO_END, decoding, 1 - to_end)
            flushed = wide(0)
            if not to_end:
                if not decoding and block + 1 < len(blocks):
                    flushed = wide(blocks[block + 1, BLOCK_COUNT] == 0)
                flushed = code_chance(coder, stream, chances, _FLUSHED, decoding, flushed)
            if to_end:
                left = wide(size + 1)
            elif flushed:
                end = at + code_number(
                    coder, stream, chances, _NUMBERS + _N_FLUSHED * NUMBER_CHANCES, decoding, end - at
                )
                if end > size:
                    return WRONG
                to_end, left = wide(1), wide(size + 1)
            else:
                if code_chance(coder, stream, chances, _UNUSUAL, decoding, wide(count != usual)) == 0:
                    count = usual
                else:
                    count = code_number(coder, stream, chances, _NUMBERS + _N_COUNT * NUMBER_CHANCES, decoding, count)
                usual = count
                left = count
            if not to_end:
                end = size
            while left > 0 and not (to_end and at == end):
                left -= 1
                if at >= end or token >= len(tokens):
                    return WRONG
                if not decoding and (coder[POSITION] + MARGIN > len(stream)):
                    return COSTLY
                if state[STATE_WORK] > work_max:
                    return SLOW
                if not decoding and (token >= tokens_max or at >= tokens_max * _TOKEN_BYTES):
                    state[STATE_AT], state[STATE_TOKENS], state[STATE_BLOCKS] = at, token, block
                    return WHOLE
                # what is predicted
                if planned:
                    if at >= plan_stop:
                        plan_start, plan_stop = at, min(size, at + STRETCH)
                        _remember(plain, words, heads, places, config, remembered, min(size, plan_stop + STRETCH // 8))
                        remembered = max(remembered, min(size, plan_stop + STRETCH // 8))
                        state[STATE_WORK] += plan(plain, words, places, config, weights, plans, plan_start, plan_stop)
                    here = wide(plans[unsigned(LONGEST_AT + at - plan_start)])
                    guess, behind = wide(plans[unsigned(TOKEN_AT + at - plan_start)]), wide(0)
                    if here >> 16 > end - at:
                        here = wide(0)
                    if guess >> 16 > end - at:
                        guess = wide(0)
                    gap = wide(plans[unsigned(GAP_AT + at - plan_start)])
                    case = wide(6) + wide(guess != 0)
                    grade = _planned_grade(gap, guess, here)
                    reference = guess if guess else here
                else:
                    if remembered <= at + 1 - wide(greedy):
                        _remember(plain, words, heads, places, config, remembered, at + ahead)
                        remembered = at + ahead
                    here = held if is_held else _search(words, places, config, state, at, end, short, chain)
                    length = here >> 16
                    guess, behind, case = here, wide(0), wide(0)
                    if length == 0 or (length == 3 and (here & 0xFFFF) > far):
                        guess = wide(0)
                        case = wide(length > 0)
                    elif greedy:
                        case = wide(2)
                        if paired and length < _PAIR_BYTES and literals & 1 == 0 and at + 1 < end:
                            case = wide(4)
                            if remembered <= at + 1:
                                _remember(plain, words, heads, places, config, remembered, at + 2)
                                remembered = at + 2
                            behind = _search(words, places, config, state, at + 1, end, _PAIR_BYTES - 1, chain)
                            if behind:
                                guess, case = wide(0), wide(5)
                    else:
                        case = wide(3)
                        if length < lazy:
                            case = wide(4)
                            if at + 1 < end:
                                behind = _search(
                                    words,
                                    places,
                                    config,
                                    state,
                                    at + 1,
                                    end,
                                    length,
                                    chain >> 2 if length >= good else chain,
                                )
                            if behind >> 16 > length:
                                guess, case = wide(0), wide(5)
                    grade = _grade(here)
                    reference = here
                # what there is
                actual = wide(tokens[token]) if not decoding else wide(0)
                wrong = coded_chance(
                    coder,
                    stream,
                    chances,
                    _RIGHT + case * 256 + history * _GRADES + grade,
                    decoding,
                    wide(actual != guess),
                )
                history = (history << 1 | wrong) & 7
                if wrong == 0:
                    actual = guess
                else:
                    is_match = wide(1)
                    if guess:
                        is_match = 1 - code_chance(
                            coder, stream, chances, _LITERAL + case * _GRADES + grade, decoding, wide(actual == 0)
                        )
                    if is_match == 0:
                        actual = wide(0)
                    else:
                        other = wide(1)
                        if here != 0 and guess == 0:
                            other = code_chance(
                                coder,
                                stream,
                                chances,
                                _REFERENCE + case * _GRADES + grade,
                                decoding,
                                wide(actual != here),
                            )
                            if other == 0:
                                actual = here
                        if other:
                            actual = _code_match(
                                plain,
                                words,
                                places,
                                state,
                                coder,
                                stream,
                                chances,
                                at,
                                end,
                                reference,
                                case,
                                decoding,
                                actual,
                            )
                            if actual == 0:
                                return WRONG
                if decoding:
                    tokens[token] = actual
                if planned:
                    count_token(weights, actual, wide(plain[at]))
                token += 1
                if actual == 0:
                    at += 1
                    literals += 1
                    held, is_held = behind, behind != 0
                else:
                    length = actual >> 16
                    if greedy:
                        inside = length if length <= lazy else min(length, config[CONFIG_INSIDE])
                        _remember(plain, words, heads, places, config, remembered, at + inside)
                        remembered = at + length
                    at += length
                    literals = wide(0)
                    is_held = False
            count = token - first
        if decoding:
            blocks[block, BLOCK_TYPE], blocks[block, BLOCK_FINAL], blocks[block, BLOCK_COUNT] = kind, final, count
        block += 1
    if at != size:
        return WRONG
    state[STATE_AT], state[STATE_TOKENS], state[STATE_BLOCKS] = at, token, block
    return WHOLE


def new_chains() -> tuple[I32, U16]:
    """The heads of the chains, and how far back each place leads; 0: no further."""
    return np.full(_CHAINS * HASHES, NOWHERE, np.int32), np.zeros(_CHAINS * PLACES, np.uint16)
