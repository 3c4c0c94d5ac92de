"""One decision of the coder of JPEG coefficients: a bit, coded with a chance mixed from what six contexts have seen.

Logistic mixing after Mahoney (PAQ): the chances of all contexts, stretched, are weighed, and their sum is squashed
again. What is written six times stands in registers: kept in arrays, and looped over, it took twice as long. A second
set of weights beside the first took a sixth more time and won an eighth of a per cent.
"""

from typing import NamedTuple

from lithify.codecs.array_types import I32, U8, U32
from lithify.codecs.bit_coder import code_bit
from lithify.codecs.chances import COUNT_MAX, LIMIT
from lithify.codecs.kernel import inlined, unsigned, wide
from lithify.codecs.media.jpeg_model import Fixed, Model

Three = tuple[int, int, int]
Six = tuple[int, int, int, int, int, int]
_COUNT_BITS = 10
_CHANCE_MIN = 32
_RATE_BITS = 18
_RATE_HALF = 1 << (_RATE_BITS - 1)


class Bits(NamedTuple):
    """Where bits come from or go to."""

    stream: U8
    rate: int
    """The step of the weights."""
    decoding: bool


@inlined
def within(value: int, least: int, most: int) -> int:
    """The nearest value in a range."""
    return min(max(value, least), most)


@inlined
def moved(cells: U32, at: int, cell: int, bit: int, reciprocal: I32) -> None:
    """A chance moves by 1 / (n + 1.5) of its way to the bit the n-th time, later by the least such step."""
    count = cell & ((1 << _COUNT_BITS) - 1)
    chance = cell >> _COUNT_BITS
    chance += ((((bit << 22) - bit) - chance) * wide(reciprocal[unsigned(count)])) >> 16
    if count < COUNT_MAX:
        count += 1
    cells[unsigned(at)] = chance << _COUNT_BITS | count


@inlined
def plain(m: Model, t: Fixed, bits: Bits, at: int, told: int) -> int:
    """A bit with a chance of its own."""
    cell = wide(m.lows[unsigned(at)])
    chance = within(cell >> 16, _CHANCE_MIN, 65536 - _CHANCE_MIN)
    bit = code_bit(m.coder, bits.stream, chance, bits.decoding, told)
    moved(m.lows, at, cell, bit, t.reciprocal)
    return bit


@inlined
def decide(m: Model, t: Fixed, bits: Bits, at: Six, slot: int, row: int, told: int) -> int:
    """A bit, coded and learnt from.

    at, slot  the cells of the contexts, less `slot`
    row       where its weights begin
    """
    cells, weights, stretch, squash = m.cells, m.weights, t.stretch, t.squash
    a0, a1, a2, a3, a4, a5 = at[0] + slot, at[1] + slot, at[2] + slot, at[3] + slot, at[4] + slot, at[5] + slot
    c0, c1, c2 = wide(cells[unsigned(a0)]), wide(cells[unsigned(a1)]), wide(cells[unsigned(a2)])
    c3, c4, c5 = wide(cells[unsigned(a3)]), wide(cells[unsigned(a4)]), wide(cells[unsigned(a5)])
    s0, s1, s2 = wide(stretch[unsigned(c0 >> 20)]), wide(stretch[unsigned(c1 >> 20)]), wide(stretch[unsigned(c2 >> 20)])
    s3, s4, s5 = wide(stretch[unsigned(c3 >> 20)]), wide(stretch[unsigned(c4 >> 20)]), wide(stretch[unsigned(c5 >> 20)])
    v0, v1, v2 = wide(weights[unsigned(row)]), wide(weights[unsigned(row + 1)]), wide(weights[unsigned(row + 2)])
    v3, v4, v5 = wide(weights[unsigned(row + 3)]), wide(weights[unsigned(row + 4)]), wide(weights[unsigned(row + 5)])
    mixed = within((s0 * v0 + s1 * v1 + s2 * v2 + s3 * v3 + s4 * v4 + s5 * v5) >> 16, -LIMIT, LIMIT)
    chance = wide(squash[unsigned(mixed + LIMIT)])
    bit = code_bit(m.coder, bits.stream, within(chance, _CHANCE_MIN, 65536 - _CHANCE_MIN), bits.decoding, told)
    off = ((bit << 16) - chance) * bits.rate
    weights[unsigned(row)] = v0 + ((s0 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 1)] = v1 + ((s1 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 2)] = v2 + ((s2 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 3)] = v3 + ((s3 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 4)] = v4 + ((s4 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 5)] = v5 + ((s5 * off + _RATE_HALF) >> _RATE_BITS)
    moved(cells, a0, c0, bit, t.reciprocal)
    moved(cells, a1, c1, bit, t.reciprocal)
    moved(cells, a2, c2, bit, t.reciprocal)
    moved(cells, a3, c3, bit, t.reciprocal)
    moved(cells, a4, c4, bit, t.reciprocal)
    moved(cells, a5, c5, bit, t.reciprocal)
    return bit


@inlined
def decide_three(m: Model, t: Fixed, bits: Bits, at: Three, slot: int, row: int, told: int) -> int:
    """The same with three contexts, for bits that are nearly even: with six, signs won a fifth of a per cent."""
    cells, weights, stretch = m.cells, m.weights, t.stretch
    a0, a1, a2 = at[0] + slot, at[1] + slot, at[2] + slot
    c0, c1, c2 = wide(cells[unsigned(a0)]), wide(cells[unsigned(a1)]), wide(cells[unsigned(a2)])
    s0, s1, s2 = wide(stretch[unsigned(c0 >> 20)]), wide(stretch[unsigned(c1 >> 20)]), wide(stretch[unsigned(c2 >> 20)])
    v0, v1, v2 = wide(weights[unsigned(row)]), wide(weights[unsigned(row + 1)]), wide(weights[unsigned(row + 2)])
    mixed = within((s0 * v0 + s1 * v1 + s2 * v2) >> 16, -LIMIT, LIMIT)
    chance = wide(t.squash[unsigned(mixed + LIMIT)])
    bit = code_bit(m.coder, bits.stream, within(chance, _CHANCE_MIN, 65536 - _CHANCE_MIN), bits.decoding, told)
    off = ((bit << 16) - chance) * bits.rate
    weights[unsigned(row)] = v0 + ((s0 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 1)] = v1 + ((s1 * off + _RATE_HALF) >> _RATE_BITS)
    weights[unsigned(row + 2)] = v2 + ((s2 * off + _RATE_HALF) >> _RATE_BITS)
    moved(cells, a0, c0, bit, t.reciprocal)
    moved(cells, a1, c1, bit, t.reciprocal)
    moved(cells, a2, c2, bit, t.reciprocal)
    return bit
