"""Brotli and xz: a stream has to end, exactly where its payload does, after exactly the bytes that were promised."""

import lzma
import random
import struct

import brotli
import pytest

from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.xz import Xz
from lithify.errors import Corrupt
from tests.suites.codec_suite import log_lines

TEXT = log_lines(40)
CODECS = pytest.mark.parametrize("codec", [Brotli(), Xz()], ids=lambda codec: codec.facts.id)


@CODECS
def test_a_stream_without_its_end_is_refused_even_if_all_bytes_came(codec: Brotli | Xz) -> None:
    payload = codec.encode_block(TEXT)
    with pytest.raises(Corrupt):
        codec.decode(payload[:-1], shared=b"", length=len(TEXT))


@CODECS
def test_bytes_behind_the_end_are_refused(codec: Brotli | Xz) -> None:
    for extra in (b"\0", b"more", codec.encode_block(TEXT)):
        with pytest.raises(Corrupt):
            codec.decode(codec.encode_block(TEXT) + extra, shared=b"", length=len(TEXT))


@CODECS
def test_a_shared_block_is_refused(codec: Brotli | Xz) -> None:
    with pytest.raises(Corrupt, match="no use for 3 shared bytes"):
        codec.decode(codec.encode_block(TEXT), shared=b"abc", length=len(TEXT))


def test_a_flushed_brotli_stream_has_not_ended() -> None:
    open_ended = brotli.Compressor()
    payload = open_ended.process(TEXT) + open_ended.flush()
    with pytest.raises(Corrupt):
        Brotli().decode(payload, shared=b"", length=len(TEXT))


def test_an_xz_dictionary_longer_than_the_block_is_of_no_use() -> None:
    far = lzma.compress(TEXT * 40, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 24}])

    assert TEXT * 40 == Xz().decode(far, shared=b"", length=len(TEXT) * 40)


def walk(count: int, step: int, most: int) -> list[int]:
    """Numbers that each differ a little from the one before."""
    chance, found, value = random.Random(1), [], 0
    for _ in range(count):
        value = (value + chance.randint(-step, step)) % most
        found.append(value)
    return found


def test_the_better_of_two_literal_settings_is_taken() -> None:
    pixels = bytes(walk(60_000, 6, 256))
    floats = b"".join(struct.pack("<f", value / 100) for value in walk(15_000, 20, 65536))
    for block in (pixels, floats):
        sizes = [
            len(lzma.compress(block, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, **setting}]))
            for setting in ({"lc": 4, "lp": 0, "pb": 0}, {"lc": 3, "lp": 0, "pb": 2})
        ]
        assert len(Xz().encode_block(block)) < 1.01 * min(sizes) < 0.98 * max(sizes)
