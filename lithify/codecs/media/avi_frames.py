"""Where the frames lie in an AVI that keeps them as they are."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from lithify import limits
from lithify.codecs.codec import Source
from lithify.codecs.media.video_codes import is_size, layout_by_code, say_unknown
from lithify.codecs.media.video_planes import Layout, packed

_HEAD_BYTES_MAX = 1 * limits.MIB
_LISTS = (b"RIFF", b"LIST")
_DEPTH_MAX = 8
_CHUNKS_MAX = 1 << 24
_BITMAP = struct.Struct("<IiiHHI")


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


def is_avi(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def walk_avi(source: Source) -> tuple[Layout, Iterator[int]] | None:
    """The layout of the frames of the first stream of pictures, and where each begins; None: they are compressed."""
    head = source.read(0, _HEAD_BYTES_MAX)
    at, stream = 12, 0
    while (at := head.find(b"strh", at)) >= 0:
        if head[at + 8 : at + 12] == b"vids":
            form = head.find(b"strf", at)
            layout = bitmap_layout(head[form + 8 : form + 48]) if form >= 0 else None
            return None if layout is None else (layout, _frames(source, stream, layout.length))
        at, stream = at + 4, stream + 1
    return None


def bitmap_layout(bitmap: bytes) -> Layout | None:
    """Of the frames that a BITMAPINFOHEADER describes."""
    if len(bitmap) < _BITMAP.size:
        return None
    _, width, height, _, bits, compression = _BITMAP.unpack_from(bitmap)
    if not is_size(abs(height), width):
        return None
    return layout_by_code(bitmap[16:20], abs(height), width) if compression else _bitmap(width, height, bits)


def _bitmap(width: int, height: int, bits: int) -> Layout | None:
    """Blue, green and red of each pixel; rows have a multiple of four bytes, and the last comes first."""
    rows = abs(height)
    stride = -(-width * bits // 32) * 4
    if bits not in {8, 24, 32}:
        say_unknown(f"{bits} bits a pixel")
        return None
    return packed(rows, width, bits // 8, (0,) if bits == 8 else (1, 0, 2), -stride if height > 0 else stride)


def _frames(source: Source, stream: int, frame_bytes: int) -> Iterator[int]:
    names = {b"%02d%s" % (stream, kind) for kind in (b"db", b"dc")}
    for chunk in _chunks(source, 0, source.length, 0):
        if chunk.name in names and chunk.size >= frame_bytes and chunk.start + frame_bytes <= source.length:
            yield chunk.start


def _chunks(source: Source, at: int, end: int, depth: int) -> Iterator[_Chunk]:
    """Every chunk from `at` on that is no list, in order."""
    for _ in range(_CHUNKS_MAX):
        head = source.read(at, 8)
        if len(head) < 8 or at + 8 > end:
            return
        size = int.from_bytes(head[4:], "little")
        if head[:4] in _LISTS and depth < _DEPTH_MAX:
            yield from _chunks(source, at + 12, min(end, at + 8 + size), depth + 1)
        else:
            yield _Chunk(head[:4], at + 8, size)
        at += 8 + size + size % 2
