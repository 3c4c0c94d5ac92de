"""Frames written, read, cut and joined: what the writer says is what the reader finds."""

import hashlib
import io
from pathlib import Path
from typing import ClassVar

import pytest
from xxhash import xxh3_64_intdigest

from lithify import limits
from lithify.codecs import frame as frame_room
from lithify.codecs.codec import Codec, Format
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import ChunkEntry, FrameWriter, Tally, decode_frame, join_frames, read_frame
from lithify.codecs.frame.write import CHECKSUM_FROM_BYTES
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Corrupt, FidelityBroken, LimitExceeded, RangeNotSatisfiable, Truncated
from tests.suites.codec_suite import framed, log_lines, unframed

BOUNDED = Contract.parse("bounded:abs=0.5")


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def chunked(pieces: list[bytes], *, codec: Codec | None = None) -> io.BytesIO:
    """A frame of one stored chunk per piece."""
    file = io.BytesIO()
    writer = FrameWriter(file)
    sink = writer.sink(codec or Stored())
    for piece in pieces:
        sink.chunk(piece, piece)
    writer.finish()
    return file


# --- writing ------------------------------------------------------------------------------------------


def test_the_writer_returns_what_the_reader_finds() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    sink = writer.sink(Stored())
    for piece in (b"loose ", b"data ", b"settles"):
        sink.chunk(piece, piece)
    frame = writer.finish()

    assert frame == read_frame(file)
    assert frame.frame_length == len(file.getvalue())
    assert (18, digest(b"loose data settles")) == (frame.decoded_length, frame.decoded_digest)
    assert (18, digest(b"loose data settles")) == (frame.original_length, frame.original_digest)
    assert EXACT == frame.contract
    assert [6, 5, 7] == [chunk.length for chunk in frame.chunks]
    assert ChunkEntry(0, 5 + 6, 5, 6, 5, xxh3_64_intdigest(b"data ")) == frame.chunks[1]
    assert frame.chunks[-1] == frame.chunks[2] == frame.chunks[1:][1]
    with pytest.raises(IndexError):
        frame.chunks[3]


def test_an_original_of_no_bytes_has_no_chunks_and_no_formats() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    writer.sink(Stored())
    frame = writer.finish()

    assert ((), 0, 0) == (frame.formats, len(frame.chunks), frame.decoded_length)
    assert frame == read_frame(file)
    assert [] == list(decode_frame(file))
    assert len(file.getvalue()) <= limits.FRAME_OVERHEAD_BYTES


def test_a_writer_needs_nothing_but_write_and_it_may_take_a_part() -> None:
    class Slow:
        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += bytes(data[:3])
            return min(3, len(data))

    slow = Slow()
    writer = FrameWriter(slow)
    writer.sink(Stored()).chunk(b"bit by bit", b"bit by bit")
    writer.finish()

    assert b"bit by bit" == unframed(slow.data)


def test_buffers_of_every_kind_are_taken() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    sink = writer.sink(Stored())
    sink.chunk(bytearray(b"one"), memoryview(b"one"))
    sink.chunk(memoryview(b"two"), bytearray(b"two"))
    writer.finish()

    assert b"onetwo" == b"".join(decode_frame(file))


def test_a_known_digest_is_not_computed_again() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file, hashing=False)
    writer.sink(Stored()).chunk(b"known", b"known")

    assert digest(b"known") == writer.finish(digest=digest(b"known")).decoded_digest
    assert b"known" == b"".join(decode_frame(file))


def test_the_digest_of_an_exact_original_is_the_digest_of_the_chunks() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file, hashing=False)
    writer.sink(Stored()).chunk(b"known", b"known")

    assert digest(b"known") == writer.finish(original_length=5, original_digest=digest(b"known")).decoded_digest


def test_a_writer_that_does_not_hash_must_be_told() -> None:
    with pytest.raises(AssertionError, match="must be told the digest"):
        FrameWriter(io.BytesIO(), hashing=False).finish()


@pytest.mark.parametrize(("length", "original"), [(5, b"other"), (4, b"exac")])
def test_an_exact_frame_of_something_else_is_refused(length: int, original: bytes) -> None:
    writer = FrameWriter(io.BytesIO())
    writer.sink(Stored()).chunk(b"exact", b"exact")

    with pytest.raises(FidelityBroken, match="exact frame decodes to 5 bytes"):
        writer.finish(original_length=length, original_digest=digest(original))


def test_a_looser_contract_keeps_both_digests() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    writer.sink(Stored()).chunk(b"1.0", b"1.0")
    frame = writer.finish(contract=BOUNDED, original_length=6, original_digest=digest(b"1.0004"))

    assert frame == read_frame(file)
    assert (BOUNDED, 3, digest(b"1.0")) == (frame.contract, frame.decoded_length, frame.decoded_digest)
    assert (6, digest(b"1.0004")) == (frame.original_length, frame.original_digest)
    assert b"1.0" == b"".join(decode_frame(file))


def test_a_looser_contract_needs_to_know_the_original() -> None:
    writer = FrameWriter(io.BytesIO())
    with pytest.raises(AssertionError, match="needs the original's length and digest"):
        writer.finish(contract=BOUNDED)


@pytest.mark.parametrize(
    ("payload", "decoded"), [(b"", b"x"), (b"x", b""), (b"x", memoryview(bytes(limits.CHUNK_BYTES_MAX + 1)))]
)
def test_chunks_no_reader_would_take_are_never_written(payload: bytes, decoded: bytes) -> None:
    sink = FrameWriter(io.BytesIO()).sink(Stored())
    with pytest.raises(AssertionError, match="bytes"):
        sink.chunk(payload, decoded)


def test_a_short_single_chunk_has_no_checksum_and_a_long_one_has() -> None:
    short, long = (read_frame(chunked([bytes(length)])) for length in (CHECKSUM_FROM_BYTES - 1, CHECKSUM_FROM_BYTES))

    assert short.chunks[0].checksum is None
    assert long.chunks[0].checksum == xxh3_64_intdigest(bytes(CHECKSUM_FROM_BYTES))


# --- formats ------------------------------------------------------------------------------------------


class Other(Stored):
    """A stored codec with a say in its params."""

    params_json: ClassVar[bytes] = b""

    def decoder_params(self) -> bytes:
        return self.params_json


class Longer(Other):
    params_json = b'{"chunk_bytes":7}'


def test_sinks_of_equal_codecs_share_one_entry() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    sinks = [writer.sink(codec) for codec in (Stored(), Zstd(), Stored(), Longer(), Zstd(ZstdParams(level=3)))]
    pieces = [b"stored", log_lines(1), b"again", b"longer", log_lines(2)]
    for sink, piece, codec in zip(sinks, pieces, (Stored(), Zstd(), Stored(), Stored(), Zstd()), strict=True):
        sink.chunk(codec.encode_block(piece), piece)
    frame = writer.finish()

    formats = [(entry.format.id, entry.params) for entry in frame.formats]
    assert [(0x0100, b""), (0x0101, b""), (0x0100, b'{"chunk_bytes":7}')] == formats
    assert [0, 1, 0, 2, 1] == [chunk.format_index for chunk in frame.chunks]
    assert frame == read_frame(file)
    assert b"".join(pieces) == b"".join(decode_frame(file))


def test_a_sink_without_chunks_leaves_no_trace() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    writer.sink(Zstd()).share(b"never used")
    writer.sink(Stored()).chunk(b"x", b"x")

    assert [0x0100] == [entry.format.id for entry in writer.finish().formats]
    assert b"never used" not in file.getvalue()


def test_equal_shared_blocks_are_kept_once_and_different_ones_apart() -> None:
    writer = FrameWriter(file := io.BytesIO())
    for shared in (b"one", b"two", b"one"):
        sink = writer.sink(Zstd())
        sink.chunk(b"x", b"x")
        sink.share(shared)
    frame = writer.finish()

    assert [(3, xxh3_64_intdigest(data)) for data in (b"one", b"two")] == [
        (entry.shared_length, entry.shared_checksum) for entry in frame.formats
    ]
    assert [0, 1, 0] == [chunk.format_index for chunk in frame.chunks]
    assert frame == read_frame(file)


def test_more_formats_than_a_table_holds_are_refused() -> None:
    writer = FrameWriter(io.BytesIO())
    for number in range(limits.FORMATS_PER_FRAME_MAX + 1):
        sink = writer.sink(Zstd())
        sink.share(number.to_bytes(2, "little"))
        sink.chunk(b"x", b"x")

    with pytest.raises(LimitExceeded, match="65 formats"):
        writer.finish()


# --- ranges -------------------------------------------------------------------------------------------

PIECES = [b"aaaa", b"bb", b"c", b"dddddddd"]
WHOLE = b"".join(PIECES)


@pytest.mark.parametrize("start", range(len(WHOLE) + 1))
def test_every_range_is_a_slice(start: int) -> None:
    file = chunked(PIECES)
    for end in range(start, len(WHOLE) + 1):
        assert WHOLE[start:end] == b"".join(decode_frame(file, start=start, end=end))


def test_a_range_reads_only_the_chunks_it_touches() -> None:
    file, tally = chunked(PIECES), Tally()
    frame = read_frame(file)

    assert b"bc" == b"".join(decode_frame(file, start=5, end=7, frame=frame, tally=tally))
    assert Tally(stored_bytes=3, chunks=2) == tally
    assert range(1, 3) == frame.overlapping(5, 7)
    assert [] == list(frame.overlapping(7, 7))


def test_reading_nothing_reads_nothing() -> None:
    tally = Tally()

    assert [] == list(decode_frame(chunked(PIECES), start=3, end=3, tally=tally))
    assert Tally() == tally


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, len(WHOLE) + 1), (len(WHOLE) + 1, None)])
def test_a_range_outside_is_refused_before_anything_is_read(start: int, end: int | None) -> None:
    with pytest.raises(RangeNotSatisfiable, match=f"of {len(WHOLE)}"):
        decode_frame(chunked(PIECES), start=start, end=end)


# --- wrong bytes --------------------------------------------------------------------------------------


def test_a_wrong_chunk_is_not_given_out_and_the_ones_before_it_are() -> None:
    data = bytearray(chunked(PIECES).getvalue())
    data[5 + 4 + 2] ^= 1
    pieces = decode_frame(io.BytesIO(bytes(data)))

    assert b"aaaa" == next(pieces)
    assert b"bb" == next(pieces)
    with pytest.raises(Corrupt, match="chunk 2 has checksum"):
        next(pieces)


def test_a_range_beside_a_wrong_chunk_is_served() -> None:
    data = bytearray(chunked(PIECES).getvalue())
    data[5] ^= 1

    assert b"bbc" == b"".join(decode_frame(io.BytesIO(bytes(data)), start=4, end=7))


def test_the_digest_is_compared_before_the_last_piece_leaves() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file, hashing=False)
    sink = writer.sink(Stored())
    for piece in PIECES:
        sink.chunk(piece, piece)
    writer.finish(digest=digest(b"something else"))
    pieces = decode_frame(file)

    assert PIECES[:3] == [next(pieces) for _ in range(3)]
    with pytest.raises(Corrupt, match="decodes to SHA-256"):
        next(pieces)


def test_a_range_of_a_single_chunk_is_checked_by_the_digest() -> None:
    data = bytearray(chunked([b"single"]).getvalue())
    data[5] ^= 1

    with pytest.raises(Corrupt, match="SHA-256"):
        list(decode_frame(io.BytesIO(bytes(data)), start=2, end=3))


def test_a_file_that_shrinks_after_its_trailer_was_read_is_truncated() -> None:
    file = chunked(PIECES)
    frame = read_frame(file)
    file.truncate(10)

    with pytest.raises(Truncated, match="more were expected"):
        list(decode_frame(file, frame=frame))


def test_an_unbuffered_file_is_read_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.lith"
    path.write_bytes(framed(Zstd(ZstdParams(chunk_bytes=1000)), log_lines(300)))
    with path.open("rb", buffering=0) as file:
        assert log_lines(300) == b"".join(decode_frame(file))


# --- joining ------------------------------------------------------------------------------------------


def test_parts_become_one_frame_without_being_decoded() -> None:
    parts = [log_lines(300), b"", b"short tail"]
    frames = [io.BytesIO(framed(Zstd(ZstdParams(chunk_bytes=3000)), part)) for part in parts]
    whole = b"".join(parts)
    joined = join_frames(frames, out := io.BytesIO(), digest=digest(whole))

    assert joined == read_frame(out)
    assert whole == b"".join(decode_frame(out))
    assert 1 == len(joined.formats)
    assert sum(len(read_frame(frame).chunks) for frame in frames) == len(joined.chunks)
    assert out.getvalue() == _in_one_go(parts)


def _in_one_go(parts: list[bytes]) -> bytes:
    file = io.BytesIO()
    writer = FrameWriter(file)
    codec = Zstd(ZstdParams(chunk_bytes=3000))
    sink = writer.sink(codec)

    for part in parts:
        codec.encode(MemorySource(part), sink)
    writer.finish()
    return file.getvalue()


def test_parts_of_several_codecs_keep_theirs_and_equal_dictionaries_are_kept_once() -> None:
    texts = [log_lines(1500), log_lines(100), log_lines(1500)]
    helped = ZstdParams(chunk_bytes=2000, dictionary_bytes=4096)
    codecs = [Zstd(helped), Stored(), Zstd(helped)]
    frames = [io.BytesIO(framed(codec, text)) for codec, text in zip(codecs, texts, strict=True)]
    joined = join_frames(frames, out := io.BytesIO(), digest=digest(b"".join(texts)))

    assert [0x0101, 0x0100] == [entry.format.id for entry in joined.formats]
    assert b"".join(texts) == b"".join(decode_frame(out))


def test_a_wrong_digest_of_the_whole_is_found_when_it_is_read() -> None:
    join_frames([chunked(PIECES)], out := io.BytesIO(), digest=digest(b"else"))

    with pytest.raises(Corrupt, match="SHA-256"):
        list(decode_frame(out))


def test_a_part_that_keeps_less_than_the_whole_promises_is_refused() -> None:
    writer = FrameWriter(loose := io.BytesIO())
    writer.sink(Stored()).chunk(b"1.0", b"1.0")
    writer.finish(contract=BOUNDED, original_length=6, original_digest=digest(b"1.0004"))

    with pytest.raises(FidelityBroken, match=r"part 1 keeps bounded:abs=0\.5"):
        join_frames([chunked([b"exact"]), loose], io.BytesIO(), digest=digest(b""))
    looser = Contract.parse("bounded:abs=1")
    joined = join_frames(
        [loose],
        io.BytesIO(),
        digest=digest(b"1.0"),
        contract=looser,
        original_length=6,
        original_digest=digest(b"1.0004"),
    )
    assert looser == joined.contract


def test_a_wrong_part_is_found_while_joining() -> None:
    for data in (b"", b"not a frame", chunked(PIECES).getvalue()[:-1]):
        with pytest.raises((Truncated, Corrupt)):
            join_frames([io.BytesIO(data)], io.BytesIO(), digest=digest(b""))


# --- size ---------------------------------------------------------------------------------------------


def test_a_table_of_many_chunks_is_read_back_the_same() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    sink = writer.sink(Stored())
    pieces = [bytes([i % 256]) * (1 + i * 7919 % 300) for i in range(5000)]
    for piece in pieces:
        sink.chunk(piece, piece)
    frame = writer.finish()

    assert frame == read_frame(file)
    assert list(map(len, pieces)) == list(frame.chunks.lengths()) == list(frame.chunks.stored_lengths())
    assert b"".join(pieces) == b"".join(decode_frame(file))


def test_formats_print_as_people_write_them() -> None:
    assert "0x0101 1.0" == str(Format(0x0101, 1, 0))
    assert {"FrameWriter", "read_frame", "decode_frame", "join_frames", "Frame"} <= set(frame_room.__all__)
