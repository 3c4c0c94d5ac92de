"""Archives without end: one that unpacks to itself, one that overlaps itself, and one of archives of archives."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

_UNIT = 5
"""Bytes of every instruction."""
_REPEATED_MAX = 20


def gzip_quine() -> bytes:
    """A gzip file that unpacks to itself (Russ Cox, "Zip files all the way down", 2010), of our own making.

    A program of two instructions, literal and repeat, each five bytes long, that prints itself with what stands before
    and behind it. The checksum behind it is among the bytes that it is of: being linear, it can be solved.
    """
    for number in count():
        head = b"\x1f\x8b\x08\x08" + number.to_bytes(4, "little") + b"\x02\xff" + b"q\0"
        length = len(_program(head, bytes(13)))
        if (checksum := _own_checksum(head, length)) is not None:
            return _program(head, _tail(checksum, length))
    raise AssertionError("some header has a checksum that is its own")


def _program(head: bytes, tail: bytes) -> bytes:
    one, four, nothing = _literal(_UNIT), _literal(4 * _UNIT), _literal(0)
    before, behind = len(head) + _UNIT, len(tail) + _UNIT
    first, last = _literal(before), _literal(behind)
    again, repeat, end = _repeat(before), _repeat(4 * _UNIT), _repeat(behind)
    return b"".join(
        (
            *(head, first, head, first, again),
            *(one, again, one, one, four, again, one, one, four, repeat),
            *(four, repeat, four, repeat, four, repeat),
            *(four, repeat, nothing, nothing, last, repeat),
            *(nothing, nothing, last, end, tail, end, tail),
        )
    )


def _literal(length: int) -> bytes:
    """A stored block's head: the next bytes are printed."""
    return struct.pack("<BHH", 0, length, length ^ 0xFFFF)


def _repeat(length: int) -> bytes:
    """A block of two matches that print the last 17 to 20 bytes again; with these it has five bytes."""
    assert 17 <= length <= _REPEATED_MAX
    distance = f"{8:05b}" + f"{length - 17:03b}"[::-1]
    first, second = _code(length // 2), _code(length - length // 2)
    bits = "0" + "10" + first + distance + second + distance + "0000000"
    assert len(bits) == 8 * _UNIT
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def _code(length: int) -> str:
    """The fixed code of a length of 3 to 10 bytes."""
    return f"{length - 2:07b}"


def _tail(checksum: int, length: int) -> bytes:
    """A last empty block, and the trailer of gzip."""
    return b"\x01\0\0\xff\xff" + struct.pack("<II", checksum, length)


def _own_checksum(head: bytes, length: int) -> int | None:
    """The checksum that a quine with that checksum has; None: there is none with this head."""

    def checksum_with(guess: int) -> int:
        return zlib.crc32(_program(head, _tail(guess, length)))

    nothing = checksum_with(0)
    columns = [checksum_with(1 << bit) ^ nothing ^ (1 << bit) for bit in range(32)]
    return _solved(columns, nothing)


def _solved(columns: Sequence[int], wanted: int) -> int | None:
    """Which of the columns give `wanted`, added without carry; a number with their bits."""
    rows = np.zeros((32, 33), np.uint8)
    for bit in range(32):
        rows[:, bit] = [columns[bit] >> row & 1 for row in range(32)]
    rows[:, 32] = [wanted >> row & 1 for row in range(32)]
    for bit in range(32):
        pivots = np.flatnonzero(rows[bit:, bit])
        if not len(pivots):
            return None
        rows[[bit, bit + pivots[0]]] = rows[[bit + pivots[0], bit]]
        for row in range(32):
            if row != bit and rows[row, bit]:
                rows[row] ^= rows[bit]
    return sum(int(rows[bit, 32]) << bit for bit in range(32))


# --- zip files ----------------------------------------------------------------------------------------

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")


def overlapping_zip(members: int, kernel_bytes: int) -> bytes:
    """A zip file whose members share one stream (David Fifield, "A better zip bomb", 2019)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(bytes(kernel_bytes)) + packer.flush()
    body, plain, entries = kernel, bytes(kernel_bytes), []
    for number in reversed(range(members)):
        name = b"%04d" % number
        checksum = zlib.crc32(plain)
        local = _LOCAL.pack(b"PK\x03\x04", 20, 0, 8, 0, 0, checksum, len(body), len(plain), len(name), 0) + name
        sizes = (checksum, len(body), len(plain), len(name))
        body = local + body
        entries.append((name, sizes, len(body)))
        if number:  # a stored block in front of it: what stands here is text to the member before
            body = struct.pack("<BHH", 0, len(local), len(local) ^ 0xFFFF) + body
            plain = local + plain
    directory = b"".join(
        _CENTRAL.pack(b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, 0, 0, 0, 0, 0, len(body) - from_end) + name
        for name, sizes, from_end in reversed(entries)
    )
    return body + directory + _END.pack(b"PK\x05\x06", 0, 0, members, members, len(directory), len(body), 0)


def zip_of_zips(depth: int, width: int, plain_bytes: int) -> bytes:
    """What 42.zip is: so many archives of archives … of zeros."""
    found = bytes(plain_bytes)
    for level in range(depth + 1):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _names(level, width):
                archive.writestr(zipfile.ZipInfo(name), found, zipfile.ZIP_DEFLATED)
        found = out.getvalue()
    return found


def _names(level: int, width: int) -> Iterator[str]:
    yield from (f"{level}-{number}.zip" for number in range(width if level else 1))
