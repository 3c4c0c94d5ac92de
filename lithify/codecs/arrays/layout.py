"""The head of a payload: where each array's values lie in the original, and how long what keeps them is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from lithify import limits
from lithify.codecs.arrays.extents import (
    ARRAYS_MAX,
    BITS_MAX,
    RANK_MAX,
    SCALED_BITS_MAX,
    SCALED_BITS_MIN,
    TILES_MAX,
    TYPES,
    Element,
    Extent,
    contiguous,
)
from lithify.codecs.arrays.scaling import Scale
from lithify.codecs.arrays.wire import Reader, unzigzag, varint, zigzag
from lithify.errors import Corrupt, LimitExceeded

_BIG, _BITS, _STRIDES, _GRID = 0x10, 0x20, 0x40, 0x80
_TYPE = 0x0F
_SCALED = (False, True), (False, False), (True, False)
"""Behind the plain types, packed bits that stand for floats: whether they have holes, and a reference of IBM's."""
_PAYLOAD_BYTES_MAX = limits.CHUNK_STORED_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Kept:
    """One array as a payload has it."""

    extent: Extent
    payload_bytes: int


def pack_layout(arrays: Sequence[Kept]) -> bytes:
    """The head, unpacked: as FORMAT.md has it."""
    return varint(len(arrays)) + b"".join(map(_pack_array, arrays))


def _pack_array(kept: Kept) -> bytes:
    extent = kept.extent
    element = extent.element
    has_gaps = extent.strides != contiguous(extent.tile, element.stored.itemsize)
    has_grid = len(extent.offsets) > 1
    head = TYPES.index(element.type)
    if element.scale is not None:
        head = len(TYPES) + _SCALED.index((element.scale.holed, element.scale.ibm))
    head |= _BIG * element.big | _BITS * bool(element.bits) | _STRIDES * has_gaps | _GRID * has_grid
    numbers = [element.bits] * bool(element.bits)
    numbers += [element.scale.back] if element.scale is not None else []
    numbers += [len(extent.tile), *extent.tile]
    numbers += (*extent.strides,) if has_gaps else ()
    numbers += (*extent.grid,) if has_grid else ()
    return bytes([head]) + b"".join(map(varint, [*numbers, *_steps(extent.offsets), kept.payload_bytes]))


def _steps(offsets: Sequence[int]) -> list[int]:
    """The first offset, and for each later one how its distance differs from the distance before, in zigzag."""
    found, last, distance = [offsets[0]], offsets[0], 0
    for offset in offsets[1:]:
        found.append(zigzag(offset - last - distance))
        last, distance = offset, offset - last
    return found


def parse_layout(head: bytes, length: int) -> list[Kept]:
    """What `pack_layout` was given, each extent checked against the `length` of the original.

    Raises Truncated, Corrupt or LimitExceeded. Together the arrays have at most as many bytes as the original.
    """
    reader = Reader(head)
    count = reader.varint(len(head))
    if count > ARRAYS_MAX:
        raise LimitExceeded(f"{count} arrays in one file; the limit is {ARRAYS_MAX}")
    found = []
    room, tiles = length, TILES_MAX
    for _ in range(count):
        kept = _parse_array(reader, length)
        room, tiles = room - kept.extent.stored_bytes, tiles - len(kept.extent.offsets)
        if room < 0:
            raise LimitExceeded(f"the arrays of an original of {length} bytes have more than that")
        if tiles < 0:
            raise LimitExceeded(f"the arrays of one file have more than {TILES_MAX} tiles")
        found.append(kept)
    reader.end()
    return found


def _parse_array(reader: Reader, length: int) -> Kept:
    head = reader.byte()
    element = _parse_element(reader, head, length)
    rank = reader.varint(RANK_MAX)
    tile = _numbers(reader, rank, length)
    # Along an axis of one element a stride leads nowhere, and may be longer than the file.
    strides = contiguous(tile, element.stored.itemsize)
    if head & _STRIDES:
        strides = _numbers(reader, rank, limits.ORIGINAL_BYTES_MAX)
    grid = _numbers(reader, rank, length) if head & _GRID else (1,) * rank
    if prod(grid) > min(reader.left, TILES_MAX):
        raise Corrupt(f"an array of {grid} tiles, and {reader.left} bytes to say where they are")
    offsets = _offsets(reader, prod(grid), length)
    extent = Extent(element, tile, strides, grid, offsets).checked(length)
    return Kept(extent, reader.varint(_PAYLOAD_BYTES_MAX))


def _parse_element(reader: Reader, head: int, length: int) -> Element:
    number = head & _TYPE
    scaled = number - len(TYPES)
    if scaled >= len(_SCALED):
        raise Corrupt(f"elements of type {number} do not exist")
    bits = reader.varint(BITS_MAX) if head & _BITS else 0
    if scaled >= 0:
        if head & (_BIG | _STRIDES) or not SCALED_BITS_MIN <= bits <= SCALED_BITS_MAX:
            raise Corrupt(f"numbers of {bits} bits, flags 0x{head & 0xF0:02x}, stand for no floats")
        holed, ibm = _SCALED[scaled]
        return Element.scaled(bits, Scale(ibm=ibm, back=reader.varint(length), holed=holed))
    element = Element(TYPES[number], big=bool(head & _BIG), bits=bits)
    if head & _BITS and not (bits and element == Element.packed(bits) and not head & _STRIDES):
        raise Corrupt(f"numbers of {bits} bits are not kept in elements {element}")
    return element


def _numbers(reader: Reader, count: int, most: int) -> tuple[int, ...]:
    return tuple(reader.varint(most) for _ in range(count))


def _offsets(reader: Reader, count: int, length: int) -> tuple[int, ...]:
    at, *steps = reader.varint(length), *(reader.varint(4 * length) for _ in range(count - 1))
    found, distance = [at], 0
    for step in steps:
        distance += unzigzag(step)
        at += distance
        found.append(at)
    return tuple(found)
