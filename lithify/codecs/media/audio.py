"""Sound that is not compressed: the samples by a coder of our own, what stands around them by the general codecs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from lithify import limits
from lithify.codecs.codec import EFFORTS, ChunkSink, Codec, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, varint
from lithify.codecs.media.sound import decode_frames, encode_frames
from lithify.codecs.media.sound_files import Kind, Layout, find_sound
from lithify.codecs.media.sound_guess import guess_sound
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded, Truncated

_SOUND = 0x10
"""First byte of a payload of samples; below it stand the methods of `general`."""
_GROUP_BYTES: dict[Effort, int] = {"fast": 4 * limits.MIB, "default": 4 * limits.MIB, "max": 16 * limits.MIB}
_TASTE_BYTES = 64 * limits.KIB
_AROUND_BYTES_MAX = limits.MIB
"""What stands before or behind the samples goes with the first or the last group, if it is no longer."""
_GENERAL_TASTE = 1.02
_PEAK_BYTES = 256 * limits.MIB
_PEAK_BYTES_PER_BYTE = 40


@dataclass(frozen=True)
class AudioParams(Params):
    """How hard to try, and how many bytes of samples are coded at a time."""

    effort: str = "default"
    group_bytes: int = _GROUP_BYTES["default"]

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")
        if not 0 < self.group_bytes <= limits.SOUND_GROUP_BYTES_MAX:
            raise LimitExceeded(f"group_bytes is {self.group_bytes}; the limit is {limits.SOUND_GROUP_BYTES_MAX}")


@dataclass(frozen=True)
class _Group:
    """Some bytes of the file: samples from `start` to `end`, and what stands before and behind them."""

    data: bytes
    start: int
    end: int


class Audio(Codec):
    """A payload is a group of frames with what stands around them (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="audio",
        format=Format(0x0502, 1, 0),
        kinds=frozenset({"audio"}),
        exact_because="sound comes back to the sample: no figure says of what it lost whether anybody would hear it",
        kernels=True,
        falls_back=True,
        papers=(
            "Huang et al., Lossless Audio Coding Based on the RLS-LMS Predictors, ICASSP 2006 (MPEG-4 ALS)",
            "Mahoney, Adaptive Weighing of Context Models for Lossless Data Compression, TR CS-2005-16",
        ),
    )
    params_type: ClassVar[type[Params]] = AudioParams

    @property
    def _own(self) -> AudioParams:
        return cast("AudioParams", self.params)

    @property
    def _effort(self) -> Effort:
        return cast("Effort", self._own.effort)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> AudioParams:
        return AudioParams(effort, _GROUP_BYTES[effort])

    def decoder_params(self) -> bytes:
        """Nothing: payloads say all."""
        return b""

    @classmethod
    def warm(cls) -> None:
        """One channel and two, each way: the kernel has one set of types."""
        for channels in (1, 2):
            data = bytes(range(0, 240, 5)) * channels
            packed = encode_frames(data, Kind.S16LE, channels, "fast")
            assert packed is not None, "a little is never too long"
            decode_frames(Fields(packed), len(data))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode some frames from the beginning, and decode them again."""
        layout = find_sound(sample, length) or _guessed(sample[: limits.PROBE_BYTES // 3], length)
        if layout is None or layout.end - layout.start < length // 2:
            return None
        end = min(layout.end, len(sample), layout.start + _TASTE_BYTES)
        frames = (end - layout.start) // layout.frame_bytes * layout.frame_bytes
        if frames <= 0:
            return None
        piece = sample[layout.start : layout.start + frames]
        started = time.perf_counter()
        packed = encode_frames(piece, layout.kind, layout.channels, "fast") or piece
        encoded = time.perf_counter() - started
        return Estimate(
            ratio=len(piece) / len(packed),
            encode_bytes_per_second=len(piece) / encoded / (1 if effort == "fast" else 2.5),
            decode_bytes_per_second=len(piece) / encoded / (1 if effort == "fast" else 2),
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * _GROUP_BYTES[effort],
            confidence=0.5 + 0.5 * len(piece) / length,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk per group."""
        if not source.length:
            return
        data = source.read(0, source.length)
        if len(data) != source.length:
            raise Truncated(f"source ends at byte {len(data)}, its length is {source.length}")
        layout = find_sound(data) or guess_sound(data)
        if layout is None:
            give_reason("no samples were found in it: it is kept as any other file")
        for group in _groups(data, layout, self._own.group_bytes):
            sink.chunk(self._encode_group(group, layout), group.data)

    def encode_group(self, data: bytes) -> bytes:
        """The smallest payload of a whole file of at least one byte."""
        layout = find_sound(data) or guess_sound(data)
        group = _Group(data, layout.start, layout.end) if layout else _Group(data, 0, 0)
        return self._encode_group(group, layout)

    def _encode_group(self, group: _Group, layout: Layout | None) -> bytes:
        """Samples are compared with what the general codecs make of a piece of them; only if that is close, of all."""
        data, start, end = group.data, group.start, group.end
        if layout is None or not 0 < end - start <= limits.SOUND_GROUP_BYTES_MAX:
            return general.pack(data, self._effort)
        packed = encode_frames(data[start:end], layout.kind, layout.channels, self._effort)
        if packed is None:
            return general.pack(data, self._effort)
        around = data[:start] + data[end:]
        head = bytes([_SOUND]) + varint(start) + varint(len(data) - end)
        payload = head + varint(len(packed)) + packed + (general.pack(around, self._effort) if around else b"")
        return min([payload, *self._general(data, len(payload))], key=len)

    def _general(self, data: bytes, length: int) -> Iterator[bytes]:
        """What the general codecs make of it, where a piece from the middle says that they may do better."""
        middle = max(0, (len(data) - _TASTE_BYTES) // 2)
        piece = data[middle : middle + _TASTE_BYTES]
        if len(general.pack(piece, "fast" if self._effort == "fast" else "default")) * len(data) < (
            _GENERAL_TASTE * length * len(piece)
        ):
            yield general.pack(data, self._effort)

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"sound has no use for {len(shared)} shared bytes")
        if not payload:
            raise Truncated("a payload of sound has no bytes")
        if payload[0] != _SOUND:
            return general.unpack(payload, length)
        fields = Fields(payload[1:])
        start = fields.number(length, "the bytes before the samples")
        behind = fields.number(length - start, "the bytes behind the samples")
        sound_bytes = length - start - behind
        if sound_bytes > limits.SOUND_GROUP_BYTES_MAX:
            raise LimitExceeded(f"{sound_bytes} bytes of samples; the limit is {limits.SOUND_GROUP_BYTES_MAX}")
        inner = Fields(fields.piece("the samples"))
        sound = decode_frames(inner, sound_bytes)
        inner.end()
        around = general.unpack(fields.rest(), start + behind) if start + behind else b""
        fields.end()
        return around[:start] + sound + around[start:]


def _guessed(beginning: bytes, length: int) -> Layout | None:
    """What the beginning of a file of `length` bytes without a head looks like."""
    layout = guess_sound(beginning)
    return layout and layout._replace(end=length)


def _groups(data: bytes, layout: Layout | None, group_bytes: int) -> Iterator[_Group]:
    """Cut a file: between frames, as few groups as can be, of about equal length."""
    if layout is None or max(layout.start, len(data) - layout.end) > _AROUND_BYTES_MAX:
        yield _Group(data, 0, 0)
        return
    frames = (layout.end - layout.start) // layout.frame_bytes
    parts = max(1, -(-frames // max(1, group_bytes // layout.frame_bytes)))
    cuts = [layout.start + frames * i // parts * layout.frame_bytes for i in range(parts + 1)]
    for number in range(parts):
        begin = 0 if number == 0 else cuts[number]
        finish = len(data) if number == parts - 1 else cuts[number + 1]
        yield _Group(data[begin:finish], cuts[number] - begin, cuts[number + 1] - begin)
