"""Streams of numbers by CCSDS, or in groups of GRIB, are opened and closed to the very same bytes, or left alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays.ccsds import SECOND, UNCODED, fold, tell
from lithify.codecs.arrays.coded import Ccsds, Grouped, NumberCoder, Ordered, read_coder
from lithify.codecs.arrays.grouped import Packing
from lithify.codecs.arrays.inflated import coded_place, inflate
from lithify.codecs.arrays.packing import unpack_bits
from lithify.codecs.arrays.second_order import SecondOrder
from lithify.codecs.arrays.streams import pack_streams, parse_streams
from lithify.errors import BadBytes, Corrupt
from tests.examples import examples
from tests.unit.codecs.arrays.files import Numbers, grouped, second_order, smooth

BLOCKS = st.sampled_from([8, 16, 32, 64])


def numbers_of(coder: NumberCoder, plain: bytes) -> Numbers:
    return unpack_bits(np.frombuffer(plain, np.uint8), coder.bits, coder.numbers, np.dtype(np.uint32))


def field(bits: int, count: int, noise: float, flat: int, seed: int) -> Numbers:
    """Numbers of so many bits that walk about; the first ones stand still."""
    chance = np.random.default_rng(seed)
    most = (1 << bits) - 1
    walk = most / 2 * (1 + np.sin(np.arange(count) / 40)) + chance.normal(0, noise * most, count)
    found = np.clip(np.rint(walk), 0, most).astype(np.uint32)
    found[:flat] = found[:1]
    return found


@given(
    st.integers(1, 32),
    st.integers(1, 3000),
    BLOCKS,
    st.integers(1, 300),
    st.tuples(st.floats(0, 0.3), st.integers(0, 3000), st.integers(0, 9)),
)
@settings(max_examples=examples(200), deadline=None)
def test_what_the_usual_library_wrote_needs_no_recipe(
    bits: int, count: int, block: int, interval: int, kind: tuple[float, int, int]
) -> None:
    noise, flat, seed = kind
    encode: Any = pytest.importorskip("imagecodecs").aec_encode
    numbers = field(bits, count, noise, min(flat, count), seed)
    dtype = np.dtype(f">u{1 if bits <= 8 else 2 if bits <= 16 else 4}")
    stored = encode(numbers.astype(dtype).tobytes(), bitspersample=bits, flags=12, blocksize=block, rsi=interval)
    coder = Ccsds(count, bits, block, interval, 1)
    opened = coder.opened(bytes(stored))
    assert opened is not None
    plain, recipe = opened
    assert np.array_equal(numbers, numbers_of(coder, plain))
    assert recipe == b""
    assert coder.closed(plain, recipe, len(stored)) == stored


@given(st.integers(1, 24), st.integers(1, 400), BLOCKS, st.integers(1, 9), st.booleans(), st.integers(0, 99))
@settings(max_examples=examples(200), deadline=None)
def test_what_was_written_otherwise_is_kept_with_its_options(
    bits: int, count: int, block: int, interval: int, folded: bool, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    numbers = field(bits, count, 0.05, 0, seed)
    blocks = -(-count // block)
    codes = np.zeros(blocks * block, np.uint32)
    fold(numbers, bits, block * interval if folded else 1, codes)
    usual = (5 if bits > 16 else 4 if bits > 8 else 3, min(bits, 6 if bits < 9 else 13))
    units = chance.choice([UNCODED, UNCODED, usual[1] - 1 if usual[1] > 0 else 0], blocks).astype(np.uint8)
    out = np.zeros(len(codes) * 600, np.uint8)  # up to 4096 zeros, 1 and 12 bits for a number
    known, used = tell(codes, bits, block, interval, folded, units, blocks, out)
    stored = out[: -(-used // 8)].tobytes()
    coder = Ccsds(count, bits, block, interval, int(folded))
    opened = coder.opened(stored)
    assert known == blocks
    assert opened is not None
    assert np.array_equal(numbers, numbers_of(coder, opened[0]))
    assert coder.closed(*opened, len(stored)) == stored


@given(st.integers(0, 2), st.integers(3, 500), st.integers(1, 40), st.integers(1, 16), st.floats(0, 0.2))
@settings(max_examples=examples(200), deadline=None)
def test_groups_come_back_however_they_were_cut(order: int, count: int, length: int, bits: int, noise: float) -> None:
    numbers = field(bits, count, noise, count // 3, count)
    template, said, stored = grouped(order, length=length)(numbers, bits)
    groups = -(-count // length)
    last = count - (groups - 1) * length
    packing = Packing(groups, said[0], 0, 5, length, 1, last, 0, order, 3 if order else 0)
    coder = Grouped(count, packing)
    opened = coder.opened(stored)
    assert template == (3 if order else 2)
    assert opened is not None
    assert np.array_equal(numbers, numbers_of(coder, opened[0]))
    assert coder.closed(*opened, len(stored)) == stored
    assert read_coder(Grouped.code, coder.pack() + opened[1]) == (coder, opened[1])


@given(
    st.tuples(st.integers(0, 2), st.integers(1, 2)),
    st.integers(9, 500),
    st.integers(1, 40),
    st.integers(1, 16),
    st.tuples(st.floats(0, 0.2), st.floats(0, 1)),
)
@settings(max_examples=examples(200), deadline=None)
def test_groups_with_holes_come_back(
    how: tuple[int, int], count: int, length: int, bits: int, kind: tuple[float, float]
) -> None:
    (order, missing), (noise, holes) = how, kind
    numbers = field(bits, count, noise, count // 3, count)
    chance = np.random.default_rng(count)
    runs = np.repeat(chance.random(-(-count // 7)), 7)[:count]
    numbers[runs < holes] = (1 << 24) - 1
    if missing > 1:
        numbers[runs < holes / 4] = (1 << 24) - 2
    numbers[[0, count // 2, count - 1]] = 1
    _, said, stored = grouped(order, length=length, missing=missing)(numbers, bits)
    groups = -(-count // length)
    tail = (order, 3 if order else 0, missing)
    packing = Packing(groups, said[0], 0, 5, length, 1, count - (groups - 1) * length, 0, *tail)
    coder = Grouped(count, packing)
    opened = coder.opened(stored)
    assert opened is not None
    assert np.array_equal(numbers, numbers_of(coder, opened[0]))
    assert coder.closed(*opened, len(stored)) == stored
    assert read_coder(Grouped.code, coder.pack() + opened[1]) == (coder, opened[1])


@given(st.integers(0, 3), st.integers(1, 30), st.integers(5, 30), st.integers(1, 40), st.booleans())
@settings(max_examples=examples(200), deadline=None)
def test_second_order_comes_back_however_it_was_cut(
    order: int, rows: int, columns: int, length: int, backwards: bool
) -> None:
    numbers = field(14, rows * columns, 0.05, rows, rows + columns).reshape(rows, columns)
    _, said = second_order(order, length=length, backwards=backwards)(numbers)
    stored = said[16:] if order else said[15:]
    groups = int.from_bytes(said[6:8], "big")
    sizes = (said[0], 5, 6, order, said[15] if order else 0)
    coder = Ordered(numbers.size, SecondOrder(groups, *sizes, columns if backwards else 0))
    opened = coder.opened(stored)
    assert opened is not None
    assert np.array_equal(numbers.reshape(-1), numbers_of(coder, opened[0]))
    assert coder.closed(*opened, len(stored)) == stored
    assert read_coder(Ordered.code, coder.pack() + opened[1]) == (coder, opened[1])


@given(st.binary(max_size=200), st.integers(1, 32), BLOCKS, st.integers(1, 99), st.integers(1, 400), st.booleans())
@settings(max_examples=examples(200), deadline=None)
def test_bytes_that_are_no_such_stream_are_left_alone_or_come_back(
    stored: bytes, bits: int, block: int, interval: int, count: int, folded: bool
) -> None:
    for coder in (
        Ccsds(count, bits, block, interval, int(folded)),
        Grouped(count, Packing(1 + interval, bits, 0, 3, 0, 1, block, 4, block % 3, 2, interval % 3)),
        Ordered(count, SecondOrder(1 + interval, bits, 3, 4, block % 3, 9 * bool(block % 3), 0)),
    ):
        opened = coder.opened(stored)
        assert opened is None or coder.closed(*opened, len(stored)) == stored


@given(st.binary(max_size=60), st.integers(1, 60), st.integers(0, 300), st.integers(0, 4))
@settings(max_examples=examples(200), deadline=None)
def test_recipes_of_nobody_raise_nothing_but_what_bad_bytes_do(
    recipe: bytes, count: int, length: int, code: int
) -> None:
    for coder in (
        Ccsds(count, 9, 8, 3, 1),
        Grouped(count, Packing(1 + count // 9, 9, 0, 4, 9, 1, 3, 0, 1, 2, 1)),
        Ordered(count, SecondOrder(1 + count // 9, 9, 4, 4, 1, 9, count)),
    ):
        try:
            closed = coder.closed(bytes(coder.plain_bytes), recipe, length)
        except BadBytes:
            continue
        assert len(closed) == length
    try:
        read_coder(code, recipe)
    except BadBytes:
        return


def test_streams_of_both_kinds_stand_in_one_table() -> None:
    numbers = smooth((20, 30), "u2").reshape(-1).astype(np.uint32)
    codes = np.zeros(608, np.uint32)
    fold(numbers, 16, 32 * 8, codes)
    out = np.zeros(4000, np.uint8)
    _, used = tell(codes, 16, 32, 8, True, np.zeros(19, np.uint8), -1, out)
    first = out[: -(-used // 8)].tobytes()
    _, said, second = grouped(1)(numbers, 16)
    groups = Grouped(600, Packing(47, said[0], 0, 5, 13, 1, 2, 0, 1, 3))
    data = b"head" + first + b"between" + second + b"tail"
    places = [coded_place(4, len(first), Ccsds(600, 16, 32, 8, 1)), coded_place(11 + len(first), len(second), groups)]
    plain, inflated = inflate(data, places)
    assert len(inflated.streams) == 2
    again = parse_streams(*pack_streams(inflated), len(data))
    assert again == inflated
    assert again.closed(plain) == data
    table, recipes = pack_streams(inflated)
    with pytest.raises(Corrupt, match="coder 9"):
        parse_streams(table.replace(b"\x01\x02", b"\x09\x02"), recipes, len(data))


def test_the_pairs_of_the_second_extension_are_told() -> None:
    encode: Any = pytest.importorskip("imagecodecs").aec_encode
    numbers = np.tile([5, 5, 5, 6], 160).astype(np.uint32)
    stored = encode(numbers.astype(">u2").tobytes(), bitspersample=12, flags=12, blocksize=32, rsi=4)
    coder = Ccsds(640, 12, 32, 4, 1)
    opened = coder.opened(bytes(stored))
    assert opened is not None
    assert coder.closed(*opened, len(stored)) == stored
    assert SECOND not in opened[1]
