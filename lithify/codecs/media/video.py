"""Moving pictures: frames that are not compressed by a coder of moving pictures; all else by the general codecs."""

import time
from collections.abc import Iterator
from typing import ClassVar

from lithify import limits
from lithify.codecs.codec import ChunkSink, Effort, Estimate, Facts, Format, Source
from lithify.codecs.media.video_frames import NOTHING, Group, Video, find_video, grouped
from lithify.codecs.media.video_payload import Frames, pack_stretch, unpack_stretch
from lithify.codecs.media.video_planes import Layout
from lithify.codecs.media.whole_file import SelfContained
from lithify.errors import Truncated

_FRAMES: dict[Effort, int] = {"fast": 32, "default": 48, "max": 256}
"""Of a chunk, at most: a range read decodes whole chunks, and each begins without knowing the one before it."""
_PEAK_BYTES = 512 * limits.MIB
_PEAK_BYTES_PER_BYTE = 12
_TASTE_BYTES = 512 * limits.KIB
_ROWS_MIN = 16
_GUESSED_RATIO = 2.5
_FURTHER_ON = 1.3
"""A taste has a frame or two; of many, the later ones are told by those before them."""


class MovingPictures(SelfContained):
    """A payload is some frames and what lies around them (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="video",
        format=Format(0x0506, 1, 0),
        kinds=frozenset({"video"}),
        needs=("media",),
        seams="own",
        papers=("ITU-T H.264, advanced video coding", "RFC 9043, FFV1 video coding format"),
    )
    holds = "moving pictures"

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode what there is of the first frames, or of the brightness of the first one."""
        seen = sample if length <= len(sample) else sample[: limits.PROBE_BYTES // 3]
        video = find_video(_Beginning(seen, length))
        first = None if video is None else next(video.starts, None)
        if video is None or first is None:
            return None
        started = time.perf_counter()
        ratio, taken = _tasted(seen, video, first, effort)
        speed = max(taken, 1) / (time.perf_counter() - started)
        return Estimate(
            ratio=ratio,
            encode_bytes_per_second=speed / 2,
            decode_bytes_per_second=2 * speed,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * min(length, limits.CHUNK_BYTES_MAX),
            confidence=0.3,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """A chunk of some frames after another; blocks of what lies between."""
        video = find_video(source)
        groups = grouped(video, source.length, _FRAMES[self._effort]) if video else _no_frames(source.length)
        for group in groups:
            data = source.read(group.start, group.end - group.start)
            if len(data) != group.end - group.start:
                raise Truncated(f"source ends at byte {group.start + len(data)}, its length is {source.length}")
            sink.chunk(_packed(data, group, video, self._effort), data)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return unpack_stretch(payload, length)


class _Beginning:
    """What is known of a file of which only the beginning is at hand."""

    def __init__(self, data: bytes, length: int) -> None:
        self._data, self.length = data, length

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def _no_frames(length: int) -> Iterator[Group]:
    return grouped(Video(NOTHING, iter(())), length, 1)


def _packed(data: bytes, group: Group, video: Video | None, effort: Effort) -> bytes:
    frames = Frames(video.layout, group.frames) if video is not None and group.frames else None
    return pack_stretch(data, frames, effort)


def _tasted(sample: bytes, video: Video, first: int, effort: Effort) -> tuple[float, int]:
    """What the file is expected to become smaller by, and how many bytes were tried for that."""
    layout = video.layout
    frames = (first, *(at for at in video.starts if at + layout.length <= min(len(sample), _TASTE_BYTES)))
    if first + layout.length <= len(sample):
        stretch = sample[: frames[-1] + layout.length]
        return len(stretch) / len(pack_stretch(stretch, Frames(layout, frames), effort)), len(stretch)
    brightness = layout.grids[0]
    rows = (min(len(sample), _TASTE_BYTES) - first - brightness.start) // max(1, brightness.stride)
    if brightness.stride < 0 or rows < _ROWS_MIN:
        return _GUESSED_RATIO, _TASTE_BYTES
    grid = brightness._replace(rows=min(rows, brightness.rows))
    cut = Layout(grid.start + grid.rows * grid.stride, layout.octets, (grid,))
    stretch = sample[first : first + cut.length]
    packed = pack_stretch(stretch, Frames(cut, (0,)), effort)
    return _FURTHER_ON * len(stretch) / len(packed), len(stretch)
