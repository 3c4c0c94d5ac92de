"""gzip files that are too long to be opened whole, such as the log of a busy day: in pieces of some deflate blocks.

Each piece is a chunk, so that memory stays flat and a range decodes only the pieces it touches; what is deflated
goes to the codec made for it, as everywhere in containers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from lithify import limits
from lithify.codecs.codec import ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.inside import Inside
from lithify.codecs.media.containers.codec import Budget, Deflate
from lithify.codecs.media.containers.nested import Prepare, pack_part, read_part, unpack_part
from lithify.codecs.media.containers.pieces import WINDOW, Seam, StreamPiece, closed_piece, pieces_of_stream
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.whole_file import EffortParams, SelfContained
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

_OTHER, _PIECE = 0, 1
"""First byte of a payload: what media.deflate makes of it; or a piece of a stream."""
_FINAL = 0x40
_HEAD_BYTES = 8 * limits.KIB
_PIECE_BYTES: dict[Effort, int] = {"fast": 24 * limits.MIB, "default": 24 * limits.MIB, "max": 48 * limits.MIB}
_WRAPPED_BYTES = 16 * limits.MIB
"""A longer file that says it holds fewer bytes than it has holds 4 GiB more, or several times that."""
_PLAIN_PER_BYTE = 1040
"""Deflate never makes more of a byte than 1032."""


@dataclass(frozen=True)
class LongGzipParams(EffortParams):
    """How hard to try, and about how many plain bytes a piece has."""

    piece_bytes: int = _PIECE_BYTES["default"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.piece_bytes <= limits.STREAM_PIECE_BYTES_MAX:
            raise LimitExceeded(f"piece_bytes is {self.piece_bytes}; the limit is {limits.STREAM_PIECE_BYTES_MAX}")


class LongGzip(SelfContained):
    """A payload is a piece of the first stream, or what follows it (FORMAT.md, 0x0509)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="gzip",
        format=Format(0x0509, 1, 0),
        kinds=frozenset({"archive"}),
        seams="whole",
        exact_because="what lies in another file comes back byte for byte",
        kernels=True,
        nests=("media.deflate", *Deflate.facts.nests),
        papers=("RFC 1951, 1952", "Steinke, preflate: predicting what deflate encoders do"),
    )
    params_type: ClassVar[type[Params]] = LongGzipParams
    holds = "gzip files"

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> LongGzipParams:
        return LongGzipParams(effort, _PIECE_BYTES[effort])

    @classmethod
    def warm(cls) -> None:
        Deflate.warm()

    @classmethod
    def may_suit(cls, sample: bytes, length: int) -> bool:
        return sample.startswith(b"\x1f\x8b\x08")

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """As media.deflate does, for files that are too long for that."""
        beginning = sample[: limits.PROBE_BYTES // 3]
        if not cls.may_suit(sample, length) or not _is_long(sample, length) or _ends_soon(beginning):
            return None
        from lithify.codecs.media.containers.probe import estimate

        return estimate(sample, length)

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """A chunk for each piece of the first stream, and for each part of what follows it."""
        at = 0
        for one in _pieces(source, cast("LongGzipParams", self.params).piece_bytes):
            data = source.read(at, one.end - at)
            opened = self._packed(one, data[: one.start - at])
            sink.chunk(opened if len(opened) < len(data) else self._otherwise(data), data)
            at = one.end
        while at < source.length:
            data = source.read(at, limits.PART_BYTES)
            sink.chunk(self._otherwise(data), data)
            at += len(data)

    def _otherwise(self, data: bytes) -> bytes:
        return bytes([_OTHER]) + Deflate(EffortParams(self._effort)).encode_file(data)

    def _packed(self, one: StreamPiece, head: bytes) -> bytes:
        seam, plain = one.seam, one.opened.plain
        flags = seam.offset | seam.unused << 3 | _FINAL * one.final
        out = [bytes([_PIECE, flags, seam.tail]), piece(head), varint(seam.before)]
        out += [] if seam.last_block is None else [varint(seam.last_block)]
        out += [piece(one.opened.recipe), varint(len(plain))]
        return b"".join([*out, pack_part(plain, self._effort, _within(Budget()))])

    def decode_file(self, payload: bytes, length: int) -> bytes:
        if payload[0] == _OTHER:
            if len(payload) < 2:
                raise Corrupt("a payload of gzip files ends behind its first byte")
            return Deflate().decode_file(payload[1:], length)
        return _restored(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """The codec that keeps the plain bytes of a piece, and its recipe."""
        from lithify.codecs.media.containers import contents

        if payload[:1] == bytes([_OTHER]):
            return Deflate().contents(payload[1:], shared=shared, length=length)
        told = _told(payload, length)
        rows = contents.of_part("deflated", read_part(told.packed, 0, told.plain_bytes), 1, _within(Budget()))
        return [*rows, Inside(contents.CORRECTIONS, "raw.stored", len(told.recipe), len(told.recipe))]


def _within(budget: Budget) -> Prepare:
    """What may be inside a piece is what may be inside any container."""
    container = Deflate()

    def within(codec: Codec) -> Codec | None:
        return container.within(codec, budget)

    return within


def _pieces(source: Source, piece_bytes: int) -> Iterator[StreamPiece]:
    """The pieces of the stream that a file begins with, if it is a gzip file; a reason where they end too early."""
    from lithify.codecs.media.containers.find import gzip_stream

    start = gzip_stream(source.read(0, min(source.length, _HEAD_BYTES)), 0)
    one = None
    if start:
        for one in pieces_of_stream(source, start, piece_bytes):
            yield one
    if one is None or not one.final:
        end = one.end if one else 0
        give_reason(f"from byte {end} on there are no deflate blocks that can be opened: what follows is kept in parts")


def _is_long(sample: bytes, length: int) -> bool:
    said = int.from_bytes(sample[-4:], "little")
    return length > limits.PART_BYTES or said > limits.OPENED_BYTES_MAX or (length > _WRAPPED_BYTES and said < length)


def _ends_soon(beginning: bytes) -> bool:
    """Whether the first stream ends within the beginning: of many short ones, media.deflate opens each."""
    from lithify.codecs.media.containers.find import gzip_stream
    from lithify.codecs.media.deflate.inflate import measure

    start = gzip_stream(beginning, 0)
    return not start or measure(beginning, start, plain_max=limits.OPENED_BYTES_MAX).whole


@dataclass(frozen=True, slots=True)
class _Told:
    """What a payload says of a piece."""

    head: bytes
    seam: Seam
    recipe: bytes
    plain_bytes: int
    packed: bytes


def _told(payload: bytes, length: int) -> _Told:
    fields = Fields(payload)
    if (method := fields.byte()) != _PIECE:
        raise Corrupt(f"a payload of gzip files is kept by method 0x{method:02x}, which does not exist")
    flags, tail = fields.byte(), fields.byte()
    if flags > _FINAL | 0x3F:
        raise Corrupt(f"a piece of a stream has flags 0x{flags:02x}, which do not exist")
    head = fields.piece("the head of a gzip file")
    before = fields.number(WINDOW, "the plain bytes before a piece")
    last_block = None if flags & _FINAL else fields.number(8 * (length + WINDOW + limits.KIB), "a last block's place")
    recipe = fields.piece("a recipe")
    most = min(limits.STREAM_PIECE_BYTES_MAX, _PLAIN_PER_BYTE * (length + 1)) + WINDOW
    plain_bytes = fields.number(most, "the plain bytes of a piece")
    seam = Seam(flags & 7, flags >> 3 & 7, last_block, tail, before)
    if len(head) > length or before > plain_bytes:
        raise Corrupt(
            f"a piece of {plain_bytes} plain bytes has {before} of them before it, and a head of {len(head)} bytes"
        )
    return _Told(head, seam, recipe, plain_bytes, fields.rest())


def _restored(payload: bytes, length: int) -> bytes:
    from lithify.codecs.media.deflate.engine import rebuild

    told = _told(payload, length)
    plain, end = unpack_part(told.packed, 0, told.plain_bytes, _within(Budget()))
    if end != len(told.packed):
        raise Corrupt(f"a piece of a stream goes on for {len(told.packed) - end} bytes behind its end")
    stream = rebuild(plain, told.recipe, length_max=length + told.seam.shown + 1)
    data = told.head + closed_piece(stream, plain, told.seam)
    if len(data) != length:
        raise Corrupt(f"a piece of a gzip file has {len(data)} bytes, the chunk table says {length}")
    return data
