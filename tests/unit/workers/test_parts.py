"""Parts: bounded, of about one size, and cut at line ends where a codec reads lines."""

import hashlib
import io
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from lithify import limits
from lithify.codecs.fidelity import EXACT
from lithify.codecs.frame import read_frame
from lithify.workers.encoder import Original, Wishes, encode_original
from lithify.workers.parts import cut, cut_at_lines, last_line_end
from lithify.workers.sandbox import Sandbox
from lithify.workers.sources import FileSource, Place
from tests.outsiders import CODEC, installed

LINES = b"".join(b"2026-11-21 01:15:%02d host sshd[%d]: %s\n" % (n % 60, n, b"x" * (n % 300)) for n in range(4000))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PART_BYTES", 100_000)
    monkeypatch.setattr(limits, "SEAM_BYTES", 10_000)


@pytest.mark.parametrize("length", [0, 1, 99_999, 100_000, 100_001, 1_234_567])
def test_parts_follow_each_other_and_none_is_too_long(small_parts: None, length: int) -> None:
    for parts in (cut(length), cut_at_lines(length, lambda cuts: [at - 10_000 for at in cuts])):
        assert length == sum(end - start for start, end in parts)
        assert all(0 < end - start <= limits.PART_BYTES for start, end in parts)
        assert [end for _, end in parts[:-1]] == [start for start, _ in parts[1:]]


def test_one_part_is_not_cut_for_its_lines(small_parts: None) -> None:
    assert [(0, 100_000)] == cut_at_lines(100_000, lambda cuts: [])


def test_the_last_line_end_before_a_place_is_found_within_bounds() -> None:
    text = b"a line\n" + b"y" * 200_000 + b"\nand more"
    source = FileSource(io.BytesIO(text))
    assert 7 == last_line_end(source, 7, 100)
    assert 7 == last_line_end(source, 8, 100)
    assert 7 == last_line_end(source, 150_000, 150_000)
    assert 150_000 == last_line_end(source, 150_000, 100_000)
    assert 200_008 == last_line_end(source, len(text), 100)
    assert 3 == last_line_end(source, 3, 100)


def test_any_text_gives_the_place_behind_its_last_line_end() -> None:
    chance = random.Random(7)
    for _ in range(200):
        text = bytes(chance.choice(b"ab\n") if chance.random() < 0.01 else 99 for _ in range(500))
        at, back = chance.randrange(501), chance.randrange(501)
        behind = text.rfind(b"\n", max(0, at - back), at) + 1
        assert (behind or at) == last_line_end(FileSource(io.BytesIO(text)), at, back)


# --- through the encoder ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with installed(tmp_path_factory.mktemp("outsider")) as outsider, outsider.sandbox() as opened:
        yield opened


def parts_of(boxed: Sandbox, data: bytes, staging: Path, codec: str) -> list[bytes]:
    """What each chunk of the frame holds, by a codec that makes one chunk of a part."""
    with tempfile.TemporaryFile() as plain:
        plain.write(data)
        plain.flush()
        digest = hashlib.sha256(data).hexdigest()
        original = Original(plain.fileno(), Place(0, len(data), framed=False), len(data), digest, "x.log")
        with encode_original(boxed, original, Wishes(EXACT, "default", (codec,)), staging, lambda _: None) as encoded:
            file = cast("BinaryIO", encoded.file)
            frame = read_frame(file)
            assert digest == frame.original_digest.hex()
            bounds = [(chunk.start, chunk.start + chunk.length) for chunk in frame.chunks]
            args = {"input": Place(0, encoded.length, framed=True).as_json(), "start": 0, "end": None}
            with boxed.stream("decode", args, (file.fileno(),)) as blocks:
                assert data == b"".join(blocks)
    return [data[start:end] for start, end in bounds]


def test_parts_end_at_line_ends_for_a_codec_that_reads_lines(small_parts: None, boxed: Sandbox, tmp_path: Path) -> None:
    parts = parts_of(boxed, LINES, tmp_path, CODEC)
    assert len(parts) > 5
    assert all(part.endswith(b"\n") and len(part) <= limits.PART_BYTES for part in parts)


def test_lines_longer_than_the_look_back_are_cut_where_they_are(
    small_parts: None, boxed: Sandbox, tmp_path: Path
) -> None:
    endless = LINES[:200] + bytes(random.Random(7).choices(b"abcdef 0123456789", k=450_000))
    parts = parts_of(boxed, endless, tmp_path, CODEC)
    assert 6 == len(parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_parts_for_other_codecs_are_cut_evenly(small_parts: None, boxed: Sandbox, tmp_path: Path) -> None:
    parts = parts_of(boxed, LINES, tmp_path, "raw.zstd")
    assert -(-len(LINES) // limits.PART_BYTES) == len(parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
