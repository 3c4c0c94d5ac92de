"""GRIB, editions 1 and 2: messages whose values are integers of any count of bits ("simple packing"), or floats.

A message is a field; what it is of (parameter, level) is in its headers, which stay in the skeleton. Fields of one kind
are frames of one array of integers, in the order of the file. Those that went through CCSDS or were packed in groups
are streams, and integers again when these are opened. JPEG 2000 and PNG cannot be made again to the byte; whoever asks
is told which messages are left as they are, and why.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ldexp, prod
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.coded import Ccsds, Grouped, NumberCoder, Ordered
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.left import some_of
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import BITS_MAX, SCALED_BITS_MAX, SCALED_BITS_MIN, Element, one_tile
from lithify.codecs.arrays.grouped import NUMBER_MAX, Packing
from lithify.codecs.arrays.inflated import Inflated, Place, coded_place
from lithify.codecs.arrays.packing import unpack_bits
from lithify.codecs.arrays.scaling import IBM, Scale, numbers_of, values_of
from lithify.codecs.arrays.second_order import SecondOrder
from lithify.errors import Corrupt, Truncated

_MAGIC, _END = b"GRIB", b"7777"
_SECTIONS_MAX = 64
_SERIES_MIN = 4
_LOOK_MIN, _LOOK_MAX = 1 << 6, 1 << 18
"""Bytes that are looked through for the next message: few at first, for where many broken ones lie close together."""
_DECIMAL_MAX = 100
SIMPLE, GROUPED, DIFFERENCED, IEEE, JPEG2000, PNG, CCSDS = 0, 2, 3, 4, 40, 41, 42
SPECTRAL, SPECTRAL_COMPLEX, LOGARITHMIC = 50, 51, 61
"""Numbers of the second edition's ways to pack values."""
_LEFT = {
    1: "packed as matrices",
    JPEG2000: "in JPEG 2000, which cannot be made again to the byte",
    PNG: "in PNG, which cannot be made again to the byte",
    50001: "packed by ECMWF's own second order",
    50002: "packed by ECMWF's own second order",
    200: "packed as lengths of runs",
}
_SPHERE, _GROUPS, _MORE_FLAGS = 0x80, 0x40, 0x10
"""Flags of the first edition's section 4."""
_EXTENDED, _BACKWARDS = 0x18, 0x04
"""Of its second-order packing: groups of any length and width, as they are read here; every other row turned round."""
_REDUCED = 0xFFFF
"""In the place of the columns, where each row has its own."""
_SPECTRAL_BITS_MIN = 8
"""Of the coefficients of spherical harmonics: nothing but the length of a section tells how many there are."""
_GROUPED_MAX = (1 << 20) - 1
"""Of numbers in groups that shall stand for floats: no header tells the largest."""
_PACKING_BYTES = 49
"""Of section 5, at most, that say how values are packed."""
_KINDS_MAX = 2
"""Of missing values."""
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
    scaled: bool = True
    """Whether the numbers stand for values as simple packing has it."""
    floats: str = ""
    """The type of values that are not packed at all."""


class _Message(NamedTuple):
    """A message, taken apart: its fields that can be arrays, where it ends, and why others cannot."""

    fields: list[_Field]
    end: int
    left: list[str]


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """An array for each kind of field; of each level, where a level has several fields."""
    fields = [one for field in _fields(data) if (one := _moved(field, inflated)) is not None]
    return _arrays(data if inflated is None else plain, fields)


def streams(data: Bytes) -> list[Place]:
    """The values of messages that went through CCSDS or were packed in groups."""
    return [field.place for field in _fields(data) if field.place is not None]


def left_in(data: Bytes) -> list[str]:
    """Which messages hold values that no array can hold, and why, in sentences."""
    numbers: dict[str, list[int]] = {}
    for number, (_, message) in enumerate(_messages(data), 1):
        for why in dict.fromkeys(message.left):
            numbers.setdefault(why, []).append(number)
    return [f"GRIB {_counted(some)}: values {why}, are not opened" for why, some in numbers.items()]


def _counted(numbers: Sequence[int]) -> str:
    """`message 3`, or `messages 3, 4, 5 and 12 more`."""
    return f"message{'s' * (len(numbers) > 1)} {some_of(list(map(str, numbers)))}"


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
    if first.floats:
        element = Element(first.floats, big=True)
        return [Variable("", one_tile(element, one.shape, one.offset), data=True, merges=first) for one in group]
    if first.scaled and SCALED_BITS_MIN <= first.bits <= SCALED_BITS_MAX and _come_back(data, group):
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
    most = coder.most if isinstance(coder, Grouped | Ordered) else (1 << coder.bits) - 1 if coder is not None else 0
    largest = abs(reference) + ldexp(float(most), exponent)
    return float(np.spacing(np.float32(largest))) <= ldexp(0.5, exponent)


def _series(field: _Field) -> tuple[object, ...]:
    is_coded = field.place is not None
    how = field.bits, field.scale, field.decimal, is_coded, field.scaled, field.floats
    return field.kind, field.shape, *how, field.level


def _fields(data: Bytes) -> list[_Field]:
    """Those of all messages, however many bytes of something else are between them."""
    return [field for _, message in _messages(data) for field in message.fields]


def messages_of(data: Bytes) -> list[range]:
    """Where whole messages lie."""
    return [span for span, _ in _messages(data)]


def _messages(data: Bytes) -> Iterator[tuple[range, _Message]]:
    at = 0
    while (at := _magic_behind(data, at)) >= 0:
        try:
            message = _message(data, at)
        except Corrupt:
            at += len(_MAGIC)
            continue
        except Truncated:
            break
        if message.end > len(data):
            break
        yield range(at, message.end), message
        at = max(message.end, at + len(_MAGIC))  # a message may say that it is shorter than its magic


def _magic_behind(data: Bytes, at: int) -> int:
    """Where the next message begins; -1: nowhere."""
    look = _LOOK_MIN
    while at + len(_MAGIC) <= len(data):
        place = bytes(data[at : at + look]).find(_MAGIC)
        if place >= 0:
            return at + place
        at += look - len(_MAGIC) + 1
        look = min(2 * look, _LOOK_MAX)
    return -1


def _message(data: Bytes, at: int) -> _Message:
    edition = BytesReader(data, at + 7).number("B")
    if edition == 1:
        return _first_edition(data, at)
    if edition == 2:
        return _second_edition(data, at)
    raise Corrupt(f"GRIB edition {edition}")


# --- edition 1 ----------------------------------------------------------------------------------------


def _first_edition(data: Bytes, at: int) -> _Message:
    """Lists of points are only read of a message that holds them: its end is where the next one is looked for."""
    end = at + _three(BytesReader(data, at + 4))
    product = at + 8
    reader = BytesReader(data, product)
    section = product + _three(reader)
    _, _, _, _, flags, parameter, level_type = reader.numbers("7B")
    level = reader.take(2)
    decimal = _signed(BytesReader(data, product + 26).number("H"))
    grid = bitmap = None
    if flags & 0x80:
        grid = range(section, section + _three(BytesReader(data, section)))
        section = grid.stop
    if flags & 0x40:
        bitmap = range(section, section + _three(BytesReader(data, section)))
        section = bitmap.stop
    values = _FirstValues(data, section, grid, bitmap)
    if values.stop > end:
        raise Corrupt(f"a GRIB message of {end - at} bytes whose data end at {values.stop - at}")
    field = values.field((1, parameter, level_type), level, decimal)
    return _Message([field], end, []) if isinstance(field, _Field) else _Message([], end, [field] if field else [])


def _first_grid(data: Bytes, section: range) -> tuple[int, int]:
    """Rows and columns by section 2; 0 and 0 of a reduced grid."""
    _, _, _, columns, rows = BytesReader(data, section.start + 3).numbers("BBBHH")
    return (rows, columns) if columns != _REDUCED else (0, 0)


def _points_of(data: Bytes, section: range) -> int:
    """How many points the rows of section 2 have together: those of a reduced grid have a list of lengths."""
    reader = BytesReader(data, section.start + 3)
    above, place, _, columns, rows = reader.numbers("BBBHH")
    if columns != _REDUCED:
        return int(rows * columns)
    reader.at = section.start + place - 1 + 4 * above
    return sum(reader.numbers(f"{rows}H")) if reader.at + 2 * rows <= section.stop else 0


def _ones(data: Bytes, section: range) -> int:
    """How many points have values by section 3; 0 if the bitmap is not in it."""
    bitmap = BytesReader(data, section.start).take(len(section))
    if len(bitmap) < 6 or any(bitmap[4:6]):
        return 0
    return int.from_bytes(bitmap[6:], "big").bit_count()


class _FirstValues:
    """Section 4 of the first edition, with the sections of the grid and of the points that have values, if any."""

    def __init__(self, data: Bytes, start: int, grid: range | None, bitmap: range | None) -> None:
        self._data, self._start, self._grid_section, self._bitmap = data, start, grid, bitmap
        self._grid = (0, 0) if grid is None else _first_grid(data, grid)
        self._has_bitmap = bitmap is not None
        reader = BytesReader(data, start)
        self.stop = start + _three(reader)
        flags, _, _, self._bits = reader.numbers("BHIB")
        self._flags, self._unused = flags & 0xF0, flags & 0x0F

    def field(self, kind: tuple[object, ...], level: bytes, decimal: int) -> _Field | str:
        """The values; why they can be no array; or nothing, where there are none."""
        if not self._flags & (_SPHERE | _GROUPS | _MORE_FLAGS):
            return self._simple(kind, level, decimal)
        if self._flags & _SPHERE:
            return self._spectral(kind, level, decimal)
        return (
            self._second_order(kind, level, decimal) if self._flags & _GROUPS else "packed as matrices, or not at all"
        )

    def _simple(self, kind: tuple[object, ...], level: bytes, decimal: int) -> _Field | str:
        begin = self._start + 11
        count = self._numbers_from(begin)
        if not 0 < self._bits <= BITS_MAX:
            return ""
        if count < 1:
            raise Corrupt(f"a GRIB section of {self.stop - self._start} bytes without values")
        shape = _shape(*self._grid, count, has_bitmap=self._has_bitmap)
        field = _Field(kind, level, shape, self._bits, begin, IBM, decimal)
        return field if _is_clean(self._data, field) else "with bits behind the last one"

    def _spectral(self, kind: tuple[object, ...], level: bytes, decimal: int) -> _Field | str:
        """The coefficients that are packed; those before, and the first of all, stay where they are."""
        begin = self._start + 15
        if self._flags & _GROUPS:
            begin = self._start + BytesReader(self._data, self._start + 11).number("H") - 1
        return _coefficients(self._data, kind, level, self._bits, begin, self._numbers_from(begin), decimal)

    def _numbers_from(self, begin: int) -> int:
        return max(0, 8 * (self.stop - begin) - self._unused) // self._bits if self._bits else 0

    def _points(self) -> int:
        """How many values there should be: counted in bitmaps and lists that may be as long as the message."""
        if self._bitmap is not None:
            return _ones(self._data, self._bitmap)
        return 0 if self._grid_section is None else _points_of(self._data, self._grid_section)

    def _second_order(self, kind: tuple[object, ...], level: bytes, decimal: int) -> _Field | str:
        reader = BytesReader(self._data, self._start + 13)
        flags, _, groups, _, more, widths, lengths, _ = reader.numbers("BHHHBBBH")
        if flags & ~(_BACKWARDS | 3) != _EXTENDED:
            return "packed in second order, by rows, in equal widths or with a bitmap of its own"
        order = flags & 3
        begin_bits = reader.number("B") if order else 0
        columns = self._grid[1] if flags & _BACKWARDS and not self._has_bitmap else 0
        packing = SecondOrder(groups + (more << 16), self._bits, widths, lengths, order, begin_bits, columns)
        points = self._points()
        if not packing.is_possible(points):
            return "packed in second order, in groups that cannot be"
        small = max(self._bits, begin_bits) < _GROUPED_MAX.bit_length()
        coder = Ordered(points, packing, _GROUPED_MAX if small else NUMBER_MAX)
        shape = _shape(*self._grid, points, has_bitmap=self._has_bitmap)
        scale = Scale(ibm=True, back=reader.at - self._start - 4)
        place = coded_place(reader.at, self.stop - reader.at, coder)
        return _Field(kind, level, shape, coder.bits, reader.at, scale, decimal, place)


def _coefficients(
    data: Bytes, kind: tuple[object, ...], level: bytes, bits: int, begin: int, count: int, decimal: int
) -> _Field | str:
    """Of spherical harmonics, one number after another."""
    if not bits or not count:
        return ""
    if not _SPECTRAL_BITS_MIN <= bits <= BITS_MAX:
        return f"of spherical harmonics, in {bits} bits each"
    field = _Field((*kind, "spectral"), level, (1, count), bits, begin, IBM, decimal, scaled=False)
    return field if _is_clean(data, field) else "with bits behind the last one"


def _left_of(template: int) -> str:
    return _LEFT.get(template, f"packed by template 5.{template}")


def _signed(number: int) -> int:
    """What 16 bits say whose first is the sign."""
    return -(number & 0x7FFF) if number & 0x8000 else number


def _three(reader: BytesReader) -> int:
    return int.from_bytes(reader.take(3), "big")


# --- edition 2 ----------------------------------------------------------------------------------------


def _second_edition(data: Bytes, at: int) -> _Message:
    """Sections 2 to 7 may repeat: each section 7 ends a field."""
    discipline = BytesReader(data, at + 6).number("B")
    sections, end = sections_of(data, at)
    found: list[_Field] = []
    left: list[str] = []
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
        elif number == 7:
            shape = _shape(*grid, packing.count, has_bitmap=has_bitmap)
            about = _Field((2, discipline, product[:4]), product[15:27], shape, 0, start + 5, IBM, packing.decimal)
            field = _second_values(data, about, packing, length - 5, start + 5 - reference)
            found += [field] if isinstance(field, _Field) else []
            left += [field] if isinstance(field, str) and field else []
    return _Message(found, end, left)


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
    bits      of each, where they are packed one by one, or not at all
    coder     who packed them, if that can be done again
    missing   how many kinds of missing values are managed
    skipped   bytes of section 7 before the numbers
    """

    count: int
    template: int
    bits: int
    decimal: int
    coder: NumberCoder | None
    missing: int = 0
    skipped: int = 0


def packed_by(section: bytes) -> Packed:
    """What a section 5, or its begin, says. Raises Truncated."""
    reader = BytesReader(section, 5)
    count, template = reader.numbers("IH")
    if template == IEEE:
        return Packed(count, template, {1: 32, 2: 64}.get(reader.number("B"), 0), 0, None)
    _, _, decimal, bits = reader.numbers("IHHB")
    coder: NumberCoder | None = None
    managed, skipped = 0, 0
    if template == CCSDS:
        _, flags, block, interval = reader.numbers("BBBH")
        if flags & ~_CCSDS_KNOWN == 0 and count and bits:
            coder = Ccsds(count, bits, block, interval, int(bool(flags & _CCSDS_FOLDED)))
    elif template in (GROUPED, DIFFERENCED):
        _, _, missing, _, _, *groups = reader.numbers("BBBIIIBBIBIB")
        differences = reader.numbers("BB") if template == DIFFERENCED else (0, 0)
        if missing <= _KINDS_MAX and count:
            most = _GROUPED_MAX if bits < _GROUPED_MAX.bit_length() else NUMBER_MAX - missing
            coder = Grouped(count, Packing(*(groups[0], bits, *groups[1:], *differences, missing)), most)
            managed = missing
    elif template == SPECTRAL_COMPLEX:
        _, _, _, _, skipped, precision = reader.numbers("IHHHIB")
        skipped *= {1: 4, 2: 8}.get(precision, 0)
    return Packed(count, template, bits, _signed(decimal), coder, managed, skipped)


def _second_values(data: Bytes, about: _Field, packing: Packed, length: int, back: int) -> _Field | str:
    """The values of a section 7 of `length` bytes; why they can be no array; or nothing, where there are none.

    about  all that is known of them but how they are packed
    back   bytes from what section 5 says of their scale to the first of them
    """
    if not packing.count or not length:
        return ""
    if packing.coder is not None:
        scale = Scale(ibm=False, back=back, holed=bool(packing.missing))
        place = coded_place(about.offset, length, packing.coder)
        return replace(about, bits=packing.coder.bits, scale=scale, place=place)
    if packing.template in (SPECTRAL, SPECTRAL_COMPLEX):
        begin = about.offset + packing.skipped
        count = max(0, length - packing.skipped) * 8 // packing.bits if packing.bits else 0
        return _coefficients(data, about.kind, about.level, packing.bits, begin, count, about.decimal)
    if packing.template == IEEE:
        fits = packing.count * packing.bits == 8 * length and packing.bits in (32, 64)
        return replace(about, floats=f"f{packing.bits // 8}") if fits else _left_of(IEEE)
    if packing.template in (SIMPLE, LOGARITHMIC):
        return _simply(data, about, packing, length, back)
    return _left_of(packing.template)


def _simply(data: Bytes, about: _Field, packing: Packed, length: int, back: int) -> _Field | str:
    """The same, of numbers one behind the other."""
    if not packing.bits:
        return ""
    if packing.bits > BITS_MAX or packing.count > length * 8 // packing.bits:
        return f"of {packing.bits} bits, {packing.count} in {length} bytes"
    field = replace(about, bits=packing.bits, scale=Scale(ibm=False, back=back), scaled=packing.template == SIMPLE)
    return field if _is_clean(data, field) else "with bits behind the last one"


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
