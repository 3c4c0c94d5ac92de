"""GRIB 2 with simple packing in the place of JPEG 2000, PNG, CCSDS and groups: the same file for whoever reads values.

All of them pack the same whole numbers, and say by the same reference and factors what those stand for. Only sections 5
and 7 of a message change, and its length.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lithify.codecs.array_types import U32, Values
from lithify.codecs.arrays.coded import Grouped
from lithify.codecs.arrays.containers.bytes_reader import BytesReader
from lithify.codecs.arrays.containers.grib import (
    JPEG2000,
    PNG,
    SIMPLE,
    Packed,
    Section,
    messages_of,
    packed_by,
    sections_of,
)
from lithify.codecs.arrays.grouped import NUMBER_MAX
from lithify.codecs.arrays.packing import pack_bits, unpack_bits
from lithify.errors import Corrupt, FidelityBroken, LimitExceeded

_PACKING, _VALUES = 5, 7
_HEAD_BYTES, _LENGTH_AT = 16, 8
_SIMPLE_BYTES, _SAID = 21, slice(11, 19)
"""Of section 5 with simple packing, and where reference and factors are in each."""
_BYTES_MAX = 128 << 20
_BITS_MAX = 25
_IMAGES = (JPEG2000, PNG)
_CODESTREAM = b"\xff\x4f\xff\x51"


def simply_packed(data: bytes) -> bytes | None:
    """The file with simple packing in each message that had another one and can be read; None: there is none.

    Raises LimitExceeded if it would become too long.
    """
    pieces: list[bytes] = []
    at, changed, length = 0, 0, 0
    for span in messages_of(data):
        message = _repacked(data[span.start : span.stop])
        if message is not None:
            pieces += [data[at : span.start], message]
            length += span.start - at + len(message)
            at = span.stop
            changed += 1
        if length > _BYTES_MAX:
            raise LimitExceeded(f"a GRIB file of {len(data)} bytes, simply packed, has more than {_BYTES_MAX}")
    return b"".join([*pieces, data[at:]]) if changed else None


def _repacked(message: bytes) -> bytes | None:
    """None: as it is."""
    if message[7] != 2:
        return None
    sections, _ = sections_of(message, 0)
    pieces = [message[one.start : one.start + one.length] for one in sections]
    changed, packing = False, -1
    for index, section in enumerate(sections):
        if section.number == _PACKING:
            packing = index
        elif section.number == _VALUES and packing >= 0:
            numbers = _numbers(pieces[packing], pieces[index][5:], simple=False)
            if numbers is not None:
                pieces[packing], pieces[index] = _simple(pieces[packing], numbers)
                changed = True
            packing = -1
    if not changed:
        return None
    total = _HEAD_BYTES + sum(map(len, pieces)) + 4
    return message[:_LENGTH_AT] + total.to_bytes(8, "big") + b"".join(pieces) + b"7777"


def _simple(section: bytes, numbers: Values) -> tuple[bytes, bytes]:
    """Sections 5 and 7 with simple packing."""
    bits = max(1, int(numbers.max()).bit_length())
    said = section[5:9] + SIMPLE.to_bytes(2, "big") + section[_SAID] + bytes([bits]) + section[20:21]
    packed = pack_bits(numbers, bits).tobytes()
    head = (_SIMPLE_BYTES).to_bytes(4, "big") + bytes([_PACKING])
    return head + said, (5 + len(packed)).to_bytes(4, "big") + bytes([_VALUES]) + packed


def _numbers(section: bytes, stored: bytes, *, simple: bool) -> U32 | None:
    """What is packed by a section 5; None if it is not known how, or simply and that is not asked for."""
    packing = packed_by(section)
    if not packing.count:
        return None
    if packing.template == SIMPLE:
        count, bits = packing.count, packing.bits
        fits = simple and 0 < bits <= 32 and -(-count * bits // 8) == len(stored)
        return unpack_bits(np.frombuffer(stored, np.uint8), bits, count, np.dtype(np.uint32)) if fits else None
    numbers = _of_image(packing, stored) if packing.template in _IMAGES else _of_stream(packing, stored)
    if numbers is None or numbers.size != packing.count or int(numbers.max()) >> _BITS_MAX:
        return None
    return numbers.reshape(-1).astype(np.uint32)


def _of_stream(packing: Packed, stored: bytes) -> Values | None:
    coder = packing.coder
    if coder is None or packing.missing:
        return None
    if isinstance(coder, Grouped):
        coder = replace(coder, most=NUMBER_MAX)
    opened = coder.opened(stored)
    if opened is None:
        return None
    return unpack_bits(np.frombuffer(opened[0], np.uint8), coder.bits, coder.numbers, np.dtype(np.uint32))


def _of_image(packing: Packed, stored: bytes) -> Values | None:
    """By the library. Raises Corrupt if that is not installed."""
    if packing.template == JPEG2000 and not _has_pixels(stored, packing.count):
        return None
    try:
        import imagecodecs
    except ImportError as error:
        raise Corrupt(
            "JPEG 2000 is read by imagecodecs, which is not installed: pip install 'lithify[arrays]'"
        ) from error
    try:
        decode = imagecodecs.jpeg2k_decode if packing.template == JPEG2000 else imagecodecs.png_decode
        pixels: Values = np.asarray(decode(stored))
    except (RuntimeError, ValueError, TypeError, OSError, MemoryError):
        return None
    if pixels.dtype.kind != "u" or pixels.ndim not in (2, 3):
        return None
    if pixels.ndim == 2:
        return pixels
    wide = np.zeros(pixels.shape[:2], np.uint32)  # more than 16 bits of PNG are samples of a pixel
    for sample in range(pixels.shape[2]):
        wide = (wide << np.uint32(8 * pixels.dtype.itemsize)) | pixels[:, :, sample]
    return wide


def _has_pixels(stored: bytes, count: int) -> bool:
    """Whether a codestream says that it has so many: no library is asked for the memory of others."""
    if not stored.startswith(_CODESTREAM):
        return False
    right, low, left, high = BytesReader(stored, 8).numbers("4I")
    return bool((right - left) * (low - high) == count)


# --- compared -----------------------------------------------------------------------------------------


def compare(before: bytes, after: bytes) -> dict[str, float | int | bool]:
    """How much was compared. Raises FidelityBroken unless both hold the same messages, packed one way or another."""
    counts: dict[str, float | int | bool] = {"messages": 0, "values": 0}
    spans = messages_of(before), messages_of(after)
    if len(spans[0]) != len(spans[1]):
        raise FidelityBroken(f"{len(spans[0])} messages of GRIB became {len(spans[1])}")
    if _between(before, spans[0]) != _between(after, spans[1]):
        raise FidelityBroken("what lies between the messages is not what it was")
    for number, (one, other) in enumerate(zip(*spans, strict=True)):
        pair = before[one.start : one.stop], after[other.start : other.stop]
        counts["messages"] += 1
        if pair[0] != pair[1]:
            counts["values"] += _compare_messages(*pair, number)
    return counts


def _between(data: bytes, spans: list[range]) -> list[bytes]:
    ends = [0, *(span.stop for span in spans)]
    return [data[end:begin] for end, begin in zip(ends, [*(span.start for span in spans), len(data)], strict=True)]


def _compare_messages(before: bytes, after: bytes, number: int) -> int:
    if before[:_LENGTH_AT] != after[:_LENGTH_AT] or before[7] != 2:
        raise FidelityBroken(f"message {number} has another head than before")
    sections = [sections_of(one, 0)[0] for one in (before, after)]
    if [one.number for one in sections[0]] != [one.number for one in sections[1]]:
        raise FidelityBroken(f"message {number} has other sections than before")
    packings: list[bytes] = []
    values = 0
    for pieces in zip(_pieces(before, sections[0]), _pieces(after, sections[1]), strict=True):
        section = pieces[0][4]
        if section == _PACKING:
            packings = list(pieces)
            if [one[5:9] + one[_SAID] + one[20:21] for one in pieces[:1]] != [
                one[5:9] + one[_SAID] + one[20:21] for one in pieces[1:]
            ]:
                raise FidelityBroken(f"message {number} says something else of its values than before")
        elif section == _VALUES and packings:
            values += _compare_values(packings, pieces, number)
        elif pieces[0] != pieces[1]:
            raise FidelityBroken(f"section {section} of message {number} is not what it was")
    return values


def _compare_values(packings: list[bytes], pieces: tuple[bytes, bytes], number: int) -> int:
    if packings[0] == packings[1] and pieces[0] == pieces[1]:
        return packed_by(packings[0]).count
    numbers = [_numbers(packing, piece[5:], simple=True) for packing, piece in zip(packings, pieces, strict=True)]
    if numbers[0] is None or numbers[1] is None or not np.array_equal(numbers[0], numbers[1]):
        raise FidelityBroken(f"message {number} has other values than before")
    return len(numbers[0])


def _pieces(message: bytes, sections: list[Section]) -> Iterator[bytes]:
    return (message[one.start : one.start + one.length] for one in sections)
