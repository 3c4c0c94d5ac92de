"""Samples as integers: from bytes of any width and order and back, and onto the fewest numbers that are in use."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.media.fields import Fields, varint
from lithify.codecs.media.sound_files import WIDTHS, Kind
from lithify.errors import Corrupt, Truncated

_TABLE_RANGE_MAX = 1 << 16
_OFTEN = 8
_GAPS_SHARE = 0.1
"""If so many of the values that occur often have a neighbour that never does, sound was stretched, and a table of the
values in use is worth its place. A short or loud sound leaves gaps, too, but not beside its frequent values."""
_INT_TYPES = {Kind.S16LE: "<i2", Kind.S16BE: ">i2", Kind.S32LE: "<i4", Kind.S32BE: ">i4"}
_FLOAT_BITS = {Kind.F32LE: "<u4", Kind.F32BE: ">u4"}
_EXPONENT_MAX = 40
_FLOAT_ONE = 1 << 31


# --- bytes and numbers ------------------------------------------------------------------------------------


def to_numbers(data: bytes, kind: Kind) -> I32:
    """The samples in order of loudness; floats and companded ones by rank. `data` is whole samples."""
    if kind in _INT_TYPES:
        return np.frombuffer(data, _INT_TYPES[kind]).astype(np.int32)
    if kind in _FLOAT_BITS:
        bits = np.frombuffer(data, _FLOAT_BITS[kind]).astype(np.uint32).view(np.int32)
        return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    octets = np.frombuffer(data, np.uint8)
    if kind in {Kind.S24LE, Kind.S24BE}:
        low, middle, high = _thirds(octets.reshape(-1, 3).astype(np.int32), kind)
        return ((high << 24) >> 8) | middle << 8 | low
    return _OCTET_NUMBERS[kind][octets]


def to_bytes(numbers: I32, kind: Kind) -> bytes:
    """What `to_numbers` made these of. Raises Corrupt for a number that the kind does not have."""
    if kind in _INT_TYPES:
        _check(numbers, kind)
        return numbers.astype(_INT_TYPES[kind]).tobytes()
    if kind in _FLOAT_BITS:
        bits = np.where(numbers < 0, numbers ^ np.int32(0x7FFFFFFF), numbers).view(np.uint32)
        return bits.astype(_FLOAT_BITS[kind]).tobytes()
    _check(numbers, kind)
    if kind in {Kind.S24LE, Kind.S24BE}:
        thirds = np.stack([numbers & 255, (numbers >> 8) & 255, (numbers >> 16) & 255], axis=-1).astype(np.uint8)
        return (thirds if kind == Kind.S24LE else thirds[:, ::-1]).tobytes()
    return _OCTETS[kind][numbers + 128].tobytes()


def _thirds(octets: I32, kind: Kind) -> tuple[I32, I32, I32]:
    order = (0, 1, 2) if kind == Kind.S24LE else (2, 1, 0)
    low, middle, high = (octets[:, at] for at in order)
    return low, middle, high


def _check(numbers: I32, kind: Kind) -> None:
    most = 1 << (8 * WIDTHS[kind] - 1)
    if len(numbers) and not (-most <= numbers.min() and numbers.max() < most):
        raise Corrupt(f"a sample of kind {kind.name} is outside {-most} to {most - 1}")


def _ranked(number_of: Callable[[int], int]) -> I32:
    return np.array([number_of(octet) for octet in range(256)], np.int32)


def _mu_law(octet: int) -> int:
    size = ~octet & 0x7F
    return size if octet & 0x80 else -size - 1


def _a_law(octet: int) -> int:
    size = (octet ^ 0x55) & 0x7F
    return size if octet & 0x80 else -size - 1


_OCTET_NUMBERS: dict[Kind, I32] = {
    Kind.U8: _ranked(lambda octet: octet - 128),
    Kind.S8: _ranked(lambda octet: octet - 256 * (octet > 127)),
    Kind.MU_LAW: _ranked(_mu_law),
    Kind.A_LAW: _ranked(_a_law),
}
_OCTETS: dict[Kind, U8] = {kind: np.argsort(numbers).astype(np.uint8) for kind, numbers in _OCTET_NUMBERS.items()}


# --- floats that are integers -----------------------------------------------------------------------------


def float_scale(numbers: I32) -> int | None:
    """The least power of two that makes all floats, given by rank, integers below 2^31; None: there is none."""
    bits = np.where(numbers < 0, numbers ^ np.int32(0x7FFFFFFF), numbers)
    values = bits.view(np.float32)
    if not np.isfinite(values).all():
        return None
    mantissas, exponents = np.frexp(values[values != 0])
    if not len(mantissas):
        return 0
    whole = (mantissas * (1 << 24)).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    scale = int((24 - trailing - exponents).max())
    if not 0 <= scale <= _EXPONENT_MAX or np.abs(values).max() * 2.0**scale >= _FLOAT_ONE:
        return None
    return scale


def to_integers(numbers: I32, scale: int) -> I32:
    """Floats, given by rank, times 2^scale."""
    bits = np.where(numbers < 0, numbers ^ np.int32(0x7FFFFFFF), numbers)
    return (bits.view(np.float32).astype(np.float64) * 2.0**scale).astype(np.int32)


def to_ranks(integers: I32, scale: int) -> I32:
    """What `to_integers` made these of, negative zeros apart."""
    bits = (integers.astype(np.float64) * 2.0**-scale).astype(np.float32).view(np.int32)
    return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)


# --- the numbers in use -----------------------------------------------------------------------------------


class Numbering(NamedTuple):
    """How the numbers of some channels are written: `least` + `step` × number, or one of `table`."""

    least: int
    step: int
    most: int
    """The largest number; the least is 0."""
    table: I64 | None

    def numbered(self, values: I32) -> I64:
        if self.table is not None:
            return np.searchsorted(self.table, values).astype(np.int64)
        return (values.astype(np.int64) - self.least) // self.step

    def values(self, numbers: I64) -> I32:
        """Raises Corrupt if a value has more than 32 bits."""
        found = self.table[numbers] if self.table is not None else self.least + self.step * numbers
        if len(found.ravel()) and not (found.min() >= -(1 << 31) and found.max() < 1 << 31):
            raise Corrupt("a sample has more than 32 bits")
        return found.astype(np.int32)


def choose_numbering(values: I32) -> Numbering:
    """The numbering with the fewest numbers for these values."""
    least, most = int(values.min()), int(values.max())
    span = most - least
    if 0 < span < _TABLE_RANGE_MAX:
        counts = np.bincount((values.ravel().astype(np.int64) - least), minlength=span + 1)
        used = np.flatnonzero(counts)
        step = int(np.gcd.reduce(used)) or 1
        if _has_gaps(counts[::step]):
            return Numbering(least, step, len(used) - 1, used + least)
    else:
        step = int(np.gcd.reduce(values.ravel().astype(np.int64) - least)) or 1
    return Numbering(least, step, span // step, None)


def _has_gaps(counts: I64) -> bool:
    often = np.flatnonzero(counts[:-1] >= _OFTEN)
    gaps = int(np.count_nonzero(counts[often + 1] == 0))
    return gaps > _GAPS_SHARE * len(often)


def write_numbering(numbering: Numbering) -> bytes:
    """The bytes of a numbering."""
    least = numbering.least
    out = varint(2 * least if least >= 0 else -2 * least - 1) + varint(numbering.step)
    if numbering.table is None:
        return out + varint(numbering.most) + b"\0"
    span = int(numbering.table[-1] - least) // numbering.step
    used = np.zeros(span + 1, np.uint8)
    used[(numbering.table - least) // numbering.step] = 1
    return out + varint(span) + b"\1" + np.packbits(used).tobytes()


def read_numbering(fields: Fields) -> Numbering:
    """What `write_numbering` wrote. Raises Truncated, Corrupt, LimitExceeded."""
    folded = fields.number((1 << 32) - 1, "the least sample")
    least = folded >> 1 if not folded & 1 else -((folded + 1) >> 1)
    step = fields.number((1 << 32) - 1, "the step between samples")
    most = fields.number((1 << 32) - 1, "the range of samples")
    tabled = fields.byte()
    if not step or tabled > 1:
        raise Corrupt("a numbering of samples has no step, or a table of no known kind")
    if not tabled:
        return Numbering(least, step, most, None)
    if most >= _TABLE_RANGE_MAX:
        raise Corrupt(f"a table of {most + 1} samples; the longest has {_TABLE_RANGE_MAX}")
    used = np.unpackbits(np.frombuffer(fields.take((most + 8) // 8), np.uint8))[: most + 1]
    table = least + step * np.flatnonzero(used)
    if not len(table):
        raise Truncated("a table of samples is empty")
    return Numbering(least, step, len(table) - 1, table)
