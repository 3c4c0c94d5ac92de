"""A deflate stream of any length in pieces of some whole blocks, each of which can be opened and closed by itself.

A piece is made a stream of its own: the 32 KiB of plain bytes before it as a stored block, then its blocks, moved to
where a byte begins, the last of them marked as the last. Whoever writes it again takes all that back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lithify import limits
from lithify.codecs.codec import Source
from lithify.errors import Corrupt

if TYPE_CHECKING:
    from lithify.codecs.media.deflate.engine import OpenedStream

WINDOW = 32 * limits.KIB
"""As far as a match reaches back."""
_HEAD_BYTES = 5
"""Of a stored block."""


@dataclass(frozen=True, slots=True)
class Seam:
    """What a piece of a stream needs beside its plain bytes and its recipe to become bytes of the original again."""

    offset: int
    """Bits of its first byte that belong to the piece before it: that byte is then in its chunk."""
    unused: int
    """Bits of its own stream's last byte that are none of its."""
    last_block: int | None
    """The bit at which the last block of its own stream begins; None: it is the last in the original too."""
    tail: int
    """What else is in the last byte, at its place in that byte: of the next piece, or nothing in particular."""
    before: int
    """Plain bytes that are the piece's before it."""

    @property
    def shown(self) -> int:
        """Bytes of its own stream before its blocks."""
        return _HEAD_BYTES + self.before if self.before else 0


@dataclass(frozen=True, slots=True)
class StreamPiece:
    """Some blocks of a stream, opened."""

    start: int
    end: int
    """The bytes of the original that are its chunk's."""
    opened: "OpenedStream"
    seam: Seam

    @property
    def final(self) -> bool:
        return self.seam.last_block is None


def pieces_of_stream(source: Source, start: int, plain_bytes: int) -> Iterator[StreamPiece]:
    """The pieces of the stream at byte `start`, of about so many plain bytes each, as far as there are any."""
    from lithify.codecs.media.deflate.engine import open_stream
    from lithify.codecs.media.deflate.inflate import reached

    bit, before, hint = 8 * start, b"", None
    while True:
        at, offset = bit >> 3, bit & 7
        window = source.read(at, plain_bytes + WINDOW)
        shown = _stored(before)
        data = shown + _moved_down(window, offset)
        found = reached(data, plain_max=len(before) + plain_bytes)
        blocks_end = found.end - 8 * len(shown)
        if blocks_end <= 0 or found.plain <= len(before):
            return
        own = _ended(data, found.begin, found.end)
        opened = open_stream(own, plain_max=found.plain, hint=hint)
        if opened is None or opened.end != len(own):
            return
        hint, bit = opened.method, bit + blocks_end
        end = -(-bit // 8)
        tail = window[end - 1 - at] >> (bit & 7) << (bit & 7) if bit & 7 else 0
        seam = Seam(offset, -found.end & 7, None if found.final else found.begin, tail, len(before))
        yield StreamPiece(at + (offset > 0), end, opened, seam)
        if found.final:
            return
        before = opened.plain[-WINDOW:]


def closed_piece(stream: bytes, plain: bytes, seam: Seam) -> bytes:
    """The bytes of a piece's chunk, from its own stream. Raises Corrupt if that is none of such a piece."""
    shown = _stored(plain[: seam.before])
    if not stream.startswith(shown) or len(stream) <= len(shown):
        raise Corrupt(f"a piece of a stream does not begin with the {seam.before} bytes before it")
    own = bytearray(stream)
    if seam.last_block is not None:
        at, mark = seam.last_block >> 3, 1 << (seam.last_block & 7)
        if not len(shown) <= at < len(own) or not own[at] & mark:
            raise Corrupt(f"no last block of a piece begins at bit {seam.last_block}")
        own[at] ^= mark
    bits = 8 * (len(own) - len(shown)) - seam.unused + seam.offset
    moved = _moved_up(bytes(own[len(shown) :]), seam.offset)[: -(-bits // 8)]
    used = bits & 7
    if seam.tail & ((1 << used) - 1) or (seam.tail and not used):
        raise Corrupt("what stands behind a piece of a stream lies over it")
    out = bytearray(moved)
    if used:
        out[-1] = out[-1] & ((1 << used) - 1) | seam.tail
    return bytes(out[seam.offset > 0 :])


def _stored(plain: bytes) -> bytes:
    """A block of bytes as they are; nothing for none."""
    if not plain:
        return b""
    length = len(plain)
    return b"\0" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + plain


def _ended(data: bytes, begin: int, end: int) -> bytes:
    """The stream up to bit `end`, its last block, which begins at bit `begin`, marked as the last."""
    own = bytearray(data[: -(-end // 8)])
    own[begin >> 3] |= 1 << (begin & 7)
    if end & 7:
        own[-1] &= (1 << (end & 7)) - 1
    return bytes(own)


def _moved_down(data: bytes, bits: int) -> bytes:
    """Without the lowest bits of the first byte."""
    if not bits:
        return data
    octets = np.frombuffer(data, np.uint8)
    out = octets >> bits
    out[:-1] |= octets[1:] << (8 - bits)
    return out.tobytes()


def _moved_up(data: bytes, bits: int) -> bytes:
    """With so many zeros before the lowest bit of the first byte; a byte longer."""
    if not bits:
        return data
    octets = np.frombuffer(data + b"\0", np.uint8)
    out = octets << bits
    out[1:] |= octets[:-1] >> (8 - bits)
    return out.tobytes()
