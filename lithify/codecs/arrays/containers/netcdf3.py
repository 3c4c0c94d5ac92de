"""NetCDF 3 in its three spellings: classic, 64-bit offset, and CDF-5 with 64-bit counts.

Variables of the record dimension lie interleaved: one record of each, then the next. Their first stride is
the length of a record of all of them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.conventions import fills_of, is_data, named_by_others, unit_of
from lithify.codecs.arrays.containers.description import Attribute, Attributes, Described, Description, plain
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Element, Extent, contiguous, one_tile
from lithify.errors import Corrupt, LimitExceeded

MAGICS = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_DIMENSION, _VARIABLE, _ATTRIBUTE = 10, 11, 12
_CHAR = 2
_TYPES = {1: "i1", 2: "S1", 3: "i2", 4: "i4", 5: "f4", 6: "f8", 7: "u1", 8: "u2", 9: "u4", 10: "i8", 11: "u8"}
_CODES = {1: "b", 3: "h", 4: "i", 5: "f", 6: "d", 7: "B", 8: "H", 9: "I", 10: "q", 11: "Q"}
_LIST_MAX = 100_000


@dataclass(frozen=True, slots=True)
class _Declared:
    """A variable as the header declares it."""

    name: str
    dimensions: tuple[int, ...]
    attributes: Attributes
    type: int
    begin: int


class _Header:
    """Reads the header; counts and offsets have the widths of its version."""

    def __init__(self, data: Bytes) -> None:
        self.reader = BytesReader(data)
        version = self.reader.take(4)
        if version not in MAGICS:
            raise Corrupt("not a NetCDF 3 file")
        self._count_code = "q" if version == MAGICS[2] else "i"
        self._offset_code = "i" if version == MAGICS[0] else "q"
        records = self.reader.number("Q" if version == MAGICS[2] else "I")
        self.records: int | None = None if records in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else records
        self.dimensions = self._list(_DIMENSION, lambda: (self._name(), self._count()))
        self.attributes = self._attributes()
        self.variables = self._list(_VARIABLE, self._variable)

    def _count(self) -> int:
        found = int(self.reader.number(self._count_code))
        if found < 0:
            raise Corrupt(f"a NetCDF header counts {found}")
        return found

    def _list(self, tag: int, item: Any) -> list[Any]:
        found, count = self.reader.number("i"), self._count()
        if found != tag and (found or count):
            raise Corrupt(f"a NetCDF list has tag {found}, {tag} was expected")
        if count > _LIST_MAX:
            raise LimitExceeded(f"a NetCDF list of {count}")
        return [item() for _ in range(count)]

    def _name(self) -> str:
        return self._padded(self._count()).decode("utf-8", "replace")

    def _padded(self, count: int) -> bytes:
        found = self.reader.take(count)
        self.reader.take(-count % 4)
        return found

    def _attributes(self) -> dict[str, Attribute]:
        return dict(self._list(_ATTRIBUTE, self._attribute))

    def _attribute(self) -> tuple[str, Attribute]:
        name, kind, count = self._name(), self.reader.number("i"), self._count()
        if kind == _CHAR:
            # Programs in C write the end of a text along; no reader takes it for part of the text.
            return name, self._padded(count).decode("utf-8", "replace").replace("\0", "")
        code = _code(kind)
        numbers = np.frombuffer(self._padded(count * struct.calcsize(code)), ">" + _TYPES[kind])
        return name, numbers.astype(_TYPES[kind])

    def _variable(self) -> _Declared:
        name = self._name()
        rank = self._count()
        if rank > _LIST_MAX:
            raise LimitExceeded(f"a NetCDF variable of {rank} dimensions")
        dimensions = tuple(self._count() for _ in range(rank))
        if max(dimensions, default=-1) >= len(self.dimensions):
            raise Corrupt(f"the NetCDF variable {name!r:.80} has a dimension that does not exist")
        attributes, kind = self._attributes(), self.reader.number("i")
        self._count()  # its length, which large variables cannot say
        return _Declared(name, dimensions, attributes, kind, self.reader.number(self._offset_code))


def find(data: Bytes, length: int) -> list[Variable]:
    """Its variables that are numbers."""
    header = _Header(data)
    names = [name for name, _ in header.dimensions]
    others = named_by_others(plain(one.attributes) for one in header.variables)
    found = []
    for one, extent in _extents(header, length):
        if one.type == _CHAR:
            continue
        dimensions = [names[number] for number in one.dimensions]
        attributes = plain(one.attributes)
        is_one = is_data(one.name, dimensions, extent.element.type, attributes, others)
        found.append(Variable(one.name, extent, fills_of(attributes), is_one, unit=unit_of(attributes)))
    return found


def describe(data: Bytes) -> Description:
    """Its variables, and what is said of them and of the file."""
    header = _Header(data)
    names = [name for name, _ in header.dimensions]
    found = {}
    for one, extent in _extents(header, len(data)):
        dimensions = tuple(names[number] for number in one.dimensions)
        dtype = np.dtype("S1") if one.type == _CHAR else extent.element.native
        found[one.name] = Described(dimensions, extent.shape, dtype, one.attributes, extent)
    unlimited = frozenset(name for name, side in header.dimensions if not side)
    return Description(header.attributes, found, unlimited=unlimited)


def _extents(header: _Header, length: int) -> Iterator[tuple[_Declared, Extent]]:
    """Where each variable lies; characters as bytes."""
    fixed = [_shape(header, one) for one in header.variables]
    recorded = [_is_recorded(header, one) for one in header.variables]
    sizes = [prod(shape) * _itemsize(one) for shape, one in zip(fixed, header.variables, strict=True)]
    of_records = [size for size, is_one in zip(sizes, recorded, strict=True) if is_one]
    record_bytes = of_records[0] if len(of_records) == 1 else sum(size + -size % 4 for size in of_records)
    records = header.records
    if records is None:
        begin = min(
            (one.begin for one, is_one in zip(header.variables, recorded, strict=True) if is_one), default=length
        )
        records = (length - begin) // max(record_bytes, 1)
    for one, shape, is_recorded in zip(header.variables, fixed, recorded, strict=True):
        element = Element("u1" if one.type == _CHAR else _TYPES[one.type], big=one.type != _CHAR)
        steps = contiguous(shape, element.stored.itemsize)
        whole, strides = ((records, *shape), (record_bytes, *steps)) if is_recorded else (shape, steps)
        if one.begin < header.reader.at and prod(whole):
            # Values in the header are none: a bound would loosen what the file is read by.
            raise Corrupt(f"the NetCDF variable {one.name!r:.80} begins at {one.begin}, in the header")
        yield one, one_tile(element, whole, one.begin, strides)


def _shape(header: _Header, one: _Declared) -> tuple[int, ...]:
    """Without the record dimension."""
    sides = [header.dimensions[number][1] for number in one.dimensions]
    return tuple(sides[1:] if _is_recorded(header, one) else sides)


def _is_recorded(header: _Header, one: _Declared) -> bool:
    return bool(one.dimensions) and header.dimensions[one.dimensions[0]][1] == 0


def _itemsize(one: _Declared) -> int:
    return 1 if one.type == _CHAR else struct.calcsize(_code(one.type))


def _code(kind: int) -> str:
    if kind not in _CODES:
        raise Corrupt(f"NetCDF has no type {kind}")
    return _CODES[kind]
