"""Films made anew by ffmpeg: pictures by a coder, everything else as it is, in a container that players know."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lithify import limits
from lithify.codecs.media.ffmpeg.demuxers import MOVIE, YUV4MPEG
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.codecs.media.ffmpeg.program import Bounds, OnFrames, run, source, target
from lithify.codecs.media.film import Film, look
from lithify.errors import Corrupt

_MATROSKA = "matroska"
_MP4, _QUICKTIME = "mp4", "mov"
_MP4_KINDS = {"video", "audio", "subtitle"}


class Setting(NamedTuple):
    """A coder, and how it is to code."""

    coder: str
    options: dict[str, Any]

    def at(self, quality: int) -> "Setting":
        """The same at a constant rate factor: the higher, the smaller and the worse."""
        return self._replace(options={**self.options, "crf": quality})


@dataclass
class Maker:
    """Makes films of one original."""

    original: bytes
    film: Film
    on_frames: OnFrames | None = None
    _muxers: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, original: bytes, on_frames: OnFrames | None = None) -> "Maker":
        """Raises FidelityBroken, with a sentence, for what is no film that can be made anew."""
        film = look(original)
        return cls(original, film, on_frames, _muxers_for(film, original[8:12]))

    def made(self, setting: Setting, most: int | None = None) -> bytes:
        """The film with its pictures so coded. Raises what `program.run` raises, LimitExceeded beyond `most` bytes."""
        bounds = self._bounds if most is None else Bounds(output_bytes=most)
        errors: list[Corrupt] = []
        for muxer in self._muxers:
            try:
                return self._run(muxer, setting, bounds)
            except Corrupt as error:  # the container may not take a stream: another one may
                errors.append(error)
        raise errors[0]

    def sample(self, start: float, seconds: float) -> bytes:
        """The pictures of a stretch, as they are coded, from the key picture before `start` on."""
        with Memory(self.original) as file, Memory() as out:
            pictures = source(file, ss=start)["v:0"]
            graph = target([pictures], out, _MATROSKA, c="copy", t=seconds, avoid_negative_ts="make_zero")
            run(graph, [file, out], self._bounds)
            return out.read()

    def _run(self, muxer: str, setting: Setting, bounds: Bounds) -> bytes:
        options = {f"{name}:v": value for name, value in setting.options.items()}
        with Memory(self.original) as file, Memory() as out:
            graph = target(
                [source(file)],
                out,
                muxer,
                map="0",
                c="copy",
                **{"c:v": setting.coder, "pix_fmt": self.film.pictures.pixel_format},
                **options,
                fps_mode="passthrough",
                enc_time_base="demux",
                strict="experimental",
            )
            run(graph, [file, out], bounds, self.on_frames)
            return out.read()

    @property
    def _bounds(self) -> Bounds:
        """What is longer than the original is no use to anybody."""
        return Bounds(output_bytes=len(self.original) + limits.FRAME_SLACK_BYTES)


def _muxers_for(film: Film, brand: bytes) -> list[str]:
    """Containers to try, the one most like the original's first."""
    if film.demuxer not in {MOVIE, YUV4MPEG}:
        return [_MATROSKA]
    near = _QUICKTIME if brand == b"qt  " else _MP4
    return [near, _MATROSKA] if set(film.kinds) <= _MP4_KINDS else [_MATROSKA]
