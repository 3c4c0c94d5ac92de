"""Bits that are as likely as not, beside those that have chances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.array_types import I64, U8
from lithify.codecs.arrays.two_streams import STATES, joined, parted, plain_bits
from lithify.codecs.bit_coder import begin
from lithify.codecs.kernel import bare, wide
from lithify.errors import Corrupt, Truncated

WIDTHS = st.integers(0, 29)
NUMBERS = st.lists(
    WIDTHS.flatmap(lambda width: st.tuples(st.just(width), st.integers(0, (1 << width) - 1))), max_size=60
)


@bare
def _bits(coder: I64, stream: U8, plain: U8, widths: I64, numbers: I64, decoding: bool) -> None:
    begin(coder, stream, decoding)
    for i in range(len(widths)):
        numbers[i] = plain_bits(coder, plain, decoding, wide(0) if decoding else wide(numbers[i]), wide(widths[i]))


@settings(max_examples=200, deadline=None)
@given(NUMBERS)
def test_numbers_of_any_width_come_back(told: list[tuple[int, int]]) -> None:
    widths, numbers = (np.array([pair[k] for pair in told], np.int64) for k in range(2))
    coder, stream, plain = np.zeros(STATES, np.int64), np.zeros(8, np.uint8), np.zeros(4 * len(told) + 8, np.uint8)
    _bits(coder, stream, plain, widths, numbers.copy(), False)
    coded, bits = parted(joined(coder, stream, plain))

    assert len(bits) <= -(-int(widths.sum()) // 8)
    found = np.zeros_like(numbers)
    _bits(np.zeros(STATES, np.int64), coded, bits, widths, found, True)
    assert numbers.tolist() == found.tolist()


@pytest.mark.parametrize("joint", [b"", b"\x03ab", b"\x80"])
def test_a_stream_that_ends_within_its_plain_bits_is_refused(joint: bytes) -> None:
    with pytest.raises(Truncated):
        parted(joint)


def test_a_length_in_a_longer_form_than_it_needs_is_refused() -> None:
    with pytest.raises(Corrupt, match="shortest form"):
        parted(b"\x80\x00")
