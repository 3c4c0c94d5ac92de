"""Where the images of a GIF lie, and what is said of them (GIF89a, Compuserve 1990).

The same walk reads a file, and what is left of one whose image data were taken out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURES = b"GIF87a", b"GIF89a"
_SCREEN = struct.Struct("<6xHHBBB")
_IMAGE = struct.Struct("<xHHHHB")
_TABLE, _TABLE_SIZE, _INTERLACED = 0x80, 0x07, 0x40
_EXTENSION, _IMAGE_SIGN, _CONTROL = 0x21, 0x2C, 0xF9
_CONTROL_BYTES = 4
_PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))
LEFT_ALONE, CLEARED, TAKEN_BACK = 1, 2, 3
"""What becomes of an image before the next: it stays; its place is cleared; what was there before comes back."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image, and where its data belong."""

    left: int
    top: int
    width: int
    height: int
    interlaced: bool
    depth: int
    """Bits of a name, as its data say."""
    palette: bytes
    """Three bytes a colour; empty if there is none."""
    transparent: int
    """The name that leaves what was there; -1: none."""
    disposal: int
    start: int
    """Where its blocks of data begin."""
    end: int
    """Behind the block of no bytes that ends them; `start` if they were taken out."""

    def rows(self) -> list[int]:
        """The rows in the order of the data."""
        if not self.interlaced:
            return list(range(self.height))
        return [row for first, step in _PASSES for row in range(first, self.height, step)]


def screen_of(data: bytes) -> tuple[int, int]:
    """Height and width of the whole; nothing where there is no head."""
    if len(data) < _SCREEN.size:
        return 0, 0
    width, height, _, _, _ = _SCREEN.unpack_from(data)
    return height, width


def images(data: bytes, taken: Iterator[bool] | None = None) -> Iterator[Image]:
    """The images in order, as far as the file can be read; `taken` says of each whether its data were taken out."""
    if not data.startswith(SIGNATURES) or len(data) < _SCREEN.size:
        return
    flags = _SCREEN.unpack_from(data)[2]
    common, at = _palette(data, _SCREEN.size, flags)
    transparent, disposal = -1, 0
    while at < len(data):
        if data[at] == _EXTENSION and at + 1 < len(data):
            end = _blocks_end(data, at + 2)
            if end is None:
                return
            if data[at + 1] == _CONTROL and data[at + 2] == _CONTROL_BYTES and end == at + 4 + _CONTROL_BYTES:
                bits = data[at + 3]
                transparent, disposal = data[at + 6] if bits & 1 else -1, bits >> 2 & 7
            at = end
            continue
        if data[at] != _IMAGE_SIGN or at + _IMAGE.size >= len(data):
            return
        left, top, width, height, flags = _IMAGE.unpack_from(data, at)
        own, start = _palette(data, at + _IMAGE.size, flags)
        if start >= len(data):
            return
        depth, start = data[start], start + 1
        end = start if taken is not None and next(taken, False) else _blocks_end(data, start)
        if end is None:
            return
        yield Image(
            left, top, width, height, bool(flags & _INTERLACED), depth, own or common, transparent, disposal, start, end
        )
        transparent, disposal = -1, 0
        at = end


def blocks_of(data: bytes, image: Image) -> tuple[bytes, list[int]]:
    """An image's data, and the lengths of the blocks they lie in."""
    at, parts = image.start, []
    while data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts), list(map(len, parts))


def in_blocks(data: bytes, lengths: list[int]) -> bytes:
    """Data in blocks of these lengths, and the one of no bytes."""
    parts, at = [], 0
    for length in lengths:
        parts.append(bytes([length]) + data[at : at + length])
        at += length
    return b"".join(parts) + b"\0"


def usual_blocks(length: int) -> list[int]:
    """All as long as blocks can be, but the last."""
    return [255] * (length // 255) + [length % 255] * bool(length % 255)


def _palette(data: bytes, at: int, flags: int) -> tuple[bytes, int]:
    """The colours that may stand at `at`, and where the next thing does."""
    if not flags & _TABLE:
        return b"", at
    end = at + (6 << (flags & _TABLE_SIZE))
    return data[at:end], end


def _blocks_end(data: bytes, at: int) -> int | None:
    """Behind the block of no bytes; None: there is none."""
    while at < len(data):
        if data[at] == 0:
            return at + 1
        at += 1 + data[at]
    return None
