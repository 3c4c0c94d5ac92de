"""The suite, run by every codec of the raw family; and the test that no codec of any family goes without it."""

import importlib
from pathlib import Path

from lithify.codecs.raw.block import BlockParams
from lithify.codecs.raw.brotli import Brotli, BrotliParams
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.xz import Xz, XzParams
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.codecs.registry import FORMATS
from tests.suites.codec_suite import CodecSuite, suite_classes


class TestStored(CodecSuite):
    codec = Stored
    several_chunks = BlockParams(chunk_bytes=1000)


class TestZstd(CodecSuite):
    codec = Zstd
    several_chunks = ZstdParams(chunk_bytes=1000)


class TestZstdWithDictionary(CodecSuite):
    codec = Zstd
    several_chunks = ZstdParams(chunk_bytes=1000, dictionary_bytes=2000)


class TestBrotli(CodecSuite):
    codec = Brotli
    several_chunks = BrotliParams(chunk_bytes=1000)


class TestXz(CodecSuite):
    codec = Xz
    several_chunks = XzParams(chunk_bytes=1000)


class TestPpmd(CodecSuite):
    codec = Ppmd
    several_chunks = PpmdParams(chunk_bytes=1000)


def test_every_registered_codec_runs_the_suite() -> None:
    here = Path(__file__).parent
    for path in here.glob("test_*_suite.py"):
        importlib.import_module(f"tests.unit.codecs.{path.stem}")

    assert {found.codec.facts.format.id for found in suite_classes()} == FORMATS.keys()
