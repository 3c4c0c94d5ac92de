"""One decision of the coder of JPEG coefficients: a bit, coded with a chance that some cells agree on.

A cell is what one context adds to the logarithm of the odds. After the bit each moves by the same small step against
what the chance was off by: logistic regression, whose inputs are which cells a decision has. Where contexts mix chances
of their own, stretched and squashed, each decision takes three times as long; what that wins is less than what cells
win that begin with what other pictures taught them.
"""

from typing import NamedTuple

from lithify.codecs.array_types import I32, U16, U32
from lithify.codecs.kernel import inlined, unsigned, wide
from lithify.codecs.media.jpeg_model import CELL_BITS, LIMIT
from lithify.codecs.span_coder import State, coded

Two = tuple[int, int]
Three = tuple[int, int, int]
_RATE_BITS = 8
_RATE = 140


class Desk(NamedTuple):
    """What every decision needs."""

    cells: I32
    squash: U16
    units: U16
    loose: U32
    rate: int
    """The step of the cells."""
    decoding: bool


@inlined
def rate_after(blocks: int) -> int:
    """The step of the cells: from twice the least at first to that."""
    return _RATE + _RATE * 512 // (512 + blocks)


@inlined
def within(value: int, least: int, most: int) -> int:
    """The nearest value in a range."""
    return min(max(value, least), most)


@inlined
def _chance(desk: Desk, total: int) -> int:
    return wide(desk.squash[unsigned(within(total >> CELL_BITS, -LIMIT, LIMIT) + LIMIT)])


@inlined
def _step(desk: Desk, chance: int, bit: int) -> int:
    return (((bit << 16) - chance) * desk.rate) >> _RATE_BITS


@inlined
def decide_two(desk: Desk, state: State, at: Two, slot: int, told: int) -> tuple[int, State]:
    """A bit by the cells `slot` behind two places."""
    cells = desk.cells
    a, b = at[0] + slot, at[1] + slot
    first, second = wide(cells[unsigned(a)]), wide(cells[unsigned(b)])
    chance = _chance(desk, first + second)
    bit, state = coded(desk.units, state, chance, desk.decoding, told)
    step = _step(desk, chance, bit)
    cells[unsigned(a)] = first + step
    cells[unsigned(b)] = second + step
    return bit, state


@inlined
def decide_three(desk: Desk, state: State, at: Three, slot: int, told: int) -> tuple[int, State]:
    """The same, by three."""
    cells = desk.cells
    a, b, c = at[0] + slot, at[1] + slot, at[2] + slot
    first, second, third = wide(cells[unsigned(a)]), wide(cells[unsigned(b)]), wide(cells[unsigned(c)])
    chance = _chance(desk, first + second + third)
    bit, state = coded(desk.units, state, chance, desk.decoding, told)
    step = _step(desk, chance, bit)
    cells[unsigned(a)] = first + step
    cells[unsigned(b)] = second + step
    cells[unsigned(c)] = third + step
    return bit, state
