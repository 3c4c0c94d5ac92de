"""Bits that go through the coder with a span come back, in hardly more than they are worth."""

from math import log2

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lithify.codecs.array_types import I32, U8, U16
from lithify.codecs.kernel import bare
from lithify.codecs.span_coder import CHANCE_MIN, State, begun, coded, ended, room, units_of

CHANCES = st.integers(CHANCE_MIN, 65536 - CHANCE_MIN)
TOLD = st.lists(st.tuples(CHANCES, st.booleans()), max_size=200)


@bare
def through(units: U16, chances: I32, bits: U8, decoding: bool) -> State:
    state = begun(units, decoding)
    for i in range(len(chances)):
        bits[i], state = coded(units, state, int(chances[i]), decoding, int(bits[i]))
    return state


def written(told: list[tuple[int, bool]]) -> bytes:
    units = room(len(told))
    bits = np.array([bit for _, bit in told], np.uint8)
    return ended(units, through(units, np.array([chance for chance, _ in told], np.int32), bits, False))


@settings(deadline=None)
@given(TOLD)
@example([(65536 - CHANCE_MIN, False)] * 200)
@example([(CHANCE_MIN, True)] * 200)
@example([(32768, False), *[(32769, True)] * 64, (32768, True)])
def test_bits_come_back_in_what_they_are_worth(told: list[tuple[int, bool]]) -> None:
    stream = written(told)
    bits = np.zeros(len(told), np.uint8)
    through(units_of(stream, len(told)), np.array([chance for chance, _ in told], np.int32), bits, True)
    assert bits.tolist() == [int(bit) for _, bit in told]
    worth = sum(-log2((chance if bit else 65536 - chance) / 65536) for chance, bit in told)
    assert len(stream) <= worth / 8 * 1.001 + 2


def test_one_too_many_is_carried_over_full_units() -> None:
    """Ones keep to the end of the span that is almost one: some streams go over it at last."""
    carried = 0
    for seed in range(200):
        chooser = np.random.default_rng(seed)
        told = [(CHANCE_MIN, False)] * 40 + [(int(chooser.integers(CHANCE_MIN, 60_000)), False) for _ in range(60)]
        stream = written(told)
        bits = np.ones(len(told), np.uint8)
        through(units_of(stream, len(told)), np.array([chance for chance, _ in told], np.int32), bits, True)
        assert not bits.any()
        carried += stream[:1] > b"\0"
    assert carried > 0
