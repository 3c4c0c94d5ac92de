"""Numbers of which some come far more often than those around them: it is counted how often, where that pays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays import plan, tally
from lithify.codecs.arrays.block import COUNTED, COUNTED_MAX, PREDICTED, Coding, Tolerance, decode_block, encode_block
from lithify.codecs.arrays.counting import uneven_bits
from lithify.codecs.arrays.cube import cube_count
from lithify.codecs.arrays.grids import Native, Ranks
from lithify.codecs.arrays.plan import read_header
from lithify.codecs.arrays.reach import FAR, NEAR, Reach
from lithify.codecs.arrays.values import Bound, decode_values, encode_inner, encode_values
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.errors import Corrupt
from tests.unit.codecs.arrays.fields import smooth, stretched

NONE = np.zeros(0, np.uint16)
SHAPE = (6, 60, 70)


def counted(values: np.ndarray) -> Coding:
    return Coding(values.dtype, Native(values.dtype, 0, 1, 0), NONE, counted=True)


def encoded(values: np.ndarray, coding: Coding) -> bytes:
    body = encode_block(values, range(len(values)), coding, Tolerance(), "default")
    assert body is not None
    return body


def decoded(body: bytes, like: np.ndarray, coding: Coding) -> np.ndarray:
    return decode_block(body, like.shape, range(len(like)), replace(coding, counted=False))


def is_counted(payload: bytes, values: np.ndarray) -> bool:
    cube, _ = read_header(reader := Reader(payload), values.shape, values.dtype)
    for _ in range(cube_count(cube)):
        reader.varint(1 << 40)
    return bool(reader.byte() == PREDICTED and reader.byte() & COUNTED)


def test_numbers_that_come_far_more_often_than_those_around_them_take_less() -> None:
    values = stretched(SHAPE)
    body = encoded(values, counted(values))
    assert np.array_equal(values, decoded(body, values, counted(values)))
    assert len(body) < 0.93 * len(encoded(values, replace(counted(values), counted=False)))


@pytest.mark.parametrize("bound", [None, Bound("abs", 0.6)])
def test_such_numbers_are_found(bound: Bound | None) -> None:
    values = stretched(SHAPE).astype(np.float32)
    payload = encode_values(values, bound=bound, effort="default")
    assert np.abs(values - decode_values(payload, values.shape, values.dtype)).max() <= (bound.value if bound else 0)
    assert is_counted(payload, values)


@pytest.mark.parametrize("shape", [(1, 1, 400_000), (1, 3, 200_000), (3, 1, 200_000), (70, 60, 70)])
def test_how_often_numbers_occur_is_seen_in_a_part_of_an_array(
    shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def uneven(integers: np.ndarray, valid: np.ndarray, span_max: int) -> float:
        seen.append(integers.size)
        return uneven_bits(integers, valid, span_max)

    monkeypatch.setattr(plan, "uneven_bits", uneven)
    values = stretched(SHAPE).reshape(-1)
    values = np.resize(values, shape)
    found = plan._uneven_bits(values, counted(values), Native(values.dtype, 0, 1, 0))
    assert found > 0.5
    assert 1 << 15 <= seen[0] <= 2 << 17


def test_numbers_that_come_as_often_as_those_around_them_are_not_counted() -> None:
    values = np.rint(smooth(SHAPE) * 20).astype(np.int16)
    assert not is_counted(encode_values(values, bound=None, effort="default"), values)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 9)),
    st.integers(0, 999),
    st.integers(1, 40),
    st.sampled_from([NEAR, FAR]),
    st.integers(0, 2000),
)
def test_any_block_comes_back(shape: tuple[int, ...], seed: int, many: int, reach: Reach, times: int) -> None:
    values = np.random.default_rng(seed).integers(0, many, shape).astype(np.uint16) * np.uint16(times)
    special = values[:1, 0, 0].copy()
    coding = replace(counted(values), reach=reach, specials=special)
    assert np.array_equal(values, decoded(encoded(values, coding), values, coding))


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(1, 31), st.sampled_from([NEAR, FAR]))
def test_any_block_of_ranks_comes_back(seed: int, many: int, reach: Reach) -> None:
    table = (np.arange(31, dtype=np.float32) - 9) ** 3
    values = table[np.random.default_rng(seed).integers(0, many, (2, 5, 6))]
    specials = np.zeros(0, np.uint32)
    coding = Coding(table.dtype, Ranks(table.dtype, table, encode_inner(table)), specials, (1, 2), reach, True, True)
    assert np.array_equal(values, decoded(encoded(values, coding), values, coding))


def test_numbers_too_many_to_be_counted_are_not() -> None:
    values = np.arange(2 * 8 * 9, dtype=np.uint32).reshape(2, 8, 9) * 1000
    coding = Coding(values.dtype, Native(values.dtype, 0, 1, 0), np.zeros(0, np.uint32), counted=True)
    assert not encoded(values, coding)[1] & COUNTED


@pytest.mark.parametrize("counts", [(0, 0), (-1, 5), (3, 29), (0, 65537), (1 << 29, 1)])
def test_numbers_that_cannot_be_counted_are_refused(counts: tuple[int, int]) -> None:
    table = (np.arange(31, dtype=np.float32) - 9) ** 3
    values = table[np.arange(60).reshape(2, 5, 6) % 31]
    coding = Coding(
        table.dtype, Ranks(table.dtype, table, encode_inner(table)), np.zeros(0, np.uint32), laddered=True, counted=True
    )
    body = encoded(values, coding)
    told = varint(zigzag(0)) + varint(31)
    assert body[9:11] == told
    head, rest = body[:9], body[11:]
    assert np.array_equal(values, decoded(head + told + rest, values, coding))
    with pytest.raises(Corrupt):
        decoded(head + varint(zigzag(counts[0])) + varint(counts[1]) + rest, values, coding)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(1, 40), st.integers(-50, 20))
def test_damaged_streams_of_counted_numbers_give_numbers_that_are_counted(stream: bytes, many: int, least: int) -> None:
    values = np.zeros((2, 5, 6), np.int16)
    coding = Coding(values.dtype, Native(values.dtype, 0, 1, 0), NONE)
    body = bytes([PREDICTED, COUNTED, 1, 2, 0, 0, 0, 0, 0]) + varint(zigzag(least)) + varint(many) + varint(0) + stream
    found = decode_block(body, values.shape, range(2), coding)
    assert least <= int(found.min()) <= int(found.max()) < least + many


# --- the counts themselves ----------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=80), st.integers(-3, 23), st.sampled_from([1, 2, 3]), st.integers(0, 9))
def test_a_pull_is_what_a_list_of_counts_says(places: list[int], base: int, sides: int, low: int) -> None:
    counts = [0] * 21
    sums = np.zeros(22, np.int32)
    for place in places:
        counts[place] += 1
        tally.count(sums, place)
    high, end = low + 2, low + 5
    above, below = range(base + low, base + high), range(base - high + 1, base - low + 1)
    farther, lower = range(base + high, base + end), range(base - end + 1, base - high + 1)
    near = [place for side, part in ((2, above), (1, below)) if sides & side for place in part if 0 <= place < 21]
    far = [place for side, part in ((2, farther), (1, lower)) if sides & side for place in part if 0 <= place < 21]
    n, m = (sum(counts[place] for place in part) for part in (near, far))
    expected = by_hand(m, len(far), n, len(near))
    assert expected == tally.pull(sums, base, sides, low, high, end)


@settings(deadline=None)
@given(*[st.integers(0, 1 << 22), st.integers(0, 1 << 15)] * 2)
def test_no_count_is_too_large_to_be_reckoned_with(many: int, room: int, few: int, other: int) -> None:
    assert by_hand(many, room, few, other) == tally._chance(many, room, few, other)


def by_hand(many: int, room: int, few: int, other: int) -> int:
    if not (room and other):
        return 4095 if room else 0 if other else 2048
    dense, rare = (many * (room + other) + room) * other, (few * (room + other) + other) * room
    if dense + rare >= 1 << 50:
        dense, rare = dense >> 12, rare >> 12
    assert (dense + rare) << 12 < 1 << 63
    return min((dense << 12) // (dense + rare), 4095)


def test_what_counting_may_save_is_seen_in_how_often_numbers_occur() -> None:
    even = np.random.default_rng(1).integers(0, 200, (4, 80, 90))
    uneven = np.where(even % 7, even, even - even % 5 * 7)
    everywhere = np.ones(even.shape, bool)
    assert uneven_bits(even, everywhere, COUNTED_MAX) < 0.02
    assert uneven_bits(uneven, everywhere, 199) == 0
    assert uneven_bits(even // 7 * 7, everywhere, COUNTED_MAX) > 2
    assert uneven_bits(even // 7 * 7, even > 250, COUNTED_MAX) == 0
