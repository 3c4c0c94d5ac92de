"""What the codecs of this family share: an original is cut into blocks, each compressed alone, each one chunk."""

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from lithify import limits
from lithify.codecs.codec import Buffer, ChunkSink, Codec, Effort, Estimate, Params, Source
from lithify.errors import LimitExceeded, Truncated

# What a probe really compresses: pieces from all over the sample, joined. At 128 KiB the slowest setting that is tried
# as it is (xz) takes 0.1 s; a smaller piece says too little about methods that look far back.
TASTE_BYTES = 128 * limits.KIB
TASTE_PIECES = 4
SMALL_BYTES = 16 * limits.KIB  # up to here a probe uses the real setting, however slow

# Blocks by effort. A range read decodes one block at least, so more is taken only where it wins: see FORMAT.md.
CHUNK_BYTES: dict[Effort, int] = {
    "fast": 2 * limits.MIB,
    "default": 8 * limits.MIB,
    "max": limits.CHUNK_BYTES_MAX,
}


@dataclass(frozen=True)
class BlockParams(Params):
    """Settings every codec of this family has."""

    chunk_bytes: int = CHUNK_BYTES["default"]
    """Longest block; blocks of one original are of equal length, give or take a byte."""

    def __post_init__(self) -> None:
        if not 0 < self.chunk_bytes <= limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(f"chunk_bytes is {self.chunk_bytes}; the limit is {limits.CHUNK_BYTES_MAX}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A quicker setting that a probe uses in place of a slow one, and how the two compare."""

    params: BlockParams
    times_slower: float
    times_denser: float


class BlockCodec(Codec):
    """A codec that compresses blocks on their own. A subclass says how with `encode_block` and `decode`."""

    params_type: ClassVar[type[Params]] = BlockParams
    trials: ClassVar[Mapping[Effort, Trial]] = {}
    """Efforts too slow to be tried as they are."""

    def decoder_params(self) -> bytes:
        """Nothing: what a decoder of this family needs is in each payload, so that effort never splits a format."""
        return b""

    @property
    def chunk_bytes(self) -> int:
        """Longest block."""
        return cast("BlockParams", self.params).chunk_bytes

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk per block."""
        for block in blocks(source, self.chunk_bytes):
            sink.chunk(self.encode_block(block), block)

    @abstractmethod
    def encode_block(self, block: Buffer) -> bytes:
        """The payload of one block of at least one byte."""

    @abstractmethod
    def peak_memory_bytes(self, block_bytes: int) -> int:
        """Most memory that encoding and decoding a block of this length takes, block and payload included."""

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Compress a taste of the sample, and decode it again."""
        piece = taste(sample)
        if not piece:
            return None
        real = cls(cls.params_for(effort, length))
        trial = cls.trials.get(effort) if len(piece) > SMALL_BYTES else None
        codec = real if trial is None else cls(trial.params)
        started = time.perf_counter()
        payload = codec.encode_block(piece)
        encoded = time.perf_counter()
        codec.decode(payload, shared=b"", length=len(piece))
        decoded = time.perf_counter()
        slower, denser = (1.0, 1.0) if trial is None else (trial.times_slower, trial.times_denser)
        return Estimate(
            ratio=_denser(len(piece) / len(payload), denser),
            encode_bytes_per_second=len(piece) / (encoded - started) / slower,
            decode_bytes_per_second=len(piece) / (decoded - encoded),
            peak_memory_bytes=real.peak_memory_bytes(min(length, real.chunk_bytes)),
            confidence=(0.5 + 0.5 * len(piece) / length) * (1.0 if trial is None else 0.8),
        )


def blocks(source: Source, chunk_bytes: int) -> Iterator[bytes]:
    """`source` in as few pieces of at most `chunk_bytes` as can be, of equal length but for a byte."""
    count = -(-source.length // chunk_bytes)
    for index in range(count):
        start, end = (source.length * i // count for i in (index, index + 1))
        block = source.read(start, end - start)
        if len(block) != end - start:
            raise Truncated(f"source ends at byte {start + len(block)}, its length is {source.length}")
        yield block


def _denser(ratio: float, factor: float) -> float:
    """The ratio a better setting would reach; what does not shrink at all will not shrink then."""
    return ratio if ratio <= 1 else 1 + (ratio - 1) * factor


def taste(sample: bytes) -> bytes:
    """At most TASTE_BYTES of `sample`, in pieces from all over it."""
    if len(sample) <= TASTE_BYTES:
        return sample
    piece = TASTE_BYTES // TASTE_PIECES
    step = (len(sample) - piece) / (TASTE_PIECES - 1)
    return b"".join(sample[int(i * step) : int(i * step) + piece] for i in range(TASTE_PIECES))
