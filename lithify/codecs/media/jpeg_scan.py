"""Where the JPEGs of a file lie, and which of their segments say nothing about the picture.

A file holds one after another (a camera's preview behind its photograph), or one inside another (the thumbnail in the
Exif segment). Only the structure is read: whether the picture itself is sound, its coder will tell.
"""

import re
from typing import NamedTuple

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
_MARKER = 0xFF
_START = b"\xff\xd8\xff"
_APPLICATION = range(0xE0, 0xF0)
_RESTARTS = range(0xD0, 0xD8)
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive, all Huffman: what the coders know."""
_DEPTH_MAX = 2
_PIECES_MAX = 4096
"""Of runs in one file; a film of single pictures may have more, and the rest is kept as it is."""
_PATIENCE = 4
"""What looks like a JPEG and is none is read in vain; so often the length of the file is read so at most."""


class Run(NamedTuple):
    """Some bytes of the file, in order: `stream` 0 is the rest, others are numbered JPEGs."""

    stream: int
    length: int


class Segment(NamedTuple):
    """A marker, and where it and what belongs to it stand."""

    marker: int
    start: int
    end: int


class Found(NamedTuple):
    """What a file is made of."""

    runs: list[Run]
    streams: list[bytes]
    """The rest, then each JPEG without its foreign segments."""


class _Builder:
    def __init__(self, data: bytes, *, strip: bool) -> None:
        self._data, self.strip = data, strip
        self.patience = _PATIENCE * len(data)
        self.runs: list[Run] = []
        self.streams: list[bytearray] = [bytearray()]

    def new_stream(self) -> int:
        self.streams.append(bytearray())
        return len(self.streams) - 1

    def add(self, stream: int, start: int, end: int) -> None:
        if start == end:
            return
        self.streams[stream] += self._data[start:end]
        if self.runs and self.runs[-1].stream == stream:
            self.runs[-1] = Run(stream, self.runs[-1].length + end - start)
        else:
            self.runs.append(Run(stream, end - start))


def find_jpegs(data: bytes, *, strip: bool = True) -> Found:
    """Take a file apart. What is no JPEG of a known kind from SOI to EOI (or to the end of `data`) is in the rest.

    strip  whether segments that say nothing about the picture are, too, and the JPEGs inside them are looked for
    """
    builder = _Builder(data, strip=strip)
    _take_apart(data, 0, len(data), builder, 0)
    return Found(builder.runs, [bytes(stream) for stream in builder.streams])


def put_together(runs: list[Run], streams: list[bytes]) -> bytes:
    """The file of which `find_jpegs` made these. Each run must lie in its stream."""
    places = [0] * len(streams)
    out = []
    for stream, length in runs:
        out.append(streams[stream][places[stream] : places[stream] + length])
        places[stream] += length
    return b"".join(out)


def _take_apart(data: bytes, start: int, end: int, builder: _Builder, depth: int) -> None:
    """Distribute the bytes from `start` to `end`."""
    at = start
    while len(builder.runs) < _PIECES_MAX and builder.patience >= 0:
        begin = data.find(_START, at, end)
        if begin < 0:
            break
        segments = segments_of(data, begin, end)
        if not _is_jpeg(data, segments, end):
            builder.patience -= segments[-1].end - begin
            builder.add(0, at, begin + 1)
            at = begin + 1
            continue
        builder.add(0, at, begin)
        _distribute(data, segments, builder, depth)
        at = segments[-1].end
    builder.add(0, at, end)


def _distribute(data: bytes, segments: list[Segment], builder: _Builder, depth: int) -> None:
    stream = builder.new_stream()
    for marker, start, end in segments:
        if not builder.strip or (marker not in _APPLICATION and marker != COM):
            builder.add(stream, start, end)
        elif depth + 1 < _DEPTH_MAX:
            _take_apart(data, start, end, builder, depth + 1)
        else:
            builder.add(0, start, end)


def segments_of(data: bytes, begin: int, end: int) -> list[Segment]:
    """Those of the JPEG that may be at `begin`, that of a scan with its data, as far as they are sound."""
    found = [Segment(SOI, begin, begin + 2)]
    while found[-1].marker != EOI and (segment := _segment(data, found[-1].end, end)) is not None:
        found.append(segment)
    return found


def _is_jpeg(data: bytes, segments: list[Segment], end: int) -> bool:
    """Whether these are a picture of a known kind, up to its EOI or to the end."""
    frames = [data[one.start + 4 : one.end] for one in segments if one.marker in _FRAMES]
    is_known = len(frames) == 1 and _is_frame(frames[0]) and any(one.marker == SOS for one in segments)
    return is_known and (segments[-1].marker == EOI or segments[-1].end == end)


def _segment(data: bytes, at: int, end: int) -> Segment | None:
    """The segment at `at`."""
    marker = data[at + 1] if at + 1 < end and data[at] == _MARKER else 0
    if marker == EOI:
        return Segment(EOI, at, at + 2)
    stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if marker in {0x00, _MARKER, SOI} or marker in _RESTARTS or stop < at + 4 or stop > end:
        return None
    return Segment(marker, at, _end_of_scan(data, stop, end) if marker == SOS else stop)


def _is_frame(body: bytes) -> bool:
    """Whether a frame header is of 8 bits a sample, has an area, and one to four components."""
    return len(body) >= 6 and body[0] == 8 and any(body[1:3]) and any(body[3:5]) and 1 <= body[5] <= 4


def _end_of_scan(data: bytes, at: int, end: int) -> int:
    """Where the next marker is that is neither a stuffed byte nor a restart."""
    marker = _MARKER_IN_SCAN.search(data, at, end)
    return marker.start() if marker else end
