"""What a film says of itself: its streams and what is written beside them. Nothing but its first picture is decoded."""

import io
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from lithify import limits
from lithify.codecs.media.fence import fenced
from lithify.codecs.media.ffmpeg.demuxers import HEAD_BYTES, demuxer_of
from lithify.codecs.media.libav import libav
from lithify.errors import FidelityBroken, LimitExceeded

_FULL_RANGE, _LIMITED_RANGE = 2, 1
_DEFAULT = 1
"""The bit of a disposition that says which of several streams is to be played."""
_OF_THE_MUXER = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration", "software",
    "number_of_bytes", "number_of_frames", "bps", "isft", "_statistics_tags", "_statistics_writing_app",
    "_statistics_writing_date_utc",
}  # fmt: skip
"""Tags by which a program names itself, or counts what it has written."""


class Pictures(NamedTuple):
    """Of the one stream of pictures."""

    codec: str
    width: int
    height: int
    pixel_format: str
    bits: int
    """Of a sample."""
    colours: tuple[int, ...]
    """Range, primaries, transfer and matrix, by their numbers in ITU-T H.273; range 2 is full."""
    aspect: Fraction
    """Of a pixel; 1 where nothing is said."""
    rotation: int
    interlaced: bool
    rate: Fraction


class Film(NamedTuple):
    """A film with one stream of pictures."""

    demuxer: str
    pictures: Pictures
    streams: tuple[tuple[Any, ...], ...]
    """Kind, codec (of all but pictures), disposition and tags of each."""
    tags: Mapping[str, str]
    chapters: tuple[tuple[Any, ...], ...]
    seconds: float
    """How long it says it is; 0 where it does not say."""
    told_pictures: int
    """Of pictures, as it says; 0 where it does not say."""

    @property
    def kinds(self) -> list[str]:
        return [str(stream[0]) for stream in self.streams]


def look(data: bytes) -> Film:
    """The film that a file is. Raises FidelityBroken, with a sentence, for what cannot be made anew."""
    demuxer = demuxer_of(data[:HEAD_BYTES])
    if demuxer is None:
        raise FidelityBroken("its first bytes are those of no film that can be made anew")
    av = libav()
    options = {"protocol_whitelist": "fd", "format_whitelist": demuxer}
    opened = partial(av.open, io.BytesIO(data), format=demuxer, options=options, metadata_errors="replace")
    with fenced("a film", opened) as container:
        return fenced("a film", lambda: _read(container, demuxer))


def _read(container: Any, demuxer: str) -> Film:
    streams = list(container.streams)
    if len(streams) > limits.FILM_STREAMS_MAX:
        raise LimitExceeded(f"a film has {len(streams)} streams, at most {limits.FILM_STREAMS_MAX} can be")
    video, kinds = container.streams.video, [stream.type for stream in streams]
    if len(video) != 1:
        raise FidelityBroken(f"it has {len(video)} streams of pictures; only films with one are made anew")
    return Film(
        demuxer=demuxer,
        pictures=_pictures(container, video[0]),
        streams=tuple(_stream(stream, alone=kinds.count(stream.type) == 1) for stream in streams),
        tags=_own_tags(container.metadata),
        chapters=tuple(_chapter(chapter) for chapter in container.chapters()),
        seconds=(container.duration or 0) / 1e6,
        told_pictures=video[0].frames or 0,
    )


def _pictures(container: Any, stream: Any) -> Pictures:
    context = stream.codec_context
    if context.width * context.height > limits.FILM_PIXELS_MAX:
        raise LimitExceeded(f"pictures of {context.width} × {context.height}; {limits.FILM_PIXELS_MAX} pixels can be")
    context.options = {"max_pixels": str(limits.FILM_PIXELS_MAX)}
    first = next(container.decode(stream), None)
    if first is None:
        raise FidelityBroken("it has no picture that decodes")
    name = str(first.format.name)
    is_rgb = bool(first.format.is_rgb)  # whatever is said or not said, those are of full range, and of no matrix
    full = is_rgb or name.startswith("yuvj") or first.color_range == _FULL_RANGE
    colours = (context.color_primaries, context.color_trc, 0 if is_rgb else context.colorspace)
    return Pictures(
        codec=str(context.codec.canonical_name),
        width=int(first.width),
        height=int(first.height),
        pixel_format=name.replace("yuvj", "yuv"),
        bits=max(int(part.bits) for part in first.format.components),
        colours=(_FULL_RANGE if full else _LIMITED_RANGE, *map(int, colours)),
        aspect=stream.sample_aspect_ratio or Fraction(1),
        rotation=int(first.rotation),
        interlaced=bool(first.interlaced_frame),
        rate=stream.average_rate or Fraction(25),
    )


def _stream(stream: Any, *, alone: bool) -> tuple[Any, ...]:
    """`alone`: whether it is the only one of its kind. That it is the one to be played then goes without saying."""
    codec = (
        "" if stream.type == "video" or stream.codec_context is None else str(stream.codec_context.codec.canonical_name)
    )
    tags = tuple(sorted(_own_tags(stream.metadata).items()))
    return str(stream.type), codec, int(stream.disposition) & (~_DEFAULT if alone else -1), tags


def _chapter(chapter: Mapping[str, Any]) -> tuple[Any, ...]:
    unit = Fraction(chapter["time_base"])
    milliseconds = (round(1000 * unit * chapter[end]) for end in ("start", "end"))
    return (*milliseconds, tuple(sorted(_own_tags(chapter["metadata"]).items())))


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that say something of the film; names in small letters, as containers spell them in ways of their own."""
    named = {name.lower(): value for name, value in tags.items()}
    own = {name: value for name, value in named.items() if name not in _OF_THE_MUXER}
    return {name: value for name, value in own.items() if (name, value) != ("language", "und")}
