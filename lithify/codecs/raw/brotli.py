"""Brotli: strong on short documents of the web, whose words are in its built-in dictionary; quick to decode."""

from dataclasses import dataclass
from typing import ClassVar, cast

import brotli

from lithify.codecs.codec import Buffer, Effort, Facts, Format, Params
from lithify.codecs.raw.block import CHUNK_BYTES, BlockCodec, BlockParams, Trial
from lithify.errors import Corrupt, LimitExceeded
from lithify.limits import MIB

QUALITIES: dict[Effort, int] = {"fast": 5, "default": 9, "max": 11}
_WINDOW_LOG = 24  # the largest of RFC 7932; what decoders keep is 16 MiB, or the block if that is shorter
_WINDOW_BYTES = 1 << _WINDOW_LOG
_ENCODER_PER_BYTE = 14  # measured with payload: 12 per byte of window at quality 11, 8 at 9, 6 at 5


@dataclass(frozen=True)
class BrotliParams(BlockParams):
    """`quality` is brotli's own scale."""

    quality: int = QUALITIES["default"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.quality <= 11:
            raise LimitExceeded(f"{self!r} is outside quality 0 to 11")


class Brotli(BlockCodec):
    """A payload is one brotli stream."""

    facts: ClassVar[Facts] = Facts(family="raw", name="brotli", format=Format(0x0102, 1, 0), papers=("RFC 7932",))
    params_type: ClassVar[type[Params]] = BrotliParams
    trials: ClassVar[dict[Effort, Trial]] = {
        "max": Trial(BrotliParams(quality=9), times_slower=12, times_denser=1.07),
    }

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> BrotliParams:
        return BrotliParams(chunk_bytes=CHUNK_BYTES[effort], quality=QUALITIES[effort])

    def encode_block(self, block: Buffer) -> bytes:
        quality = cast("BrotliParams", self.params).quality
        payload: bytes = brotli.compress(block, quality=quality, lgwin=_WINDOW_LOG)
        return payload

    def peak_memory_bytes(self, block_bytes: int) -> int:
        return 3 * block_bytes + _ENCODER_PER_BYTE * min(block_bytes, _WINDOW_BYTES) + 8 * MIB

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"brotli has no use for {len(shared)} shared bytes")
        decoder = brotli.Decompressor()
        try:
            # The buffer doubles until it holds a byte more than there should be: a bomb stops at twice the length.
            data: bytes = decoder.process(payload, output_buffer_limit=length + 1)
        except brotli.error as error:
            raise Corrupt(f"brotli: {error}") from error
        if len(data) != length or not decoder.is_finished():
            raise Corrupt(f"brotli stream gives {len(data)} bytes or more, the chunk table says {length}")
        return data
