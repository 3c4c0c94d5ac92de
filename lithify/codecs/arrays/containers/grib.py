"""GRIB, editions 1 and 2: messages whose values are integers of any count of bits ("simple packing").

A message is a field; what it is of (parameter, level) is in its headers, which stay in the skeleton. Fields of one kind
are frames of one array of integers, in the order of the file. Those that went through CCSDS or were packed in groups
are streams, and integers again when these are opened. JPEG 2000 and PNG cannot be made again to the byte.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ldexp, prod
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.coded import Ccsds, Grouped, NumberCoder
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import BITS_MAX, SCALED_BITS_MAX, SCALED_BITS_MIN, Element, one_tile
from lithify.codecs.arrays.grouped import NUMBER_MAX, Packing
from lithify.codecs.arrays.inflated import Inflated, Place, coded_place
from lithify.codecs.arrays.packing import unpack_bits
from lithify.codecs.arrays.scaling import IBM, Scale, numbers_of, values_of
from lithify.errors import Corrupt, Truncated

_MAGIC, _END = b"GRIB", b"7777"
_SECTIONS_MAX = 64
_SERIES_MIN = 4
_LOOK_BYTES = 1 << 18
_DECIMAL_MAX = 100
SIMPLE, GROUPED, DIFFERENCED, JPEG2000, PNG, CCSDS = 0, 2, 3, 40, 41, 42
"""Numbers of the second edition's ways to pack values."""
_GROUPED_MAX = (1 << 20) - 1
"""Of numbers in groups that shall stand for floats: no header tells the largest."""
_PACKING_BYTES = 49
"""Of section 5, at most, that say how values are packed."""
_CCSDS_FOLDED, _CCSDS_KNOWN = 0x08, 0x0E
"""Flags: whether differences are told; those that change nothing else."""


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
    place: Place | None = None
    """The stream that the values went through; None: they are simply packed."""


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """An array for each kind of field; of each level, where a level has several fields."""
    fields = [one for field in _fields(data) if (one := _moved(field, inflated)) is not None]
    return _arrays(data if inflated is None else plain, fields)


def streams(data: Bytes) -> list[Place]:
    """The values of messages that went through CCSDS or were packed in groups."""
    return [field.place for field in _fields(data) if field.place is not None]


def _moved(field: _Field, inflated: Inflated | None) -> _Field | None:
    """Where its values lie in the plain file; None: they are in none, for their stream was not opened."""
    if field.place is None:
        return field if inflated is None else replace(field, offset=inflated.moved(field.offset))
    begin = None if inflated is None else inflated.begins.get(field.offset)
    return None if begin is None else replace(field, offset=begin)


def _arrays(data: Bytes, fields: Sequence[_Field]) -> list[Variable]:
    counts = Counter(_series(field) for field in fields)
    groups: dict[tuple[object, ...], list[_Field]] = {}
    for field in fields:
        series = _series(field)
        groups.setdefault(series if counts[series] >= _SERIES_MIN else series[:-1], []).append(field)
    return [one for group in groups.values() for one in _variables(data, group)]


def _variables(data: Bytes, group: Sequence[_Field]) -> list[Variable]:
    """Fields that belong together: as what they stand for but for the decimal factor, if they come back so."""
    first = group[0]
    if SCALED_BITS_MIN <= first.bits <= SCALED_BITS_MAX and _come_back(data, group):
        element, loose = Element.scaled(first.bits, first.scale), first.place is None
        unit = 10.0**-first.decimal if abs(first.decimal) <= _DECIMAL_MAX else 1.0
        common = Variable("", one_tile(element, first.shape, 0), data=loose, sealed=not loose, merges=first, unit=unit)
        return [replace(common, extent=one_tile(element, one.shape, one.offset)) for one in group]
    plain = first.bits in (8, 16, 32)
    element = Element(f"u{first.bits // 8}", big=True) if plain else Element.packed(first.bits)
    return [Variable("", one_tile(element, one.shape, one.offset), sealed=True, merges=first) for one in group]


def _come_back(data: Bytes, group: Sequence[_Field]) -> bool:
    """Whether the numbers are those nearest to the values that they stand for."""
    for field in group:
        bits, scale = field.bits, field.scale.read(data, field.offset)
        if field.place is not None:
            if not _surely_come_back(scale, field.place.coder):
                return False
            continue
        stored = data[field.offset : field.offset - (-prod(field.shape) * bits // 8)]
        packed: U8 = np.frombuffer(stored, np.uint8)
        numbers = unpack_bits(packed, bits, prod(field.shape), np.dtype(np.uint32))
        if not np.array_equal(numbers, numbers_of(values_of(numbers, *scale), *scale, bits)):
            return False
    return True


def _surely_come_back(scale: tuple[float, int], coder: NumberCoder | None) -> bool:
    """The same of numbers that were not looked at: whether the largest value has half a step of them to spare."""
    reference, exponent = scale
    most = coder.most if isinstance(coder, Grouped) else (1 << coder.bits) - 1 if coder is not None else 0
    largest = abs(reference) + ldexp(float(most), exponent)
    return float(np.spacing(np.float32(largest))) <= ldexp(0.5, exponent)


def _series(field: _Field) -> tuple[object, ...]:
    is_coded = field.place is not None
    return field.kind, field.shape, field.bits, field.scale, field.decimal, is_coded, field.level


def _fields(data: Bytes) -> list[_Field]:
    """Those of all messages, however many bytes of something else are between them."""
    return [field for _, fields in _messages(data) for field in fields]


def messages_of(data: Bytes) -> list[range]:
    """Where whole messages lie."""
    return [span for span, _ in _messages(data)]


def _messages(data: Bytes) -> Iterator[tuple[range, list[_Field]]]:
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
        yield range(at, end), fields
        at = max(end, at + len(_MAGIC))  # a message may say that it is shorter than its magic


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
    discipline = BytesReader(data, at + 6).number("B")
    sections, end = sections_of(data, at)
    found: list[_Field] = []
    grid, product, packing, reference, has_bitmap = (0, 0), b"", Packed(0, -1, 0, 0, None), 0, False
    for number, start, length in sections:
        if number == 3:
            grid = _second_grid(BytesReader(data, start + 6))
        elif number == 4:
            product = BytesReader(data, start + 7).take(min(length - 7, 27))
        elif number == 5:
            packing, reference = packed_by(BytesReader(data, start).take(min(length, _PACKING_BYTES))), start + 11
        elif number == 6:
            has_bitmap = BytesReader(data, start + 5).number("B") != 255
        elif number == 7 and packing.can_fill(length - 5):
            kind, level, coder = (2, discipline, product[:4]), product[15:27], packing.coder
            shape = _shape(*grid, packing.count, has_bitmap=has_bitmap)
            scale = Scale(ibm=False, back=start + 5 - reference)
            place = None if coder is None else coded_place(start + 5, length - 5, coder)
            bits = packing.bits if coder is None else coder.bits
            field = _Field(kind, level, shape, bits, start + 5, scale, packing.decimal, place)
            found += [field] if coder is not None or _is_clean(data, field) else []
    return found, end


class Section(NamedTuple):
    """A section of a message: its number, where it begins, how long it is."""

    number: int
    start: int
    length: int


def sections_of(data: Bytes, at: int) -> tuple[list[Section], int]:
    """The sections of a message of the second edition from 1 on, and where it ends. Raises Corrupt or Truncated."""
    reader = BytesReader(data, at + 8)
    total = reader.number("Q")
    end = at + total
    found: list[Section] = []
    for _ in range(_SECTIONS_MAX):
        start = reader.at
        if BytesReader(data, start).take(4) == _END:
            return found, start + 4
        length, number = reader.numbers("IB")
        if length < 5 or start + length > end:
            raise Corrupt(f"a GRIB section of {length} bytes in a message of {total}")
        found.append(Section(number, start, length))
        reader.at = start + length
    raise Corrupt(f"a GRIB message of more than {_SECTIONS_MAX} sections")


@dataclass(frozen=True, slots=True)
class Packed:
    """What section 5 of the second edition says of the numbers in section 7.

    template  how they are packed
    bits      of each, where they are simply packed
    coder     who packed them, if that can be done again
    """

    count: int
    template: int
    bits: int
    decimal: int
    coder: NumberCoder | None

    def can_fill(self, length: int) -> bool:
        """Whether so many bytes may hold the numbers, and they can become an array."""
        if not self.count:
            return False
        if self.coder is not None:
            return length > 0
        return self.template == SIMPLE and 0 < self.bits <= BITS_MAX and self.count <= length * 8 // self.bits


def packed_by(section: bytes) -> Packed:
    """What a section 5, or its begin, says. Raises Truncated."""
    reader = BytesReader(section, 5)
    count, template, _, _, decimal, bits = reader.numbers("IHIHHB")
    coder: NumberCoder | None = None
    if template == CCSDS:
        _, flags, block, interval = reader.numbers("BBBH")
        if flags & ~_CCSDS_KNOWN == 0 and count and bits:
            coder = Ccsds(count, bits, block, interval, int(bool(flags & _CCSDS_FOLDED)))
    elif template in (GROUPED, DIFFERENCED):
        _, _, missing, _, _, *groups = reader.numbers("BBBIIIBBIBIB")
        differences = reader.numbers("BB") if template == DIFFERENCED else (0, 0)
        if not missing and count:
            most = _GROUPED_MAX if bits < _GROUPED_MAX.bit_length() else NUMBER_MAX
            coder = Grouped(count, Packing(groups[0], bits, *groups[1:], *differences), most)
    return Packed(count, template, bits, _signed(decimal), coder)


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
