"""Codecs inside a codec: bytes kept by whichever codec makes them smallest, with what it needs to decode them.

A part is a frame without checksums: the frame around everything has them. The codec is chosen by what the bytes look
like and by the codecs' own probes, as a route chooses for an original.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lithify import limits
from lithify.codecs.codec import Buffer, Codec, Effort, Facts, Format
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media.containers.looks import kinds_of
from lithify.codecs.reasons import give_reason
from lithify.codecs.registry import all_codecs, codec_for
from lithify.codecs.varints import take_varint, varint
from lithify.errors import BadBytes, Corrupt, LimitExceeded, MissingExtra, Truncated

_TRIED: dict[Effort, int] = {"fast": 1, "default": 3, "max": 4}
"""The most promising codecs are run, and the smallest result is kept."""
_SMALL_BYTES = 4 * limits.KIB
"""Up to here every codec is run that may be: that costs less than to predict."""
_FAST = ("raw.zstd",)
_PARAMS_MAX = limits.PARAMS_BYTES_MAX


@dataclass
class _Chunks:
    """A sink in memory."""

    shared: bytes = b""
    payloads: list[bytes] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def share(self, data: bytes) -> None:
        self.shared = data

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.payloads.append(bytes(payload))
        self.lengths.append(len(decoded))


Prepare = Callable[[Codec], Codec | None]
"""Makes a codec ready to work inside another; None: it may not."""


def pack_part(data: bytes, effort: Effort, prepare: Prepare) -> bytes:
    """`data` by the codec that makes it smallest."""
    best = _packed(_codec("raw.stored", effort, data), data)
    if not data:
        return best
    for codec in _promising(data, effort, prepare):
        try:
            packed = _packed(codec, data)
        except (BadBytes, MissingExtra) as error:  # not for these bytes after all: another keeps them
            give_reason(f"{codec.facts.id} does not keep {len(data)} bytes found inside: {error.message}")
            continue
        best = min(best, packed, key=len)
    return best


class Part(NamedTuple):
    """A part as it lies in a payload."""

    codec: Codec
    shared: bytes
    chunks: list[tuple[bytes, int]]
    """The payload of each, and how many bytes it decodes to."""
    start: int
    end: int

    @property
    def length(self) -> int:
        """Bytes that it decodes to."""
        return sum(length for _, length in self.chunks)


def read_part(data: bytes, at: int, length: int) -> Part:
    """The part of `length` decoded bytes that begins at `at`; nothing of it is decoded.

    Raises Truncated, Corrupt, UnknownFormat or LimitExceeded.
    """
    start = at
    number, at = take_varint(data, at)
    if number > 0xFFFF:
        raise Corrupt(f"a part names format {number}; they have 16 bits")
    version, at = _take(data, at, 2)
    params_length, at = take_varint(data, at)
    if params_length > _PARAMS_MAX:
        raise LimitExceeded(f"a part has {params_length} bytes of params; the limit is {_PARAMS_MAX}")
    params, at = _take(data, at, params_length)
    shared_length, at = take_varint(data, at)
    shared, at = _take(data, at, shared_length)
    codec = codec_for(Format(number, version[0], version[1]), params)
    count, at = take_varint(data, at)
    lengths = []
    for _ in range(count):
        stored, at = take_varint(data, at)
        decoded, at = take_varint(data, at)
        lengths.append((stored, decoded))
    if sum(decoded for _, decoded in lengths) != length:
        raise Corrupt(f"a part's chunks do not add up to its {length} bytes")
    chunks = []
    for stored, decoded in lengths:
        payload, at = _take(data, at, stored)
        if not 0 < decoded <= limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(f"a part has a chunk of {decoded} bytes; the limit is {limits.CHUNK_BYTES_MAX}")
        chunks.append((payload, decoded))
    return Part(codec, shared, chunks, start, at)


def unpack_part(data: bytes, at: int, length: int, prepare: Prepare) -> tuple[bytes, int]:
    """The `length` bytes of the part that begins at `at`, and where the next thing begins.

    Raises Truncated, Corrupt, UnknownFormat or LimitExceeded.
    """
    part = read_part(data, at, length)
    number = part.codec.facts.format.id
    codec = prepare(part.codec)
    if codec is None:
        raise LimitExceeded(f"a part in format 0x{number:04x} lies deeper than parts may")
    if codec.primer is not None:
        raise Corrupt(f"a part in format 0x{number:04x} names a primer; parts have none")
    chunks = []
    for payload, decoded in part.chunks:
        chunk = codec.decode(payload, shared=part.shared, length=decoded)
        if len(chunk) != decoded:
            raise Corrupt(f"a part's chunk has {len(chunk)} bytes, its table says {decoded}")
        chunks.append(chunk)
    return b"".join(chunks), part.end


def _take(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if len(data) - at < length:
        raise Truncated(f"a part wants {length} bytes, {len(data) - at} are left")
    return data[at : at + length], at + length


def _packed(codec: Codec, data: bytes) -> bytes:
    chunks = _Chunks()
    if data:
        codec.encode(MemorySource(data), chunks)
    facts, params = codec.facts.format, codec.decoder_params()
    head = varint(facts.id) + bytes([facts.major, facts.minor]) + varint(len(params)) + params
    table = [varint(number) for both in zip(map(len, chunks.payloads), chunks.lengths, strict=True) for number in both]
    shared = varint(len(chunks.shared)) + chunks.shared
    return b"".join([head, shared, varint(len(chunks.payloads)), *table, *chunks.payloads])


def _codec(codec_id: str, effort: Effort, data: bytes) -> Codec:
    found = next(codec for codec in all_codecs() if codec.facts.id == codec_id)
    return found(found.params_for(effort, len(data)))


def _promising(data: bytes, effort: Effort, prepare: Prepare) -> list[Codec]:
    """The codecs worth running, the most promising first."""
    ready = [codec for codec in map(prepare, _suiting(data, effort)) if codec is not None]
    if effort != "max" and any(codec.facts.falls_back for codec in ready):
        ready = [codec for codec in ready if codec.facts.family != "raw"]  # one of the others tries those by itself
    if len(data) <= _SMALL_BYTES or len(ready) == 1:
        return ready
    sample = _sample(data)
    estimates = [(codec, codec.probe(sample, len(data), effort)) for codec in ready]
    found = [(estimate.ratio, codec) for codec, estimate in estimates if estimate is not None]
    found.sort(key=lambda pair: -pair[0])
    return [codec for _, codec in found[: _TRIED[effort]]]


def _suiting(data: bytes, effort: Effort) -> Iterator[Codec]:
    """The codecs that are made for such bytes, or for any."""
    kinds = kinds_of(data)
    for codec in all_codecs():
        facts = codec.facts
        fitting = facts.kinds_at(len(data))
        wanted = bool(fitting & kinds) if fitting else effort != "fast" or facts.id in _FAST
        usable = facts.id != "raw.stored" and "exact" in facts.contracts
        if wanted and usable and not _too_slow(facts, effort, len(data)) and not facts.too_long(len(data)):
            yield codec(codec.params_for(effort, len(data)))


def _too_slow(facts: Facts, effort: Effort, length: int) -> bool:
    """As for an original by itself; but here there may be many, and effort `default` tries shorter ones only."""
    slow_here = facts.default_bytes_max is not None and length > limits.TEXT_INSIDE_BYTES_MAX
    return facts.too_slow(effort, length) is not None or (slow_here and effort == "default")


def _sample(data: bytes) -> bytes:
    """What a probe may see: all of a short original, three pieces of a long one."""
    if len(data) <= limits.PROBE_BYTES:
        return data
    piece = limits.PROBE_BYTES // 3
    middle = (len(data) - piece) // 2
    return data[:piece] + data[middle : middle + piece] + data[-piece:]
