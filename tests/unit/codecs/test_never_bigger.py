"""The promise "never bigger": stored in a frame, an original takes at most 64 bytes + 0.01 % more."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.frame import FrameWriter
from lithify.codecs.raw.stored import Stored

# Where a varint takes one more byte, a checksum appears, a second chunk begins.
GROWS = (1 << 7, 1 << 14, 128 * 1024, 1 << 20, 1 << 21, 1 << 26)


class Zeros:
    """An original of any length that takes no memory."""

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self, offset: int, length: int) -> bytes:
        return bytes(min(length, self.length - offset))


class Counter:
    """A file that only counts."""

    def __init__(self) -> None:
        self.length = 0

    def write(self, data: bytes) -> int:
        self.length += len(data)
        return len(data)


def overhead(length: int, effort: Effort) -> int:
    counter = Counter()
    writer = FrameWriter(counter, hashing=False)
    codec = Stored(Stored.params_for(effort, length))
    codec.encode(Zeros(length), writer.sink(codec))
    frame = writer.finish(digest=bytes(32))
    assert frame.frame_length == counter.length
    return counter.length - length


def promised(length: int) -> float:
    return limits.FRAME_OVERHEAD_BYTES + limits.FRAME_OVERHEAD_FRACTION * length


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("length", [0, 1, *(size + near for size in GROWS for near in (-1, 0, 1))])
def test_stored_keeps_the_promise_where_the_table_grows(length: int, effort: Effort) -> None:
    assert overhead(length, effort) <= promised(length)


@given(st.integers(min_value=0, max_value=8 * 1024**2), st.sampled_from(EFFORTS))
def test_stored_keeps_the_promise_at_every_length(length: int, effort: Effort) -> None:
    assert overhead(length, effort) <= promised(length)


def test_the_bytes_really_are_in_the_frame() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    writer.sink(Stored()).chunk(b"all of it", b"all of it")

    assert writer.finish().frame_length == len(file.getvalue())
    assert b"all of it" in file.getvalue()
