"""Where the frames lie in a Matroska film that keeps them as they are."""

from collections.abc import Iterator
from typing import NamedTuple

from lithify import limits
from lithify.codecs.codec import Source
from lithify.codecs.media.avi_frames import bitmap_layout
from lithify.codecs.media.video_codes import deep_layout, is_size, layout_by_code, say_unknown
from lithify.codecs.media.video_planes import Layout, packed

_HEAD = b"\x1a\x45\xdf\xa3"
_SEGMENT, _TRACKS, _TRACK, _CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675
_GROUP, _BLOCK, _SIMPLE_BLOCK = 0xA0, 0xA1, 0xA3
_NUMBER, _CODEC, _PRIVATE, _ENCODINGS, _VIDEO = 0xD7, 0x86, 0x63A2, 0x6D80, 0xE0
_WIDTH, _HEIGHT, _COLOURS = 0xB0, 0xBA, 0x2EB524
_OPENED = {_SEGMENT, _CLUSTER, _GROUP}
_TRACKS_BYTES_MAX = 1 * limits.MIB
_ELEMENTS_MAX = 1 << 24
_LACED = 0x06
_PIXELS: dict[bytes, tuple[int, tuple[int, ...]]] = {
    b"24BG": (3, (1, 0, 2)),
    b"BGR\x18": (3, (1, 0, 2)),
    b"RGB\x18": (3, (1, 2, 0)),
    b"BGRA": (4, (1, 0, 2)),
}
_PIXELS |= {b"RGBA": (4, (1, 2, 0)), b"RGB\x20": (4, (1, 2, 0)), b"BGR\x20": (4, (1, 0, 2))}
_PLAIN, _WINDOWS = b"V_UNCOMPRESSED", b"V_MS/VFW/FOURCC"
_SEEN_BYTES = 64 * limits.KIB


class _Element(NamedTuple):
    """One of the pieces that lie in one another."""

    name: int
    start: int
    """Of what it holds."""
    end: int


def is_matroska(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head.startswith(_HEAD)


def walk_matroska(source: Source) -> tuple[Layout, Iterator[int]] | None:
    """The layout of the frames of the first track of pictures, and where each begins; None: they are compressed."""
    tracks: list[bytes] = []
    for element in _elements(source, 0, source.length):
        if element.name == _CLUSTER:
            break
        if element.name == _TRACKS:
            data = source.read(element.start, min(element.end - element.start, _TRACKS_BYTES_MAX))
            tracks += _fields(data, _TRACK)
    for track in tracks:
        number = int.from_bytes(next(_fields(track, _NUMBER), b""), "big")
        layout = _layout(track) or _deep(source, track, number)
        if layout is not None:
            return layout, _frames(source, number, layout.length)
    return None


def _deep(source: Source, track: bytes, number: int) -> Layout | None:
    """Of a track of frames that are not compressed, which does not say how they lie."""
    rows, width = _size(track)
    codec = next(_fields(track, _CODEC), b"")
    if codec not in {_PLAIN, _WINDOWS} or next(_fields(track, _ENCODINGS), b"") or not is_size(rows, width):
        return None
    for element in _elements(source, 0, source.length):
        if element.name in {_BLOCK, _SIMPLE_BLOCK}:
            head = source.read(element.start, min(element.end - element.start, _SEEN_BYTES))
            if head[:1] == bytes([0x80 | number & 0x7F]):
                layout = deep_layout(rows, width, element.end - element.start - 4, head[4:])
                if layout is None and codec == _PLAIN:  # the others may well be compressed
                    say_unknown("a Matroska film")
                return layout
    return None


def _size(track: bytes) -> tuple[int, int]:
    video = next(_fields(track, _VIDEO), b"")
    rows, width = (int.from_bytes(next(_fields(video, name), b""), "big") for name in (_HEIGHT, _WIDTH))
    return rows, width


def _frames(source: Source, track: int, frame_bytes: int) -> Iterator[int]:
    for element in _elements(source, 0, source.length):
        if element.name in {_BLOCK, _SIMPLE_BLOCK} and element.end - element.start == frame_bytes + 4:
            head = source.read(element.start, 4)
            if head[0] == 0x80 | track and not head[3] & _LACED:
                yield element.start + 4


def _layout(track: bytes) -> Layout | None:
    codec = next(_fields(track, _CODEC), b"")
    if codec not in {_PLAIN, _WINDOWS} or next(_fields(track, _ENCODINGS), b""):
        return None
    if codec == _WINDOWS:
        return bitmap_layout(next(_fields(track, _PRIVATE), b""))
    rows, width = _size(track)
    colours = next(_fields(next(_fields(track, _VIDEO), b""), _COLOURS), b"")
    if not is_size(rows, width):
        return None
    if colours not in _PIXELS:
        return layout_by_code(colours, rows, width)
    pixel_bytes, places = _PIXELS[colours]
    return packed(rows, width, pixel_bytes, places, pixel_bytes * width)


def _elements(source: Source, at: int, end: int) -> Iterator[_Element]:
    """Every element of a file in order, and what lies in those that hold clusters and blocks."""
    for _ in range(_ELEMENTS_MAX):
        element = _element(source.read(at, 12), at, end)
        if element is None:
            return
        yield element
        at = element.start if element.name in _OPENED else element.end


def _fields(data: bytes, name: int) -> Iterator[bytes]:
    """What elements of a name hold that lie in another."""
    at = 0
    while (element := _element(data[at : at + 12], at, len(data))) is not None:
        if element.name == name:
            yield data[element.start : element.end]
        at = element.end


def _element(head: bytes, at: int, end: int) -> _Element | None:
    """The element whose head this is, at byte `at`; None: there is none. One of unknown length goes on to the end."""
    name_bytes = _width(head[:1], 4)
    size_bytes = _width(head[name_bytes : name_bytes + 1], 8)
    skipped = name_bytes + size_bytes
    if not name_bytes or not size_bytes or len(head) < skipped:
        return None
    name = int.from_bytes(head[:name_bytes], "big")
    most = (1 << 7 * size_bytes) - 1
    size = int.from_bytes(head[name_bytes:skipped], "big") & most
    start = at + skipped
    stop = end if size == most else min(end, start + size)
    return _Element(name, start, stop) if stop >= start else None


def _width(first: bytes, most: int) -> int:
    """How many bytes a number has that begins so; 0: it is none."""
    found = 9 - first[0].bit_length() if first and first[0] else 0
    return found if found <= most else 0
