"""Strings that stand in the segments of many JPEGs, by number: a reader knows them by heart.

They are the Huffman tables that ITU-T T.81 gives as examples (Annex K.3), which most encoders use as they are, and its
quantization tables (K.1, K.2) as libjpeg scales them for each quality from 1 to 100.
"""

import re
from functools import cache

from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.jpeg_header import ZIGZAG
from lithify.errors import LimitExceeded

_DC_COUNTS = (bytes.fromhex("00010501010101010100000000000000"), bytes.fromhex("00030101010101010101010000000000"))
_AC_BRIGHTNESS = bytes.fromhex(
    "0002010303020403050504040000017d"
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a343536373839"
    "3a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7"
    "a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_COLOUR = bytes.fromhex(
    "00020102040403040705040400010277"
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738"
    "393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5"
    "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
_STEPS_BRIGHTNESS = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_STEPS_COLOUR = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
_QUALITIES = range(1, 101)


@cache
def known_strings() -> tuple[bytes, ...]:
    """By number: four Huffman tables, then quantization tables for brightness, then for colours."""
    dc = [counts + bytes(range(sum(counts))) for counts in _DC_COUNTS]
    steps = [_scaled(base, quality) for base in (_STEPS_BRIGHTNESS, _STEPS_COLOUR) for quality in _QUALITIES]
    return (*dc, _AC_BRIGHTNESS, _AC_COLOUR, *steps)


def _scaled(base: tuple[int, ...], quality: int) -> bytes:
    """A quantization table, in the order of a scan."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return bytes(min(max((base[place] * scale + 50) // 100, 1), 255) for place in ZIGZAG)


@cache
def _numbers() -> tuple[re.Pattern[bytes], dict[bytes, int]]:
    """What finds any of them, and their numbers; of equal ones, the first."""
    numbers = {text: number for number, text in reversed(list(enumerate(known_strings())))}
    return re.compile(b"|".join(re.escape(text) for text in numbers), re.DOTALL), numbers


def shortened(segments: bytes) -> bytes:
    """Pieces of `segments`, and between two of them the number of the string that stood there."""
    pattern, numbers = _numbers()
    found, at = [], 0
    for match in pattern.finditer(segments):
        found.append(piece(segments[at : match.start()]) + varint(numbers[match.group()]))
        at = match.end()
    return varint(len(found)) + b"".join(found) + piece(segments[at:])


def lengthened(fields: Fields, most: int) -> bytes:
    """The segments, at most `most` bytes. Raises LimitExceeded or Truncated; strings that nobody knows are Corrupt."""
    known, out, left = known_strings(), [], most
    for _ in range(fields.number(most, "the number of known strings")):
        out.append(fields.piece("bytes before a known string"))
        out.append(known[fields.number(len(known) - 1, "the number of a known string")])
        left -= len(out[-1]) + len(out[-2])
        if left < 0:
            break
    out.append(fields.piece("the last bytes of some segments"))
    whole = b"".join(out)
    if len(whole) > most:
        raise LimitExceeded(f"the segments of a JPEG have {len(whole)} bytes; at most {most} can be")
    return whole
