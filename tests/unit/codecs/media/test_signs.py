"""Whether something may be opened is told without kernels: never no where something is, seldom yes where nothing is."""

import gzip
import io
import random
import struct
import zipfile
import zlib

import pytest

from lithify.codecs.media.containers.codec import Deflate
from lithify.codecs.media.containers.signs import may_hold_streams

TEXT = b"".join(b"line %d of what is kept\n" % number for number in range(400))


def zipped() -> bytes:
    with zipfile.ZipFile(out := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", TEXT)
    return out.getvalue()


@pytest.mark.parametrize("level", range(1, 10))
def test_a_zlib_stream_is_seen_wherever_it_begins(level: int) -> None:
    assert may_hold_streams(random.Random(level).randbytes(5000) + zlib.compress(TEXT, level))


@pytest.mark.parametrize("held", [gzip.compress(TEXT), zipped(), b"%PDF-1.7\n"], ids=["gzip", "zip", "pdf"])
def test_containers_are_seen(held: bytes) -> None:
    assert may_hold_streams(held)


def test_a_png_is_left_to_the_codec_for_pngs_unless_it_is_animated() -> None:
    signature, image = b"\x89PNG\r\n\x1a\n", b"IDAT" + zlib.compress(TEXT)
    assert not may_hold_streams(signature + image)
    assert Deflate.probe(signature + image, 400, "default") is None
    assert may_hold_streams(signature + b"acTL" + image)


def test_numbers_text_and_noise_hold_none() -> None:
    counters = b"".join(struct.pack("<I", number) for number in range(0, 90_000, 17))
    assert not any(map(may_hold_streams, (b"", TEXT, counters, b"x\x9c" * 100, random.Random(1).randbytes(200_000))))


def test_it_is_told_in_no_time_whatever_the_bytes() -> None:
    assert may_hold_streams(b"x\x9c\xff" * 100_000)
