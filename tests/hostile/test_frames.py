"""Wrong frames: cut, changed, lengthened, lying about lengths, bombs. One of four errors, no memory, no crash.

Why: whoever keeps an archive for years meets all of these by accident, and whoever takes uploads meets them on purpose.
"""

import hashlib
import io
import lzma
import random
import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from math import gcd
from pathlib import Path

import brotli
import pytest
import zstandard

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.frame import FrameWriter, decode_frame, read_frame
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated, UnknownFormat
from tests.examples import examples, same_each_time
from tests.golden.primers import golden_primers
from tests.hostile.mutants import HEADER, changed_bytes, decoded_or_refused, sealed
from tests.suites.codec_suite import log_lines, unframed

PIECES_MAX = examples(20_000)
"""About as many chunks, or kilobytes, are decoded for one frame."""
LEAST_STEP = 7 if same_each_time() else 1
"""Prime to the ten ways, so that they take turns."""

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.lith"))


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def frame(request: pytest.FixtureRequest) -> bytes:
    path: Path = request.param
    return path.read_bytes()


@contextmanager
def memory_bytes_at_most(most: int) -> Iterator[None]:
    """Fails if Python objects (payloads, tables, decoded buffers) ever took more than this."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


# --- damage -------------------------------------------------------------------------------------------


def test_every_prefix_is_truncated(frame: bytes) -> None:
    for cut in range(len(frame)):
        with pytest.raises(Truncated):
            read_frame(io.BytesIO(frame[:cut]))


def test_every_changed_byte_is_refused_or_harmless(frame: bytes) -> None:
    """Each in ten ways, in `make test` in one or two; of frames that are long, and decode to much, every so many."""
    original = unframed(frame, golden_primers())
    pieces = max(len(read_frame(io.BytesIO(frame)).chunks), len(original) // 1024)
    mutants = (mutant for at in range(len(frame)) for mutant in changed_bytes(frame, at))
    step = max(LEAST_STEP, 1 + 10 * len(frame) * pieces // PIECES_MAX)
    while gcd(step, 10) > 1:  # the ten ways take turns
        step += 1
    for mutant in islice(mutants, 0, None, step):
        decoded_or_refused(mutant, expected=original)


def test_every_changed_byte_outside_the_payloads_is_refused(frame: bytes) -> None:
    payloads_end = read_frame(io.BytesIO(frame)).chunks.payloads_end
    for at in (*range(len(HEADER)), *range(payloads_end, len(frame))):
        for mutant in changed_bytes(frame, at):
            assert isinstance(decoded_or_refused(mutant), BadBytes), f"byte {at}"


def test_bytes_taken_out_or_put_in_are_refused(frame: bytes) -> None:
    original = unframed(frame, golden_primers())
    for at in range(len(frame)):
        for mutant in (frame[:at] + frame[at + 1 :], frame[:at] + b"\0" + frame[at:]):
            assert isinstance(decoded_or_refused(mutant, expected=original), BadBytes), f"byte {at}"


@pytest.mark.parametrize("extra", [1, 2, 12, 1000, 60_000])
def test_bytes_after_the_end_are_counted(frame: bytes, extra: int) -> None:
    with pytest.raises(Corrupt, match=rf"followed by {extra} bytes"):
        read_frame(io.BytesIO(frame + bytes(extra)))


def test_a_frame_behind_a_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(Corrupt):
        read_frame(io.BytesIO(frame + frame))


def test_many_changes_at_once_are_refused_or_harmless(frame: bytes) -> None:
    original, chance = unframed(frame, golden_primers()), random.Random(20261121)
    for _ in range(examples(300)):
        mutant = bytearray(frame)
        for _ in range(chance.randrange(1, 20)):
            mutant[chance.randrange(len(mutant))] = chance.randrange(256)
        decoded_or_refused(bytes(mutant), expected=original)


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(100), b"x"])
def test_other_files_are_not_frames(data: bytes) -> None:
    with pytest.raises(Corrupt, match="not a lithify frame"):
        read_frame(io.BytesIO(data))


def test_end_magics_everywhere_do_not_confuse_the_search_for_the_end() -> None:
    for data in (HEADER + b"LTH\n" * 40_000 + b"\0", HEADER + b"\xff" * 12 + b"LTH\n" * 3 + b"x"):
        with pytest.raises(Truncated):
            read_frame(io.BytesIO(data))


# --- trailers that lie ----------------------------------------------------------------------------------

DIGEST = hashlib.sha256(b"x").digest()
STORED = b"\x00\x01\x01\x00\x00\x00"  # format 0x0100 1.0, no params, nothing shared
GIANT = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"  # the largest varint


def trailer(
    *, flags: int = 0, formats: bytes = b"\x01" + STORED, chunks: bytes = b"\x01\x01\x01", extra: bytes = b""
) -> bytes:
    """The trailer of a frame whose body is the one byte `x`, stored, unless told otherwise."""
    return bytes([flags]) + DIGEST + extra + formats + chunks


def test_the_frame_that_the_lies_are_made_from_is_right() -> None:
    assert b"x" == unframed(sealed(trailer(), body=b"x"))


LIES: dict[str, tuple[bytes, type[BadBytes], str]] = {
    "a reserved flag": (trailer(flags=0x04), UnknownFormat, "flags 0x04"),
    "all reserved flags": (trailer(flags=0xF8), UnknownFormat, "flags 0xf8"),
    "another format version": (trailer(formats=b"\x01\x00\x01\x02\x00\x00\x00"), UnknownFormat, r"0x0100 2\.0"),
    "another format number": (trailer(formats=b"\x01\xfe\x7f\x01\x00\x00\x00"), UnknownFormat, "0x7ffe"),
    "more chunks than there may be": (trailer(chunks=GIANT), LimitExceeded, "chunk count"),
    "more chunks than there are bytes": (trailer(flags=2, chunks=b"\x80\x80\xc0\x01\x01\x01"), Corrupt, "in 2 bytes"),
    "more formats than there may be": (trailer(formats=GIANT), LimitExceeded, "format count"),
    "more formats than there are bytes": (trailer(formats=b"\x40" + STORED), Corrupt, "trailer ends"),
    "no format": (trailer(formats=b"\x00"), Corrupt, "1 chunks in 0 formats"),
    "no chunk": (trailer(chunks=b"\x00"), Corrupt, "0 chunks in 1 formats"),
    "a format nobody uses": (
        trailer(flags=2, formats=b"\x02" + STORED * 2, chunks=b"\x01\x00\x01\x01" + bytes(8)),
        Corrupt,
        "format without chunks",
    ),
    "a format that is not there": (
        trailer(flags=2, formats=b"\x02" + STORED * 2, chunks=b"\x02\x00\x02\x01\x01\x01\x01" + bytes(16)),
        Corrupt,
        "chunks without a format",
    ),
    "many chunks without checksums": (trailer(chunks=b"\x02\x01\x01\x01\x01"), Corrupt, "no checksums"),
    "a chunk of no stored bytes": (trailer(chunks=b"\x01\x00\x01"), Corrupt, "no stored bytes"),
    "a chunk of no decoded bytes": (trailer(chunks=b"\x01\x01\x00"), Corrupt, "no decoded bytes"),
    "a giant payload": (trailer(chunks=b"\x01" + GIANT + b"\x01"), LimitExceeded, "stored bytes"),
    "a giant chunk": (trailer(chunks=b"\x01\x01" + GIANT), LimitExceeded, "decoded bytes"),
    "a chunk just over the limit": (trailer(chunks=b"\x01\x01\x81\x80\x80\x20"), LimitExceeded, "decoded bytes"),
    "a payload longer than the file": (trailer(chunks=b"\x01\x80\x80\x80\x20\x01"), Corrupt, "parts add up"),
    "a payload longer than the body": (trailer(chunks=b"\x01\x02\x01"), Corrupt, "parts add up"),
    "giant params": (trailer(formats=b"\x01\x00\x01\x01\x00" + GIANT), LimitExceeded, "params length"),
    "params longer than the trailer": (trailer(formats=b"\x01\x00\x01\x01\x00\x7f"), Corrupt, "trailer ends"),
    "params that are not JSON": (trailer(formats=b"\x01\x00\x01\x01\x00\x01{\x00"), Corrupt, "not JSON"),
    "params nested without end": (
        trailer(formats=b"\x01\x00\x01\x01\x00\x80\x80\x02" + b"[" * 32768 + b"\x00"),
        Corrupt,
        "not JSON",
    ),
    "a giant shared block": (trailer(formats=b"\x01\x00\x01\x01\x00\x00" + GIANT), LimitExceeded, "shared block"),
    "a shared block that is not there": (
        trailer(formats=b"\x01\x00\x01\x01\x00\x00\x05" + bytes(8)),
        Corrupt,
        "parts add up",
    ),
    "a number not in its shortest form": (trailer(chunks=b"\x01\x81\x00\x01"), Corrupt, "shortest form"),
    "a number that is too long": (trailer(chunks=b"\x01" + b"\x80" * 9 + b"\x01\x01"), Corrupt, "too long"),
    "a number that does not end": (trailer(chunks=b"\x01\x01\x81"), Corrupt, "inside a number"),
    "bytes after the table": (trailer() + b"\0", Corrupt, "after its chunk table"),
    "nothing": (b"", Corrupt, "trailer ends"),
    "half a digest": (bytes(20), Corrupt, "trailer ends"),
    "exact spelled out": (trailer(flags=1, extra=b"\x05exact\x01" + DIGEST), Corrupt, "spells its contract"),
    "another spelling": (trailer(flags=1, extra=b"\x10bounded:abs=1e-2\x01" + DIGEST), Corrupt, "spells its contract"),
    "an unknown contract": (trailer(flags=1, extra=b"\x05lossy\x01" + DIGEST), Corrupt, "means nothing"),
    "a contract that is not text": (trailer(flags=1, extra=b"\x03\xff\xfe\xfd\x01" + DIGEST), Corrupt, "means nothing"),
    "a giant contract": (trailer(flags=1, extra=GIANT), LimitExceeded, "contract length"),
    "a giant original": (trailer(flags=1, extra=b"\x07content" + GIANT + DIGEST), LimitExceeded, "original length"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_trailer_is_refused_by_name_and_without_memory(lie: str) -> None:
    lying, error, says = LIES[lie]
    frame = sealed(lying, body=b"x")

    with memory_bytes_at_most(limits.MIB), pytest.raises(error, match=says):
        unframed(frame)


def test_a_trailer_longer_than_the_file_is_refused_without_memory() -> None:
    for length in (100, limits.TRAILER_BYTES_MAX, limits.TRAILER_BYTES_MAX + 1, 0xFFFFFFFF):
        frame = HEADER + bytes(50) + struct.pack("<II4s", length, 0, b"LTH\n")
        with memory_bytes_at_most(limits.MIB), pytest.raises((Corrupt, LimitExceeded)):
            read_frame(io.BytesIO(frame))


def test_a_newer_frame_is_refused_by_its_version_whatever_follows() -> None:
    for version in (0, 2, 255):
        with pytest.raises(UnknownFormat, match=f"version {version}"):
            read_frame(io.BytesIO(b"\x89LTH" + bytes([version]) + b"anything"))


def test_the_limits_of_chunks_keep_a_frame_below_the_longest_original() -> None:
    assert limits.CHUNK_COUNT_MAX * limits.CHUNK_BYTES_MAX < limits.ORIGINAL_BYTES_MAX


def test_a_million_chunks_are_read_in_seconds_and_little_memory() -> None:
    count = 1_000_000
    chunks = b"\xc0\x84\x3d" + b"\x80\x80\x40" * count * 2 + bytes(8 * count)
    body = _Sparse(sealed(trailer(flags=2, chunks=chunks)), hole=count * limits.MIB)
    started = time.process_time()
    frame = read_frame(body)

    assert count == len(frame.chunks)
    assert count * limits.MIB == frame.decoded_length
    assert [999_999] == list(frame.overlapping(frame.decoded_length - 1, frame.decoded_length))
    assert time.process_time() - started < 10, "0.9 s where it was measured; the rest is room for a busy machine"


class _Sparse(io.BytesIO):
    """A frame with a hole behind its header: a terabyte of payloads that nobody reads."""

    def __init__(self, frame: bytes, *, hole: int) -> None:
        super().__init__(frame)
        self._hole = hole

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return super().seek(offset, whence) + self._hole
        return super().seek(offset if offset < len(HEADER) else offset - self._hole)


# --- bombs ----------------------------------------------------------------------------------------------


def claiming(codec: Codec, payload: bytes, length: int) -> bytes:
    """A frame of one chunk that claims `payload` decodes to `length` zeros."""
    writer = FrameWriter(file := io.BytesIO())
    writer.sink(codec).chunk(payload, bytes(length))
    writer.finish()
    return file.getvalue()


BIG = 60 * limits.MIB
ZEROS = bytes(BIG)
RAW_LZMA = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]
ZSTD_SILENT = zstandard.ZstdCompressor(write_content_size=False)
# magic, descriptor (8-byte content size), window exponent 21 = 2^31, content size 1000, one raw block of nothing
ZSTD_WIDE = b"\x28\xb5\x2f\xfd\xc0" + bytes([21 << 3]) + (1000).to_bytes(8, "little") + b"\x01\x00\x00"
BOMBS: dict[str, tuple[Codec, bytes]] = {
    "zstd with its length": (Zstd(), zstandard.compress(ZEROS)),
    "zstd without its length": (Zstd(), ZSTD_SILENT.compress(ZEROS)),
    "zstd with a window of 2 GiB": (Zstd(), ZSTD_WIDE),
    "zstd in many frames": (Zstd(), zstandard.compress(bytes(1000)) * 1000),
    "brotli": (Brotli(), brotli.compress(ZEROS, quality=1)),
    "xz": (Xz(), lzma.compress(ZEROS, lzma.FORMAT_RAW, filters=RAW_LZMA)),
    "ppmd with 512 MiB of model": (Ppmd(), bytes([64, 29]) + bytes(100)),
    "ppmd that ends early": (Ppmd(), bytes([64, 11]) + b"\x01\x02\x03\x04\x05"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_the_length_it_declares(bomb: str) -> None:
    codec, payload = BOMBS[bomb]
    frame = claiming(codec, payload, 1000)

    with memory_bytes_at_most(4 * limits.MIB + 2 * len(payload)), pytest.raises((Corrupt, LimitExceeded)):
        unframed(frame)


@pytest.mark.parametrize("codec", [Zstd(), Brotli(), Xz(), Ppmd()], ids=lambda codec: codec.facts.id)
def test_a_payload_that_decodes_to_less_than_it_claims_is_refused(codec: Codec) -> None:
    assert isinstance(codec, Zstd | Brotli | Xz | Ppmd)
    frame = claiming(codec, codec.encode_block(log_lines(10)), 10_000)

    with pytest.raises((Corrupt, LimitExceeded)):
        unframed(frame)


def test_pieces_given_out_before_a_refusal_are_right() -> None:
    frame = bytearray((Path(__file__).parent.parent / "golden/v0_1_0__raw_zstd__two_chunks.lith").read_bytes())
    original = unframed(bytes(frame))
    second = read_frame(io.BytesIO(bytes(frame))).chunks[1]
    frame[second.offset + second.stored_length - 3] ^= 0x40
    given: list[bytes] = []
    with pytest.raises(Corrupt):
        given.extend(decode_frame(io.BytesIO(bytes(frame))))

    assert original[: second.start] == b"".join(given)
