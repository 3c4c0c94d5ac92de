"""From what the model says to chances, and from chances to a stream: one symbol after another, in both directions.

Beside the model stand some guesses that this text has taught: which token followed the last one, two, three, four, six
and ten. Each guess moves its token's logarithm by what guesses like it were worth so far; and the logarithm of each
token moves with how often it comes. All streams teach the same tables, in their order, step by step.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32, U64
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.text.lm import range_coder
from lithify.codecs.text.lm.kernels import raised, within
from lithify.codecs.text.lm.range_coder import TOTAL, TOTAL_BITS

ESCAPE = 256
"""The share of TOTAL that says: a byte that no token has follows, with an equal chance for each."""
ORDERS = (1, 2, 3, 4, 6, 10)
TABLE_BITS = 16
TRUST_MAX = 15
NEARS = 6
"""How near a guess is to what the model finds most likely, in so many grades."""
BIAS_RATE, BOOST_RATE = 24_000, 35_000
MOVED_MAX = 1 << 24
"""No bias and no boost goes beyond 256 bits: their sum with a logarithm stays in 32 bits, whatever the text is."""


class Taught(NamedTuple):
    """What the text at hand has taught."""

    bias: I32
    """Per token: what is added to its logarithm, in units of 2^-16."""
    guesses: I32
    """Per order and hash of context: the token that followed; -1: none."""
    trust: I32
    """How often it was right since it was wrong."""
    boosts: I32
    """Per order, trust and nearness: what is added to the logarithm of a guess."""
    shares: I64
    """Scratch: what each token gets of TOTAL."""
    slots: I64
    """Scratch: where the guesses of this symbol lie."""
    grades: I64
    """Scratch: which boost each was given; -1: none."""


def untaught(vocabulary: int) -> Taught:
    """Before the first symbol."""
    orders = len(ORDERS)
    return Taught(
        bias=np.zeros(vocabulary, np.int32),
        guesses=np.full((orders, 1 << TABLE_BITS), -1, np.int32),
        trust=np.zeros((orders, 1 << TABLE_BITS), np.int32),
        boosts=first_boosts(),
        shares=np.zeros(vocabulary, np.int64),
        slots=np.zeros(orders, np.int64),
        grades=np.zeros(orders, np.int64),
    )


def first_boosts() -> I32:
    """What a guess is worth before it was seen to be right: nothing."""
    return np.zeros((len(ORDERS), TRUST_MAX + 1, NEARS), np.int32)


@inlined
def slot_of(symbols: I32, at: int, order: int) -> int:
    """Where the guess behind the last symbols lies."""
    found = unsigned(order)
    for i in range(order):
        found = (found + unsigned(symbols[at - 1 - i]) + unsigned(1)) * unsigned(0x9E3779B97F4A7C15)
        found ^= found >> unsigned(29)
    return wide(found >> unsigned(64 - TABLE_BITS))


@inlined
def nearness(less: int) -> int:
    """The grade of a token whose logarithm is so much less than the largest."""
    grade = wide(0)
    while grade < NEARS - 1 and less > (wide(1 << 15) << grade):
        grade += 1
    return grade


@inlined
def guess(line: I32, symbols: I32, at: int, orders: I64, taught: Taught) -> None:
    """Move the logarithms of the tokens that the text at hand lets expect."""
    most = wide(line[0])
    for token in range(len(line)):
        line[token] += taught.bias[token]
        most = max(most, wide(line[token]))
    for i in range(len(orders)):
        taught.grades[i] = -1
        if at < orders[i]:
            continue
        slot = slot_of(symbols, at, orders[i])
        taught.slots[i] = slot
        token = taught.guesses[i, slot]
        if token >= 0:
            taught.grades[i] = nearness(most - line[token])
    for i in range(len(orders)):
        if taught.grades[i] >= 0:
            slot = taught.slots[i]
            line[taught.guesses[i, slot]] += taught.boosts[i, taught.trust[i, slot], taught.grades[i]]


@inlined
def share(line: I32, powers: U32, shares: I64) -> None:
    """Divide TOTAL, less ESCAPE, among the tokens; each gets at least 1, and the likeliest what is left."""
    likeliest, most = wide(0), wide(line[0])
    for token in range(len(line)):
        if line[token] > most:
            likeliest, most = wide(token), wide(line[token])
    total = wide(0)
    for token in range(len(line)):
        shares[token] = raised(powers, most - line[token])
        total += shares[token]
    given = wide(TOTAL - ESCAPE - len(line))
    part = (given << 38) // total
    left = given
    for token in range(len(line)):
        more = (shares[token] * part) >> 38
        shares[token] = more + 1
        left -= more
    shares[likeliest] += left


@inlined
def learn(symbols: I32, at: int, orders: I64, taught: Taught) -> None:
    """Compare what was expected with the symbol that came."""
    symbol, count = symbols[at], len(taught.shares)
    for i in range(len(orders)):
        if at < orders[i]:
            continue
        slot = taught.slots[i]
        token, trust = taught.guesses[i, slot], taught.trust[i, slot]
        if taught.grades[i] >= 0:
            came = wide(TOTAL) if token == symbol else wide(0)
            change = ((came - taught.shares[token]) * BOOST_RATE) >> TOTAL_BITS
            boost = wide(taught.boosts[i, trust, taught.grades[i]]) + change
            taught.boosts[i, trust, taught.grades[i]] = within(boost, MOVED_MAX)
        if token == symbol:
            taught.trust[i, slot] = min(trust + 1, TRUST_MAX)
        elif trust > 1:
            taught.trust[i, slot] = trust >> 1
        else:
            taught.guesses[i, slot] = symbol if symbol < count else -1
            taught.trust[i, slot] = 0
    for token in range(count):
        moved = wide(taught.bias[token]) - ((taught.shares[token] * BIAS_RATE) >> TOTAL_BITS)
        taught.bias[token] = max(moved, -MOVED_MAX)
    if symbol < count:
        taught.bias[symbol] = min(wide(taught.bias[symbol]) + BIAS_RATE, MOVED_MAX)


@inlined
def put_symbol(symbol: int, shares: I64, coder: U64, position: I64, stream: U8) -> None:
    """Encode a token, or a byte behind an escape."""
    count = len(shares)
    if symbol >= count:
        range_coder.put(coder, position, stream, TOTAL - ESCAPE, ESCAPE)
        range_coder.put(coder, position, stream, (symbol - count) << 16, 1 << 16)
        return
    start = wide(0)
    for token in range(symbol):
        start += shares[token]
    range_coder.put(coder, position, stream, start, shares[symbol])


@inlined
def take_symbol(shares: I64, coder: U64, position: I64, stream: U8) -> int:
    """Decode one."""
    where = range_coder.place(coder)
    if where >= TOTAL - ESCAPE:
        range_coder.take(coder, position, stream, TOTAL - ESCAPE, ESCAPE)
        byte = range_coder.place(coder) >> 16
        range_coder.take(coder, position, stream, byte << 16, 1 << 16)
        return len(shares) + byte
    start, token = wide(0), wide(0)
    while start + shares[token] <= where:
        start += shares[token]
        token += 1
    range_coder.take(coder, position, stream, start, shares[token])
    return token


@bare
def code(
    logits: I32, symbols: I32, lengths: I64, first: int, orders: I64, taught: Taught, powers: U32,
    coder: U64, position: I64, stream: U8, decoding: bool,
) -> None:  # fmt: skip
    """Code the symbols of some steps, of each step all streams in their order.

    logits   (streams, steps, vocabulary); moved
    symbols  (streams, positions): what is encoded, or where what is decoded is put
    lengths  how many symbols each stream has
    first    the position of the first step
    """
    for step in range(logits.shape[1]):
        at = first + step
        for row in range(len(logits)):
            if at >= lengths[row]:
                continue
            line = logits[row, step]
            guess(line, symbols[row], at, orders, taught)
            share(line, powers, taught.shares)
            if decoding:
                symbols[row, at] = take_symbol(taught.shares, coder, position, stream)
            else:
                put_symbol(wide(symbols[row, at]), taught.shares, coder, position, stream)
            learn(symbols[row], at, orders, taught)
