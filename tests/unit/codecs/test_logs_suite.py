"""The codec for logs keeps what every codec promises."""

import random
from typing import ClassVar

import pytest

from lithify.codecs.codec import Codec, Params
from lithify.codecs.logs.codec import RAW, TEMPLATES, Logs, LogsParams
from lithify.codecs.logs.encode import encode_as_text
from lithify.codecs.raw.zstd import Zstd
from tests.suites.codec_suite import CodecSuite


class TestLogs(CodecSuite):
    codec: ClassVar[type[Codec]] = Logs
    several_chunks: ClassVar[Params | None] = LogsParams(block_bytes=1000)


@pytest.mark.parametrize("kept", [encode_as_text, None], ids=["as text", "by a general codec"])
def test_templates_are_found_in_blocks_that_are_kept_without(kept: object) -> None:
    block = b"".join(b"pebble %d rolled\n" % random.Random(n).randrange(1000) for n in range(50))
    payload = bytes([RAW]) + Zstd().encode_block(block)
    if kept is not None:
        payload = bytes([TEMPLATES]) + encode_as_text(block, "default")

    (found,) = Logs().templates(payload, shared=b"", length=len(block))

    assert ("pebble <number> rolled", 50) == (found.pattern, found.count)
    assert block.split(b"\n")[0] == found.example
