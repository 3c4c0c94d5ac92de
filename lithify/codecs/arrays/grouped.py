"""Numbers as GRIB 2 packs them in groups ("complex packing"), with or without spatial differencing; and back.

Each group has a reference, a width and a length; a number is what its width holds, on top of the reference. Before
that they may have become first or second differences. Writers cut groups as they like: where, and in what a group is
not what its numbers ask for, is kept. Where missing values are managed, the largest number that a width can say stands
for a value that is missing, and the one before for one that is missing for another reason.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64, U8, Bools
from lithify.codecs.arrays.wire import Reader, unzigzag, varint, zigzag
from lithify.errors import Corrupt, Truncated

NUMBER_MAX = (1 << 24) - 1
"""Of what is packed; others are left as they are. Where values are missing, it and the one before say so."""
FIELD_BITS_MAX = 32
REFERENCE_MAX = 1 << 34
_OCTETS_MAX = 4
_KINDS_MAX = 2


@dataclass(frozen=True, slots=True)
class Packing:
    """What section 5 of a message says of its groups (templates 5.2 and 5.3).

    bits            of each reference
    width_bits      of each width, less `width_least`; likewise lengths, which go in steps, but for the last
    order, octets   of the differences, and of each number that they begin with; 0 where there are none
    missing         how many kinds of missing values are managed
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
    missing: int = 0

    def is_possible(self, count: int) -> bool:
        """Whether so many numbers may be packed so."""
        widths = (self.bits, self.width_bits, self.length_bits)
        return (
            0 < self.groups <= count
            and max(widths) <= FIELD_BITS_MAX
            and self.order <= 2
            and self.order < count
            and (0 < self.octets <= _OCTETS_MAX or not self.order)
            and self.missing <= _KINDS_MAX
            and (self.bits > 0 or not self.missing)
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

    begin       of spatial differencing: the first numbers, and the least difference
    references, widths, lengths  of each group
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
    if sides is None or groups.widths.max() > FIELD_BITS_MAX:
        return None
    packed = fields(np.frombuffer(rest, np.uint8), np.repeat(groups.widths, sides))
    if packed is None:
        return None
    kinds = _kinds_of(packed, groups, sides, packing)
    told = packed + np.repeat(groups.references, sides)
    some = summed(told[kinds == 0], groups.begin, packing.order, NUMBER_MAX - packing.missing)
    if some is None:
        return None
    numbers = NUMBER_MAX + 1 - kinds
    numbers[kinds == 0] = some
    recipe = _recipe(groups, told, kinds, sides, packing)
    try:
        again = pack(numbers, packing, recipe)
    except (Corrupt, Truncated):
        return None
    return (numbers, recipe) if again == stored else None


def pack(numbers: I64, packing: Packing, recipe: bytes) -> bytes:
    """Section 7 again. Raises Corrupt or Truncated if the recipe is not for these numbers."""
    reader = Reader(recipe)
    order, count, many = packing.order, len(numbers), packing.groups
    kinds = np.maximum(0, numbers - NUMBER_MAX + packing.missing)
    kinds[kinds > 0] = packing.missing + 1 - kinds[kinds > 0]
    some = numbers[kinds == 0]
    if not packing.is_possible(count) or (order and len(some) <= order):
        raise Corrupt(f"array payload: {count} numbers cannot be packed in {many} groups so")
    least = reader.signed(REFERENCE_MAX) if order else 0
    first = [reader.signed(REFERENCE_MAX) for _ in range(order)]
    told = np.zeros(count, np.int64)
    told[kinds == 0] = np.concatenate((np.array(first, np.int64), np.diff(some, order) - least)) if order else some
    lengths, widths, references = (take_many(reader, many) for _ in range(3))
    reader.end()
    sides = packing.sides(lengths, count)
    if sides is None:
        raise Corrupt(f"array payload: {many} groups are not those of {count} numbers")
    usual = _usual(told, kinds, sides, packing)
    references, widths = references + usual.references, widths + usual.widths
    if widths.min() < 0 or widths.max() > FIELD_BITS_MAX:
        raise Corrupt(f"array payload: a group of numbers of {widths.max()} bits")
    begin = b"" if not order else b"".join(_signed(one, packing.octets) for one in (*some[:order].tolist(), least))
    columns = (
        (references, packing.bits),
        (widths - packing.width_least, packing.width_bits),
        (lengths, packing.length_bits),
    )
    head = b"".join(packed_fields(column, np.full(many, bits, np.uint8)) for column, bits in columns)
    wide = np.repeat(widths, sides)
    rest = np.where(kinds == 0, told - np.repeat(references, sides), np.where(wide > 0, (1 << wide) - kinds, 0))
    return begin + head + packed_fields(rest, wide)


def _kinds_of(packed: I64, groups: _Groups, sides: I64, packing: Packing) -> I64:
    """0 for each value that is there, else why it is missing: 1 or 2. A group of no width says so by its reference."""
    said = np.where(groups.widths > 0, groups.widths, packing.bits)
    wide = np.repeat(groups.widths, sides)
    stored = np.where(wide > 0, packed, np.repeat(groups.references, sides))
    kinds: I64 = np.repeat((1 << said), sides) - stored
    return np.where((kinds > 0) & (kinds <= packing.missing), kinds, 0)


class _Usual(NamedTuple):
    """References and widths as the numbers of each group ask for them."""

    references: I64
    widths: I64


def _usual(told: I64, kinds: I64, sides: I64, packing: Packing) -> _Usual:
    low, high = ends(told, sides, kinds == 0)
    widths = lengths_of_bits(high - low)
    if packing.missing:
        most, least = ends(kinds, sides)[::-1]
        spread = lengths_of_bits(high - low + packing.missing)
        widths = np.where((high > low) | ((most > 0) & (least == 0)), spread, widths)
        low = np.where(least > 0, (1 << packing.bits) - least, low)
    return _Usual(low, widths)


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
        column = fields(np.frombuffer(stored, np.uint8, size, at), np.full(many, bits))
        if column is None:
            return None
        columns.append(column)
        at += size
    references, widths, lengths = columns
    return _Groups(begin, references, widths + packing.width_least, lengths), stored[at:]


def fields(stream: U8, widths: I64) -> I64 | None:
    """A number of each of these widths; None if the stream ends before."""
    from lithify.codecs.arrays.bit_fields import run_fields

    numbers = np.zeros(len(widths), np.int64)
    return numbers if run_fields(numbers, widths.astype(np.uint8), stream.copy(), True) else None


def packed_fields(numbers: I64, widths: U8 | I64) -> bytes:
    """The numbers in these widths. Raises Corrupt for one that is larger."""
    from lithify.codecs.arrays.bit_fields import run_fields

    if (numbers < 0).any() or (numbers >> widths.astype(np.int64)).any():
        raise Corrupt("array payload: a number of a group is larger than its width")
    stream = np.zeros(-(-int(widths.sum(dtype=np.int64)) // 8), np.uint8)
    run_fields(numbers, widths.astype(np.uint8), stream, False)
    return stream.tobytes()


def summed(told: I64, begin: tuple[int, ...], order: int, most: int) -> I64 | None:
    """Numbers out of their differences; None if they become larger than `most`, or there are too few."""
    numbers = told
    if order:
        if len(told) <= order:
            return None
        *first, least = begin
        steps = told[order:] + least
        for level in range(order, 0, -1):
            start = np.diff(np.array(first, np.int64), level - 1)[:1]
            steps = np.cumsum(np.concatenate((start, steps)))
            if np.abs(steps).max() > REFERENCE_MAX:
                return None
        numbers = steps
    return numbers if not numbers.size or (numbers.min() >= 0 and numbers.max() <= most) else None


def _recipe(groups: _Groups, told: I64, kinds: I64, sides: I64, packing: Packing) -> bytes:
    usual = _usual(told, kinds, sides, packing)
    numbers = [*groups.begin[packing.order :], *told[kinds == 0][: packing.order].tolist()] if packing.order else []
    columns = groups.lengths, groups.widths - usual.widths, groups.references - usual.references
    numbers += [number for column in columns for number in column.tolist()]
    return b"".join(varint(zigzag(number)) for number in numbers)


def take_many(reader: Reader, count: int) -> I64:
    """So many signed numbers. Raises Truncated or Corrupt."""
    if count > reader.left:
        raise Truncated(f"array payload: {count} groups, and {reader.left} bytes to tell them")
    return np.array([unzigzag(reader.varint(2 * REFERENCE_MAX)) for _ in range(count)], np.int64)


def ends(told: I64, sides: I64, there: Bools | None = None) -> tuple[I64, I64]:
    """The least and the largest number of each group, of those that are there; 0 for one that has none."""
    begins = np.cumsum(sides) - sides
    low, high = np.zeros(len(sides), np.int64), np.zeros(len(sides), np.int64)
    some = sides > 0
    if not some.any():
        return low, high
    far = np.iinfo(np.int64)
    low[some] = np.minimum.reduceat(told if there is None else np.where(there, told, far.max), begins[some])
    high[some] = np.maximum.reduceat(told if there is None else np.where(there, told, far.min), begins[some])
    none = low > high
    low[none], high[none] = 0, 0
    return low, high


def lengths_of_bits(numbers: I64) -> I64:
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
