"""Numbers as GRIB 2 packs them in groups ("complex packing"), with or without spatial differencing; and back.

Each group has a reference, a width and a length; a number is what its width holds, on top of the reference. Before
that they may have become first or second differences. Writers cut groups as they like: where, and in what a group is
not what its numbers ask for, is kept.
"""

from dataclasses import dataclass

import numpy as np

from lithify.codecs.array_types import I64, U8
from lithify.codecs.arrays.wire import Reader, unzigzag, varint, zigzag
from lithify.errors import Corrupt, Truncated

NUMBER_MAX = (1 << 24) - 1
"""Of what is packed; others are left as they are."""
_FIELD_BITS_MAX = 32
_REFERENCE_MAX = 1 << 34
_OCTETS_MAX = 4


@dataclass(frozen=True, slots=True)
class Packing:
    """What section 5 of a message says of its groups (templates 5.2 and 5.3).

    bits            of each reference
    width_bits      of each width, less `width_least`; likewise lengths, which go in steps, but for the last
    order, octets   of the differences, and of each number that they begin with; 0 where there are none
    """

    groups: int
    bits: int
    width_least: int
    width_bits: int
    length_least: int
    length_step: int
    last_length: int
    length_bits: int
    order: int
    octets: int

    def is_possible(self, count: int) -> bool:
        """Whether so many numbers may be packed so."""
        widths = (self.bits, self.width_bits, self.length_bits)
        return (
            0 < self.groups <= count
            and max(widths) <= _FIELD_BITS_MAX
            and self.order <= 2
            and self.order < count
            and (0 < self.octets <= _OCTETS_MAX or not self.order)
        )

    def sides(self, lengths: I64, count: int) -> I64 | None:
        """The lengths of groups that are written as `lengths`; None if they are not those of `count` numbers."""
        found = self.length_least + self.length_step * lengths
        found[-1] = self.last_length
        if (found < 0).any() or (found > count).any() or int(found.sum()) != count:
            return None
        return found


@dataclass(frozen=True, slots=True)
class _Groups:
    """What stands before the packed numbers.

    numbers     of spatial differencing: those at the begin, and the least difference
    """

    begin: tuple[int, ...]
    references: I64
    widths: I64
    lengths: I64


def unpack(stored: bytes, packing: Packing, count: int) -> tuple[I64, bytes] | None:
    """The numbers of section 7, and the recipe that packs them so again; None: it is not what it should be."""
    found = _read(stored, packing)
    if found is None:
        return None
    groups, rest = found
    sides = packing.sides(groups.lengths, count)
    if sides is None or groups.widths.max() > _FIELD_BITS_MAX:
        return None
    packed = _fields(np.frombuffer(rest, np.uint8), np.repeat(groups.widths, sides))
    if packed is None:
        return None
    told = packed + np.repeat(groups.references, sides)
    numbers = _summed(told, groups.begin, packing.order)
    if numbers is None:
        return None
    recipe = _recipe(groups, told, sides, packing.order)
    try:
        again = pack(numbers, packing, recipe)
    except (Corrupt, Truncated):
        return None
    return (numbers, recipe) if again == stored else None


def pack(numbers: I64, packing: Packing, recipe: bytes) -> bytes:
    """Section 7 again. Raises Corrupt or Truncated if the recipe is not for these numbers."""
    reader = Reader(recipe)
    order, count, many = packing.order, len(numbers), packing.groups
    if not packing.is_possible(count):
        raise Corrupt(f"array payload: {count} numbers cannot be packed in {many} groups so")
    least = reader.signed(_REFERENCE_MAX) if order else 0
    first = [reader.signed(_REFERENCE_MAX) for _ in range(order)]
    told = np.concatenate((np.array(first, np.int64), np.diff(numbers, order) - least)) if order else numbers
    lengths, widths, references = (_many(reader, many) for _ in range(3))
    reader.end()
    sides = packing.sides(lengths, count)
    if sides is None:
        raise Corrupt(f"array payload: {many} groups are not those of {count} numbers")
    low, high = _ends(told, sides)
    references = references + low
    widths = widths + _lengths_of_bits(high - low)
    if widths.min() < 0 or widths.max() > _FIELD_BITS_MAX:
        raise Corrupt(f"array payload: a group of numbers of {widths.max()} bits")
    begin = b"" if not order else b"".join(_signed(one, packing.octets) for one in (*numbers[:order].tolist(), least))
    columns = (
        (references, packing.bits),
        (widths - packing.width_least, packing.width_bits),
        (lengths, packing.length_bits),
    )
    head = b"".join(_packed(column, np.full(many, bits, np.uint8)) for column, bits in columns)
    return begin + head + _packed(told - np.repeat(references, sides), np.repeat(widths, sides))


def _read(stored: bytes, packing: Packing) -> tuple[_Groups, bytes] | None:
    many = packing.groups
    octets = (packing.order + 1) * packing.octets if packing.order else 0
    sizes = [-(-many * bits // 8) for bits in (packing.bits, packing.width_bits, packing.length_bits)]
    if octets + sum(sizes) > len(stored):
        return None
    begin = tuple(_from_signed(stored[at : at + packing.octets]) for at in range(0, octets, packing.octets or 1))
    columns: list[I64] = []
    at = octets
    for size, bits in zip(sizes, (packing.bits, packing.width_bits, packing.length_bits), strict=True):
        column = _fields(np.frombuffer(stored, np.uint8, size, at), np.full(many, bits))
        if column is None:
            return None
        columns.append(column)
        at += size
    references, widths, lengths = columns
    return _Groups(begin, references, widths + packing.width_least, lengths), stored[at:]


def _fields(stream: U8, widths: I64) -> I64 | None:
    from lithify.codecs.arrays.bit_fields import run_fields

    numbers = np.zeros(len(widths), np.int64)
    return numbers if run_fields(numbers, widths.astype(np.uint8), stream.copy(), True) else None


def _packed(numbers: I64, widths: U8 | I64) -> bytes:
    from lithify.codecs.arrays.bit_fields import run_fields

    if (numbers < 0).any() or (numbers >> widths.astype(np.int64)).any():
        raise Corrupt("array payload: a number of a group is larger than its width")
    stream = np.zeros(-(-int(widths.sum(dtype=np.int64)) // 8), np.uint8)
    run_fields(numbers, widths.astype(np.uint8), stream, False)
    return stream.tobytes()


def _summed(told: I64, begin: tuple[int, ...], order: int) -> I64 | None:
    """Numbers out of their differences; None if they become larger than they may be."""
    numbers = told
    if order:
        *first, least = begin
        steps = told[order:] + least
        for level in range(order, 0, -1):
            start = np.diff(np.array(first, np.int64), level - 1)[:1]
            steps = np.cumsum(np.concatenate((start, steps)))
            if np.abs(steps).max() > _REFERENCE_MAX:
                return None
        numbers = steps
    return numbers if numbers.min() >= 0 and numbers.max() <= NUMBER_MAX else None


def _recipe(groups: _Groups, told: I64, sides: I64, order: int) -> bytes:
    low, high = _ends(told, sides)
    numbers = [*groups.begin[order:], *told[:order].tolist()] if order else []
    columns = groups.lengths, groups.widths - _lengths_of_bits(high - low), groups.references - low
    numbers += [number for column in columns for number in column.tolist()]
    return b"".join(varint(zigzag(number)) for number in numbers)


def _many(reader: Reader, count: int) -> I64:
    if count > reader.left:
        raise Truncated(f"array payload: {count} groups, and {reader.left} bytes to tell them")
    return np.array([unzigzag(reader.varint(2 * _REFERENCE_MAX)) for _ in range(count)], np.int64)


def _ends(told: I64, sides: I64) -> tuple[I64, I64]:
    """The least and the largest number of each group; 0 for one that has none."""
    begins = np.cumsum(sides) - sides
    low, high = np.zeros(len(sides), np.int64), np.zeros(len(sides), np.int64)
    some = sides > 0
    low[some] = np.minimum.reduceat(told, begins[some])
    high[some] = np.maximum.reduceat(told, begins[some])
    return low, high


def _lengths_of_bits(numbers: I64) -> I64:
    """How many bits each number has: below 2^53."""
    return np.frexp(numbers.astype(np.float64))[1].astype(np.int64)


def _signed(number: int, octets: int) -> bytes:
    """Sign and magnitude."""
    sign = 1 << (8 * octets - 1)
    if abs(number) >= sign:
        raise Corrupt(f"array payload: {number} in {octets} bytes")
    return (abs(number) | (sign if number < 0 else 0)).to_bytes(octets, "big")


def _from_signed(stored: bytes) -> int:
    sign = 1 << (8 * len(stored) - 1)
    number = int.from_bytes(stored, "big")
    return -(number - sign) if number & sign else number
