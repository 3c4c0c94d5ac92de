"""The codec for logs keeps what every codec promises."""

from typing import ClassVar

from lithify.codecs.codec import Codec, Params
from lithify.codecs.logs.codec import Logs, LogsParams
from tests.suites.codec_suite import CodecSuite


class TestLogs(CodecSuite):
    codec: ClassVar[type[Codec]] = Logs
    several_chunks: ClassVar[Params | None] = LogsParams(block_bytes=1000)
