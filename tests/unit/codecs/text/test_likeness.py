"""How like texts are: a copy tells most, a sibling much, a stranger nothing; and sketches say so for less."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.costs import weigh
from lithify.codecs.text.likeness import Sketch, bits_behind
from tests.unit.codecs.text.corpus import CODE, DOCS, FOREIGN, PROSE


def likeness(text: bytes, other: bytes) -> float:
    alone = weigh(text)
    return 1 - bits_behind(text, other, alone.text_class) / alone.bits


@pytest.mark.parametrize("text", [PROSE, DOCS, CODE, random.Random(1).randbytes(2000)])
def test_behind_a_copy_a_text_costs_a_fraction(text: bytes) -> None:
    assert likeness(text, text) > 0.8


def test_behind_nothing_a_text_costs_what_it_costs_alone() -> None:
    assert likeness(PROSE, b"") == pytest.approx(0, abs=0.005)


def test_a_sibling_tells_more_than_a_stranger() -> None:
    told = [likeness(FOREIGN[:100], other) for other in (FOREIGN[100:], PROSE, random.Random(2).randbytes(500))]
    assert sorted(told, reverse=True) == told
    assert told[0] > 0.5
    assert told[2] < 0.05


def test_a_paragraph_is_all_in_its_book_and_the_book_is_not_in_the_paragraph() -> None:
    assert likeness(PROSE[100:300], PROSE) > 0.6
    assert likeness(PROSE, PROSE[100:300]) < 0.4


def test_bytes_behind_bytes_have_a_cost_in_any_class() -> None:
    for text_class in TextClass:
        assert 0 < bits_behind(b"\0\xff", b"\xff\0", text_class) < 64


@settings(deadline=None)
@given(st.binary(max_size=20_000))
def test_a_sketch_shares_all_with_its_own_text(text: bytes) -> None:
    assert (1.0 if len(text) >= 8 else 0.0) == Sketch(text).shared(text)


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_a_sketch_shares_is_a_share(text: bytes, other: bytes) -> None:
    assert 0 <= Sketch(text).shared(other) <= 1
    assert Sketch(text).shared(other + text + other) == Sketch(text).shared(text)


def test_a_sketch_of_a_long_text_is_short_and_still_tells_how_much_is_shared() -> None:
    noise = random.Random(3).randbytes(200_000)
    sketch = Sketch(noise)
    assert len(sketch._hashes) < 8192
    assert sketch.shared(noise[:100_000] + bytes(100_000)) == pytest.approx(0.5, abs=0.05)
    assert 0.0 == sketch.shared(random.Random(4).randbytes(200_000))
