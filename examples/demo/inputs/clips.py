"""A short film in H.264: a flight into the Mandelbrot set, with a game of life in the corner and a tone beside it."""

from collections.abc import Iterator
from pathlib import Path

import ffmpeg

from examples.demo.inputs.ffmpeg import ffmpeg_program

_SECONDS = 8


def write_clips(folder: Path) -> Iterator[Path]:
    """`flight.mp4`: 640 × 360, 25 frames a second, with sound."""
    path = folder / "flight.mp4"
    flight = ffmpeg.input("mandelbrot=size=640x360:rate=25:end_scale=0.01", f="lavfi", t=_SECONDS)
    life = ffmpeg.input("life=size=80x45:rate=25:mold=20:life_color=white:seed=9", f="lavfi", t=_SECONDS)
    tone = ffmpeg.input("sine=frequency=220:beep_factor=3", f="lavfi", t=_SECONDS)
    corner = life.filter("scale", 160, 90, flags="neighbor")
    picture = flight.filter("hue", h="20*t").overlay(corner, x=464, y=16)
    ffmpeg.output(
        picture, tone, str(path), vcodec="libx264", crf=23, preset="veryfast", pix_fmt="yuv420p", acodec="aac"
    ).run(cmd=ffmpeg_program(), quiet=True)
    yield path
