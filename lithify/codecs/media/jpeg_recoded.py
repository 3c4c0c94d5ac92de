"""A JPEG as its segments, what is odd about its scans, and its coefficients; and all of it again, byte for byte."""

from typing import NamedTuple

from lithify.codecs.array_types import I16
from lithify.codecs.media.fields import Fields, varint
from lithify.codecs.media.jpeg_header import Picture, Recipe, read_header
from lithify.codecs.media.jpeg_known import lengthened, shortened
from lithify.codecs.media.jpeg_scan import SOS, segments_of
from lithify.errors import Corrupt, LimitExceeded


class Recoded(NamedTuple):
    """What a JPEG becomes."""

    stream: bytes
    """Its coefficients."""
    head: bytes
    """Segments and scans, not packed yet."""


def recode(jpeg: bytes) -> Recoded | None:
    """The JPEG in another form; None for one of another kind, or of which this form would not give back every byte."""
    from lithify.codecs.media.jpeg_blocks import encode_blocks
    from lithify.codecs.media.jpeg_scans import new_coefficients, read_data

    segments, scans = parted(jpeg)
    try:
        picture = read_header(segments, len(jpeg))
    except (Corrupt, LimitExceeded):
        return None
    coefficients = new_coefficients(picture)
    recipes = []
    for scan, data in zip(picture.scans, scans, strict=True):
        recipe = read_data(picture, scan, data, coefficients)
        if recipe is None:
            return None
        recipes.append(recipe)
    if not _gives_back(jpeg, segments, picture, recipes, coefficients):
        return None
    stream = encode_blocks(picture, coefficients, len(jpeg))
    if stream is None:
        return None
    odd = b"".join(varint(recipe.padding + 2 * len(recipe.tail)) + recipe.tail for recipe in recipes)
    return Recoded(stream, shortened(segments) + odd)


def restore(stream: bytes, head: Fields, length: int) -> bytes:
    """The JPEG of `length` bytes of which `recode` made this. Raises Truncated, Corrupt, LimitExceeded."""
    from lithify.codecs.media.jpeg_blocks import decode_blocks

    segments = lengthened(head, length)
    picture = read_header(segments, length)
    recipes = []
    for _ in picture.scans:
        odd = head.number(2 * length + 1, "the tail of a scan")
        recipes.append(Recipe(odd & 1, head.take(odd >> 1)))
    jpeg = _joined(segments, picture, recipes, decode_blocks(picture, stream), length)
    if len(jpeg) != length:
        raise Corrupt(f"a JPEG has {len(jpeg)} bytes, {length} were expected")
    return jpeg


def parted(jpeg: bytes) -> tuple[bytes, list[bytes]]:
    """The segments of a JPEG, and the data of each scan."""
    segments, scans = [], []
    for marker, start, end in segments_of(jpeg, 0, len(jpeg)):
        stop = end
        if marker == SOS:
            stop = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
            scans.append(jpeg[stop:end])
        segments.append(jpeg[start:stop])
    return b"".join(segments), scans


def _gives_back(jpeg: bytes, segments: bytes, picture: Picture, recipes: list[Recipe], coefficients: I16) -> bool:
    try:
        return _joined(segments, picture, recipes, coefficients, len(jpeg)) == jpeg
    except Corrupt:
        return False


def _joined(segments: bytes, picture: Picture, recipes: list[Recipe], coefficients: I16, length: int) -> bytes:
    """The JPEG, at most `length` bytes. Raises Corrupt."""
    from lithify.codecs.media.jpeg_scans import write_data

    out, at, left = [], 0, length - len(segments)
    for scan, recipe in zip(picture.scans, recipes, strict=True):
        data = write_data(picture, scan, recipe, coefficients, left)
        out += [segments[at : scan.at], data]
        at, left = scan.at, left - len(data)
    return b"".join([*out, segments[at:]])


def smallest_jpeg() -> bytes:
    """Eight by eight grey pixels."""
    tables = b"".join(b"\xff\xc4\0\x14" + bytes([name, 1, *bytes(15), 0]) for name in (0x00, 0x10))
    frame = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0"
    return b"\xff\xd8" + frame + tables + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + b"\x3f" + b"\xff\xd9"
