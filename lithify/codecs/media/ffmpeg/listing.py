"""Everything in a film, one line a packet: pictures as they decode, all other packets as they are, by their digests.

Two films hold the same when their listings say so. Made by ffmpeg's muxer `framehash`.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from lithify import limits
from lithify.codecs.codec import Buffer
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.codecs.media.ffmpeg.program import Bounds, OnFrames, run, source, target
from lithify.errors import Corrupt, LimitExceeded

_FACT = re.compile(r"#(\w+) (\d+): (.*)")
_LINE_BYTES = 160


class Packet(NamedTuple):
    """Of a film: a decoded picture, or what another stream has for one moment."""

    shown: Fraction
    """In seconds."""
    length: int
    digest: str


class Stream(NamedTuple):
    """Of a film."""

    facts: dict[str, str]
    """What ffmpeg calls its `media_type`, `codec_id`, `dimensions`, `sar`, `extradata` and others."""
    packets: list[Packet]

    @property
    def is_video(self) -> bool:
        return self.facts.get("media_type") == "video"


def listing(film: Buffer, on_frames: OnFrames | None = None) -> list[Stream]:
    """The streams of a film. Raises Corrupt if it is none or does not decode, LimitExceeded if it is too long."""
    with Memory(film) as file, Memory() as out:
        options = {"map": "0", "c": "copy", "c:v": "rawvideo", "fps_mode": "passthrough", "enc_time_base": "demux"}
        graph = target([source(file, xerror=None)], out, "framehash", hash="md5", **options)
        run(graph, [file, out], Bounds(output_bytes=limits.FILM_FRAMES_MAX * _LINE_BYTES), on_frames)
        return _read(out.read().decode("ascii", "replace"))


def _read(text: str) -> list[Stream]:
    facts: dict[int, dict[str, str]] = {}
    packets: dict[int, list[Packet]] = {}
    for count, line in enumerate(text.splitlines()):
        if count > limits.FILM_FRAMES_MAX:
            raise LimitExceeded(f"a film has more than {limits.FILM_FRAMES_MAX} packets")
        if found := _FACT.fullmatch(line):
            facts.setdefault(int(found[2]), {})[found[1]] = found[3].strip()
        elif line and not line.startswith("#"):
            stream, packet = _packet(line, facts)
            packets.setdefault(stream, []).append(packet)
    return [Stream(told, packets.get(number, [])) for number, told in sorted(facts.items())]


def _packet(line: str, facts: dict[int, dict[str, str]]) -> tuple[int, Packet]:
    """From a line: stream, when it is decoded and shown, how long, its length, its digest."""
    try:
        stream, _, shown, _, length, digest, *_ = (word.strip() for word in line.split(","))
        unit = Fraction(facts[int(stream)]["tb"])
        return int(stream), Packet(int(shown) * unit, int(length), digest)
    except (ValueError, KeyError, ZeroDivisionError) as error:
        raise Corrupt(f"ffmpeg listed {line[:200]!r}, which is no packet") from error
