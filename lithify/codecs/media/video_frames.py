"""Where the frames lie in files of moving pictures that are not compressed, and how a frame is made of planes.

Y4M, AVI, QuickTime and Matroska with plain frames, and raw video whose size is guessed. Only enough of each format is
read to find them; a file that says nonsense has none. A file of any length is walked through in bounded memory.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lithify import limits
from lithify.codecs.codec import Source
from lithify.codecs.media.avi_frames import is_avi, walk_avi
from lithify.codecs.media.matroska_frames import is_matroska, walk_matroska
from lithify.codecs.media.movie_frames import is_movie, walk_movie
from lithify.codecs.media.pixel_files import FRAME_LINE_BYTES_MAX, frame_line_end, y4m_head
from lithify.codecs.media.video_guess import LOOKED_AT_BYTES, guess_planes
from lithify.codecs.media.video_planes import Layout, planar

_HEAD_BYTES = 64 * limits.KIB
_FRAME_BYTES_MIN = 128
_TAIL_BYTES_MAX = 1 * limits.MIB
_REST_BYTES = 8 * limits.MIB
"""Of a stretch without frames that is kept as one chunk."""


class Group(NamedTuple):
    """A stretch of a file that is kept as one chunk."""

    start: int
    end: int
    frames: tuple[int, ...]
    """Where each frame begins, counted from `start`; none: there are no frames here."""


class Video(NamedTuple):
    """The frames of a file: all of one layout."""

    layout: Layout
    starts: Iterator[int]
    """Where each frame begins, in order; they do not overlap."""


NOTHING = Layout(1, 1, ())
"""Of a file that has no frames."""


def find_video(source: Source) -> Video | None:
    """The frames of a file; None: it is no video that is not compressed, as far as can be seen."""
    head = source.read(0, _HEAD_BYTES)
    if (y4m := y4m_head(head)) is not None:
        layout = planar(y4m.planes, y4m.octets)
        return _sound(layout, _y4m_starts(source, y4m.end, layout.length))
    if is_avi(head):
        found = walk_avi(source)
        return None if found is None else _sound(*found)
    for knows, walk in ((is_movie, walk_movie), (is_matroska, walk_matroska)):
        if knows(head):
            found = walk(source)
            return None if found is None else _sound(*found)
    planes = guess_planes(source.read(0, LOOKED_AT_BYTES), source.length)
    if not planes:
        return None
    layout = planar(planes, 1)
    return _sound(layout, iter(range(0, source.length, layout.length)))


def _sound(layout: Layout, starts: Iterator[int]) -> Video | None:
    """Unless frames are nearly nothing, or larger than a chunk can be."""
    return Video(layout, starts) if layout.is_sound() and layout.length >= _FRAME_BYTES_MIN else None


def _y4m_starts(source: Source, at: int, frame_bytes: int) -> Iterator[int]:
    while (behind := frame_line_end(source.read(at, FRAME_LINE_BYTES_MAX), 0)) is not None:
        if at + behind + frame_bytes > source.length:
            return
        yield at + behind
        at += behind + frame_bytes


def grouped(video: Video, length: int, frames_max: int) -> Iterator[Group]:
    """A file of `length` bytes in stretches of at most `frames_max` frames and as many bytes as a chunk may have."""
    start, frames, end = 0, list[int](), 0
    for at in video.starts:
        stop = at + video.layout.length
        if at < end or stop > length:
            break
        if frames and (len(frames) == frames_max or stop - start > limits.CHUNK_BYTES_MAX):
            yield Group(start, end, tuple(frames))
            start, frames = end, []
        if not frames and stop - start > limits.CHUNK_BYTES_MAX:
            yield from _without_frames(start, at)
            start = at
        frames.append(at - start)
        end = stop
    if frames and length - start <= limits.CHUNK_BYTES_MAX and length - end <= _TAIL_BYTES_MAX:
        end = length
    if frames:
        yield Group(start, end, tuple(frames))
    yield from _without_frames(end if frames else start, length)


def _without_frames(start: int, end: int) -> Iterator[Group]:
    for at in range(start, end, _REST_BYTES):
        yield Group(at, min(end, at + _REST_BYTES), ())
