"""zstd: the fastest to decode, and what an original is kept in until something denser was proved."""

from dataclasses import dataclass
from typing import ClassVar, cast

import zstandard

from lithify import limits
from lithify.codecs.codec import Buffer, ChunkSink, Effort, Facts, Format, Params, Source
from lithify.codecs.raw.block import CHUNK_BYTES, BlockCodec, BlockParams, Trial, blocks
from lithify.errors import Corrupt, LimitExceeded

# 22 is zstd's last level; what the levels win and cost is in FORMAT.md.
LEVELS: dict[Effort, int] = {"fast": 3, "default": 17, "max": 22}
# Matches of this length are taken without looking further; level 17 says 64. On 24 files 512 makes it 3 % denser (logs
# 2 to 16 %) in the same time; level 19 is 2 % denser still and takes twice as long.
_TARGET_BYTES_MIN = 512
_TARGET_FROM_LEVEL = 16  # below, zstd means something else by it
_WINDOW_LOG_MIN = 10
_WINDOW_LOG_MAX = limits.CHUNK_BYTES_MAX.bit_length() - 1
# zstd's advice for training: samples like what will be compressed, about 100 times the dictionary in all.
_SAMPLE_BYTES_MAX = 16 * limits.KIB
_SAMPLES_PER_DICTIONARY_BYTE = 100
_SAMPLES_BYTES_MAX = 16 * limits.MIB


@dataclass(frozen=True)
class ZstdParams(BlockParams):
    """`dictionary_bytes` above 0 trains a dictionary from the original's own blocks: worth it for short blocks only."""

    level: int = LEVELS["default"]
    dictionary_bytes: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.level <= 22 or not 0 <= self.dictionary_bytes <= limits.DICTIONARY_BYTES_MAX:
            raise LimitExceeded(
                f"{self!r} is outside level 1 to 22, dictionary 0 to {limits.DICTIONARY_BYTES_MAX} bytes"
            )


class Zstd(BlockCodec):
    """A payload is one zstd frame that states its content's length; the shared block is a zstd dictionary, or empty."""

    facts: ClassVar[Facts] = Facts(family="raw", name="zstd", format=Format(0x0101, 1, 0), papers=("RFC 8878",))
    params_type: ClassVar[type[Params]] = ZstdParams
    trials: ClassVar[dict[Effort, Trial]] = {"max": Trial(ZstdParams(), times_slower=2.5, times_denser=1.03)}

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> ZstdParams:
        return ZstdParams(chunk_bytes=CHUNK_BYTES[effort], level=LEVELS[effort])

    @property
    def _own(self) -> ZstdParams:
        return cast("ZstdParams", self.params)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        dictionary = self._train(source)
        if dictionary:
            sink.share(dictionary)
        for block in blocks(source, self.chunk_bytes):
            sink.chunk(self._compress(block, dictionary), block)

    def encode_block(self, block: Buffer) -> bytes:
        return self._compress(block, b"")

    def peak_memory_bytes(self, block_bytes: int) -> int:
        return 3 * block_bytes + self._settings(block_bytes).estimated_compression_context_size()

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        try:
            return unpacked(payload, _dictionary(shared), length)
        except zstandard.ZstdError as error:  # of a shared block that is no dictionary
            raise Corrupt(f"zstd: {error}") from error

    def _compress(self, block: Buffer, dictionary: bytes) -> bytes:
        settings = self._settings(len(block))
        return zstandard.ZstdCompressor(dict_data=_dictionary(dictionary), compression_params=settings).compress(block)

    def _settings(self, block_bytes: int) -> zstandard.ZstdCompressionParameters:
        """The level's settings, with a window as long as the block, so that its end can refer to its beginning."""
        level = self._own.level
        settings = zstandard.ZstdCompressionParameters.from_level(level, source_size=block_bytes)
        return zstandard.ZstdCompressionParameters.from_level(
            level,
            source_size=block_bytes,
            window_log=min(max((block_bytes - 1).bit_length(), _WINDOW_LOG_MIN), _WINDOW_LOG_MAX),
            target_length=max(settings.target_length, _TARGET_BYTES_MIN * (level >= _TARGET_FROM_LEVEL)),
            write_content_size=True,
            write_checksum=False,
            write_dict_id=False,
        )

    def _train(self, source: Source) -> bytes:
        wanted = self._own.dictionary_bytes
        if not wanted:
            return b""
        sample_bytes = min(self.chunk_bytes, _SAMPLE_BYTES_MAX)
        budget = min(wanted * _SAMPLES_PER_DICTIONARY_BYTE, _SAMPLES_BYTES_MAX, source.length)
        count = budget // sample_bytes
        samples: list[Buffer] = [source.read(source.length * i // count, sample_bytes) for i in range(count)]
        try:
            return zstandard.train_dictionary(wanted, samples).as_bytes()
        except zstandard.ZstdError:
            return b""  # too little, or too alike, to learn from: the blocks do as well without


def unpacked(payload: bytes, dictionary: zstandard.ZstdCompressionDict | None, length: int) -> bytes:
    """The `length` bytes of one zstd frame that states its content's length. Raises Corrupt or LimitExceeded."""
    try:
        header = zstandard.get_frame_parameters(payload)
        if header.content_size != length:
            raise Corrupt(f"zstd frame holds {header.content_size} bytes, {length} were expected")
        if header.window_size > limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(f"zstd frame wants a window of {header.window_size}, over {limits.CHUNK_BYTES_MAX}")
        reader = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=limits.CHUNK_BYTES_MAX)
        return reader.decompress(payload, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Corrupt(f"zstd: {error}") from error


def _dictionary(data: bytes) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT) if data else None
