"""The coder for columns of bytes: everything comes back, and damage gives bytes of the right number or a refusal."""

import random
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.logs.symbols import Segments, _pack_lengths, decode_symbols, encode_symbols
from lithify.errors import BadBytes, Corrupt, Truncated
from tests.unit.codecs.logs.corpus import EXAMPLES

NAMES = st.integers(0, 2**40)


def there_and_back(data: bytes, segments: Segments) -> bytes:
    """The stream that gives the bytes again."""
    stream = encode_symbols(data, segments)
    if stream != data + b"\0":  # what cannot be packed at all is not meant to be unpacked
        assert data == decode_symbols(stream, len(data), segments)
    return stream


def columns(sizes: list[int], names: list[int], beside: list[bool]) -> Segments:
    """Columns of these sizes, each beside the last one of its size if it may be."""
    at = np.cumsum([0, *sizes], dtype=np.int64)
    known: dict[int, int] = {}
    found = []
    for (start, end), may in zip(pairwise(at.tolist()), beside, strict=True):
        found.append(known.get(end - start, -1) if may else -1)
        known[end - start] = start
    return Segments(at, np.array(names, np.int64), np.array(found, np.int64))


@st.composite
def any_segments(draw: st.DrawFn) -> Segments:
    sizes = draw(st.lists(st.integers(0, 9) | st.integers(0, 90), min_size=1, max_size=12).filter(any))
    each = st.lists(NAMES, min_size=len(sizes), max_size=len(sizes))
    return columns(sizes, draw(each), draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))))


@given(
    st.binary(min_size=1, max_size=400) | st.text("ab\xff", min_size=1, max_size=400).map(lambda t: t.encode("latin1"))
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_one_sequence_comes_back(data: bytes) -> None:
    there_and_back(data, Segments.one(len(data)))


@given(any_segments(), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_columns_come_back(segments: Segments, data: st.DataObject) -> None:
    length = int(segments.at[-1])
    alphabet = data.draw(st.sampled_from((b"\0", b"\0\xff", b"abc", bytes(range(256)))))
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    there_and_back(bytes(chance.choice(alphabet) for _ in range(length)), segments)


@pytest.mark.parametrize("symbol", [0, 1, 7, 10, 127, 128, 254, 255])
@pytest.mark.parametrize("count", [1, 2, 9, 1000])
def test_one_symbol_alone_comes_back(symbol: int, count: int) -> None:
    there_and_back(bytes([symbol]) * count, Segments.one(count))


@pytest.mark.parametrize("symbols", [b"\0\xff", b"\xfe\xff", b"\x00\x01", bytes(range(256)), bytes(range(0, 256, 7))])
def test_every_set_of_symbols_comes_back(symbols: bytes) -> None:
    there_and_back(symbols * 30, Segments.one(len(symbols) * 30))


def test_very_uneven_symbols_come_back() -> None:
    numbers = [1, 1]
    while sum(numbers) < 300_000:
        numbers.append(numbers[-1] + numbers[-2])  # as deep a code as so many bytes can have
    data = b"".join(bytes([symbol]) * count for symbol, count in enumerate(numbers))

    assert len(there_and_back(data, Segments.one(len(data)))) < len(data) // 100


def test_a_column_that_depends_on_the_one_beside_it_is_nearly_free() -> None:
    first = bytes(byte & 15 for byte in random.Random(1).randbytes(5000))
    data = first + bytes(byte ^ 9 for byte in first)
    beside = len(encode_symbols(data, columns([5000, 5000], [1, 2], [False, True])))

    assert beside < 0.7 * len(encode_symbols(data, columns([5000, 5000], [1, 2], [False, False])))


# --- wrong bytes ----------------------------------------------------------------------------------------

SKEWED = bytes(random.Random(2).choice(b"aaaaaaabbbcd\xff") for _ in range(300))
THREE = columns([100, 100, 100], [1, 2, 3], [False, True, True])


def bears(stream: bytes, length: int, segments: Segments) -> None:
    """A decoder may refuse, or give as many bytes as it was asked for."""
    try:
        found = decode_symbols(stream, length, segments)
    except BadBytes:
        return
    assert length == len(found)


@pytest.mark.parametrize("segments", [Segments.one(300), THREE], ids=["one", "three"])
def test_every_cut_and_every_changed_byte_is_borne(segments: Segments) -> None:
    stream = encode_symbols(SKEWED, segments)
    for at in range(len(stream)):
        bears(stream[:at], 300, segments)
        for change in (1, 0x10, 0x80, 0xA5, 0xFF):
            bears(stream[:at] + bytes([stream[at] ^ change]) + stream[at + 1 :], 300, segments)
    bears(stream + bytes(50), 300, segments)


@given(st.binary(max_size=60), st.integers(0, 400))
@settings(max_examples=2 * EXAMPLES, deadline=None)
def test_any_bytes_are_borne(stream: bytes, length: int) -> None:
    bears(stream, length, Segments.one(length))


def test_a_stream_of_another_length_than_its_columns_is_refused() -> None:
    stream = encode_symbols(SKEWED, THREE)
    for length in (0, 299, 301, 1 << 40):
        with pytest.raises(Corrupt):
            decode_symbols(stream, length, THREE)


def code(lengths: dict[int, int]) -> bytes:
    """The code at the head of a stream: symbols and the lengths of their codes."""
    return _pack_lengths([lengths.get(symbol, 0) for symbol in range(256)])


@pytest.mark.parametrize(
    "lengths",
    [
        {},
        {65: 2},
        {65: 63},
        {65: 255},
        {1: 1, 2: 1, 3: 1},
        {1: 1, 2: 2},
        {1: 2, 2: 2, 3: 2},
        {1: 1, 2: 2, 3: 3, 4: 4},
        {1: 1, 255: 200},
        dict.fromkeys(range(256), 7),
        dict.fromkeys(range(256), 9),
    ],
    ids=str,
)
def test_a_code_that_is_none_is_refused(lengths: dict[int, int]) -> None:
    """In one with room left, a path of bits could go round for ever and give no byte."""
    for rest in (b"", bytes(20), b"\xff" * 20, b"\xc3" * 20):
        with pytest.raises(Corrupt):
            decode_symbols(code(lengths) + rest, 10, Segments.one(10))


def test_a_code_that_ends_early_is_truncated() -> None:
    whole = code({1: 1, 200: 2, 255: 2})
    for cut in range(len(whole)):
        with pytest.raises(Truncated):
            decode_symbols(whole[:cut], 10, Segments.one(10))


def test_the_cost_of_a_symbol_is_bounded() -> None:
    deep = code({depth: depth for depth in range(1, 62)} | {62: 61})
    decode_symbols(encode_symbols(b"warm", Segments.one(4)), 4, Segments.one(4))
    started = time.process_time()
    bears(deep + b"\xff" * 3000, 100_000, Segments.one(100_000))
    assert time.process_time() - started < 1
