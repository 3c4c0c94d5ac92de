"""Grids: how the values of an array stand for small integers, and come back from them.

Each grid is exact arithmetic or IEEE 754 doubles in one written order (a product, a sum, a quotient, a rounding), which
every machine computes to the same bits.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U64
from lithify.codecs.arrays.wire import Reader, double, varint, zigzag
from lithify.errors import Corrupt

K_MAX = (1 << 29) - 1
"""Integers that are predicted lie between this and its negative."""
_WIDE_MAX = (1 << 62) - 1
_RANKS_MAX = 1 << 16
_CELLS_MAX = 1 << 17
"""Twice as many as values: those of a table that are about evenly spaced are each in one, and found at once."""
_LADDER = 65536.0
_UNEVEN = 3
_ALONE, _FLOATS, _DOUBLES = range(3)
_FORM: dict[int, np.dtype[Any]] = {2: np.dtype(np.uint16), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}
MANTISSA = {2: 10, 4: 23, 8: 52}
_EXPONENT_BIAS = {2: 15, 4: 127, 8: 1023}


class Split(NamedTuple):
    """Values as integers, and the low bits that are kept beside them (None: there are none)."""

    integers: I64
    low: U64 | None = None


class Grid(ABC):
    """One way; `code` is its number in the format."""

    code: ClassVar[int]

    @abstractmethod
    def split(self, values: np.ndarray, frames: range) -> Split:
        """The integers nearest to a block of values (frames, rows, columns); what is not finite may become anything."""

    @abstractmethod
    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        """The values of a block."""

    def widths(self, integers: I32 | I64) -> U8 | None:
        """How many low bits each value has; None: none has any."""
        return None

    @abstractmethod
    def pack(self) -> bytes:
        """What decoding needs, behind the code."""


class Native(Grid):
    """Integers less the smallest, in units of their common step; of wide ones the low bits are kept aside."""

    code = 1

    def __init__(self, dtype: np.dtype, base: int, step: int, shift: int) -> None:
        self._dtype, self._base, self._step, self._shift = dtype, base, step, shift

    def split(self, values: np.ndarray, frames: range) -> Split:
        from_base = (values.astype(np.uint64) - np.uint64(self._base & (1 << 64) - 1)) // np.uint64(self._step)
        integers = (from_base >> np.uint64(self._shift)).astype(np.int64) - self._middle
        return Split(integers, from_base & np.uint64((1 << self._shift) - 1) if self._shift else None)

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        wide = (integers + self._middle).astype(np.uint64) << np.uint64(self._shift)
        if low is not None:
            wide |= low
        return (wide * np.uint64(self._step) + np.uint64(self._base & (1 << 64) - 1)).astype(self._dtype)

    def widths(self, integers: I32 | I64) -> U8 | None:
        return np.full(integers.shape, self._shift, np.uint8) if self._shift else None

    @property
    def _middle(self) -> int:
        return K_MAX if self._shift else 0

    def pack(self) -> bytes:
        base = self._base & (1 << 64) - 1
        return base.to_bytes(8, "little") + varint(self._step) + varint(self._shift)

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype) -> "Native":
        base = int.from_bytes(reader.take(8), "little")
        step, shift = reader.varint(_WIDE_MAX), reader.varint(40)
        if dtype.kind not in "iu" or not step:
            raise Corrupt(f"array payload: a grid of integers, step {step}, for values of dtype {dtype}")
        return cls(dtype, base, step, shift)


class Affine(Grid):
    """base + step * k, the same or its own for every frame; a double, rounded to the dtype of the values."""

    code = 2

    def __init__(self, dtype: np.dtype, steps: np.ndarray, bases: np.ndarray) -> None:
        """`steps` and `bases` are doubles: one, or one for every frame of the array."""
        self._dtype, self._steps, self._bases = dtype, steps, bases
        self._offsets = np.zeros(1, np.int64)
        if self.is_framed:
            with np.errstate(all="ignore"):
                places = np.rint(bases / steps)
                offsets = np.where(np.abs(places - places[0]) <= K_MAX, places - places[0], 0)
            self._offsets = offsets.astype(np.int64)

    @property
    def is_framed(self) -> bool:
        """Whether frames have steps or bases of their own."""
        return len(self._steps) > 1 or len(self._bases) > 1

    @property
    def line(self) -> tuple[float, float]:
        """Step and base of the first frame."""
        return float(self._steps[0]), float(self._bases[0])

    def split(self, values: np.ndarray, frames: range) -> Split:
        with np.errstate(all="ignore"):
            k = np.rint((values.astype(np.float64) - _of(self._bases, frames)) / _of(self._steps, frames))
            k = np.where(np.abs(k) <= K_MAX, k, 0)
        return Split(k.astype(np.int64) + _of(self._offsets, frames))

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        k = (integers - _of(self._offsets, frames)).astype(np.float64)
        with np.errstate(all="ignore"):
            values: np.ndarray = (k * _of(self._steps, frames) + _of(self._bases, frames)).astype(self._dtype)
        return values

    @property
    def steps(self) -> np.ndarray:
        """The step of every frame, or the one of all."""
        return self._steps

    def coarser(self, error: float) -> "Affine":
        """Every odd-numbered point, as far apart as an error allows: no value lies halfway between two of them."""
        times = np.array([odd_times(float(step), error) for step in self._steps])
        return Affine(self._dtype, self._steps * times, self._bases)

    def fine(self, values: np.ndarray, parts: int) -> np.ndarray | None:
        """Values in so many parts of a step, as doubles; None if frames have lines of their own."""
        if self.is_framed:
            return None
        with np.errstate(all="ignore"):
            fine: np.ndarray = (values.astype(np.float64) - self._bases[0]) / (self._steps[0] / parts)
        return fine

    def join_fine(self, fine: I64, parts: int) -> np.ndarray:
        """The values that are so many parts of a step from the base."""
        with np.errstate(all="ignore"):
            values: np.ndarray = (fine.astype(np.float64) * (self._steps[0] / parts) + self._bases[0]).astype(
                self._dtype
            )
        return values

    def pack(self) -> bytes:
        return _pack_doubles(self._steps) + _pack_doubles(self._bases)

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype, frames: int, *, inner: bool = False) -> "Affine":
        steps, bases = (_read_doubles(reader, frames, inner=inner) for _ in range(2))
        if not (np.isfinite(steps).all() and (steps != 0).all() and np.isfinite(bases).all()) or dtype.kind != "f":
            raise Corrupt(f"array payload: an affine grid that is not one, for values of dtype {dtype}")
        return cls(dtype, steps, bases)


class Decimal(Grid):
    """(first + step * k) / 10^digits: what was rounded to decimal digits."""

    code = 3

    def __init__(self, dtype: np.dtype, first: int, step: int, digits: int) -> None:
        self._dtype, self._first, self._step, self._digits = dtype, first, step, digits
        self._power = float(10**digits)

    @property
    def line(self) -> tuple[float, float]:
        """Step and base, as doubles."""
        return self._step / self._power, self._first / self._power

    def split(self, values: np.ndarray, frames: range) -> Split:
        with np.errstate(all="ignore"):
            k = np.rint((np.rint(values.astype(np.float64) * self._power) - self._first) / self._step)
            return Split(np.where(np.abs(k) <= K_MAX, k, 0).astype(np.int64))

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        with np.errstate(all="ignore"):
            return ((integers.astype(np.float64) * self._step + self._first) / self._power).astype(self._dtype)

    def pack(self) -> bytes:
        return varint(zigzag(self._first)) + varint(self._step) + varint(self._digits)

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype) -> "Decimal":
        first, step, digits = reader.signed(1 << 52), reader.varint(1 << 52), reader.varint(15)
        if dtype.kind != "f" or not step:
            raise Corrupt(f"array payload: a grid of decimals, step {step}, for values of dtype {dtype}")
        return cls(dtype, first, step, digits)


class Ranks(Grid):
    """A table of the different values, in order; k is a place in it."""

    code = 4

    def __init__(self, dtype: np.dtype, table: np.ndarray, packed: bytes = b"") -> None:
        self._dtype, self._table, self._packed = dtype, table, packed
        with np.errstate(all="ignore"):
            self._first, last = float(table[0]), float(table[-1])
            self._cells_per_unit = (_CELLS_MAX - 1) / max(last - self._first, 1e-300)

    def split(self, values: np.ndarray, frames: range) -> Split:
        if self._places is None:
            return Split(self._nearest(values))
        ranks = self._places[self._cells(values)]
        astray = self._table[ranks] != values
        if astray.any():
            ranks[astray] = self._nearest(values[astray])
        return Split(ranks)

    def _nearest(self, values: np.ndarray) -> I64:
        above = np.minimum(np.searchsorted(self._table, values), len(self._table) - 1)
        if self._dtype.kind == "f":
            below = np.maximum(above - 1, 0)
            with np.errstate(all="ignore"):
                nearer = values - self._table[below] < self._table[above] - values
            above = np.where(nearer, below, above)
        return above.astype(np.int64)

    @cached_property
    def _places(self) -> I64 | None:
        """The rank of what is in each of many even cells; None: two values of the table would be in one."""
        cells = self._cells(self._table)
        if (cells[1:] <= cells[:-1]).any():
            return None
        places = np.zeros(_CELLS_MAX, np.int64)
        places[cells] = np.arange(len(cells))
        return places

    def _cells(self, values: np.ndarray) -> I64:
        """In which cell values are; what lies outside of the table may be in any."""
        with np.errstate(all="ignore"):
            cells = ((values.astype(np.float64) - self._first) * self._cells_per_unit).astype(np.int64)
        return cells & (_CELLS_MAX - 1)

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        if integers.size and not (integers.min() >= 0 and integers.max() < len(self._table)):
            raise Corrupt(f"array payload: a rank outside the table of {len(self._table)} values")
        return self._table[integers]

    @property
    def ladder(self) -> I32 | None:
        """Where the values stand, in 65,536ths of the way from the first to the last; None if they are not in order."""
        with np.errstate(all="ignore"):
            wide = self._table.astype(np.float64)
            places = np.rint((wide - wide[0]) / (wide[-1] - wide[0]) * _LADDER)
        if not (np.isfinite(places).all() and (np.diff(places) >= 0).all()):
            return None
        ladder: I32 = places.astype(np.int32)
        return ladder

    @property
    def is_uneven(self) -> bool:
        """Whether some values stand much further apart than others."""
        ladder = self.ladder
        if ladder is None or len(ladder) < 3:
            return False
        narrow, wide = np.quantile(np.diff(self._table.astype(np.float64)), (0.1, 0.9))
        return bool(wide >= _UNEVEN * narrow)

    def pack(self) -> bytes:
        return varint(len(self._table)) + varint(len(self._packed)) + self._packed

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype) -> "Ranks":
        from lithify.codecs.arrays.values import decode_inner

        count = reader.varint(_RANKS_MAX)
        body = reader.take(reader.varint(_WIDE_MAX))
        if not count:
            raise Corrupt("array payload: a table of no values")
        return cls(dtype, decode_inner(body, count, dtype))


class Ordered(Grid):
    """The bits of floats, in the order of the floats, less those of the smallest; the low ones aside or, with a bound,
    left away."""

    code = 5

    def __init__(self, dtype: np.dtype, base: int, shift: int, loses: bool) -> None:
        self._dtype, self._base, self._shift, self._loses = dtype, base, shift, loses
        self._form = _FORM[dtype.itemsize]
        self._sign = np.uint64(1 << (8 * dtype.itemsize - 1))

    def split(self, values: np.ndarray, frames: range) -> Split:
        order = ordered_bits(values)
        if self._loses:
            half = np.uint64(1 << self._shift >> 1)
            return Split(((order - np.uint64(self._base) + half) >> np.uint64(self._shift)).astype(np.int64))
        order = order - np.uint64(self._base)
        low = order & np.uint64((1 << self._shift) - 1) if self._shift else None
        return Split((order >> np.uint64(self._shift)).astype(np.int64), low)

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        order = integers.astype(np.uint64) << np.uint64(self._shift)
        if low is not None:
            order = order | low
        order = (order + np.uint64(self._base)) & np.uint64((int(self._sign) << 1) - 1)
        bits = np.where(order & self._sign, order ^ self._sign, ~order & np.uint64((int(self._sign) << 1) - 1))
        return bits.astype(self._form).view(self._dtype)

    def widths(self, integers: I32 | I64) -> U8 | None:
        return None if self._loses or not self._shift else np.full(integers.shape, self._shift, np.uint8)

    def pack(self) -> bytes:
        return self._base.to_bytes(8, "little") + varint(self._shift << 1 | self._loses)

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype) -> "Ordered":
        base, both = int.from_bytes(reader.take(8), "little"), reader.varint(127)
        if dtype.kind != "f" or both >> 1 > 62:
            raise Corrupt(f"array payload: a grid of ordered floats for values of dtype {dtype}")
        return cls(dtype, base, both >> 1, bool(both & 1))


class Fixed(Grid):
    """Multiples of 2^exponent, towards zero; what finer bits a float has are kept aside."""

    code = 6

    def __init__(self, dtype: np.dtype, exponent: int) -> None:
        self._dtype, self._exponent = dtype, exponent
        self._mantissa, self._bias = MANTISSA[dtype.itemsize], _EXPONENT_BIAS[dtype.itemsize]
        self._form = _FORM[dtype.itemsize]
        self._width = 8 * dtype.itemsize

    def split(self, values: np.ndarray, frames: range) -> Split:
        with np.errstate(all="ignore"):
            k = np.trunc(np.ldexp(values.astype(np.float64), -self._exponent))
            k = np.where(np.abs(k) <= K_MAX, k, 0).astype(np.int64)
        bits = np.ascontiguousarray(values).view(self._form).astype(np.uint64)
        widths = self.widths(k).astype(np.uint64)
        keep = np.where(
            widths >= np.uint64(64), ~np.uint64(0), (np.uint64(1) << (widths & np.uint64(63))) - np.uint64(1)
        )
        return Split(k, bits & keep)

    def widths(self, integers: I32 | I64) -> U8:
        octave = _octave(np.abs(integers))
        return np.where(octave < 0, self._width, np.maximum(self._mantissa - octave, 0)).astype(np.uint8)

    def join(self, integers: I64, low: U64 | None, frames: range) -> np.ndarray:
        assert low is not None
        size = np.abs(integers)
        octave = np.maximum(_octave(size), 0)
        finer = np.maximum(self._mantissa - octave, 0).astype(np.uint64)
        coarser = np.maximum(octave - self._mantissa, 0).astype(np.uint64)
        mantissa = (size.astype(np.uint64) >> coarser << finer) & np.uint64((1 << self._mantissa) - 1)
        exponent = (octave + (self._exponent + self._bias)).astype(np.uint64) << np.uint64(self._mantissa)
        sign = (integers < 0).astype(np.uint64) << np.uint64(self._width - 1)
        bits = np.where(integers == 0, low, sign | exponent | mantissa | low)
        return bits.astype(self._form).view(self._dtype)

    def pack(self) -> bytes:
        return varint(zigzag(self._exponent))

    @classmethod
    def read(cls, reader: Reader, dtype: np.dtype) -> "Fixed":
        exponent = reader.signed(2000)
        bias = _EXPONENT_BIAS.get(dtype.itemsize, 0)
        if dtype.kind != "f" or not -bias < exponent <= bias - 30:
            raise Corrupt(f"array payload: a grid of multiples of 2^{exponent} for values of dtype {dtype}")
        return cls(dtype, exponent)


def read_grid(reader: Reader, code: int, dtype: np.dtype, frames: int, *, inner: bool) -> Grid | None:
    """The grid of this code, of an array of so many frames; None: its blocks are all kept as bytes.

    Raises Corrupt or Truncated.

    inner   whether the array is itself part of a grid: its own may then have no part that is an array; neither ranks
            nor lines of frames
    """
    if inner and code == Ranks.code:
        raise Corrupt(f"array payload: grid 0x{code:02x} inside another grid")
    simple: dict[int, Any] = {one.code: one.read for one in (Native, Decimal, Ranks, Ordered, Fixed)}
    if code == 0:
        return None
    if code == Affine.code:
        return Affine.read(reader, dtype, frames, inner=inner)
    if code not in simple:
        raise Corrupt(f"array payload: grid 0x{code:02x} does not exist")
    grid: Grid = simple[code](reader, dtype)
    return grid


def odd_times(step: float, error: float) -> int:
    """How many steps of a lattice lie between points that leave no other further than `error` from one of them."""
    return 2 * int(error / step * (1 - 1e-9)) + 1


def ordered_bits(values: np.ndarray) -> U64:
    """The bits of floats as numbers in the order of the floats."""
    form = _FORM[values.dtype.itemsize]
    last = 8 * values.dtype.itemsize - 1
    bits = np.ascontiguousarray(values).view(form)
    flipped = np.right_shift(bits.view(f"i{form.itemsize}"), last).view(form) | form.type(1 << last)
    order: U64 = (bits ^ flipped).astype(np.uint64)
    return order


def _of(all_frames: np.ndarray, frames: range) -> np.ndarray:
    """What belongs to some frames, one number each, against their rows and columns."""
    found = all_frames if len(all_frames) == 1 else all_frames[frames.start : frames.stop]
    return found[:, None, None]


def _pack_doubles(numbers: np.ndarray) -> bytes:
    """One number, or one for every frame: then as a list of its own, of floats where they are enough."""
    from lithify.codecs.arrays.values import encode_inner

    if len(numbers) == 1:
        return varint(_ALONE) + double(float(numbers[0]))
    with np.errstate(all="ignore"):
        short = numbers.astype(np.float32)
    fits = bool((short.astype(np.float64) == numbers).all())
    packed = encode_inner(short if fits else numbers)
    return varint(_FLOATS if fits else _DOUBLES) + varint(len(packed)) + packed


def _read_doubles(reader: Reader, frames: int, *, inner: bool) -> np.ndarray:
    from lithify.codecs.arrays.values import decode_inner

    how = reader.varint(_ALONE if inner else _DOUBLES)
    if how == _ALONE:
        return np.array([reader.double()])
    dtype = np.dtype(np.float32 if how == _FLOATS else np.float64)
    return decode_inner(reader.take(reader.varint(_WIDE_MAX)), frames, dtype).astype(np.float64)


def _octave(size: I32 | I64) -> I64:
    """The place of the highest set bit; -1 of 0. Exact: a double holds every number asked for."""
    return np.frexp(size.astype(np.float64))[1].astype(np.int64) - 1
