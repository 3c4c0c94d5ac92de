"""What people use for arrays today. A way takes an array and gives the bytes it needs, having decoded them again."""

import lzma
from collections.abc import Callable
from typing import Any, cast

import imagecodecs
import numpy as np
import zstandard

from bench.array_files import Array

Exact = Callable[[np.ndarray], int]
Bounded = Callable[[np.ndarray, float], int]
_ZFP_LOOSER = (8.0, 4.0, 2.0, 1.0)
"""ZFP keeps far within the tolerance it is given: the loosest of these that still keeps the bound counts."""


def exact_rivals() -> dict[str, Exact]:
    """By name."""
    import blosc2
    import fpzip
    import pcodec
    from pcodec import standalone

    def shuffled(values: np.ndarray) -> int:
        filters = (blosc2.Filter.SHUFFLE, blosc2.Filter.BITSHUFFLE)
        return min(
            len(blosc2.compress2(values, typesize=values.itemsize, clevel=9, codec=blosc2.Codec.ZSTD, filters=[one]))
            for one in filters
        )

    def pco(values: np.ndarray) -> int:
        if values.itemsize == 1:
            return values.nbytes
        return len(standalone.simple_compress(values.reshape(-1), pcodec.ChunkConfig(compression_level=8)))

    def floats(values: np.ndarray) -> int:
        if values.dtype not in (np.float32, np.float64):
            return values.nbytes
        return len(fpzip.compress(values.reshape(1, -1, *values.shape[-2:]), precision=0))

    return {
        "xz": lambda values: len(lzma.compress(values.tobytes(), preset=9)),
        "zstd19": lambda values: len(zstandard.ZstdCompressor(level=19).compress(values.tobytes())),
        "blosc2": shuffled,
        "pcodec": pco,
        "fpzip": floats,
        "jxl*": _jpegxl,
    }


def _jpegxl(values: np.ndarray) -> int:
    """JPEG XL, frame by frame, given the integers that we found; a table of ranks counts as xz packs it."""
    from lithify.codecs.arrays.finding import find_grids
    from lithify.codecs.arrays.grids import Ranks

    frames = values.reshape(-1, *values.shape[-2:])
    valid = np.isfinite(frames)
    whole: np.ndarray = np.zeros(frames.shape, np.int64)
    table_bytes = 0
    for grid in find_grids(frames, valid, inner=False):
        split = grid.split(frames, range(len(frames)))
        if split.low is None:
            whole = np.where(valid, split.integers - split.integers[valid].min() + 1, 0)
            if isinstance(grid, Ranks):
                table_bytes = len(lzma.compress(np.unique(values[np.isfinite(values)]).tobytes()))
            break
    if not 0 < whole.max() < 1 << 16:
        return values.nbytes
    images = (imagecodecs.jpegxl_encode(frame.astype(np.uint16), lossless=True, effort=7) for frame in whole)
    return table_bytes + sum(map(len, images))


def bounded_rivals() -> dict[str, Bounded]:
    """By name. Each is given the array with its gaps filled, as frames."""
    encode: Any = imagecodecs
    return {
        "sz3": lambda values, error: len(encode.sz3_encode(values, mode="abs", abs=error)),
        "sperr": lambda values, error: len(encode.sperr_encode(values, level=error, mode="pwe")),
        "zfp": _zfp,
    }


def _zfp(values: np.ndarray, error: float) -> int:
    best = values.nbytes
    for looser in _ZFP_LOOSER:
        packed = cast("Any", imagecodecs).zfp_encode(values, level=error * looser, mode="accuracy")
        again = imagecodecs.zfp_decode(packed)
        if np.abs(again.astype(np.float64) - values.astype(np.float64)).max() <= error:
            best = min(best, len(packed))
            break
    return best


def without_gaps(array: Array) -> tuple[np.ndarray, int]:
    """What a rival that knows no gaps is given: each filled by its nearest value; and the bytes of the mask."""
    valid = array.valid
    frames = array.values.reshape(-1, *array.values.shape[-2:]).copy()
    mask = valid.reshape(frames.shape)
    if mask.all():
        return _single(frames), 0
    from scipy.ndimage import distance_transform_edt

    for frame, known in zip(frames, mask, strict=True):
        if known.any():
            nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
            frame[...] = frame[tuple(nearest)]
        else:
            frame[...] = frames[mask].mean()
    image = (~mask).reshape(-1, frames.shape[2]).astype(np.uint8)
    return _single(frames), len(imagecodecs.jpegxl_encode(image, lossless=True, effort=7))


def _single(frames: np.ndarray) -> np.ndarray:
    first: np.ndarray = frames[0]
    return first if len(frames) == 1 else frames
