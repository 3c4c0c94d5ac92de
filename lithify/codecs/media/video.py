"""Moving pictures: frames that are not compressed by a coder of moving pictures; all else by the general codecs.

Under a looser contract films are made anew, and the new film is what comes back: chunks of it, as they are.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from lithify import limits
from lithify.codecs.codec import ChunkSink, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.fidelity import Contract, kept_contract
from lithify.codecs.media import general
from lithify.codecs.media.ffmpeg.demuxers import HEAD_BYTES, YUV4MPEG, demuxer_of
from lithify.codecs.media.video_frames import NOTHING, Group, Video, find_video, grouped
from lithify.codecs.media.video_payload import Frames, pack_stretch, unpack_stretch
from lithify.codecs.media.video_planes import Layout
from lithify.codecs.media.whole_file import EffortParams, SelfContained
from lithify.codecs.reasons import give_reason
from lithify.codecs.signs import tell
from lithify.errors import BadBytes, FidelityBroken, Truncated

_FRAMES: dict[Effort, int] = {"fast": 32, "default": 48, "max": 256}
"""Of a chunk: a range read decodes whole chunks, and each begins without knowing the one before it."""
_SMALL_BYTES = 1 * limits.MIB
"""Chunks have as many frames more as fit this: each costs the start of an encoder."""
_PEAK_BYTES = 512 * limits.MIB
_PEAK_BYTES_PER_BYTE = 12
_TASTE_BYTES = 512 * limits.KIB
_BLOCK_BYTES = 8 * limits.MIB
_FILM_BYTES_PER_SECOND, _RAW_TIMES_FASTER = 150e3, 20
_ROWS_MIN = 16
_GUESSED_RATIO = 2.5
_FURTHER_ON = 1.3
"""A taste has a frame or two; of many, the later ones are told by those before them."""


@dataclass(frozen=True)
class VideoParams(EffortParams):
    """How hard to try, and what may differ, spelled as a contract."""

    contract: str = "exact"

    def __post_init__(self) -> None:
        EffortParams.__post_init__(self)
        kept_contract(self.contract)


class MovingPictures(SelfContained):
    """A payload is some frames and what lies around them (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="video",
        format=Format(0x0506, 1, 0),
        contracts=frozenset({"exact", "content", "floor"}),
        kinds=frozenset({"video"}),
        needs=("media",),
        seams="whole",
        papers=("ITU-T H.264, advanced video coding", "RFC 9043, FFV1 video coding format"),
    )
    params_type: ClassVar[type[Params]] = VideoParams
    holds = "moving pictures"

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> VideoParams:
        return VideoParams(effort)

    @classmethod
    def params_keeping(cls, params: Params, contract: Contract) -> VideoParams:
        """`params` for a contract looser than exact, which the codec has among its `contracts`."""
        return replace(cast("VideoParams", params), contract=str(contract))

    @classmethod
    def measure(cls, original: bytes, decoded: bytes, contract: Contract) -> Mapping[str, Any]:
        """Pictures, and what was measured of them: means and what one of a hundred pictures is below."""
        from lithify.codecs.media.film_measured import measured

        return measured(original, decoded, contract)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode what there is of the first frames, or of the brightness of the first one."""
        seen = sample if length <= len(sample) else sample[: len(sample) // 3]
        video = find_video(_Glimpse(sample, length))
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

    @classmethod
    def probe_keeping(cls, sample: bytes, length: int, effort: Effort, contract: Contract) -> Estimate | None:
        """A guess where a film may be made anew: only doing so tells."""
        demuxer = demuxer_of(sample[:HEAD_BYTES])
        if demuxer is None or length > limits.FILM_BYTES_MAX:
            return cls.probe(sample, length, effort)
        speed = _FILM_BYTES_PER_SECOND * (_RAW_TIMES_FASTER if demuxer == YUV4MPEG else 1)
        return Estimate(
            ratio=_GUESSED_RATIO,
            encode_bytes_per_second=speed,
            decode_bytes_per_second=limits.GIB,
            peak_memory_bytes=_PEAK_BYTES + 4 * length,
            confidence=0.1,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """A chunk of some frames after another, and blocks of what lies between; or a film made anew, in blocks."""
        video = find_video(source)
        if self._contract.kind != "exact":
            try:
                film = self._made_anew(source)
            except (BadBytes, FidelityBroken) as error:
                if video is None:
                    raise
                give_reason(error.message)
            else:
                for at in range(0, len(film), _BLOCK_BYTES):
                    block = film[at : at + _BLOCK_BYTES]
                    sink.chunk(bytes([general.STORED]) + block, block)
                return
        groups = self._groups(video, source.length)
        for group in groups:
            data = source.read(group.start, group.end - group.start)
            if len(data) != group.end - group.start:
                raise Truncated(f"source ends at byte {group.start + len(data)}, its length is {source.length}")
            sink.chunk(_packed(data, group, video, self._effort), data)

    def _groups(self, video: Video | None, length: int) -> Iterator[Group]:
        if video is None:
            return grouped(Video(NOTHING, iter(())), length, 1)
        return grouped(video, length, max(_FRAMES[self._effort], _SMALL_BYTES // video.layout.length))

    @property
    def _contract(self) -> Contract:
        return Contract.parse(cast("VideoParams", self.params).contract)

    def _made_anew(self, source: Source) -> bytes:
        from lithify.codecs.media.film_content import film_of_same_content
        from lithify.codecs.media.film_floor import film_at_floor

        if source.length > limits.FILM_BYTES_MAX:
            raise FidelityBroken(f"films of more than {limits.FILM_BYTES_MAX // limits.MIB} MiB are not made anew")
        data = source.read(0, source.length)
        if self._contract.kind == "content":
            return film_of_same_content(data, self._effort)
        return film_at_floor(data, self._contract, self._effort, lambda part: tell(int(part * len(data))))

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return unpack_stretch(payload, length)


class _Glimpse:
    """What is known of a file of which only a sample is at hand: its beginning, its end and something between."""

    def __init__(self, sample: bytes, length: int) -> None:
        self.length = length
        piece = len(sample) if length <= len(sample) else len(sample) // 3
        self._pieces = {0: sample[:piece], length - piece: sample[len(sample) - piece :]}

    def read(self, offset: int, length: int) -> bytes:
        for start, piece in self._pieces.items():
            if start <= offset < start + len(piece):
                return piece[offset - start : offset - start + length]
        return b""


def _packed(data: bytes, group: Group, video: Video | None, effort: Effort) -> bytes:
    frames = Frames(video.layout, group.frames) if video is not None and group.frames else None
    return pack_stretch(data, frames, effort)


def _in_order(first: int, video: Video, end: int) -> tuple[int, ...]:
    """Where frames begin, from the first on, as long as each lies behind the one before and ends before `end`."""
    frames, length = [first], video.layout.length
    for at in video.starts:
        if not frames[-1] + length <= at <= end - length:
            break
        frames.append(at)
    return tuple(frames)


def _tasted(sample: bytes, video: Video, first: int, effort: Effort) -> tuple[float, int]:
    """What the file is expected to become smaller by, and how many bytes were tried for that."""
    layout = video.layout
    frames = _in_order(first, video, min(len(sample), _TASTE_BYTES))
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
