"""The tasks of a codec's process, run where they run for real: probe, encode, decode, digest, and the batches."""

import hashlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from lithify import limits
from lithify.codecs.frame import Frame, FrameWriter, decode_frame, read_frame
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.codecs.registry import all_codecs
from lithify.errors import BadArgument, Corrupt, RangeNotSatisfiable, Truncated
from lithify.workers.sandbox import Sandbox, TaskResult
from lithify.workers.sources import Place

LOG = b"".join(b"2026-11-21 01:15:%02d host sshd[%d]: session %d opened\n" % (n % 60, n % 97, n) for n in range(60_000))
ALL_RAW = ["raw.stored", "raw.zstd", "raw.brotli", "raw.xz", "raw.ppmd"]


@pytest.fixture(scope="module")
def boxed() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def write_frame(content: bytes, out: IO[bytes], chunk_bytes: int = 256 * limits.KIB) -> Frame:
    """A staged copy, as ingest leaves it: short zstd chunks."""
    writer = FrameWriter(out)
    zstd = Zstd(ZstdParams(level=1, chunk_bytes=chunk_bytes))
    if content:
        sink = writer.sink(zstd)
        for start in range(0, len(content), chunk_bytes):
            block = content[start : start + chunk_bytes]
            sink.chunk(zstd.encode_block(block), block)
    return writer.finish()


@pytest.fixture
def staged() -> Iterator[tuple[IO[bytes], Place]]:
    """LOG's staged copy in the middle of a pack."""
    with tempfile.TemporaryFile() as file:
        frame = io.BytesIO()
        write_frame(LOG, frame)
        file.write(b"another entry" + frame.getvalue() + b"one more")
        file.flush()
        yield file, Place(len(b"another entry"), len(frame.getvalue()), framed=True)


def encode(boxed: Sandbox, file: IO[bytes], place: Place, out: IO[bytes], **wishes: Any) -> TaskResult:
    args = {"input": place.as_json(), "start": 0, "end": None, "codec": "raw.zstd", "effort": "fast", **wishes}
    return boxed.run("encode", args, [file.fileno(), out.fileno()])


def plain(content: bytes) -> tuple[IO[bytes], Place]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(content)
    file.flush()
    return file, Place(0, len(content), framed=False)


@pytest.mark.parametrize("codec", ALL_RAW)
def test_an_encoded_part_decodes_to_what_the_staged_copy_holds(
    boxed: Sandbox, staged: tuple[IO[bytes], Place], codec: str
) -> None:
    with tempfile.TemporaryFile() as out:
        found = encode(boxed, *staged, out, codec=codec, start=1000, end=900_000).result
        assert found["stored_bytes"] == os.fstat(out.fileno()).st_size == out.seek(0, os.SEEK_END)
        assert LOG[1000:900_000] == b"".join(decode_frame(out))
    assert hashlib.sha256(LOG[1000:900_000]).hexdigest() == found["digest"]
    assert 899_000 == found["original_bytes"]
    assert codec == found["codec"]


def test_an_original_that_is_not_framed_is_read_as_it_is(boxed: Sandbox) -> None:
    file, place = plain(LOG)
    with file, tempfile.TemporaryFile() as out:
        encode(boxed, file, place, out)
        assert LOG == b"".join(decode_frame(out))


def test_an_empty_original_has_an_empty_frame(boxed: Sandbox) -> None:
    file, place = plain(b"")
    with file, tempfile.TemporaryFile() as out:
        found = encode(boxed, file, place, out).result
        assert 0 == found["original_bytes"] == read_frame(out).decoded_length


def test_params_may_be_given_in_place_of_an_effort(boxed: Sandbox) -> None:
    file, place = plain(LOG)
    with file, tempfile.TemporaryFile() as out:
        found = encode(boxed, file, place, out, params={"level": 1, "chunk_bytes": 100_000}).result
        assert {"level": 1, "chunk_bytes": 100_000} == found["params"]
        assert len(read_frame(out).chunks) > 20


def test_encoding_reports_the_bytes_done(boxed: Sandbox) -> None:
    told: list[int] = []
    file, place = plain(LOG)
    args = {"input": place.as_json(), "codec": "raw.stored", "params": {"chunk_bytes": 1000}}
    with file, tempfile.TemporaryFile() as out:
        boxed.run("encode", args, [file.fileno(), out.fileno()], on_progress=told.append)
    assert 0 < told[0] <= len(LOG)
    assert sorted(told) == told


def test_a_part_outside_the_original_is_refused(boxed: Sandbox, staged: tuple[IO[bytes], Place]) -> None:
    with tempfile.TemporaryFile() as out, pytest.raises(RangeNotSatisfiable):
        encode(boxed, *staged, out, start=0, end=len(LOG) + 1)


def test_an_unknown_codec_is_refused(boxed: Sandbox, staged: tuple[IO[bytes], Place]) -> None:
    with tempfile.TemporaryFile() as out, pytest.raises(BadArgument, match="no codec 'raw"):
        encode(boxed, *staged, out, codec="raw.sand")


def test_a_range_is_decoded_from_the_chunks_it_touches_only(boxed: Sandbox, staged: tuple[IO[bytes], Place]) -> None:
    file, place = staged
    with boxed.stream("decode", {"input": place.as_json(), "start": 300_000, "end": 300_010}, [file.fileno()]) as part:
        assert LOG[300_000:300_010] == b"".join(part)
    with boxed.stream("decode", {"input": place.as_json()}, [file.fileno()]) as whole:
        assert LOG == b"".join(whole)
    assert part.result is not None
    assert whole.result is not None
    assert part.result.result["stored_bytes"] < whole.result.result["stored_bytes"] / 5


def test_a_digest_is_that_of_the_decoded_bytes(boxed: Sandbox, staged: tuple[IO[bytes], Place]) -> None:
    file, place = staged
    found = boxed.run("digest", {"input": place.as_json()}, [file.fileno()], role="verify").result
    assert (hashlib.sha256(LOG).hexdigest(), len(LOG)) == (found["digest"], found["length"])
    ranged = boxed.run("digest", {"input": place.as_json(), "start": 5, "end": 77}, [file.fileno()]).result
    assert hashlib.sha256(LOG[5:77]).hexdigest() == ranged["digest"]


def test_a_damaged_frame_is_an_error_of_its_own_kind(boxed: Sandbox, staged: tuple[IO[bytes], Place]) -> None:
    file, place = staged
    short = Place(place.offset, place.length - 10, framed=True)
    with pytest.raises(Truncated):
        boxed.run("digest", {"input": short.as_json()}, [file.fileno()])
    file.seek(place.offset + 5000)
    file.write(b"damaged")
    file.flush()
    with pytest.raises(Corrupt):
        boxed.run("digest", {"input": place.as_json()}, [file.fileno()])


# --- batches --------------------------------------------------------------------------------------------


def race(boxed: Sandbox, originals: list[bytes], codecs: list[str], *, framed: bool = False) -> TaskResult:
    items = [{"candidates": [{"codec": codec, "effort": "default"} for codec in codecs]} for _ in originals]
    return boxed.run("encode_small", {"framed": framed, "items": items}, attached=originals)


def test_each_of_many_small_originals_gets_its_smallest_frame(boxed: Sandbox) -> None:
    originals = [LOG[:1000], b"", b"x", random.Random(1).randbytes(2000)]
    answer = race(boxed, originals, ALL_RAW)
    for original, item, frame in zip(originals, answer.result["items"], answer.attached, strict=True):
        assert original == b"".join(decode_frame(io.BytesIO(frame)))
        sizes = [found["stored_bytes"] for found in item["found"]]
        assert min(sizes) == sizes[item["winner"]] == len(frame)
        assert hashlib.sha256(original).hexdigest() == item["digest"]


def test_small_originals_may_come_as_frames(boxed: Sandbox) -> None:
    frames = []
    for content in (LOG[:5000], b""):
        out = io.BytesIO()
        write_frame(content, out)
        frames.append(out.getvalue())
    answer = race(boxed, frames, ["raw.ppmd"], framed=True)
    assert LOG[:5000] == b"".join(decode_frame(io.BytesIO(answer.attached[0])))


def test_a_candidate_that_fails_costs_only_itself(boxed: Sandbox) -> None:
    answer = race(boxed, [LOG[:1000]], ["raw.sand", "raw.zstd"])
    (item,) = answer.result["items"]
    assert "bad_argument" == item["found"][0]["error"]["code"]
    assert 1 == item["winner"]


def test_an_original_nobody_can_encode_has_no_winner(boxed: Sandbox) -> None:
    answer = race(boxed, [LOG[:1000]], ["raw.sand"])
    assert (None, b"") == (answer.result["items"][0]["winner"], answer.attached[0])


def test_a_batch_of_frames_is_verified_one_by_one(boxed: Sandbox) -> None:
    good, _ = race(boxed, [LOG[:1000], LOG[:77]], ["raw.stored"]).attached
    bad = bytearray(good)
    bad[20] ^= 1
    frames = [good, bytes(bad), good[:-1]]
    items = boxed.run("digest_small", {"frames": 3}, attached=frames, role="verify").result["items"]
    assert hashlib.sha256(LOG[:1000]).hexdigest() == items[0]["digest"]
    assert ["corrupt", "truncated"] == [item["error"]["code"] for item in items[1:]]


# --- probes ---------------------------------------------------------------------------------------------


def probe(boxed: Sandbox, content: bytes, effort: str = "default", codecs: list[str] | None = None) -> dict[str, Any]:
    file, place = plain(content)
    args = {"input": place.as_json(), "effort": effort, "name": "a.log", "codecs": codecs}
    with file:
        return boxed.run("probe", args, [file.fileno()]).result


def test_a_probe_says_what_it_is_and_what_each_codec_promises(boxed: Sandbox) -> None:
    found = probe(boxed, LOG)
    assert len(LOG) == found["length"]
    assert "log" == found["kind"]["kind"]
    assert set(ALL_RAW) <= set(found["codecs"])
    zstd = found["codecs"]["raw.zstd"]
    assert zstd["missing"] is None
    assert zstd["estimate"]["ratio"] > 3
    assert ["exact"] == zstd["contracts"]


def test_a_probe_asks_only_the_codecs_it_may_use_and_stored(boxed: Sandbox) -> None:
    assert {"raw.xz", "raw.stored"} == set(probe(boxed, LOG, codecs=["raw.xz"])["codecs"])
    picture = b"\x89PNG\r\n\x1a\n" + LOG
    facts = [codec.facts for codec in all_codecs()]
    special = {one.id for one in facts if "image" in one.kinds or one.takes_model}
    assert {"raw.zstd", "raw.stored", *special} == set(probe(boxed, picture, effort="fast")["codecs"])


def test_a_probe_looks_at_a_bounded_part_of_a_large_original(boxed: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(LOG)
        file.truncate(40 * limits.GIB)  # a hole: reading it all would take minutes
    args = {"input": Place(0, 40 * limits.GIB, framed=False).as_json(), "effort": "fast", "name": None, "codecs": None}
    with path.open("rb") as file:
        found = boxed.run("probe", args, [file.fileno()], wall_seconds=20)
    assert 40 * limits.GIB == found.result["length"]
    assert found.peak_memory_bytes < 100 * limits.MIB


def test_memory_stays_flat_while_a_large_staged_copy_is_read(boxed: Sandbox) -> None:
    block = random.Random(3).randbytes(limits.MIB)
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as out:
        writer = FrameWriter(file)
        sink = writer.sink(Stored())
        for _ in range(96):
            sink.chunk(block, block)
        length = writer.finish().frame_length
        file.flush()
        place = Place(0, length, framed=True)
        made = encode(boxed, file, place, out, codec="raw.stored")
        assert made.peak_memory_bytes < 64 * limits.MIB
        with boxed.stream("decode", {"input": place.as_json()}, [file.fileno()]) as stream:
            assert 96 * limits.MIB == sum(len(piece) for piece in stream)
        assert stream.result is not None
        assert stream.result.peak_memory_bytes < 64 * limits.MIB
