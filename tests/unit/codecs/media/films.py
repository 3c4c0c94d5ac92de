"""Films for tests: pictures that drift, a tone beside them, a title."""

import io
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from tests.unit.codecs.media.clips import drift

TITLE = "the north face"


@cache
def film(
    codec: str = "libx264",
    container: str = "mp4",
    *,
    frames: int = 24,
    height: int = 64,
    width: int = 96,
    pixel_format: str = "yuv420p",
    options: tuple[tuple[str, str], ...] = (("crf", "8"), ("preset", "veryfast")),
    sound: str | None = "aac",
    pictures: int = 1,
) -> bytes:
    """A film of some frames at 25 a second."""
    out = io.BytesIO()
    rules = {"allow_raw_vfw": "1"} if container == "matroska" else {}
    with av.open(out, "w", format=container, container_options=rules) as made:
        made.metadata["title"] = TITLE
        videos: list[Any] = [made.add_stream(codec, rate=25, options=dict(options)) for _ in range(pictures)]
        for video in videos:
            video.width, video.height, video.pix_fmt = width, height, pixel_format
        audio: Any = made.add_stream(sound, rate=44_100) if sound else None
        for number, luma in enumerate(drift(frames, height, width)):
            frame = av.VideoFrame.from_ndarray(np.stack([luma, luma[::-1], 255 - luma], axis=-1), format="rgb24")
            for video in videos:
                shown = frame.reformat(format=pixel_format)
                shown.pts, shown.time_base = number, Fraction(1, 25)
                made.mux(video.encode(shown))
        for video in videos:
            made.mux(video.encode(None))
        if audio is not None:
            made.mux(_tone(audio, frames))
    return out.getvalue()


def _tone(audio: Any, frames: int) -> list[Any]:
    wave = (8000 * np.sin(np.arange(1024 * (frames * 44_100 // 25 // 1024)) / 9)).astype(np.int16)
    packets: list[Any] = []
    for number, block in enumerate(wave.reshape(-1, 1, 1024)):
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44_100, 1024 * number, Fraction(1, 44_100)
        packets += audio.encode(frame)
    return [*packets, *audio.encode(None)]


def raw_films(frames: int = 2) -> tuple[bytes, ...]:
    """QuickTime and Matroska that keep their frames as they are, with sound between them."""
    kinds = (("mov", "rgb24"), ("mov", "uyvy422"), ("matroska", "yuv420p"), ("matroska", "yuyv422"))
    return tuple(
        film(
            "rawvideo", container, frames=frames, height=16, width=18, pixel_format=form, options=(), sound="pcm_s16le"
        )
        for container, form in kinds
    )
