"""Frames gone wrong, and the one judge of what a decoder may do with them. Fuzzers and tests share this file."""

import io
import struct
from collections.abc import Iterator

from xxhash import xxh3_64_intdigest

from lithify.codecs.frame import decode_frame
from lithify.errors import BadBytes, Corrupt, LimitExceeded, MissingModel, MissingPrimer, Truncated, UnknownFormat
from tests.golden.primers import golden_primers

HEADER = b"\x89LTH\x01"
FOUR = (Truncated, Corrupt, UnknownFormat, LimitExceeded)
"""All that a decoder may raise; a frame that names a primer may also lack it."""


def decoded_or_refused(frame: bytes, *, expected: bytes | None = None) -> bytes | BadBytes:
    """Decode a frame that may be wrong; the golden frames' primers are at hand.

    The bytes, or the error a reader is allowed to raise; anything else passes through and fails whoever called. With
    `expected`, bytes that are neither refused nor those are an AssertionError, as are wrong ones given out before the
    refusal.
    """
    pieces: list[bytes] = []
    try:
        pieces.extend(decode_frame(io.BytesIO(frame), primers=golden_primers()))
    except (*FOUR, MissingModel, MissingPrimer) as error:
        if expected is not None:
            assert expected.startswith(b"".join(pieces)), "wrong bytes were given out before the refusal"
        return error
    data = b"".join(pieces)
    assert expected is None or data == expected, "wrong bytes were given out"
    return data


def changed_bytes(frame: bytes, at: int) -> Iterator[bytes]:
    """The frame with one byte changed: each bit flipped, all bits clear, all bits set."""
    found = frame[at]
    for byte in sorted(({found ^ (1 << bit) for bit in range(8)} | {0x00, 0xFF}) - {found}):
        yield frame[:at] + bytes([byte]) + frame[at + 1 :]


def sealed(trailer: bytes, *, body: bytes = b"", header: bytes = HEADER) -> bytes:
    """A frame of these parts with a right footer, so that a reader comes to see what is in them."""
    checksum = xxh3_64_intdigest(header + trailer) & 0xFFFFFFFF
    return header + body + trailer + struct.pack("<II4s", len(trailer), checksum, b"LTH\n")
