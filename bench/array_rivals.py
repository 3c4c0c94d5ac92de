"""What people use for arrays today. A way takes an array and gives the bytes it needs, having decoded them again."""

import io
import lzma
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, log, log10
from typing import Any, NamedTuple, cast

import imagecodecs
import numpy as np
import zstandard

from bench.array_files import Array

Exact = Callable[[np.ndarray], int]
Bounded = Callable[[np.ndarray, float], int]


class Point(NamedTuple):
    """What a rival does at one of its settings."""

    decibels: float
    """Below the range of valid values."""
    length: int
    worst: float
    """The largest error, as a part of the range."""


Curve = list[Point]
Way = Callable[[np.ndarray], tuple[int, np.ndarray]]
"""Of numbers from 0 to 1, (frame, row, column): the bytes, and the numbers that come back."""
_ZFP_LOOSER = (8.0, 4.0, 2.0, 1.0)
"""ZFP keeps far within the tolerance it is given: the loosest of these that still keeps the bound counts."""
VIDEO = "x265 of xarrayvideo"
GIVEN_OURS = "jxl*"
"""JPEG XL takes no floats as exactly as they are: it is given the integers that we find behind them."""


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
        GIVEN_OURS: _jpegxl,
    }


def _jpegxl(values: np.ndarray) -> int:
    """JPEG XL, frame by frame, given the integers that we found; a table of ranks counts as xz packs it."""
    from lithify.codecs.arrays.finding import find_grids
    from lithify.codecs.arrays.grids import Ranks

    frames = values.reshape(-1, *values.shape[-2:])
    valid = np.isfinite(frames)
    whole: np.ndarray = np.zeros(frames.shape, np.int64)
    table_bytes = 0
    for grid in find_grids(frames, valid, "default", inner=False):
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


# --- at equal PSNR ------------------------------------------------------------------------------------


def curves(array: Array) -> dict[str, Curve]:
    """What rivals that promise no bound need, mask included, at each of their settings."""
    filled, mask_bytes = without_gaps(array)
    frames = filled.reshape(-1, *filled.shape[-2:]).astype(np.float64)
    valid = array.valid.reshape(frames.shape)
    low, high = frames[valid].min(), frames[valid].max()
    scaled = np.clip((frames - low) / (high - low), 0, 1)
    found: dict[str, Curve] = {}
    for name, ways in ((VIDEO, _X265), ("jpeg 2000", _J2K)):
        found[name] = []
        for way in ways:
            length, again = way(scaled)
            off = np.abs(again - scaled)[valid]
            square = float(np.mean(np.square(off)))
            found[name].append(Point(-10 * log10(square), length + mask_bytes, float(off.max())))
    return found


def bytes_at(curve: Curve, decibels: float) -> float | None:
    """Bytes for so many decibels, between two points of a curve; None beyond its end, the first point before it."""
    points = sorted(curve)
    if decibels > points[-1].decibels:
        return None
    for below, above in pairwise(points):
        if below.decibels <= decibels <= above.decibels:
            part = (decibels - below.decibels) / (above.decibels - below.decibels)
            return exp((1 - part) * log(below.length) + part * log(above.length))
    return points[0].length


def bytes_within(curve: Curve, error: float) -> int | None:
    """The least bytes of a setting whose largest error is within a part of the range; None if none is."""
    return min((point.length for point in curve if point.worst <= error), default=None)


def _video(options: dict[str, str]) -> Way:
    """x265 as the paper of xarrayvideo (arXiv 2506.19656) sets it; one variable is all three of its bands, so grey."""

    def way(scaled: np.ndarray) -> tuple[int, np.ndarray]:
        import av

        count, rows, columns = scaled.shape
        out = io.BytesIO()
        with av.open(out, "w", format="matroska") as container:
            stream = cast("Any", container.add_stream("libx265", rate=25))
            stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv444p12le"
            stream.options = {"preset": "medium", "tune": "psnr", **options}
            for plane in np.rint(scaled * 4095).astype(np.uint16):
                frame = av.VideoFrame(columns, rows, "yuv444p12le")
                for number, target in enumerate(frame.planes):
                    lines = np.zeros((rows, target.line_size // 2), np.uint16)
                    lines[:, :columns] = plane if number == 0 else 2048
                    target.update(lines.tobytes())
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        packed = out.getvalue()
        again = []
        with av.open(io.BytesIO(packed), "r") as source:
            for frame in source.decode(video=0):
                lines = np.frombuffer(bytes(frame.planes[0]), np.uint16).reshape(rows, -1)
                again.append(lines[:, :columns] / 4095)
        assert len(again) == count, f"{len(again)} of {count} frames came back"
        return len(packed), np.stack(again)

    return way


def _pictures(decibels: float) -> Way:
    """JPEG 2000 (9/7), frame by frame, in 16 bits."""

    def way(scaled: np.ndarray) -> tuple[int, np.ndarray]:
        total, again = 0, []
        for plane in np.rint(scaled * 65535).astype(np.uint16):
            packed = cast("Any", imagecodecs).jpeg2k_encode(plane, level=decibels, reversible=False, codecformat="j2k")
            total += len(packed)
            again.append(imagecodecs.jpeg2k_decode(packed) / 65535)
        return total, np.stack(again)

    return way


_QUIET = "log-level=none"
_X265: Sequence[Way] = (
    _video({"crf": "51", "x265-params": f"{_QUIET}:qpmin=0:qpmax=0.01"}),
    *(_video({"crf": crf, "x265-params": _QUIET}) for crf in ("1", "4", "7", "10", "13", "16", "21", "27")),
)
_J2K: Sequence[Way] = tuple(_pictures(decibels) for decibels in (45, 50, 55, 60, 65, 70))
