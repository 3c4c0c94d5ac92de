"""A PNG as its chunks: what its image data say, how they were cut, and everything else, with checksums left out.

A checksum is left out because it follows from its chunk; a file in which one does not is none of ours.
"""

import zlib
from dataclasses import dataclass
from typing import NamedTuple

from lithify.codecs.media.fields import Fields, piece, varint
from lithify.errors import Corrupt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR, _IDAT, _IEND, _ANIMATED, _PALETTE, _TRANSPARENCY = b"IHDR", b"IDAT", b"IEND", b"acTL", b"PLTE", b"tRNS"
_CHUNKS_MAX = 65_536
_HEADER_BYTES = 13
_CHUNK_BYTES_MAX = (1 << 31) - 1

Chunk = tuple[bytes, bytes]
"""Its name and its data."""


class Header(NamedTuple):
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def channels(self) -> int:
        return {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[self.colour]


@dataclass(frozen=True)
class Png:
    """A file in parts."""

    before: list[Chunk]
    """The chunks before the image data."""
    image: bytes
    """The image data of all IDAT chunks: one zlib stream."""
    cuts: list[int]
    """Bytes of each IDAT chunk."""
    after: list[Chunk]
    """The chunks behind the image data, with IEND."""
    tail: bytes
    """What stands behind IEND."""

    @property
    def header(self) -> Header | None:
        """What IHDR says, if it says something sound."""
        name, data = self.before[0] if self.before else (b"", b"")
        if name != _IHDR or len(data) != _HEADER_BYTES:
            return None
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (0, 4))
        depth, colour, packing, filtering, interlace = data[8:]
        depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.get(colour, ())
        sound = depth in depths and not packing and not filtering and interlace <= 1 and width and height
        return Header(width, height, depth, colour, bool(interlace)) if sound else None

    def palette(self) -> bytes | None:
        """The colours of a palette as red, green, blue, opacity; None if there is none, or it names one twice."""
        named = dict(reversed(self.before))
        colours, opacity = named.get(_PALETTE, b""), named.get(_TRANSPARENCY, b"")
        count = len(colours) // 3
        made = [colours[3 * i : 3 * i + 3] + (opacity[i : i + 1] or b"\xff") for i in range(count)]
        return b"".join(made) if made and len(set(made)) == count else None


def take_png_apart(data: bytes) -> Png | None:
    """None: it is no PNG, or one that would not come back from its parts, or an animated one."""
    if not data.startswith(SIGNATURE):
        return None
    before: list[Chunk] = []
    image: list[bytes] = []
    after: list[Chunk] = []
    at = len(SIGNATURE)
    for _ in range(_CHUNKS_MAX):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body, end = data[at + 8 : at + 8 + size], at + 12 + size
        if end > len(data) or data[end - 4 : end] != _checksum(name, body) or name == _ANIMATED:
            return None
        if name == _IDAT:
            if after:
                return None
            image.append(body)
        else:
            (after if image else before).append((name, body))
        at = end
        if name == _IEND:
            return Png(before, b"".join(image), [len(one) for one in image], after, data[at:])
    return None


def put_png_together(png: Png) -> bytes:
    """The file again."""
    out, at = [SIGNATURE, *(_chunk(*one) for one in png.before)], 0
    for size in png.cuts:
        out.append(_chunk(_IDAT, png.image[at : at + size]))
        at += size
    return b"".join([*out, *(_chunk(*one) for one in png.after), png.tail])


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + _checksum(name, body)


def _checksum(name: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(name)).to_bytes(4, "big")


# --- all but the image data, as bytes ---------------------------------------------------------------------


def write_rest(png: Png) -> bytes:
    """Everything but the image data."""
    return b"".join([_write_chunks(png.before), _write_cuts(png.cuts), _write_chunks(png.after), png.tail])


def read_rest(data: bytes, length: int) -> Png:
    """What `write_rest` wrote, for a file of `length` bytes. Raises Truncated, Corrupt, LimitExceeded."""
    fields = Fields(data)
    before = _read_chunks(fields)
    cuts = _read_cuts(fields, length)
    after = _read_chunks(fields)
    return Png(before, b"", cuts, after, fields.rest())


def _write_chunks(chunks: list[Chunk]) -> bytes:
    return varint(len(chunks)) + b"".join(name + piece(body) for name, body in chunks)


def _read_chunks(fields: Fields) -> list[Chunk]:
    count = fields.number(_CHUNKS_MAX, "the number of chunks")
    return [(fields.take(4), fields.piece("a chunk")) for _ in range(count)]


def _write_cuts(cuts: list[int]) -> bytes:
    """How many there are, and how long: all but the last equal, or each told."""
    if all(cut == cuts[0] for cut in cuts[:-1]) and cuts[-1] <= cuts[0]:
        return varint(len(cuts)) + b"\0" + varint(cuts[0]) + varint(cuts[-1])
    return varint(len(cuts)) + b"\1" + b"".join(map(varint, cuts))


def _read_cuts(fields: Fields, length: int) -> list[int]:
    count, each = fields.number(_CHUNKS_MAX, "the number of image chunks"), fields.byte()
    if not count or each > 1:
        raise Corrupt("image data are cut into no chunks, or in a way that does not exist")
    if each:
        cuts = [fields.number(length, "the length of an image chunk") for _ in range(count)]
    else:
        size, last = (fields.number(length, "the length of an image chunk") for _ in range(2))
        cuts = [size] * (count - 1) + [last]
    if sum(cuts) > length:
        raise Corrupt(f"image data of {sum(cuts)} bytes in a file of {length}")
    return cuts
