"""What the raw family shares: cutting, tasting, params."""

import io
import random

import pytest

from lithify import limits
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.frame import read_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.raw.block import TASTE_BYTES, BlockParams, blocks, taste
from lithify.codecs.raw.brotli import BrotliParams
from lithify.codecs.raw.ppmd import PpmdParams
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.xz import XzParams
from lithify.codecs.raw.zstd import ZstdParams
from lithify.codecs.registry import FORMATS, codec_class
from lithify.errors import LimitExceeded, Truncated
from tests.suites.codec_suite import framed, log_lines


@pytest.mark.parametrize(("length", "chunk_bytes"), [(0, 5), (1, 5), (5, 5), (6, 5), (17, 5), (1000, 1), (999, 1000)])
def test_blocks_are_as_few_as_can_be_and_of_equal_length(length: int, chunk_bytes: int) -> None:
    original = bytes(i % 251 for i in range(length))
    found = list(blocks(MemorySource(original), chunk_bytes))

    assert original == b"".join(found)
    assert -(-length // chunk_bytes) == len(found)
    assert all(0 < len(block) <= chunk_bytes for block in found)
    assert not found or max(map(len, found)) - min(map(len, found)) <= 1


def test_a_source_that_ends_early_is_truncated() -> None:
    liar = MemorySource(bytes(60))
    liar.length = 100
    with pytest.raises(Truncated, match="ends at byte 60"):
        list(blocks(liar, 100))


def test_a_taste_is_short_and_from_all_over() -> None:
    sample = bytes(range(256)) * (limits.PROBE_BYTES // 256)
    marked = b"A" * 100 + sample + b"Z" * 100

    assert TASTE_BYTES == len(taste(marked))
    assert taste(marked).startswith(b"A" * 100)
    assert taste(marked).endswith(b"Z" * 100)
    assert b"short" == taste(b"short")


@pytest.mark.parametrize("format_id", [number for number in FORMATS if number < 0x0200], ids=hex)
@pytest.mark.parametrize("effort", EFFORTS)
def test_a_probe_does_not_promise_to_shrink_noise(format_id: int, effort: Effort) -> None:
    noise = random.Random(4).randbytes(limits.PROBE_BYTES)
    estimate = codec_class(format_id).probe(noise, 10 * len(noise), effort)

    assert estimate is not None
    assert estimate.ratio <= 1


@pytest.mark.parametrize("format_id", [number for number in FORMATS if number < 0x0200], ids=hex)
@pytest.mark.parametrize("effort", EFFORTS)
def test_a_probe_of_a_short_original_foretells_what_encoding_makes_of_it(format_id: int, effort: Effort) -> None:
    original = log_lines(150)
    codec = codec_class(format_id)
    estimate = codec.probe(original, len(original), effort)
    frame = read_frame(io.BytesIO(framed(codec(codec.params_for(effort, len(original))), original)))

    assert estimate is not None
    assert estimate.ratio == pytest.approx(len(original) / frame.chunks[0].stored_length)
    assert estimate.confidence == 1


@pytest.mark.parametrize("format_id", [number for number in FORMATS if number < 0x0200], ids=hex)
@pytest.mark.parametrize("effort", EFFORTS)
def test_a_frame_says_nothing_of_the_effort(format_id: int, effort: Effort) -> None:
    codec = codec_class(format_id)

    assert b"" == codec(codec.params_for(effort, 1)).decoder_params()


@pytest.mark.parametrize(
    "params",
    [
        lambda: BlockParams(chunk_bytes=0),
        lambda: BlockParams(chunk_bytes=limits.CHUNK_BYTES_MAX + 1),
        lambda: ZstdParams(level=0),
        lambda: ZstdParams(level=23),
        lambda: ZstdParams(dictionary_bytes=-1),
        lambda: ZstdParams(dictionary_bytes=limits.DICTIONARY_BYTES_MAX + 1),
        lambda: BrotliParams(quality=12),
        lambda: XzParams(preset=10),
        lambda: PpmdParams(order=1),
        lambda: PpmdParams(order=65),
    ],
)
def test_settings_outside_what_the_method_has_are_refused(params: object) -> None:
    assert callable(params)
    with pytest.raises(LimitExceeded):
        params()


@pytest.mark.parametrize("format_id", [0x0101, 0x0102, 0x0103, 0x0104], ids=hex)
def test_more_effort_makes_text_smaller_or_leaves_it(format_id: int) -> None:
    original = log_lines(700)
    codec = codec_class(format_id)
    fast, default, most = (len(framed(codec(codec.params_for(e, len(original))), original)) for e in EFFORTS)

    assert default < fast * 1.02
    assert most < default * 1.02
    assert fast < len(framed(Stored(), original)) / 3
