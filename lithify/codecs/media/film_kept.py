"""Whether a film made anew is still the film it was made of: what both say of themselves, and packet by packet."""

from collections.abc import Callable, Iterable
from fractions import Fraction

from lithify.codecs.media.ffmpeg.listing import Packet, Stream, listing
from lithify.codecs.media.film import Film, Pictures, look
from lithify.errors import FidelityBroken

_NEAR = Fraction(3, 2000)
"""Of times in seconds: Matroska and AVI keep them to a millisecond, others more finely."""


def refuse_changed(original: bytes, made: bytes, *, same_pictures: bool) -> int:
    """Raise FidelityBroken unless the film `made` has what `original` has; gives the number of pictures.

    same_pictures  they must be equal sample by sample; else only as many, as large and shown at the same times
    """
    before, after = look(original), look(made)
    _refuse_other_facts(before, after)
    streams = listing(original), listing(made)
    if len(streams[0]) != len(streams[1]):
        raise FidelityBroken(f"{len(streams[1])} streams came back of {len(streams[0])}")
    start = [_first_shown(listed) for listed in streams]
    for number, (old, new) in enumerate(zip(*streams, strict=True)):
        _refuse_other_packets(number, old, new, start, digests=same_pictures or not old.is_video)
    return sum(len(stream.packets) for stream in streams[0] if stream.is_video)


def _refuse_other_facts(before: Film, after: Film) -> None:
    kept: list[tuple[str, Callable[[Film], object]]] = [
        *((name, _of_pictures(name)) for name in Pictures._fields if name not in {"codec", "rate", "interlaced"}),
        ("streams", lambda film: film.streams),
        ("tags", lambda film: film.tags),
        ("chapters", lambda film: film.chapters),
    ]
    for name, of in kept:
        if of(before) != of(after):
            raise FidelityBroken(f"the {name} of a film changed from {of(before)!r:.300} to {of(after)!r:.300}")


def _of_pictures(name: str) -> Callable[[Film], object]:
    return lambda film: getattr(film.pictures, name)


def _first_shown(streams: Iterable[Stream]) -> Fraction:
    """When the first picture is shown: containers begin to count where they like."""
    shown = [packet.shown for stream in streams if stream.is_video for packet in stream.packets]
    if not shown:
        raise FidelityBroken("a film has no pictures")
    return min(shown)


def _refuse_other_packets(number: int, old: Stream, new: Stream, start: list[Fraction], *, digests: bool) -> None:
    what = f"stream {number}, {old.facts.get('media_type', 'of no kind')}"
    if len(old.packets) != len(new.packets):
        raise FidelityBroken(f"{what}: {len(new.packets)} packets or pictures came back of {len(old.packets)}")
    for place, (before, after) in enumerate(zip(old.packets, new.packets, strict=True)):
        if abs((before.shown - start[0]) - (after.shown - start[1])) > _NEAR:
            raise FidelityBroken(f"{what}: packet {place} is shown at another time")
        if before.length != after.length or (digests and before.digest != after.digest):
            raise FidelityBroken(f"{what}: packet {place} came back as another: {_told(before)}, {_told(after)}")


def _told(packet: Packet) -> str:
    return f"{packet.length} bytes {packet.digest[:12]}"
