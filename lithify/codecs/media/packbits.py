"""PackBits, the run lengths of TIFF: strips opened, and closed again just as their writer chose the runs.

A strip is operations: a byte n below 128 and n + 1 bytes as they are; a byte n above 128 and one byte that stands
257 − n times; 128, which says nothing. The bytes n of a strip are its script: with the plain bytes they give the strip
again.
"""

from typing import NamedTuple

from lithify import limits
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.errors import Corrupt, Truncated

_NOTHING = 128
_STRIPS_MAX = 65_536
_OPERATIONS_MAX = 1 << 22
"""Of one file: they are read one by one."""


class Opened(NamedTuple):
    """A file whose strips are plain."""

    data: bytes
    starts: list[int]
    """Where each strip begins there."""
    sizes: list[int]
    script: bytes


def open_strips(data: bytes, strips: list[tuple[int, int]]) -> Opened | None:
    """`data` with each (start, size) of `strips`, in order, opened; None if one is not sound, or they are too large."""
    out, script, starts, sizes = bytearray(), bytearray(varint(len(strips))), [], []
    at = operations = 0
    for start, size in strips:
        found = _open(data[start : start + size])
        if found is None or start < at:
            return None
        plain, numbers = found
        operations += len(numbers)
        script += varint(start - at) + piece(numbers)
        out += data[at:start]
        starts.append(len(out))
        sizes.append(len(plain))
        out += plain
        at = start + size
        if len(out) > limits.CHUNK_BYTES_MAX or operations > _OPERATIONS_MAX or len(strips) > _STRIPS_MAX:
            return None
    out += data[at:]
    return Opened(bytes(out), starts, sizes, bytes(script)) if len(out) <= limits.CHUNK_BYTES_MAX else None


def close_strips(opened: bytes, script: bytes) -> bytes:
    """The file of which `open_strips` made these. Raises Truncated, Corrupt, LimitExceeded."""
    fields, plain, out = Fields(script), Fields(opened), bytearray()
    for _ in range(fields.number(_STRIPS_MAX, "the number of strips")):
        out += plain.take(fields.number(len(opened), "the bytes before a strip"))
        for number in fields.piece("a strip"):
            out.append(number)
            if number < _NOTHING:
                out += plain.take(number + 1)
            elif number > _NOTHING:
                run = plain.take(257 - number)
                if run != run[:1] * len(run):
                    raise Corrupt("a run of PackBits is of different bytes")
                out += run[:1]
    fields.end()
    return bytes(out + plain.rest())


def _open(strip: bytes) -> tuple[bytes, bytes] | None:
    """Plain bytes and script of a strip."""
    fields, plain, numbers = Fields(strip), bytearray(), bytearray()
    try:
        while fields.left:
            number = fields.byte()
            numbers.append(number)
            if number < _NOTHING:
                plain += fields.take(number + 1)
            elif number > _NOTHING:
                plain += fields.take(1) * (257 - number)
    except Truncated:
        return None
    return bytes(plain), bytes(numbers)
