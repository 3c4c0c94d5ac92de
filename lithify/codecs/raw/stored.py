"""Stored: the bytes as they are. Always in the race, so that nothing is ever kept in more than it came in."""

from typing import ClassVar

from lithify.codecs.codec import Buffer, Effort, Estimate, Facts, Format
from lithify.codecs.raw.block import BlockCodec, BlockParams
from lithify.errors import Corrupt
from lithify.limits import STAGE_CHUNK_BYTES

_COPY_BYTES_PER_SECOND = 2e9


class Stored(BlockCodec):
    """A payload is its block."""

    facts: ClassVar[Facts] = Facts(family="raw", name="stored", format=Format(0x0100, 1, 0))

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> BlockParams:
        """Short blocks: a longer one gains nothing and a range read has to read all of it."""
        return BlockParams(chunk_bytes=STAGE_CHUNK_BYTES)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate:
        """Known without looking."""
        speed = _COPY_BYTES_PER_SECOND
        return Estimate(1.0, speed, speed, 2 * STAGE_CHUNK_BYTES, confidence=1.0)

    def encode_block(self, block: Buffer) -> bytes:
        return bytes(block)

    def peak_memory_bytes(self, block_bytes: int) -> int:
        return 2 * block_bytes

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared or len(payload) != length:
            raise Corrupt(
                f"stored chunk has {len(payload)} bytes and {len(shared)} shared ones, expected {length} and 0"
            )
        return payload
