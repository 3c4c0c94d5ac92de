"""Where an original has something inside: deflate streams, JPEGs, and members that a zip file keeps as they are.

One walk from the first byte to the last, by the signatures that stand before such things. What was found is never
looked into by this walk again, so that nothing overlaps and the work is bounded; what lies in it is looked at by
whoever keeps it.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lithify import limits
from lithify.codecs.media.containers.tar import is_tar, members
from lithify.codecs.media.deflate.engine import OpenedStream, open_stream
from lithify.codecs.media.deflate.inflate import measure

NO_TRAILER, ADLER, GZIP = 0, 1, 2
"""What follows a stream and can be told from its plain bytes: nothing; zlib's checksum; gzip's checksum and length."""
TRAILER_BYTES = {NO_TRAILER: 0, ADLER: 4, GZIP: 8}
_STREAM_BYTES_MIN, _PLAIN_BYTES_MIN = 16, 24
"""Shorter streams cost as much to tell of as they win."""
_MEMBER_BYTES_MIN = 64
_GARBAGE = 8
"""Bytes looked at in vain, as a multiple of the original's, before the walk ends."""
_GARBAGE_BASE = limits.MIB
_SIGN_COST = 512
"""As what every sign of something counts that is none."""
_NAME_BYTES_MAX = 4 * limits.KIB

_SIGNS = re.compile(rb"PK\x03\x04|\x1f\x8b\x08|stream\r?\n|\x78[\x01\x5e\x9c\xda]")
_LOCAL_HEADER = struct.Struct("<6xHH8xIIHH")
_ENCRYPTED, _LATER = 1, 8
_FEXTRA, _FNAME, _FCOMMENT, _FHCRC, _FRESERVED = 4, 8, 16, 2, 0xE0
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Found:
    """Something inside, from `start` to `end` (a trailer that can be told included)."""

    start: int
    end: int
    opened: OpenedStream | None = None
    """None: bytes as they are."""
    trailer: int = NO_TRAILER


def trailer_of(plain: bytes, trailer: int) -> bytes:
    """What follows the stream of `plain`."""
    if trailer == ADLER:
        return zlib.adler32(plain).to_bytes(4, "big")
    if trailer == GZIP:
        return zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")
    return b""


class Walk:
    """One walk over an original; `plain_left` is how many plain bytes it may open."""

    def __init__(self, data: bytes, plain_left: int) -> None:
        self.data = data
        self.plain_left = plain_left
        self.garbage_left = _GARBAGE_BASE + _GARBAGE * len(data)
        self.closed: list[int] = []
        """Bytes of each stream that stays as it is: no known way of deflating comes near to it."""
        self.beyond = 0
        """Streams whose plain bytes are more than may be opened."""
        self._hint: int | None = None

    def found(self) -> Iterator[Found]:
        """What is inside, in order: the members of a tar archive, looked into one by one later; or streams."""
        if is_tar(self.data):
            yield from (Found(start, end) for start, end in members(self.data))
            return
        at = 0
        while self.garbage_left > 0:
            sign = _SIGNS.search(self.data, at)
            if sign is None:
                return
            found, at = self._behind(sign)
            if found is not None:
                yield found
            else:
                self.garbage_left -= _SIGN_COST

    def _behind(self, sign: re.Match[bytes]) -> tuple[Found | None, int]:
        """What stands behind a signature, and where to go on."""
        first = sign[0][0]
        on = sign.start() + 1
        if first == ord("P"):
            return self._member(sign.start(), on)
        if first == 0x1F:
            start = gzip_stream(self.data, sign.start())
            return self.stream(start, on, (GZIP,)) if start else (None, on)
        if first == ord("s"):
            return self._in_document(sign.end(), on)
        return self.stream(sign.end(), on, (ADLER,))

    def _in_document(self, at: int, on: int) -> tuple[Found | None, int]:
        """A PDF's stream that begins at `at`."""
        if self.data.startswith(_JPEG, at):
            end = self.data.find(b"endstream", at)
            if end > at:
                return Found(at, end), end
            self.garbage_left -= len(self.data) - at
            return None, on
        if _is_zlib(self.data[at : at + 2]):
            return self.stream(at + 2, on, (ADLER,))
        return None, on

    def _member(self, at: int, on: int) -> tuple[Found | None, int]:
        """A zip file's member."""
        header = local_header(self.data, at)
        if header is None or header.flags & _ENCRYPTED or header.start >= len(self.data):
            return None, on
        if header.method == zlib.DEFLATED:
            return self.stream(header.start, on, ())
        is_told = header.stored == header.plain and not header.flags & _LATER
        if header.method == 0 and is_told and header.stored >= _MEMBER_BYTES_MIN:
            end = header.start + header.stored
            return (Found(header.start, end), end) if end <= len(self.data) else (None, on)
        return None, on

    def stream(self, start: int, on: int, trailers: tuple[int, ...]) -> tuple[Found | None, int]:
        """The deflate stream that begins at `start`, if one does."""
        measured = measure(self.data, start, plain_max=self.plain_left)
        if not measured.whole:
            self.beyond += measured.beyond
            self.garbage_left -= measured.end - start
            return None, on
        if measured.end - start < _STREAM_BYTES_MIN or measured.plain < _PLAIN_BYTES_MIN:
            return None, measured.end
        opened = open_stream(self.data, start, plain_max=self.plain_left, hint=self._hint)
        if opened is None:
            self.closed.append(measured.end - start)
            return None, measured.end
        self._hint = opened.method
        self.plain_left -= len(opened.plain)
        for trailer in trailers:
            if self.data.startswith(trailer_of(opened.plain, trailer), opened.end):
                end = opened.end + TRAILER_BYTES[trailer]
                return Found(start, end, opened, trailer), end
        return Found(start, opened.end, opened), opened.end


class LocalHeader(NamedTuple):
    """What stands before a member of a zip file."""

    flags: int
    method: int
    stored: int
    """Bytes of the member, and below those it had before it was deflated; 0 where both are told later."""
    plain: int
    name: bytes
    start: int
    """Of the member."""


def local_header(data: bytes, at: int) -> LocalHeader | None:
    """The header that begins at `at`; None: it is cut off."""
    behind = at + _LOCAL_HEADER.size
    if behind > len(data):
        return None
    flags, method, stored, plain, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(data, at)
    name = data[behind : behind + name_bytes]
    return LocalHeader(flags, method, stored, plain, name, behind + name_bytes + extra_bytes)


def _is_zlib(head: bytes) -> bool:
    """Whether a zlib stream may begin so: deflate, a window that there is, no dictionary, and the check."""
    if len(head) < 2:
        return False
    method, flags = head
    return method & 15 == 8 and method >> 4 <= 7 and not flags & 0x20 and (method << 8 | flags) % 31 == 0


def gzip_stream(data: bytes, at: int) -> int:
    """Where the deflate stream of a gzip member begins whose header begins at `at`; 0: it is none, or cut off there."""
    _, start = gzip_header(data, at)
    return start if start < len(data) else 0


def gzip_header(data: bytes, at: int) -> tuple[bytes, int]:
    """The name in the header of a gzip member that begins at `at`, and where it ends; 0: it is none."""
    flags = data[at + 3] if at + 3 < len(data) else _FRESERVED
    if flags & _FRESERVED:
        return b"", 0
    on, name = at + 10, b""
    if flags & _FEXTRA:
        on += 2 + int.from_bytes(data[on : on + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            end = data.find(b"\0", on, on + _NAME_BYTES_MAX)
            if end < 0:
                return b"", 0
            name = data[on:end] if flag == _FNAME else name
            on = end + 1
    return name, on + 2 * bool(flags & _FHCRC)
