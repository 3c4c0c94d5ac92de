"""A file whose coded chunks were opened: what it would be with plain bytes in their places, and how they are closed.

Chunks of HDF5 are zlib streams, of bytes that were mostly shuffled before (all first bytes of the numbers, then all
second ones). In the plain file they are numbers again, so that arrays can be found in it. The engine of
`../media/deflate` says how each stream was written; the header of zlib is kept, its checksum is reckoned. What other
coders of numbers wrote (`coded.py`) is opened likewise.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8
from lithify.codecs.arrays.coded import NumberCoder
from lithify.codecs.arrays.rows import Rows
from lithify.errors import BadBytes, Corrupt

_HEAD_BYTES, _CHECK_BYTES = 2, 4
_VAIN_MAX = 2
"""How many times the bytes of a file are tried in vain: those of streams that lie apart are at most once."""
BARE = b"\0\0"
"""In the place of a header, which cannot be these."""
_ANY_HEAD = b"\x78\x01"
STREAMS_MAX = 1 << 18
PLAIN_BYTES_MAX = 48 * limits.MIB
"""Of one stream, so that a piece of a file that holds it fits a chunk."""
_LONGER_MAX, _CODED_LONGER_MAX, _SLACK_BYTES = 1.01, 1.51, 1024
"""How much longer than what it says a stream may be, and one of numbers: LZW makes 12 bits of a byte at worst."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a zlib stream lies in a file.

    plain_bytes  what it should hold
    width        bytes of the numbers that were shuffled; 1: they were not
    bare         whether it is a deflate stream without zlib's header and checksum
    coder        who made it, if it is no deflate stream; `width` is then 0
    rows         how its numbers were told, if as differences; `width` is then 1
    """

    offset: int
    length: int
    plain_bytes: int
    width: int
    bare: bool = False
    coder: NumberCoder | None = None
    rows: Rows | None = None

    def turned(self, data: bytes) -> bytes:
        """Numbers, of bytes as they were deflated. Raises Corrupt."""
        return unshuffled(data, self.width) if self.rows is None else self.rows.undone(data)

    def plain_of(self, stored: bytes) -> bytes:
        """What a stream says. Raises Corrupt if that is not what it should hold."""
        if self.coder is not None:
            plain = self.coder.plain_of(stored) or b""
        else:
            bits = -zlib.MAX_WBITS if self.bare else zlib.MAX_WBITS
            try:
                plain = zlib.decompressobj(bits).decompress(stored, self.plain_bytes)
            except zlib.error as error:
                raise Corrupt(f"the stream at byte {self.offset} of the file does not open: {error}") from error
        if len(plain) != self.plain_bytes:
            raise Corrupt(f"the stream at byte {self.offset} of the file says {len(plain)} bytes")
        return plain if self.coder is not None else self.turned(plain)


def coded_place(offset: int, length: int, coder: NumberCoder) -> Place:
    """The place of what a coder of numbers wrote."""
    return Place(offset, length, coder.plain_bytes, 0, coder=coder)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that was opened.

    offset  where it begins in the file; `plain_offset` where its plain bytes do in the plain file
    head    the two bytes of zlib's header; BARE, if it has neither header nor checksum
    coder   who made it, if it is no deflate stream; `width` is then 0, the head BARE
    rows    how its numbers were told, if as differences
    """

    offset: int
    length: int
    plain_offset: int
    plain_bytes: int
    width: int
    head: bytes
    recipe: bytes
    coder: NumberCoder | None = None
    rows: Rows | None = None

    @property
    def place(self) -> Place:
        """Where it lies, and how."""
        if self.coder is not None:
            return coded_place(self.offset, self.length, self.coder)
        return Place(self.offset, self.length, self.plain_bytes, self.width, bare=self.head == BARE, rows=self.rows)

    def closed(self, plain: bytes | bytearray | memoryview) -> bytes:
        """The very stream, of its plain bytes. Raises Corrupt, Truncated, UnknownFormat or LimitExceeded."""
        from lithify.codecs.media.deflate.engine import rebuild

        if self.coder is not None:
            return self.coder.closed(bytes(plain), self.recipe, self.length)
        data = shuffled(bytes(plain), self.width) if self.rows is None else self.rows.done(bytes(plain))
        stream = rebuild(data, self.recipe, length_max=self.length)
        if self.head != BARE:
            stream = self.head + stream + zlib.adler32(data).to_bytes(_CHECK_BYTES, "big")
        if len(stream) != self.length:
            raise Corrupt(f"a deflated chunk of {len(stream)} bytes where {self.length} were expected")
        return stream


@dataclass(frozen=True)
class Inflated:
    """The streams of a file of `length` bytes, in its order, none touching another.

    shut  how many others there are that nobody can open so that they close to the byte, as far as that was tried; and
          those that were not tried, since such ones lie over one another, and too much was tried in vain
    """

    length: int
    streams: tuple[Stream, ...]
    shut: int = field(default=0, compare=False)

    @cached_property
    def plain_length(self) -> int:
        return self.length + sum(stream.plain_bytes - stream.length for stream in self.streams)

    @cached_property
    def begins(self) -> dict[int, int]:
        """Where each stream's plain bytes begin, by where it begins."""
        return {stream.offset: stream.plain_offset for stream in self.streams}

    @cached_property
    def _offsets(self) -> list[int]:
        return [stream.offset for stream in self.streams]

    @cached_property
    def _plain_offsets(self) -> list[int]:
        return [stream.plain_offset for stream in self.streams]

    def stream_at(self, plain_offset: int) -> Stream | None:
        """The stream that says what lies at `plain_offset` of the plain file; None: none does."""
        index = bisect_right(self._plain_offsets, plain_offset) - 1
        stream = self.streams[index] if index >= 0 else None
        return stream if stream is not None and plain_offset < stream.plain_offset + stream.plain_bytes else None

    def stored_at(self, plain_offset: int) -> int:
        """The inverse of `moved`."""
        index = bisect_left(self._plain_offsets, plain_offset) - 1
        if index < 0:
            return plain_offset
        stream = self.streams[index]
        return plain_offset - stream.plain_offset - stream.plain_bytes + stream.offset + stream.length

    def between(self, start: int, stop: int) -> tuple[Stream, ...]:
        """The streams that lie from `start` to `stop` of the file."""
        return self.streams[bisect_left(self._offsets, start) : bisect_left(self._offsets, stop)]

    def moved(self, offset: int) -> int:
        """Where what lies at `offset` of the file, outside of streams or where one begins, lies in the plain file."""
        index = bisect_left(self._offsets, offset)
        if not index:
            return offset
        stream = self.streams[index - 1]
        return stream.plain_offset + stream.plain_bytes + offset - stream.offset - stream.length

    def closed(self, plain: bytes | bytearray, *, without: frozenset[int] = frozenset()) -> bytes:
        """The file, of the plain one; zeros for the streams that begin at an offset in `without`."""
        pieces, at = [], 0
        view = memoryview(plain)
        for stream in self.streams:
            pieces.append(view[at : stream.plain_offset])
            at = stream.plain_offset + stream.plain_bytes
            kept = stream.offset not in without
            pieces.append(memoryview(stream.closed(view[stream.plain_offset : at]) if kept else bytes(stream.length)))
        return b"".join([*pieces, view[at:]])


def presumed(places: Sequence[Place], length: int) -> Inflated:
    """What a file of `length` bytes would be if all its streams could be opened: none is; their recipes are empty."""
    streams: list[Stream] = []
    at, plain_at = 0, 0
    for place in sorted(places, key=lambda one: one.offset):
        end = place.offset + place.length
        if not _is_likely(place) or place.offset < at or end > length:
            continue
        plain_at += place.offset - at
        streams.append(
            Stream(
                place.offset,
                place.length,
                plain_at,
                place.plain_bytes,
                place.width,
                BARE if place.bare or place.coder is not None else _ANY_HEAD,
                b"",
                place.coder,
                place.rows,
            )
        )
        at, plain_at = end, plain_at + place.plain_bytes
    return Inflated(length, tuple(streams))


def _is_likely(place: Place) -> bool:
    """Whether its lengths are those of a stream that a writer made, and a chunk has room for it."""
    most = place.plain_bytes * (_LONGER_MAX if place.coder is None else _CODED_LONGER_MAX) + _SLACK_BYTES
    told = place.rows is None or place.rows.is_possible(place.plain_bytes)
    return told and 0 < place.length <= most and 0 < place.plain_bytes <= PLAIN_BYTES_MAX


def inflate(data: bytes, places: Sequence[Place]) -> tuple[bytes, Inflated]:
    """The plain file, and its streams: those of `places` that can be opened, as far as a chunk has room for them."""
    streams: list[Stream] = []
    pieces: list[bytes] = []
    at, plain_at, hint, shut = 0, 0, None, 0
    patience = _VAIN_MAX * len(data)
    room = limits.CHUNK_BYTES_MAX - len(data)
    for place in sorted(places, key=lambda one: one.offset)[:STREAMS_MAX]:
        end = place.offset + place.length
        if place.offset < at or end > len(data) or place.plain_bytes - place.length > room:
            continue
        if place.length > patience:
            shut += 1
            continue
        opened = _opened(data[place.offset : end], place, hint)
        if opened is None:
            shut += 1
            patience -= place.length
            continue
        hint = opened.hint
        room -= place.plain_bytes - place.length
        pieces += [data[at : place.offset], opened.plain]
        plain_at += place.offset - at
        sizes = (place.offset, place.length, plain_at, place.plain_bytes, place.width)
        streams.append(Stream(*sizes, opened.head, opened.recipe, place.coder, place.rows))
        at, plain_at = end, plain_at + place.plain_bytes
    return b"".join([*pieces, data[at:]]), Inflated(len(data), tuple(streams), shut)


class _Opened(NamedTuple):
    """What a stream says, as the plain file has it, and how it was said; a hint for the next one."""

    plain: bytes
    head: bytes
    recipe: bytes
    hint: int | None


def _opened(stored: bytes, place: Place, hint: int | None) -> _Opened | None:
    """A stream; None if it cannot be closed again, or does not hold what it should."""
    from lithify.codecs.media.deflate.engine import open_stream

    if place.coder is not None:
        try:
            found = place.coder.opened(stored)
        except BadBytes:
            found = None
        return None if found is None else _Opened(found[0], BARE, found[1], hint)
    head, body = (BARE, stored) if place.bare else (stored[:_HEAD_BYTES], stored[_HEAD_BYTES:-_CHECK_BYTES])
    opened = None if not place.bare and head == BARE else open_stream(body, plain_max=place.plain_bytes, hint=hint)
    if opened is None or opened.end != len(body) or not _is_right(stored, opened.plain, place):
        return None
    return _Opened(place.turned(opened.plain), head, opened.recipe, opened.method)


def _is_right(stored: bytes, plain: bytes, place: Place) -> bool:
    """Whether a stream holds what it should, and its checksum is that of it."""
    check = zlib.adler32(plain).to_bytes(_CHECK_BYTES, "big")
    return len(plain) == place.plain_bytes and (place.bare or stored.endswith(check))


def shuffled(data: bytes, width: int) -> bytes:
    """All first bytes of numbers of `width` bytes, then all second ones; what is left over stays at the end."""
    if width == 1:
        return data
    whole = len(data) // width * width
    numbers: U8 = np.frombuffer(data, np.uint8, whole)
    return numbers.reshape(-1, width).T.tobytes() + data[whole:]


def unshuffled(data: bytes, width: int) -> bytes:
    """What was shuffled."""
    if width == 1:
        return data
    whole = len(data) // width * width
    numbers: U8 = np.frombuffer(data, np.uint8, whole)
    return numbers.reshape(width, -1).T.tobytes() + data[whole:]
