"""Streams of numbers inside files that are no deflated bytes: which coders made them, and how each is done again.

A coder opens a stream to numbers of so many bits, one directly behind the other, and a recipe; and closes them to the
very same stream.
"""

from abc import ABC, abstractmethod
from dataclasses import astuple, dataclass
from typing import ClassVar, Self

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I64, U8, U32
from lithify.codecs.arrays import second_order
from lithify.codecs.arrays.grouped import NUMBER_MAX, Packing, pack, unpack
from lithify.codecs.arrays.packing import pack_bits, unpack_bits
from lithify.codecs.arrays.rows import Rows
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt, Truncated

_COUNT_MAX = 1 << 26
_BLOCKS = (8, 16, 32, 64)
_INTERVAL_MAX = 4096
_FIELD_MAX = (1 << 32) - 1


class NumberCoder(ABC):
    """One way to code a list of numbers; `code` is its number in the format, its fields what the format keeps of it."""

    code: ClassVar[int]

    @property
    @abstractmethod
    def bits(self) -> int:
        """Of each number, opened."""

    @property
    @abstractmethod
    def numbers(self) -> int:
        """How many there are."""

    @property
    def plain_bytes(self) -> int:
        """Of all of them, opened."""
        return -(-self.numbers * self.bits // 8)

    @abstractmethod
    def opened(self, stored: bytes) -> tuple[bytes, bytes] | None:
        """The numbers of a stream, packed, and the recipe for it; None: it is not what it should be."""

    def plain_of(self, stored: bytes) -> bytes | None:
        """The numbers of a stream, packed, whether it could be closed again or not; None: it says something else."""
        found = self.opened(stored)
        return None if found is None else found[0]

    @abstractmethod
    def closed(self, plain: bytes, recipe: bytes, length: int) -> bytes:
        """The stream of `length` bytes. Raises Corrupt or Truncated."""

    @abstractmethod
    def pack(self) -> bytes:
        """Its fields."""

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader) -> Self:
        """What `pack` wrote. Raises Corrupt or Truncated."""

    def _unpacked(self, plain: bytes) -> U32:
        if len(plain) != self.plain_bytes:
            raise Corrupt(f"array payload: {len(plain)} bytes for {self.numbers} numbers of {self.bits} bits")
        packed: U8 = np.frombuffer(plain, np.uint8)
        return unpack_bits(packed, self.bits, self.numbers, np.dtype(np.uint32))


@dataclass(frozen=True, slots=True)
class Ccsds(NumberCoder):
    """CCSDS 121.0 (`ccsds.py`).

    block   numbers that are told together; `interval`: how many of those until it begins anew
    folded  whether differences are told
    """

    code: ClassVar[int] = 1
    count: int
    width: int
    block: int
    interval: int
    folded: int

    @property
    def bits(self) -> int:
        return self.width

    @property
    def numbers(self) -> int:
        return self.count

    def opened(self, stored: bytes) -> tuple[bytes, bytes] | None:
        from lithify.codecs.arrays.ccsds import parse, unfold

        if not self._is_possible():
            return None
        codes, units = self._room()
        known, used = parse(np.frombuffer(stored, np.uint8), *self._form, codes, units)
        numbers = np.zeros(self.count, np.uint32)
        if known < 0 or -(-used // 8) != len(stored) or not unfold(codes, self.width, self._step, numbers):
            return None
        for recipe in (b"", units[:known].tobytes()):
            if self._written(numbers, recipe, len(stored)) == stored:
                return pack_bits(numbers, self.width).tobytes(), recipe
        return None

    def closed(self, plain: bytes, recipe: bytes, length: int) -> bytes:
        found = self._written(self._unpacked(plain), recipe, length) if self._is_possible() else None
        if found is None:
            raise Corrupt(f"array payload: {self.count} numbers do not become a stream of {length} bytes")
        return found

    def _written(self, numbers: U32, recipe: bytes, length: int) -> bytes | None:
        from lithify.codecs.arrays.ccsds import fold, tell

        codes, units = self._room()
        if len(recipe) > len(units):
            return None
        units[: len(recipe)] = np.frombuffer(recipe, np.uint8)
        fold(numbers, self.width, self._step, codes)
        out = np.zeros(length, np.uint8)
        count, used = tell(codes, *self._form, units, len(recipe) or -1, out)
        return out.tobytes() if count >= len(recipe) and -(-used // 8) == length else None

    @property
    def _form(self) -> tuple[int, int, int, bool]:
        return self.width, self.block, self.interval, bool(self.folded)

    @property
    def _step(self) -> int:
        """How many numbers until one is told as it is."""
        return self.block * self.interval if self.folded else 1

    def _room(self) -> tuple[U32, U8]:
        blocks = -(-self.count // self.block)
        return np.zeros(blocks * self.block, np.uint32), np.zeros(blocks, np.uint8)

    def _is_possible(self) -> bool:
        return (
            0 < self.count <= _COUNT_MAX
            and 0 < self.width <= 32
            and self.block in _BLOCKS
            and 0 < self.interval <= _INTERVAL_MAX
        )

    def pack(self) -> bytes:
        return b"".join(map(varint, (self.count, self.width, self.block, self.interval, self.folded)))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(*(reader.varint(most) for most in (_COUNT_MAX, 32, _BLOCKS[-1], _INTERVAL_MAX, 1)))


class _InGroups(NumberCoder):
    """Numbers in groups, of so few bits that a float holds them."""

    count: int

    @property
    def bits(self) -> int:
        return NUMBER_MAX.bit_length()

    @property
    def numbers(self) -> int:
        return self.count


@dataclass(frozen=True, slots=True)
class Grouped(_InGroups):
    """Complex packing of GRIB 2 (`grouped.py`), of numbers of up to `most`."""

    code: ClassVar[int] = 2
    count: int
    packing: Packing
    most: int = NUMBER_MAX

    def opened(self, stored: bytes) -> tuple[bytes, bytes] | None:
        found = unpack(stored, self.packing, self.count) if self.packing.is_possible(self.count) else None
        if found is None or self._largest(found[0]) > self.most:
            return None
        return pack_bits(found[0], self.bits).tobytes(), found[1]

    def _largest(self, numbers: I64) -> int:
        """Of those that are there."""
        return int(numbers.max(initial=0, where=numbers <= NUMBER_MAX - self.packing.missing))

    def closed(self, plain: bytes, recipe: bytes, length: int) -> bytes:
        found = pack(self._unpacked(plain).astype(np.int64), self.packing, recipe)
        if len(found) != length:
            raise Corrupt(f"array payload: groups of {len(found)} bytes where {length} were expected")
        return found

    def pack(self) -> bytes:
        return b"".join(map(varint, (self.count, *astuple(self.packing))))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.varint(_COUNT_MAX), Packing(*(reader.varint(_FIELD_MAX) for _ in range(11))))


@dataclass(frozen=True, slots=True)
class Ordered(_InGroups):
    """Second-order packing of GRIB 1 (`second_order.py`), of numbers of up to `most`."""

    code: ClassVar[int] = 3
    count: int
    packing: second_order.SecondOrder
    most: int = NUMBER_MAX

    def opened(self, stored: bytes) -> tuple[bytes, bytes] | None:
        found = second_order.unpack(stored, self.packing, self.count) if self.packing.is_possible(self.count) else None
        if found is None or found[0].max() > self.most:
            return None
        return pack_bits(found[0], self.bits).tobytes(), found[1]

    def closed(self, plain: bytes, recipe: bytes, length: int) -> bytes:
        return second_order.pack(self._unpacked(plain).astype(np.int64), self.packing, recipe, length)

    def pack(self) -> bytes:
        return b"".join(map(varint, (self.count, *astuple(self.packing))))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.varint(_COUNT_MAX), second_order.SecondOrder(*(reader.varint(_FIELD_MAX) for _ in range(7))))


@dataclass(frozen=True, slots=True)
class Lzw(NumberCoder):
    """LZW of TIFF (`lzw_strips.py`), of bytes; `rows`: of numbers that were told as differences before."""

    code: ClassVar[int] = 4
    count: int
    rows: Rows | None = None

    @property
    def bits(self) -> int:
        return 8

    @property
    def numbers(self) -> int:
        return self.count

    @property
    def _is_possible(self) -> bool:
        return 0 < self.count <= limits.CHUNK_BYTES_MAX and (self.rows is None or self.rows.is_possible(self.count))

    def opened(self, stored: bytes) -> tuple[bytes, bytes] | None:
        from lithify.codecs.arrays import lzw_strips

        found = lzw_strips.opened(stored, self.count) if self._is_possible else None
        if found is None or self.rows is None:
            return found
        return self.rows.undone(found[0]), found[1]

    def plain_of(self, stored: bytes) -> bytes | None:
        from lithify.codecs.arrays import lzw_strips

        found = lzw_strips.plain_of(stored, self.count) if self._is_possible else None
        return found if found is None or self.rows is None else self.rows.undone(found)

    def closed(self, plain: bytes, recipe: bytes, length: int) -> bytes:
        from lithify.codecs.arrays import lzw_strips

        if not self._is_possible or len(plain) != self.count:
            raise Corrupt(f"array payload: {len(plain)} bytes for an LZW strip of {self.count}")
        return lzw_strips.closed(plain if self.rows is None else self.rows.done(plain), recipe, length)

    def pack(self) -> bytes:
        return varint(self.count) + (varint(0) if self.rows is None else varint(1) + self.rows.pack())

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.varint(limits.CHUNK_BYTES_MAX), Rows.read(reader) if reader.varint(1) else None)


CODERS: dict[int, type[NumberCoder]] = {one.code: one for one in (Ccsds, Grouped, Ordered, Lzw)}


def warm() -> None:
    """Run every kernel once for each set of types that it meets."""
    from lithify.codecs.arrays import lzw_strips

    lzw_strips.warm()
    Ccsds(16, 12, 16, 8, 1).opened(b"\xf0" + bytes(24))
    Grouped(3, Packing(1, 8, 0, 4, 3, 1, 3, 4, 0, 0)).opened(bytes(3))


def read_coder(code: int, recipe: bytes) -> tuple[NumberCoder, bytes]:
    """The coder of a stream by its recipe, and the rest of that. Raises Corrupt or Truncated."""
    if code not in CODERS:
        raise Corrupt(f"array payload: streams of coder {code} do not exist")
    reader = Reader(recipe)
    coder = CODERS[code].read(reader)
    if not coder.numbers:
        raise Truncated("array payload: a stream of no numbers")
    return coder, reader.rest()
