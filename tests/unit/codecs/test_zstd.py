"""zstd: only frames that say how long their content is, within a window, and nothing behind them."""

import random
from io import BytesIO

import pytest
import zstandard

from lithify import limits
from lithify.codecs.frame import read_frame
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Corrupt, LimitExceeded
from tests.suites.codec_suite import framed, log_lines, unframed

TEXT = log_lines(40)


def decode(payload: bytes, length: int) -> bytes:
    return Zstd().decode(payload, shared=b"", length=length)


def test_the_end_of_a_block_can_refer_to_its_beginning() -> None:
    noise = random.Random(1).randbytes(100_000)
    payload = Zstd(ZstdParams(level=3)).encode_block(noise + bytes(9_000_000) + noise)

    assert len(payload) < 1.1 * len(noise), "level 3 alone looks back 2 MiB"


def test_a_payload_is_an_ordinary_zstd_frame() -> None:
    assert TEXT == zstandard.ZstdDecompressor().decompress(Zstd().encode_block(TEXT))


def test_a_frame_that_does_not_say_its_length_is_refused() -> None:
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)
    with pytest.raises(Corrupt, match="were expected"):
        decode(silent, len(TEXT))


def test_a_frame_of_another_length_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Corrupt, match=f"holds {len(TEXT)} bytes, {len(TEXT) - 1} were expected"):
        decode(Zstd().encode_block(TEXT), len(TEXT) - 1)


def test_a_window_beyond_the_longest_chunk_is_refused() -> None:
    # magic · descriptor (8-byte content size, no single segment) · window 2^31 · content size
    wide = b"\x28\xb5\x2f\xfd" + b"\xc0" + bytes([21 << 3]) + len(TEXT).to_bytes(8, "little") + b"\x01\x00\x00"
    with pytest.raises((LimitExceeded, Corrupt), match=r"window|too much memory"):
        decode(wide, len(TEXT))
    allowed = limits.CHUNK_BYTES_MAX.bit_length() - 1
    just_over = b"\x28\xb5\x2f\xfd\xc0" + bytes([(allowed - 10) << 3 | 1]) + len(TEXT).to_bytes(8, "little")
    with pytest.raises(LimitExceeded, match="window"):
        decode(just_over + b"\x01\x00\x00", len(TEXT))


def test_skippable_frames_and_trailing_bytes_are_refused() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"abcde"
    for payload, length in ((skippable, 5), (Zstd().encode_block(TEXT) + b"\0", len(TEXT))):
        with pytest.raises(Corrupt):
            decode(payload, length)


def test_a_dictionary_makes_short_blocks_smaller_and_travels_in_the_frame() -> None:
    original = log_lines(3000)
    plain = framed(Zstd(ZstdParams(chunk_bytes=2000)), original)
    helped = framed(Zstd(ZstdParams(chunk_bytes=2000, dictionary_bytes=4096)), original)

    assert len(helped) < len(plain)
    assert original == unframed(helped)


def test_too_little_to_learn_from_means_no_dictionary() -> None:
    for original in (b"", b"x", bytes(50_000)):
        assert original == unframed(framed(Zstd(ZstdParams(chunk_bytes=5000, dictionary_bytes=4096)), original))


def test_a_chunk_needs_the_dictionary_it_was_made_with() -> None:
    codec = Zstd(ZstdParams(chunk_bytes=2000, dictionary_bytes=4096))
    frame = framed(codec, log_lines(3000))

    assert log_lines(3000) == unframed(frame)
    chunk = read_frame(BytesIO(frame)).chunks[0]
    payload = frame[chunk.offset : chunk.offset + chunk.stored_length]
    with pytest.raises(Corrupt):
        decode(payload, chunk.length)
