"""The streams of a block, and the last stage: each is packed by what makes it smallest within the effort's means."""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from functools import cache
from typing import Protocol

import numpy as np

from lithify import limits
from lithify.codecs.codec import Buffer, Codec, Effort
from lithify.codecs.logs.dictionary import PRIMED_BYTES_MAX, pack_primed, unpack_primed
from lithify.codecs.logs.mixing import Learnt, decode_text, encode_text
from lithify.codecs.logs.records import TaughtColumns, mix_records, unmix_records
from lithify.codecs.logs.symbols import Segments, decode_symbols, encode_symbols
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.xz import Xz, XzParams
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.codecs.varints import varint
from lithify.errors import Corrupt, LimitExceeded, Truncated


class Stream(IntEnum):
    """Every stream there is; the numbers are part of the format."""

    HEAD = 0
    TEMPLATES = 1
    COLUMNS = 2
    LINES = 3
    LINES_FAR = 4
    CODES = 5
    FAR = 6
    WIDTH_1 = 7
    WIDTH_2 = 8
    WIDTH_3 = 9
    WIDTH_4 = 10
    WIDTH_5 = 11
    WIDTH_6 = 12
    WIDTH_7 = 13
    WIDTH_8 = 14
    MAGNITUDES = 15
    LOW_BITS = 16
    ESCAPES = 17
    GROUPS = 18
    WORDS = 19
    HEX = 20
    LEFT = 21
    FILTER = 22
    INDEX = 23


class Coder(IntEnum):
    """What a stream can be packed with; the numbers are part of the format."""

    STORED = 0
    ZSTD = 1
    XZ = 2
    PPMD = 3
    SYMBOLS = 4
    PRIMED = 5
    MIXED_TEXT = 6
    MIXED_RECORDS = 7
    PRIMED_TEXT = 8
    PRIMED_RECORDS = 9


TEXT = frozenset((Stream.TEMPLATES, Stream.GROUPS, Stream.WORDS, Stream.LEFT))
"""Streams that are texts. The others are columns of bytes, but for those that have no structure left."""
PRIMABLE = TEXT | {Stream.COLUMNS}
"""Streams that a primer's may be the dictionary of: the same words come again, but not the same numbers."""
_TABLES = frozenset((Stream.COLUMNS, Stream.INDEX))
"""Small tables of small numbers."""
NOISE = frozenset((Stream.LOW_BITS, Stream.HEX, Stream.FILTER))
STREAMS_BYTES_PER_BYTE, STREAMS_BYTES_FREE = 4, 1 << 16
"""A block's streams decode to at most so many bytes per byte of the block, and a few."""
_STORED_BYTES = 8  # so short a stream is stored
_TEXT_ORDER, _LINES_ORDER = 16, 5
_REPEATS = 1.1  # where zstd comes so near to the coder for columns, long repeats count, and xz finds more of them
LEARNT_BYTES_MAX = 256 * limits.KIB
"""So much of the end of what a primer has is learnt from: with something short behind it, the model takes 20 MB."""
Packer = Callable[[Buffer], bytes]


class Teaching(Protocol):
    """The streams of a block that both sides know."""

    def has(self, *streams: Stream) -> bool:
        """Whether any of these streams is there."""

    def get(self, stream: Stream) -> bytes:
        """The bytes of a stream."""

    def learnt(self, stream: Stream) -> Learnt:
        """What the end of a stream of text teaches."""

    def columns(self, stream: Stream) -> TaughtColumns | None:
        """What a stream of columns teaches, if it teaches anything."""


def pack_streams(
    streams: Mapping[Stream, bytes], columns: Mapping[Stream, Segments], effort: Effort, primer: "Teaching | None"
) -> bytes:
    """All streams behind a table of what they are packed with; empty ones are left out.

    columns  how the bytes of a stream fall into columns, where there is more than one
    primer   the streams of a block that the decoder has too
    """
    table, payloads = bytearray(), []
    present = [(stream, data) for stream, data in sorted(streams.items()) if data]
    put_varint(table, len(present))
    for stream, data in present:
        coder, payload = min(_packed(stream, data, columns.get(stream), effort, primer), key=lambda made: len(made[1]))
        table += bytes((stream, coder))
        put_varint(table, len(data))
        put_varint(table, len(payload))
        payloads.append(payload)
    return b"".join([bytes(table), *payloads])


def _packed(
    stream: Stream, data: bytes, columns: Segments | None, effort: Effort, primer: "Teaching | None"
) -> Iterator[tuple[Coder, bytes]]:
    yield Coder.STORED, data
    if len(data) <= _STORED_BYTES or stream in NOISE:
        return
    if primer is not None and stream in PRIMABLE and len(data) <= PRIMED_BYTES_MAX and primer.has(stream):
        yield Coder.PRIMED, pack_primed(data, primer.get(stream))
        if effort == "max":
            yield Coder.PRIMED_TEXT, primer.learnt(stream).encode(np.frombuffer(data, np.uint8))
    taught = primer.columns(stream) if primer is not None and stream not in TEXT and effort == "max" else None
    if taught is not None:
        yield Coder.PRIMED_RECORDS, taught.encode(data, columns or Segments.one(len(data)))
    if effort == "fast":
        yield Coder.ZSTD, _zstd(3)(data)
        return
    if effort == "max":
        yield from _mixed(stream, data, columns)
    matched = _zstd(9)(data)
    yield Coder.ZSTD, matched
    if stream in TEXT or stream in _TABLES:
        yield Coder.PPMD, _ppmd(_TEXT_ORDER if stream in TEXT else 2)(data)
        return
    if stream == Stream.LINES:
        yield Coder.PPMD, _ppmd(_LINES_ORDER)(data)
    mixed = encode_symbols(data, columns or Segments.one(len(data)))
    yield Coder.SYMBOLS, mixed
    if len(matched) < _REPEATS * len(mixed):
        yield Coder.XZ, _xz(6)(data)


def _mixed(stream: Stream, data: bytes, columns: Segments | None) -> Iterator[tuple[Coder, bytes]]:
    if stream in TEXT or stream == Stream.LINES:
        yield Coder.MIXED_TEXT, encode_text(np.frombuffer(data, np.uint8))
    if stream not in TEXT:
        yield Coder.MIXED_RECORDS, mix_records(data, columns or Segments.one(len(data)))


def _zstd(level: int) -> Packer:
    return Zstd(ZstdParams(level=level)).encode_block


def _ppmd(order: int) -> Packer:
    return Ppmd(PpmdParams(order=order)).encode_block


def _xz(preset: int) -> Packer:
    return Xz(XzParams(preset=preset)).encode_block


def _check_length(streams_bytes: int, length: int) -> None:
    decoded_max = STREAMS_BYTES_PER_BYTE * length + STREAMS_BYTES_FREE
    if streams_bytes > decoded_max:
        raise LimitExceeded(f"streams of a block of {length} bytes claim {streams_bytes}, more than {decoded_max}")


class Unpacked:
    """The streams of a block before they are packed: it can be proved that they give the block back."""

    def __init__(self, streams: Mapping[Stream, bytes], length: int) -> None:
        """Raises LimitExceeded if no decoder would take so much."""
        _check_length(sum(map(len, streams.values())), length)
        self._streams = streams

    def has(self, *streams: Stream) -> bool:
        """Whether any of these streams is there."""
        return any(self._streams.get(stream) for stream in streams)

    def get(self, stream: Stream, columns: Segments | None = None) -> bytes:
        """The bytes of a stream; nothing if it was left out."""
        return self._streams.get(stream, b"")


class Packed:
    """The streams of a block, unpacked when they are asked for."""

    def __init__(self, payload: bytes, at: int, length: int, primer: "Teaching | None" = None) -> None:
        """Read the table at `at`. Raises Truncated, Corrupt or LimitExceeded."""
        self._primer = primer
        self._learnt: dict[Stream, Learnt] = {}
        self._payload = payload
        self._entries: dict[int, tuple[int, int, int, int]] = {}
        count, at = get_varint(payload, at)
        if count > len(Stream):
            raise Corrupt(f"a block has {count} streams; there are {len(Stream)} kinds")
        entries = []
        for _ in range(count):
            if at + 2 > len(payload):
                raise Truncated("the table of streams ends early")
            stream, coder = payload[at], payload[at + 1]
            raw, at = get_varint(payload, at + 2)
            stored, at = get_varint(payload, at)
            entries.append((stream, coder, raw, stored))
        _check_length(sum(entry[2] for entry in entries), length)
        for stream, coder, raw, stored in entries:
            if stream in self._entries or stream >= len(Stream) or coder >= len(Coder):
                raise Corrupt(f"stream {stream} packed by {coder} is unknown or there twice")
            self._entries[stream] = coder, raw, at, stored
            at += stored
        if at != len(payload):
            raise Corrupt(f"streams end at byte {at} of {len(payload)}")

    def has(self, *streams: Stream) -> bool:
        """Whether any of these streams is there."""
        return any(stream in self._entries for stream in streams)

    def learnt(self, stream: Stream) -> Learnt:
        """What the end of a stream teaches: for a primer's streams, which are asked for again and again."""
        if stream not in self._learnt:
            self._learnt[stream] = Learnt(self.get(stream)[-LEARNT_BYTES_MAX:])
        return self._learnt[stream]

    def columns(self, stream: Stream) -> None:
        """None: its columns have other names than those of another block."""

    def get(self, stream: Stream, columns: Segments | None = None) -> bytes:
        """The bytes of a stream; nothing if it was left out. Raises Truncated, Corrupt or LimitExceeded.

        columns  how they fall into columns, if there is more than one
        """
        if stream not in self._entries:
            return b""
        coder, raw, at, stored = self._entries[stream]
        data = self._payload[at : at + stored]
        if coder in (Coder.PRIMED, Coder.PRIMED_TEXT):
            if self._primer is None or stream not in PRIMABLE:
                raise Corrupt(f"stream {stream} needs a primer: the frame names none, or it cannot lean on one")
            if coder == Coder.PRIMED:
                return unpack_primed(data, self._primer.get(stream), raw)
            return self._primer.learnt(stream).decode(data, raw).tobytes()
        if coder == Coder.MIXED_TEXT:
            return decode_text(data, raw).tobytes()
        if coder in (Coder.SYMBOLS, Coder.MIXED_RECORDS, Coder.PRIMED_RECORDS):
            segments = columns or Segments.one(raw)
            if int(segments.at[-1]) != raw:
                raise Corrupt(f"stream {stream} has {raw} bytes, its columns {segments.at[-1]}")
            return self._column_decoder(Coder(coder), stream)(data, raw, segments)
        found = _decoder(Coder(coder)).decode(data, shared=b"", length=raw)
        if len(found) != raw:
            raise Corrupt(f"stream {stream} decodes to {len(found)} bytes, its table says {raw}")
        return found

    def _column_decoder(self, coder: Coder, stream: Stream) -> Callable[[bytes, int, Segments], bytes]:
        if coder != Coder.PRIMED_RECORDS:
            return decode_symbols if coder == Coder.SYMBOLS else unmix_records
        taught = None if self._primer is None else self._primer.columns(stream)
        if taught is None:
            raise Corrupt(f"stream {stream} goes on behind one that no primer has")
        return taught.decode


class Kept:
    """Streams of a block that stay unpacked, for whoever asks for them again and again."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._kept: dict[Stream, bytes] = {}

    def has(self, *streams: Stream) -> bool:
        """Whether any of these streams is there."""
        return self._packed.has(*streams)

    def get(self, stream: Stream, columns: Segments | None = None) -> bytes:
        """As Packed.get."""
        if stream not in self._kept:
            self._kept[stream] = self._packed.get(stream, columns)
        return self._kept[stream]


Streams = Packed | Unpacked | Kept


@cache
def _decoder(coder: Coder) -> Codec:
    made: dict[Coder, Callable[[], Codec]] = {
        Coder.STORED: Stored,
        Coder.ZSTD: Zstd,
        Coder.XZ: Xz,
        Coder.PPMD: Ppmd,
    }
    return made[coder]()


def put_varint(out: bytearray, value: int) -> None:
    """Append LEB128."""
    out += varint(value)


def get_varint(data: bytes, at: int) -> tuple[int, int]:
    """The LEB128 number at `at`, of at most 64 bits, and where it ends. Raises Truncated or Corrupt."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise Truncated("a number ends early")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 and value < 1 << 64:
            return value, at
        shift += 7
        if shift > 63:
            raise Corrupt("a number has more than 64 bits")
