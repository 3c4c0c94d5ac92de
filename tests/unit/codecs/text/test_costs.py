"""What texts cost: as much as the coder makes of them, byte by byte, line by line; and what surprises stands out."""

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.costs import BIT, Costs, costs_of, weigh
from lithify.codecs.text.mixing import Taught, encode_text, weigh_text
from lithify.codecs.text.proof import proved, proved_for
from tests.unit.codecs.text.corpus import EVERYTHING, PROSE, TEXTS
from tests.unit.codecs.text.test_mixing import EXAMPLES

NEAR = 8
"""Bytes: what the coder spends beyond what the bits are worth, and on ending."""

PIECES = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\n", b"the ", b"\r\n", b"\0" * 50])), max_size=30
)


def bits(given_chances: np.ndarray) -> float:
    return float(costs_of(given_chances).sum()) / BIT


def assert_near(stream: bytes | None, worth_bits: float, length: int) -> None:
    """Without a stream, it would have been longer than the text."""
    if stream is None:
        assert worth_bits / 8 > length - NEAR
    else:
        assert abs(worth_bits / 8 - len(stream)) < NEAR


@settings(max_examples=EXAMPLES, deadline=None)
@given(PIECES, st.sampled_from(TextClass))
def test_any_bytes_cost_what_the_coder_makes_of_them(pieces: list[bytes], text_class: TextClass) -> None:
    text = b"".join(pieces)
    worth = bits(weigh_text(text, proved_for(text_class), text_class))
    assert_near(encode_text(text, proved_for(text_class), text_class), worth, len(text))


@settings(max_examples=EXAMPLES // 5, deadline=None)
@given(PIECES, PIECES)
def test_any_bytes_behind_others_cost_what_the_coder_makes_of_them(first: list[bytes], then: list[bytes]) -> None:
    taught = Taught(b"".join(first), proved(), TextClass.PROSE)
    text = b"".join(then)
    assert_near(taught.encode(text), bits(taught.weigh(text)), len(text))


@pytest.mark.parametrize("seed", range(3))
def test_a_text_that_is_weighed_in_many_steps_costs_what_the_coder_makes_of_it(seed: int) -> None:
    chance = random.Random(seed)
    text = b"".join(b"%d %s\n" % (chance.randrange(1 << 20), PROSE[: chance.randrange(60)]) for _ in range(6000))
    told: list[int] = []
    worth = bits(weigh_text(text, proved(), TextClass.PROSE, told.append))
    assert_near(encode_text(text, proved(), TextClass.PROSE), worth, len(text))
    assert len(text) == told[-1]
    assert sorted(told) == told
    assert len(told) > 1


@settings(max_examples=EXAMPLES // 5, deadline=None)
@given(PIECES, st.integers(1, 100))
def test_lines_and_stretches_are_all_of_a_text(pieces: list[bytes], length: int) -> None:
    text = b"".join(pieces)
    found = weigh(text)
    lines = found.lines
    assert text == b"".join(text[at : at + long] for at, long in zip(lines.starts, lines.lengths, strict=True))
    assert all(text[at : at + long].find(b"\n") in {-1, long - 1} for at, long in zip(*lines[:2], strict=True))
    assert int(found.per_byte.sum()) == int(lines.costs.sum())
    lengths = [min(length, len(text) - at) for at in range(0, len(text), length)]
    assert found.bits == pytest.approx(sum(map(lambda one, rate: one * rate, lengths, found.stretches(length))))
    assert sum(lines.excess()) == pytest.approx(0, abs=1)


def test_no_bit_is_free_and_none_costs_more_than_sixteen() -> None:
    for text in (EVERYTHING, random.Random(1).randbytes(3000), b"\0" * 3000):
        per_byte = weigh(text).per_byte
        assert 0 < per_byte.min()
        assert per_byte.max() <= 8 * 16 * BIT


def test_a_text_of_nothing_costs_nothing() -> None:
    found = weigh(b"")
    assert (0.0, 0, []) == (found.bits, len(found.lines.starts), found.stretches(16))
    assert [] == list(found.lines.excess())


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_weighed_in_its_own_class(name: str) -> None:
    assert name == weigh(TEXTS[name]).text_class.name.lower()


def test_the_one_line_that_is_unlike_the_others_is_the_most_surprising() -> None:
    lines = [b"2026-11-21 01:15:%02d storage[7]: settled block %d\n" % (n % 60, 100 + n) for n in range(400)]
    lines[300] = b"2026-11-21 01:15:00 storage[7]: checksum of block 17 is wrong\n"
    found: Costs = weigh(b"".join(lines))
    assert 300 == 20 + int(found.lines.excess()[20:].argmax())


def test_weighing_leaves_what_was_learnt_as_it_is() -> None:
    before = hashlib.sha256(proved().primed.tobytes()).digest()
    maps = [start.maps.copy() for start in proved().starts]
    weigh(EVERYTHING)
    assert before == hashlib.sha256(proved().primed.tobytes()).digest()
    assert all((old == new.maps).all() for old, new in zip(maps, proved().starts, strict=True))
