"""Sources: every way of reading an original gives the same bytes, and a frame is decoded only where it is read."""

import hashlib
import io
import random
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

import pytest

from lithify.codecs.frame import FrameWriter
from lithify.codecs.raw.stored import Stored
from lithify.errors import RangeNotSatisfiable
from lithify.workers import sources
from lithify.workers.sources import DigestedSource, FrameSource, Place, open_slice, open_source

CONTENT = random.Random(11).randbytes(10_000)


def framed(content: bytes = CONTENT, chunk_bytes: int = 1000) -> BinaryIO:
    out = io.BytesIO()
    writer = FrameWriter(out)
    sink = writer.sink(Stored())
    for start in range(0, len(content), chunk_bytes):
        sink.chunk(content[start : start + chunk_bytes], content[start : start + chunk_bytes])
    writer.finish()
    return out


@pytest.fixture
def file() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as opened:
        opened.write(b"before" + CONTENT + b"after")
        opened.flush()
        yield opened


def test_every_source_gives_the_same_ranges(file: IO[bytes]) -> None:
    place = Place(len(b"before"), len(CONTENT), framed=False)
    plain = open_source(open_slice(file.fileno(), place), framed=False)
    decoded = open_source(framed(), framed=True)
    rng = random.Random(5)
    ranges = [(0, 10_000), (0, 0), (9_999, 1), (9_999, 50), (10_000, 5), (500, 1000), (1000, 1000)]
    ranges += [(rng.randrange(10_000), rng.randrange(5_000)) for _ in range(200)]
    for offset, length in ranges:
        expected = CONTENT[offset : offset + length]
        assert expected == plain.read(offset, length)
        assert expected == decoded.read(offset, length)


def test_a_part_knows_nothing_outside_itself() -> None:
    part = open_source(framed(), framed=True, start=1500, end=4000)
    assert 2500 == part.length
    assert CONTENT[1500:4000] == part.read(0, 9999)
    assert CONTENT[3990:4000] == part.read(2490, 100)
    assert b"" == part.read(2500, 1)


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (6, 5), (0, 10_001), (10_001, None)])
def test_a_part_outside_the_original_is_refused(start: int, end: int | None) -> None:
    with pytest.raises(RangeNotSatisfiable):
        open_source(framed(), framed=True, start=start, end=end)


def test_reading_forwards_decodes_each_chunk_once() -> None:
    source = FrameSource(framed())
    for offset in range(0, 10_000, 100):
        source.read(offset, 100)
    assert 10 == source.tally.chunks


def test_a_source_keeps_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CACHE_BYTES", 2500)
    source = FrameSource(framed())
    for offset in (0, 1000, 2000, 1000, 2000, 0):
        source.read(offset, 10)
    assert 4 == source.tally.chunks, "chunks 1 and 2 were kept, chunk 0 made room"


def test_a_chunk_longer_than_the_cache_is_still_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CACHE_BYTES", 10)
    source = FrameSource(framed())
    assert CONTENT[:1000] == b"".join(source.read(offset, 10) for offset in range(0, 1000, 10))
    assert 1 == source.tally.chunks


def test_a_slice_reads_like_a_file_and_moves_no_shared_position(file: IO[bytes]) -> None:
    file.seek(3)
    slice_ = open_slice(file.fileno(), Place(6, 10_000, framed=False))
    assert 10_000 == slice_.seek(0, io.SEEK_END)
    assert b"" == slice_.read(1)
    slice_.seek(-4, io.SEEK_CUR)
    assert CONTENT[-4:] == slice_.read()
    slice_.seek(0)
    assert CONTENT == slice_.read(99_999)
    assert 3 == cast("BinaryIO", file).tell()


def test_a_digest_is_that_of_everything_whatever_was_read_before() -> None:
    expected = hashlib.sha256(CONTENT).hexdigest()
    for ranges in ([], [(0, 10_000)], [(9_000, 500), (10, 20)], [(3_000, 2_000), (0, 10), (9_999, 1)]):
        source = DigestedSource(framed())
        assert [CONTENT[at : at + length] for at, length in ranges] == [source.read(*one) for one in ranges]
        assert expected == source.digest()
        assert source.seconds > 0
    assert hashlib.sha256(b"").hexdigest() == DigestedSource(framed(b"")).digest()


def test_a_digest_says_how_far_it_has_come() -> None:
    told: list[int] = []
    DigestedSource(framed(), report=told.append).digest()
    assert told == sorted(set(told))
    assert len(CONTENT) == told[-1]


def test_a_digest_beside_reading_forwards_decodes_each_chunk_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CACHE_BYTES", 0)
    source = DigestedSource(framed())
    for offset in range(0, 10_000, 500):
        source.read(offset, 500)
    source.digest()
    assert 10 == source.tally.chunks
