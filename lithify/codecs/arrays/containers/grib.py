"""GRIB, editions 1 and 2: messages whose values are integers of any count of bits ("simple packing").

A message is a field; what it is of (parameter, level) is in its headers, which stay in the skeleton. Fields of one kind
are frames of one array of integers, in the order of the file. Other packings are compressed already.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import BITS_MAX, SCALED_BITS_MAX, SCALED_BITS_MIN, Element, one_tile
from lithify.codecs.arrays.packing import unpack_bits
from lithify.codecs.arrays.scaling import IBM, Scale, numbers_of, values_of
from lithify.errors import Corrupt, Truncated

_MAGIC, _END = b"GRIB", b"7777"
_SECTIONS_MAX = 64
_SERIES_MIN = 4
_LOOK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class _Field:
    """The packed values of one message, or of one of its fields."""

    kind: tuple[object, ...]
    level: bytes
    shape: tuple[int, int]
    bits: int
    offset: int
    scale: Scale
    decimal: int
    """The decimal factor: values are those of the scale, divided by 10 to its power."""


def find(data: Bytes, length: int) -> list[Variable]:
    """An array for each kind of field; of each level, where a level has several fields."""
    fields = _fields(data, length)
    counts = Counter(_series(field) for field in fields)
    groups: dict[tuple[object, ...], list[_Field]] = {}
    for field in fields:
        series = _series(field)
        groups.setdefault(series if counts[series] >= _SERIES_MIN else series[:-1], []).append(field)
    return [one for group in groups.values() for one in _variables(data, group)]


def _variables(data: Bytes, group: Sequence[_Field]) -> list[Variable]:
    """Fields that belong together: as what they stand for, if each has a scale of its own and they come back so."""
    first = group[0]
    scales = {one.scale.read(data, one.offset) for one in group}
    if SCALED_BITS_MIN <= first.bits <= SCALED_BITS_MAX and len(scales) > 1 and _come_back(data, group):
        element, loose = Element.scaled(first.bits, first.scale), first.decimal == 0
        return [
            Variable("", one_tile(element, one.shape, one.offset), data=loose, sealed=not loose, merges=first)
            for one in group
        ]
    plain = first.bits in (8, 16, 32)
    element = Element(f"u{first.bits // 8}", big=True) if plain else Element.packed(first.bits)
    return [Variable("", one_tile(element, one.shape, one.offset), sealed=True, merges=first) for one in group]


def _come_back(data: Bytes, group: Sequence[_Field]) -> bool:
    """Whether the numbers are those nearest to the values that they stand for."""
    for field in group:
        bits, scale = field.bits, field.scale.read(data, field.offset)
        stored = data[field.offset : field.offset - (-prod(field.shape) * bits // 8)]
        packed: U8 = np.frombuffer(stored, np.uint8)
        numbers = unpack_bits(packed, bits, prod(field.shape), np.dtype(np.uint32))
        if not np.array_equal(numbers, numbers_of(values_of(numbers, *scale), *scale, bits)):
            return False
    return True


def _series(field: _Field) -> tuple[object, ...]:
    return field.kind, field.shape, field.bits, field.scale, field.decimal, field.level


def _fields(data: Bytes, length: int) -> list[_Field]:
    """Those of all messages, however many bytes of something else are between them."""
    found: list[_Field] = []
    at = 0
    while (at := _magic_behind(data, at)) >= 0:
        try:
            fields, end = _message(data, at)
        except Corrupt:
            at += len(_MAGIC)
            continue
        except Truncated:
            break
        if end > len(data):
            break
        found += fields
        at = max(end, at + len(_MAGIC))  # a message may say that it is shorter than its magic
    return found


def _magic_behind(data: Bytes, at: int) -> int:
    """Where the next message begins; -1: nowhere."""
    step = len(_MAGIC)
    while at + step <= len(data):
        found = data[at : at + step]
        if found == _MAGIC:
            return at
        place = bytes(data[at : at + _LOOK_BYTES]).find(_MAGIC)
        if place >= 0:
            return at + place
        at += _LOOK_BYTES - step + 1
    return -1


def _message(data: Bytes, at: int) -> tuple[list[_Field], int]:
    edition = BytesReader(data, at + 7).number("B")
    if edition == 1:
        return _first_edition(data, at)
    if edition == 2:
        return _second_edition(data, at)
    raise Corrupt(f"GRIB edition {edition}")


# --- edition 1 ----------------------------------------------------------------------------------------


def _first_edition(data: Bytes, at: int) -> tuple[list[_Field], int]:
    end = at + _three(BytesReader(data, at + 4))
    product = at + 8
    reader = BytesReader(data, product)
    section = product + _three(reader)
    _, _, _, _, flags, parameter, level_type = reader.numbers("7B")
    level = reader.take(2)
    decimal = _signed(BytesReader(data, product + 26).number("H"))
    columns, rows = 0, 0
    if flags & 0x80:
        reader.at = section + 6
        columns, rows = reader.numbers("HH")
        section += _three(BytesReader(data, section))
    has_bitmap = bool(flags & 0x40)
    if has_bitmap:
        section += _three(BytesReader(data, section))
    reader.at = section
    section_bytes = _three(reader)
    unused, _, _, bits = reader.numbers("BHIB")
    if unused & 0xF0 or not bits or bits > BITS_MAX:
        return [], end
    packed_bits = 8 * (section_bytes - 11) - (unused & 0x0F)
    count = packed_bits // bits
    if section + section_bytes > end or count < 1:
        raise Corrupt(f"a GRIB message of {end - at} bytes whose data have {section_bytes}")
    shape = _shape(rows, columns, count, has_bitmap=has_bitmap)
    field = _Field((1, parameter, level_type), level, shape, bits, reader.at, IBM, decimal)
    return ([field] if _is_clean(data, field) else []), end


def _signed(number: int) -> int:
    """What 16 bits say whose first is the sign."""
    return -(number & 0x7FFF) if number & 0x8000 else number


def _three(reader: BytesReader) -> int:
    return int.from_bytes(reader.take(3), "big")


# --- edition 2 ----------------------------------------------------------------------------------------


def _second_edition(data: Bytes, at: int) -> tuple[list[_Field], int]:
    """Sections 2 to 7 may repeat: each section 7 ends a field."""
    reader = BytesReader(data, at + 6)
    discipline, _, total = reader.numbers("BBQ")
    end = at + total
    found: list[_Field] = []
    grid, product, bits, count, decimal, reference, has_bitmap = (0, 0), b"", 0, 0, 0, 0, False
    for _ in range(_SECTIONS_MAX):
        start = reader.at
        if BytesReader(data, start).take(4) == _END:
            return found, start + 4
        length, number = reader.numbers("IB")
        if length < 5 or start + length > end:
            raise Corrupt(f"a GRIB section of {length} bytes in a message of {total}")
        if number == 3:
            grid = _second_grid(BytesReader(data, start + 6))
        elif number == 4:
            product = BytesReader(data, start + 7).take(min(length - 7, 27))
        elif number == 5:
            count, template, _, _, scale, bits = BytesReader(data, start + 5).numbers("IHIHHB")
            bits, decimal, reference = bits if template == 0 else 0, _signed(scale), start + 11
        elif number == 6:
            has_bitmap = BytesReader(data, start + 5).number("B") != 255
        elif number == 7 and 0 < bits <= BITS_MAX and 0 < count <= (length - 5) * 8 // bits:
            kind, level = (2, discipline, product[:4]), product[15:27]
            shape, back = _shape(*grid, count, has_bitmap=has_bitmap), Scale(ibm=False, back=start + 5 - reference)
            field = _Field(kind, level, shape, bits, start + 5, back, decimal)
            found += [field] if _is_clean(data, field) else []
        reader.at = start + length
    raise Corrupt(f"a GRIB message of more than {_SECTIONS_MAX} sections")


def _second_grid(reader: BytesReader) -> tuple[int, int]:
    """Rows and columns, by the templates of grids that have them where those of latitude and longitude do."""
    points, _, _, template = reader.numbers("IBBH")
    reader.at += 16
    columns, rows = reader.numbers("II")
    return (rows, columns) if template < 1000 and rows * columns == points else (0, 0)


# --- both ---------------------------------------------------------------------------------------------


def _shape(rows: int, columns: int, count: int, *, has_bitmap: bool) -> tuple[int, int]:
    return (rows, columns) if not has_bitmap and rows * columns == count else (1, count)


def _is_clean(data: Bytes, field: _Field) -> bool:
    """Whether the bits behind the last number, up to a whole byte, are zero: they are not kept."""
    used = field.shape[0] * field.shape[1] * field.bits
    spare = -used % 8
    return not spare or not BytesReader(data, field.offset + used // 8).number("B") & ((1 << spare) - 1)
