"""Numbers as GRIB 1 packs them in groups ("second-order packing", general and extended), and back.

Of each group a first-order value is kept, a width and a length; a number is what its width holds, on top of the
first-order value. Before that the numbers may have become differences of up to the third order, and every other row may
run backwards. Where writers cut groups, and in what a group is not what its numbers ask for, is kept.
"""

from dataclasses import dataclass

import numpy as np

from lithify.codecs.array_types import I64
from lithify.codecs.arrays.grouped import (
    FIELD_BITS_MAX,
    NUMBER_MAX,
    REFERENCE_MAX,
    ends,
    fields,
    lengths_of_bits,
    packed_fields,
    summed,
    take_many,
)
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.errors import Corrupt, Truncated

_ORDER_MAX = 3
_BITS_MAX = 32


@dataclass(frozen=True, slots=True)
class SecondOrder:
    """What the header of section 4 says of its groups.

    first_bits, width_bits, length_bits  of each first-order value, width and length
    order, begin_bits                    of the differences, and of each number that they begin with
    columns                              of a row, where every other row runs backwards; 0: none does
    """

    groups: int
    first_bits: int
    width_bits: int
    length_bits: int
    order: int
    begin_bits: int
    columns: int

    def is_possible(self, count: int) -> bool:
        """Whether so many numbers may be packed so."""
        bits = self.first_bits, self.width_bits, self.length_bits, self.begin_bits
        return (
            self.groups > 0
            and max(bits) <= _BITS_MAX
            and self.order <= _ORDER_MAX
            and self.order < count
            and self.groups <= count - self.order
            and bool(self.begin_bits) == bool(self.order)
            and (not self.columns or count % self.columns == 0)
        )

    def turned(self, numbers: I64) -> I64:
        """The same with every other row turned round."""
        if not self.columns:
            return numbers
        rows = numbers.reshape(-1, self.columns).copy()
        rows[1::2] = rows[1::2, ::-1]
        return rows.reshape(-1)

    @property
    def head_bits(self) -> tuple[tuple[int, int], ...]:
        """Count and bits of each list in front of the packed numbers; each begins with a whole byte."""
        lists = (self.groups, self.width_bits), (self.groups, self.length_bits), (self.groups, self.first_bits)
        return ((self.order + 1, self.begin_bits), *lists) if self.order else lists


def unpack(stored: bytes, packing: SecondOrder, count: int) -> tuple[I64, bytes] | None:
    """The numbers of a section 4, from the first list on, and the recipe that packs them so again.

    None: it is not what it should be.
    """
    found = _lists(stored, packing)
    if found is None:
        return None
    *begin, widths, lengths, firsts = found[0]
    if int(lengths.sum()) != count - packing.order or widths.max() > FIELD_BITS_MAX:
        return None
    packed = fields(np.frombuffer(found[1], np.uint8), np.repeat(widths, lengths))
    if packed is None:
        return None
    told = packed + np.repeat(firsts, lengths)
    first = _with_sign(begin[0], packing.begin_bits) if begin else ()
    behind = np.concatenate((np.zeros(packing.order, np.int64), told))
    numbers = summed(behind, first, packing.order, NUMBER_MAX)
    if numbers is None:
        return None
    low, high = ends(told, lengths)
    columns = lengths, widths - lengths_of_bits(high - low), firsts - low
    recipe = [*first[packing.order :], *(number for column in columns for number in column.tolist())]
    numbers, told_recipe = packing.turned(numbers), b"".join(varint(zigzag(number)) for number in recipe)
    try:
        again = pack(numbers, packing, told_recipe, len(stored))
    except (Corrupt, Truncated):
        return None
    return (numbers, told_recipe) if again == stored else None


def pack(numbers: I64, packing: SecondOrder, recipe: bytes, length: int) -> bytes:
    """The lists and packed numbers again, filled up with zeros to `length`.

    Raises Corrupt or Truncated if the recipe is not for these numbers.
    """
    reader = Reader(recipe)
    order, many = packing.order, packing.groups
    if not packing.is_possible(len(numbers)):
        raise Corrupt(f"array payload: {len(numbers)} numbers cannot be packed in {many} groups so")
    numbers = packing.turned(numbers)
    least = reader.signed(REFERENCE_MAX) if order else 0
    told = np.diff(numbers, order) - least
    lengths, widths, firsts = (take_many(reader, many) for _ in range(3))
    reader.end()
    if lengths.min() < 0 or lengths.max() > len(told) or int(lengths.sum()) != len(told):
        raise Corrupt(f"array payload: {many} groups are not those of {len(told)} numbers")
    low, high = ends(told, lengths)
    firsts, widths = firsts + low, widths + lengths_of_bits(high - low)
    if widths.min() < 0 or widths.max() > FIELD_BITS_MAX:
        raise Corrupt(f"array payload: a group of numbers of {widths.max()} bits")
    begin = [np.array([*numbers[:order].tolist(), _signed(least, packing.begin_bits)], np.int64)] if order else []
    lists = zip((*begin, widths, lengths, firsts), packing.head_bits, strict=True)
    head = b"".join(packed_fields(column, np.full(len(column), bits, np.uint8)) for column, (_, bits) in lists)
    found = head + packed_fields(told - np.repeat(firsts, lengths), np.repeat(widths, lengths))
    if len(found) > length:
        raise Corrupt(f"array payload: groups of {len(found)} bytes where {length} were expected")
    return found.ljust(length, b"\0")


def _lists(stored: bytes, packing: SecondOrder) -> tuple[list[I64], bytes] | None:
    """What stands before the packed numbers, and those."""
    at = 0
    found: list[I64] = []
    for count, bits in packing.head_bits:
        size = -(-count * bits // 8)
        column = fields(np.frombuffer(stored[at : at + size], np.uint8), np.full(count, bits))
        if column is None:
            return None
        found.append(column)
        at += size
    return found, stored[at:]


def _with_sign(numbers: I64, bits: int) -> tuple[int, ...]:
    """The last of them is a sign and a size."""
    *first, last = numbers.tolist()
    sign = 1 << (bits - 1)
    return (*first, -(last - sign) if last & sign else last)


def _signed(number: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    if abs(number) >= sign:
        raise Corrupt(f"array payload: {number} in {bits} bits with its sign")
    return abs(number) | (sign if number < 0 else 0)
