"""Values that are no measurements: NaN, infinities, fills, a lone extreme. They get classes, and are off the grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lithify.codecs.array_types import U8, Bools

CLASSES_MAX = 15
_LONE_SHARE = 1000
_LONE_GAP = 8
_FORM: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.uint8),
    2: np.dtype(np.uint16),
    4: np.dtype(np.uint32),
    8: np.dtype(np.uint64),
}


def bits_of(values: np.ndarray) -> np.ndarray:
    """The bits of values, as unsigned integers of their width."""
    return np.ascontiguousarray(values).view(_FORM[values.dtype.itemsize])


def same_bits(one: np.ndarray, other: np.ndarray) -> Bools:
    """Where two arrays have the same bits."""
    equal: Bools = bits_of(one) == bits_of(other)
    return equal


def find_specials(values: np.ndarray, fills: Sequence[Any], zeros: bool) -> np.ndarray:
    """The special values of an array, as bits, the most frequent first; at most CLASSES_MAX.

    zeros   whether the two zeros of floats count as special when there are many
    """
    flat = values.reshape(-1)
    bits = bits_of(flat)
    counts: dict[Any, int] = {}
    if values.dtype.kind == "f":
        finite = np.isfinite(flat)
        if not finite.all():
            counts |= _counted(bits[~finite])
        fills = (*fills, -0.0)
    for fill in fills:
        with np.errstate(all="ignore"):
            pattern = bits_of(np.asarray(fill).astype(values.dtype).reshape(1))[0]
        counts[pattern] = int(np.count_nonzero(bits == pattern))
    often = sorted((-count, pattern) for pattern, count in counts.items() if count)
    found = np.array([pattern for _, pattern in often[:CLASSES_MAX]], bits.dtype)
    rest = flat
    if len(found):
        is_found = bits == found[0]
        for pattern in found[1:]:
            is_found |= bits == pattern
        rest = flat[~is_found]
    for _ in range(2):
        lone = _lone_extreme(rest)
        if lone is None or len(found) >= CLASSES_MAX:
            break
        found = np.append(found, bits_of(lone.reshape(1)))
        rest = rest[rest != lone]
    if zeros and values.dtype.kind == "f" and len(found) < CLASSES_MAX:
        count = np.count_nonzero(rest == 0)
        if count * _LONE_SHARE > len(flat):
            found = np.append(found, _FORM[values.dtype.itemsize].type(0))
    return found.astype(bits.dtype)


def _counted(patterns: np.ndarray) -> dict[Any, int]:
    """How often there is each pattern, of one at least."""
    if (patterns == patterns[0]).all():
        return {patterns[0]: len(patterns)}
    return dict(zip(*np.unique(patterns, return_counts=True), strict=True))


def _lone_extreme(values: np.ndarray) -> np.ndarray | None:
    """The smallest or largest value, if it is frequent and far from all others: a fill that nobody named."""
    if len(values) < 64:
        return None
    least, most = values.min(), values.max()
    for extreme in (most, least):
        is_it = values == extreme
        count = np.count_nonzero(is_it)
        if count * _LONE_SHARE < len(values) or count == len(values):
            continue
        rest = values[~is_it]
        low, high = float(rest.min()), float(rest.max())
        gap = float(extreme) - high if extreme == most else low - float(extreme)
        if gap * _LONE_GAP > max(high - low, 1e-300):
            return np.asarray(extreme)
    return None


def classes_of(values: np.ndarray, specials: np.ndarray) -> U8:
    """0 where a value is none of the specials, else its number from 1."""
    out = np.zeros(values.shape, np.uint8)
    if len(specials):
        bits = bits_of(values)
        for number, special in enumerate(specials, 1):
            out[bits == special] = number
    return out
