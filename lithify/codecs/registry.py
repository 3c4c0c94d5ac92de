"""The one literal table of codecs: format number to class. Numbers are never reused; retired ones stay listed for ever.

Importing this file loads no codec: a class is imported when its number is first asked for. Outsiders add codecs by the
entry point group `lithify.codecs` (the entry's name is the number, such as `0x8001`, in the range kept for them); two
claims on one number stop the program, because an archive that lets the later one win loses what the first one wrote.
"""

from functools import cache
from importlib import import_module

from lithify.codecs.codec import Codec, Format
from lithify.errors import BadArgument, Conflict, MissingExtra, UnknownFormat

FORMATS: dict[int, str] = {
    0x0100: "lithify.codecs.raw.stored:Stored",
    0x0101: "lithify.codecs.raw.zstd:Zstd",
    0x0102: "lithify.codecs.raw.brotli:Brotli",
    0x0103: "lithify.codecs.raw.xz:Xz",
    0x0104: "lithify.codecs.raw.ppmd:Ppmd",
    0x0200: "lithify.codecs.logs.codec:Logs",
    0x0300: "lithify.codecs.text.codec:Text",
    0x0301: "lithify.codecs.text.lm.codec:TextLm",
    0x0400: "lithify.codecs.arrays.codec:Arrays",
    0x0500: "lithify.codecs.media.containers.codec:Deflate",
    0x0501: "lithify.codecs.media.jpeg:Jpeg",
    0x0502: "lithify.codecs.media.audio:Audio",
    0x0503: "lithify.codecs.media.png:PngCodec",
    0x0504: "lithify.codecs.media.pixels:Pixels",
    0x0506: "lithify.codecs.media.video:MovingPictures",
    0x0507: "lithify.codecs.media.stills.codec:StillImage",
    0x0508: "lithify.codecs.media.gif:Gif",
    0x0509: "lithify.codecs.media.containers.long_gzip:LongGzip",
}
ENTRY_POINT_GROUP = "lithify.codecs"
OUTSIDERS = range(0x8000, 0xFFFF)


@cache
def known_formats() -> dict[int, str]:
    """FORMATS and what installed packages add to it. Raises Conflict if two claim one number."""
    return add_outsiders(FORMATS, _entry_points())


def add_outsiders(formats: dict[int, str], claims: list[tuple[str, str]]) -> dict[int, str]:
    """`formats` with the (name, class) claims of other packages. Raises Conflict if a claim cannot be granted."""
    known = dict(formats)
    for name, target in sorted(claims):
        try:
            number = int(name, 16)
        except ValueError as error:
            raise Conflict(
                f"entry point {name!r} = {target} should be named by its format number, as 0x8001"
            ) from error
        if number in known and known[number] != target:
            raise Conflict(f"format 0x{number:04x} is claimed by {known[number]} and by {target}; uninstall one")
        if number not in OUTSIDERS:
            raise Conflict(
                f"{target} claims format 0x{number:04x}, outside 0x{OUTSIDERS[0]:04x} to 0x{OUTSIDERS[-1]:04x}"
            )
        known[number] = target
    return known


def _entry_points() -> list[tuple[str, str]]:
    from importlib.metadata import entry_points  # 15 ms, and only when a codec is needed

    return [(entry.name, entry.value) for entry in entry_points(group=ENTRY_POINT_GROUP)]


@cache
def codec_class(format_id: int) -> type[Codec]:
    """The class that reads and writes `format_id`. Raises UnknownFormat, or MissingExtra if it is not installed."""
    target = known_formats().get(format_id)
    if target is None:
        raise UnknownFormat(f"format 0x{format_id:04x} is not known to this release")
    module, _, name = target.partition(":")
    try:
        found: type[Codec] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"format 0x{format_id:04x} ({target}) needs the package {error.name!r}: install it"
        ) from error
    assert issubclass(found, Codec), f"{target} is not a Codec"
    assert found.facts.format.id == format_id, f"{target} says its format is {found.facts.format}"
    return found


def codec_for(format_: Format, params: bytes) -> Codec:
    """The codec that decodes chunks of `format_`. Raises UnknownFormat if they are newer than this release reads."""
    found = codec_class(format_.id)
    ours = found.facts.format
    if not (1, 0) <= (format_.major, format_.minor) <= (ours.major, ours.minor):
        raise UnknownFormat(
            f"format {format_} ({found.facts.id}) cannot be read by this release, which knows 1.0 to "
            f"{ours.major}.{ours.minor}; a newer lithify can read it"
        )
    return found(found.params_type.from_json(params))


def all_codecs() -> list[type[Codec]]:
    """Every codec that can be loaded here, by format number; those whose package is missing are left out."""
    found = []
    for format_id in sorted(known_formats()):
        try:
            found.append(codec_class(format_id))
        except MissingExtra:
            continue
    return found


def by_id(codec_id: str) -> type[Codec]:
    """The codec people call `codec_id`, such as `raw.zstd`. Raises BadArgument, naming those there are."""
    found = {codec.facts.id: codec for codec in all_codecs()}
    if codec_id not in found:
        raise BadArgument(f"there is no codec {codec_id!r:.80}; there are {', '.join(found)}")
    return found[codec_id]
