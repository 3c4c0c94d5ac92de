"""Sixteen numbers at once are what sixteen single ones are."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lithify.codecs.array_types import F32, I32, I64
from lithify.codecs.kernel import bare, wide
from lithify.codecs.vectors import (
    LANES,
    NINE,
    above,
    all_of,
    all_real,
    bits_of,
    divided,
    folded,
    gathered,
    greater,
    lane_of,
    last_lane,
    least,
    lesser,
    looked_up,
    pair_products,
    real_bits,
    real_total,
    reals,
    reals_of,
    row_of,
    scatter,
    set_reals,
    set_row,
    sixteen,
    total,
)

EXAMPLES = int(os.environ.get("VECTOR_EXAMPLES", "200"))
NUMBERS = arrays(np.int32, LANES, elements=st.integers(-(1 << 31), (1 << 31) - 1))
SMALL = arrays(np.int32, LANES, elements=st.integers(-(1 << 24), 1 << 24))


_ONES_AND_TWOS = (np.int64(1), np.int64(2)) * 8


@bare
def _reckon(a: I32, b: I32, out: I32, numbers: I64) -> None:
    one, other = row_of(a, 0), row_of(b, 0)
    set_row(out, 0, one + other)
    set_row(out, 16, one - other)
    set_row(out, 32, one * other)
    set_row(out, 48, (one & other) | (one ^ all_of(-1)))
    set_row(out, 64, one >> (other & all_of(31)))
    set_row(out, 80, one << (other & all_of(31)))
    set_row(out, 96, lesser(one, other))
    set_row(out, 112, greater(one, other))
    set_row(out, 128, above(one, other))
    set_row(out, 144, folded(one))
    set_row(out, 160, pair_products(one, other))
    set_row(out, 176, last_lane(wide(numbers[0])))
    set_row(out, 192, sixteen(*_ONES_AND_TWOS))
    numbers[1], numbers[2], numbers[3] = total(one), least(one), lane_of(one, 5)


@settings(max_examples=EXAMPLES, deadline=None)
@given(NUMBERS, NUMBERS)
def test_whole_numbers_are_reckoned_with_one_by_one_and_wrap(a: I32, b: I32) -> None:
    out, numbers = np.zeros(13 * LANES, np.int32), np.array([-7, 0, 0, 0], np.int64)
    _reckon(a, b, out, numbers)

    halves, others = a.view(np.int16).astype(np.int64), b.view(np.int16).astype(np.int64)
    expected = [
        a + b, a - b, a * b, (a & b) | ~a, a >> (b & 31), a << (b & 31), np.minimum(a, b), np.maximum(a, b), a > b,
        np.tile(a[:4] + a[4:8] + a[8:12] + a[12:], 4), (halves * others).reshape(LANES, 2).sum(axis=1).astype(np.int32),
        [0] * 15 + [-7], [1, 2] * 8,
    ]  # fmt: skip
    assert np.array(expected, np.int32).reshape(-1).tolist() == out.tolist()
    assert [int(a.sum(dtype=np.int32)), int(a.min()), int(a[5])] == numbers[1:].tolist()


@bare
def _divide(a: I32, b: I32, out: I32) -> None:
    set_row(out, 0, divided(row_of(a, 0), row_of(b, 0)))


@settings(max_examples=EXAMPLES, deadline=None)
@given(SMALL, SMALL)
def test_quotients_are_those_of_whole_numbers_rounded_towards_zero(a: I32, b: I32) -> None:
    b[b == 0] = 1
    out = np.zeros(LANES, np.int32)
    _divide(a, b, out)

    assert [
        abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ] == out.tolist()


@pytest.mark.parametrize("divisor", [3, 5, 255, 511, 513])
def test_quotients_are_exact_next_to_whole_ones(divisor: int) -> None:
    for times in (1, 2, 12345, (1 << 24) // divisor):
        for near in (-1, 0, 1):
            dividend = min(divisor * times + near, 1 << 24)
            out = np.zeros(LANES, np.int32)
            _divide(np.full(LANES, dividend, np.int32), np.full(LANES, divisor, np.int32), out)
            assert dividend // divisor == out[0]


@bare
def _reckon_reals(a: I32, b: I32, out: F32, bits: I32) -> None:
    one, other = reals(row_of(a, 0)), reals(row_of(b, 0))
    set_reals(out, 0, one * other + one)
    set_reals(out, 16, one - other * all_real(np.float32(0.1)))
    set_row(bits, 0, bits_of(one))
    set_reals(out, 32, real_bits(row_of(bits, 0)))
    set_reals(out, 48, all_real(real_total(reals_of(out, 0))))


@settings(max_examples=EXAMPLES, deadline=None)
@given(NUMBERS, NUMBERS)
def test_singles_are_rounded_after_each_operation_and_added_by_halves(a: I32, b: I32) -> None:
    out, bits = np.zeros(4 * LANES, np.float32), np.zeros(LANES, np.int32)
    _reckon_reals(a, b, out, bits)

    one, other = a.astype(np.float32), b.astype(np.float32)
    summed = left = one * other + one
    while len(left) > 1:
        left = left[: len(left) // 2] + left[len(left) // 2 :]
    expected = [summed, one - other * np.float32(0.1), one, np.full(LANES, left[0], np.float32)]
    assert np.array(expected, np.float32).tobytes() == out.tobytes()
    assert one.view(np.int32).tolist() == bits.tolist()


@bare
def _move(table: I32, places: I64, behind: int, other: I32, found: I32) -> None:
    many = gathered(table, places, behind)
    set_row(found, 0, many)
    set_row(found, 16, looked_up(other, many, 2))
    scatter(table, places, behind + 1, many)


def test_nine_are_looked_up_and_put_where_they_belong() -> None:
    table = np.arange(100, dtype=np.int32) % 40
    places = np.array([3, 50, 20, 7, 31, 90, 11, 60, 77], np.int64)
    other, found, before = np.arange(100, 200, dtype=np.int32), np.zeros(2 * LANES, np.int32), table.copy()
    _move(table, places, 2, other, found)

    wanted = before[places + 2]
    assert [*wanted, *[0] * (LANES - NINE)] == found[:LANES].tolist()
    assert [*other[wanted >> 2], *[0] * (LANES - NINE)] == found[LANES:].tolist()
    before[places + 3] = wanted
    assert before.tolist() == table.tolist()
