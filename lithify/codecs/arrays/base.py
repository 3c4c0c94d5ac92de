"""A smooth base under a block: its wavelet coefficients in steps. What the base misses is coded on the grid as ever.

Where errors may be large, few coefficients say what hundreds of predicted values would; the base may miss by more than
the bound, for the integers on top of it put that right.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, Bools
from lithify.codecs.arrays.bands import LEVELS_MAX, Depth, depth_for
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.errors import Corrupt

FINER = 64
"""A base is reckoned in so many parts of a step of the grid."""
STEP_MAX = 1 << 20
_MIDDLE_MAX = (1 << 29) - 1
FINE_MAX = 1 << 26


class Base(NamedTuple):
    """How a base is made: the depth of its wavelet, and the step of its coefficients in 1/256 of fine units."""

    depth: Depth
    step: int


class Transformed(NamedTuple):
    """The coefficients of a block, the depth of their wavelet, and what was taken from all values before."""

    coefficients: I32
    depth: Depth
    middle: int


def transformed(fine: np.ndarray, valid: Bools, deepest: Depth) -> Transformed | None:
    """The wavelet of a block of values in fine units (doubles, any where not valid); None if they span too much."""
    from lithify.codecs.arrays.wavelet import transform

    if not np.isfinite(fine[valid]).all():
        return None
    middle = int(np.rint(fine[valid].mean())) if valid.any() else 0
    centred = np.where(valid, fine - middle, 0)
    if np.abs(centred).max() > FINE_MAX or abs(middle) > _MIDDLE_MAX:
        return None
    cube = np.rint(fill_smoothly(centred, valid)).astype(np.int32)
    depth = depth_for(cube.shape, deepest)
    transform(cube, depth)
    return Transformed(cube, depth, middle)


def make_base(fine: np.ndarray, valid: Bools, base: Base) -> tuple[bytes, I32] | None:
    """The base of a block of values in fine units: as written, and as it comes back.

    None if the values span too much for it.
    """
    from lithify.codecs.arrays.coefficients import encode_coefficients, quantised

    found = transformed(fine, valid, base.depth)
    if found is None:
        return None
    numbers = quantised(found.coefficients, found.depth, base.step)
    stream = encode_coefficients(numbers, found.depth)
    if stream is None:
        return None
    packed = bytes(found.depth) + varint(base.step) + varint(zigzag(found.middle)) + stream
    return packed, _rebuilt(numbers, Base(found.depth, base.step), found.middle)


def rebuilt(block: Transformed, step: int) -> I32:
    """What comes back of a block whose coefficients are put in steps."""
    from lithify.codecs.arrays.coefficients import quantised

    numbers = quantised(block.coefficients, block.depth, step)
    return _rebuilt(numbers, Base(block.depth, step), block.middle)


def read_base(packed: bytes, shape: tuple[int, int, int]) -> I32:
    """The base that was written. Raises Truncated or Corrupt."""
    from lithify.codecs.arrays.coefficients import decode_coefficients

    reader = Reader(packed)
    most = depth_for(shape, Depth(LEVELS_MAX * 4, LEVELS_MAX))
    depth = Depth(_at_most(reader.byte(), most.time), _at_most(reader.byte(), most.space))
    step, middle = reader.varint(STEP_MAX), reader.signed(_MIDDLE_MAX)
    numbers = decode_coefficients(reader.rest(), shape, depth)
    return _rebuilt(numbers, Base(depth, max(step, 1)), middle)


def _rebuilt(numbers: I32, base: Base, middle: int) -> I32:
    from lithify.codecs.arrays.coefficients import scaled
    from lithify.codecs.arrays.wavelet import restore

    cube = scaled(numbers, base.depth, base.step)
    restore(cube, base.depth)
    wide: I64 = cube.astype(np.int64) + middle
    return np.clip(wide, -_MIDDLE_MAX, _MIDDLE_MAX).astype(np.int32)


def fill_smoothly(cube: np.ndarray, valid: Bools) -> np.ndarray:
    """Frames whose gaps are filled by the mean of what is near, at ever coarser scales: only the encoder does this."""
    if valid.all():
        return cube
    filled: np.ndarray = np.stack(
        [_filled(frame, known.astype(np.float64)) for frame, known in zip(cube, valid, strict=True)]
    )
    return filled


def _filled(frame: np.ndarray, weight: np.ndarray) -> np.ndarray:
    if weight.all():
        return frame
    if frame.size == 1:
        return np.zeros_like(frame)
    rows, columns = (length + length % 2 for length in frame.shape)
    padded = np.zeros((2, rows, columns))
    padded[0, : frame.shape[0], : frame.shape[1]] = frame * weight
    padded[1, : frame.shape[0], : frame.shape[1]] = weight
    total, count = padded.reshape(2, rows // 2, 2, columns // 2, 2).sum(axis=(2, 4))
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    coarse = _filled(mean, (count > 0).astype(np.float64))
    near = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[: frame.shape[0], : frame.shape[1]]
    filled: np.ndarray = np.where(weight > 0, frame, near)
    return filled


def _at_most(number: int, most: int) -> int:
    if number > most:
        raise Corrupt(f"array payload: a wavelet {number} levels deep, its axis allows {most}")
    return number
