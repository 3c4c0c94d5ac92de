"""Columns of integers: any 64 bits come back, in any mixture of columns."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lithify.codecs.array_types import I64
from lithify.codecs.logs import numbers
from lithify.codecs.logs.order import places
from tests.unit.codecs.logs.corpus import EXAMPLES

LEAST, MOST = -(2**63), 2**63 - 1
ANY = st.integers(LEAST, MOST)
NEAR_A_POWER = st.builds(
    lambda sign, bits, off: max(LEAST, min(MOST, sign * (1 << bits) + off)),
    st.sampled_from((-1, 1)), st.integers(0, 63), st.integers(-2, 2),
)  # fmt: skip


@st.composite
def columns(draw: st.DrawFn) -> list[int]:
    """A column as logs have them, or not."""
    least, step = draw(NEAR_A_POWER), draw(st.integers(0, 300))
    return draw(
        st.lists(ANY, max_size=20)
        | st.lists(NEAR_A_POWER, max_size=30)
        | st.lists(st.integers(0, 300), max_size=60)
        | st.lists(st.sampled_from((LEAST, -1, 0, MOST)), max_size=20)
        | st.integers(0, 200).map(lambda n: [max(LEAST, min(MOST, least + step * i)) for i in range(n)])
        | st.tuples(st.lists(st.integers(0, 90), min_size=60, max_size=90), ANY).map(
            lambda found: [*found[0], found[1]]
        )
    )


def there_and_back(found: Sequence[Sequence[int]]) -> tuple[I64, I64]:
    """What the columns are after `emit` and `restore`, and their plans; all arrays as tight as their plans say."""
    values = np.array([value for column in found for value in column], np.int64)
    at = np.cumsum([0, *map(len, found)], dtype=np.int64)
    plans = numbers.plan(values, at)
    out_at, ends = places(plans[:, numbers.PLAN_WIDTH], np.diff(at))
    out = np.zeros(int(ends[-1]), np.uint8)
    escapes = np.zeros(int(plans[:, numbers.PLAN_ESCAPES].sum()), np.int64)
    low_bits = np.zeros(8 * len(values) + 8, np.uint8)
    bits = numbers.emit(values, at, plans, out_at, out, escapes, low_bits)
    back = np.empty_like(values)
    low_bits = low_bits[: (bits + 7) // 8].copy()
    numbers.restore(out, out_at, at, plans, escapes, low_bits, np.ones(len(plans), np.bool_), back)
    assert np.array_equal(values, back)
    return back, plans


@given(st.lists(columns(), max_size=6))
@settings(max_examples=2 * EXAMPLES, deadline=None)
@example([[]])
@example([[LEAST, MOST]])
@example([[MOST, LEAST, MOST]])
@example([[-(2**62) - 5, 2**62 + 5]])
@example([[0, LEAST], [0], [], [MOST] * 3])
@example([[255, 0, 256, 254] * 9, [65535, 0] * 9])
def test_columns_come_back(found: list[list[int]]) -> None:
    there_and_back(found)


@pytest.mark.parametrize("bits", range(64))
def test_columns_of_every_width_come_back(bits: int) -> None:
    chance = np.random.default_rng(bits)
    top = (1 << bits) - 1
    for least in (0, LEAST, LEAST + 7, MOST - top):
        column = [least + int(chance.integers(0, top, endpoint=True, dtype=np.uint64)) for _ in range(200)]
        there_and_back([column, [least, least + top] * 5, sorted(column)])


def test_what_never_changes_takes_no_room() -> None:
    plans = there_and_back([[MOST] * 1000, [LEAST], [0, 0]])[1]

    assert [0, 0, 0] == plans[:, numbers.PLAN_WIDTH].tolist()


def test_what_steps_evenly_takes_a_byte_a_value_at_most() -> None:
    plans = there_and_back([[10**15 + 7 * i for i in range(1000)]])[1]

    assert numbers.DELTA == plans[0, numbers.PLAN_HOW]
    assert plans[0, numbers.PLAN_WIDTH] in (1, numbers.LOGARITHM)


def test_one_wide_value_does_not_widen_its_column() -> None:
    plans = there_and_back([[3, 1, 4, 1, 5] * 200 + [MOST - 10]])[1]

    assert plans[0, numbers.PLAN_WIDTH] in (1, numbers.LOGARITHM)


@given(ANY | NEAR_A_POWER)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_sign_is_a_bit(value: int) -> None:
    code = numbers.zigzag(value)

    assert value == numbers.unzigzag(code)
    assert (2 * value if value >= 0 else -2 * value - 1) == code % 2**64
    assert (code % 2**64).bit_length() == numbers.bit_length(code)


@given(ANY | NEAR_A_POWER)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_magnitude_and_its_bits_are_the_number(code: int) -> None:
    symbol, low = numbers.magnitude(code)
    unsigned = code % 2**64

    assert 0 <= symbol < 256
    assert 0 <= low < 64
    assert unsigned >> low == (symbol if symbol < 8 else 4 + symbol % 4)


@given(st.binary(max_size=60), st.lists(st.integers(0, 9), min_size=1, max_size=5), st.binary(max_size=20))
@settings(max_examples=EXAMPLES, deadline=None)
def test_forged_columns_are_restored_within_their_room_or_refused(data: bytes, widths: list[int], bits: bytes) -> None:
    at = np.arange(len(widths) + 1, dtype=np.int64) * 3
    plans = np.zeros((len(widths), 5), np.int64)
    plans[:, numbers.PLAN_WIDTH] = widths
    plans[:, numbers.PLAN_HOW] = np.arange(len(widths)) % 2
    out_at, _ = places(plans[:, numbers.PLAN_WIDTH], np.diff(at))
    out = np.empty(int(at[-1]) + 1, np.int64)
    out[-1] = 7
    with suppress(IndexError):
        numbers.restore(
            np.frombuffer(data, np.uint8), out_at, at, plans, np.zeros(2, np.int64), np.frombuffer(bits, np.uint8),
            np.arange(len(widths)) % 3 > 0, out,
        )  # fmt: skip
    assert 7 == out[-1]
