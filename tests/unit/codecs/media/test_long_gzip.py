"""gzip files in pieces: every stream comes back to the bit, wherever its blocks end, whoever wrote it."""

import io
import zlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.frame import decode_frame, read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media.containers.long_gzip import LongGzip, LongGzipParams
from lithify.codecs.media.containers.pieces import pieces_of_stream
from lithify.codecs.reasons import reasons_given
from lithify.errors import BadBytes, LimitExceeded
from tests.examples import examples
from tests.suites.codec_suite import ORIGINALS, CodecSuite, framed, log_lines, unframed
from tests.unit.codecs.media.archives import ARCHIVES, gz
from tests.unit.codecs.media.streams import paragraphs

SMALL = LongGzipParams("fast", 4000)
LOG = log_lines(2000)


def blocky(plain: bytes, level: int = 6, memory: int = 1) -> bytes:
    """A gzip file of many short blocks."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31, memory)
    return packer.compress(plain) + packer.flush()


class TestLongGzip(CodecSuite):
    codec = LongGzip
    originals = {**ORIGINALS, "counters": gz(ORIGINALS["counters"]), "all bytes": blocky(LOG)}  # noqa: RUF012


def cut(original: bytes, params: LongGzipParams = SMALL) -> bytes:
    frame = framed(LongGzip(params), original)
    assert original == unframed(frame)
    return frame


@cache
def pieces() -> tuple[bytes, bytes]:
    """A file in pieces, and its frame."""
    original = blocky(LOG)
    return original, cut(original)


def test_a_stream_is_cut_between_its_blocks_and_keeps_less() -> None:
    original, frame = pieces()
    found = read_frame(io.BytesIO(frame))
    assert len(found.chunks) > 10
    big = cut(original, LongGzipParams("default", 100_000))
    assert len(big) < len(original) / 2


@pytest.mark.parametrize("level", [0, 1, 4, 6, 9])
@pytest.mark.parametrize("memory", [1, 5])
def test_whatever_zlib_wrote_comes_back(level: int, memory: int) -> None:
    cut(blocky(LOG[:40_000], level, memory))


def test_pieces_cover_the_stream_without_a_gap_whatever_bit_they_begin_at() -> None:
    original, _ = pieces()
    found = list(pieces_of_stream(MemorySource(original), 10, 4000))
    assert [10, *(one.end for one in found[:-1])] == [one.start for one in found]
    assert len(original) - 8 == found[-1].end
    assert {one.seam.offset for one in found} > {0, 3, 5}
    assert found[-1].final


def test_a_range_decodes_only_the_pieces_it_touches() -> None:
    original, frame = pieces()
    for start in range(0, len(original), 777):
        part = b"".join(decode_frame(io.BytesIO(frame), start=start, end=start + 5))
        assert original[start : start + 5] == part


@pytest.mark.parametrize("name", ARCHIVES)
def test_other_archives_come_back_too(name: str) -> None:
    cut(ARCHIVES[name])


def test_what_follows_the_first_stream_and_what_is_torn_come_back() -> None:
    original, _ = pieces()
    for odd in (original + original, original[:-300], original[:2000] + b"?" + original[2001:], original + bytes(99)):
        cut(odd)
    with reasons_given() as reasons:
        cut(original[:3000])
    assert any("what follows is kept in parts" in reason for reason in reasons)


@settings(max_examples=examples(50))
@given(
    st.lists(st.sampled_from([b"sand", b"stone", b"\0" * 50, b"river\n", bytes(range(256))]), max_size=300),
    st.integers(0, 9),
    st.integers(50, 3000),
)
def test_any_stream_comes_back_in_pieces_of_any_size(words: list[bytes], level: int, piece_bytes: int) -> None:
    cut(blocky(b"".join(words), level), LongGzipParams("fast", piece_bytes))


def test_changed_payloads_are_refused_or_harmless() -> None:
    _, frame = pieces()
    found = read_frame(io.BytesIO(frame))
    for chunk in (found.chunks[0], found.chunks[3], found.chunks[len(found.chunks) - 2]):
        payload = frame[chunk.offset : chunk.offset + chunk.stored_length]
        for at in range(len(payload)):
            for flip in (0x01, 0x80):
                changed = payload[:at] + bytes([payload[at] ^ flip]) + payload[at + 1 :]
                try:
                    assert chunk.length == len(LongGzip().decode(changed, shared=b"", length=chunk.length))
                except BadBytes:
                    continue


def test_a_probe_is_for_files_that_are_too_long_to_be_opened_whole() -> None:
    beginning = gz(log_lines(60_000))[: limits.PROBE_BYTES - 4]
    assert len(beginning) > limits.PROBE_BYTES // 3
    for length, said, wanted in (
        (limits.PART_BYTES + 1, 0, True),
        (30 * limits.MIB, 300 * limits.MIB, True),
        (30 * limits.MIB, 100, True),
        (30 * limits.MIB, 200 * limits.MIB, False),
    ):
        found = LongGzip.probe(beginning + said.to_bytes(4, "little"), length, "default")
        assert wanted == (found is not None)
    assert LongGzip.probe(gz(paragraphs(9)) * 400, limits.PART_BYTES + 1, "default") is None, "many short streams"
    assert LongGzip.probe(b"PK\x03\x04" * 1000, limits.PART_BYTES + 1, "default") is None


def test_pieces_have_a_limit() -> None:
    with pytest.raises(LimitExceeded):
        LongGzipParams("fast", limits.STREAM_PIECE_BYTES_MAX + 1)


def test_pieces_of_a_log_reach_the_codec_of_logs() -> None:
    frame = cut(blocky(LOG), LongGzipParams("fast", 60_000))
    chunk = read_frame(io.BytesIO(frame)).chunks[0]
    payload = frame[chunk.offset : chunk.offset + chunk.stored_length]
    rows = LongGzip().contents(payload, shared=b"", length=chunk.length)
    assert [("deflated", "logs.template"), ("corrections", "raw.stored")] == [(row.what, row.codec) for row in rows]
