"""How far one picture is from another: what a floor is compared with (stills/FORMAT.md)."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.media.pictures import Picture
from lithify.codecs.similarity import SIDE, similarities
from lithify.errors import BadArgument

_ROWS = 256
"""Looked at together: planes of doubles of a picture of 100 megapixels would take gigabytes."""
_SHADES = 20_000
"""Of SSIM from -1 to 1, that windows are counted by."""
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114  # BT.601, as JPEG weighs them
_TO_BLUE, _TO_RED = 1 / 1.772, 1 / 1.402


class Distance(NamedTuple):
    """Between two pictures of one shape."""

    psnr: float
    """dB, over all samples of colour; infinite where none differs."""
    ssim: float | None
    """Of luma; None for pictures of fewer than SIDE rows or columns."""
    opacity_psnr: float
    """Infinite, and 1, where there is no opacity."""
    opacity_ssim: float | None
    blue_ssim: float | None
    """Of the differences of blue and red from luma; None for grey."""
    red_ssim: float | None
    low_ssim: float | None
    """Of luma: one window in a hundred is less like; of pictures that are mostly flat the mean tells little."""
    largest: int
    """Difference of two samples."""

    def by(self, metric: str) -> float:
        """What a floor of this metric is compared with: the worse of colour and opacity."""
        if metric == "psnr":
            return min(self.psnr, self.opacity_psnr)
        if metric != "ssim":
            raise BadArgument(f"a floor of {metric} is not measured of pictures; psnr and ssim are")
        if self.ssim is None or self.opacity_ssim is None:
            raise BadArgument(f"ssim says nothing of pictures of fewer than {SIDE} rows or columns; psnr does")
        return min(self.ssim, self.opacity_ssim)


def distance(before: Picture, after: Picture, *, wanted: str | None = None) -> Distance:
    """Between pictures of one shape and type. With `wanted` only what that metric needs is looked at."""
    span = float(np.iinfo(before.dtype).max)
    large_enough = min(before.shape[:2]) >= SIDE and wanted != "psnr"
    sums = _Sums(span, similar=large_enough, tints=wanted is None)
    for rows, overlap in _strips(len(before)):
        sums.add(_planes(before[rows], span), _planes(after[rows], span), overlap)
    return sums.distance(_largest(before, after))


def _strips(height: int) -> Iterator[tuple[slice, int]]:
    """Rows that are looked at together, and how many of them the next strip will see again."""
    for start in range(0, height, _ROWS):
        end = min(height, start + _ROWS + SIDE - 1)
        yield slice(start, end), 0 if end == height else end - start - _ROWS
        if end == height:
            return


class _Planes(NamedTuple):
    """Of some rows, as doubles."""

    colours: Values
    """Each channel but opacity, times opacity: what cannot be seen may differ."""
    opacity: Values | None

    def luma(self) -> Values:
        if self.colours.shape[2] == 1:
            return self.colours[:, :, 0]
        return cast("Values", self.colours @ np.array([_RED, _GREEN, _BLUE]))


def _planes(rows: Picture, span: float) -> _Planes:
    channels = rows.shape[2]
    if channels in {1, 3}:
        return _Planes(rows.astype(np.float64), None)
    opacity = rows[:, :, -1].astype(np.float64)
    return _Planes(rows[:, :, :-1] * (opacity / span)[:, :, np.newaxis], opacity)


class _Sums:
    """Over strips."""

    def __init__(self, span: float, *, similar: bool, tints: bool) -> None:
        self._span, self._similar, self._tints = span, similar, tints
        self._squares = {"colour": [0.0, 0], "opacity": [0.0, 0]}
        self._likeness: dict[str, list[float]] = {}
        self._shades = np.zeros(_SHADES, np.int64)

    def add(self, before: _Planes, after: _Planes, overlap: int) -> None:
        self._add_squares("colour", before.colours, after.colours, overlap)
        if before.opacity is not None and after.opacity is not None:
            self._add_squares("opacity", before.opacity, after.opacity, overlap)
        if not self._similar:
            return
        one, two = before.luma(), after.luma()
        self._add_likeness("luma", one, two)
        if before.opacity is not None and after.opacity is not None:
            self._add_likeness("opacity", before.opacity, after.opacity)
        if self._tints and before.colours.shape[2] == 3:
            for name, channel, scale in (("blue", 2, _TO_BLUE), ("red", 0, _TO_RED)):
                tints = [
                    (planes.colours[:, :, channel] - luma) * scale for planes, luma in ((before, one), (after, two))
                ]
                self._add_likeness(name, tints[0], tints[1], lift=self._span / 2)

    def _add_squares(self, name: str, one: Values, two: Values, overlap: int) -> None:
        difference = (one - two)[: len(one) - overlap]
        self._squares[name][0] += float(np.square(difference).sum())
        self._squares[name][1] += difference.size

    def _add_likeness(self, name: str, one: Values, two: Values, lift: float = 0.0) -> None:
        windows = (len(one) - SIDE + 1) * (one.shape[1] - SIDE + 1)
        if len(one) >= SIDE:
            found = self._likeness.setdefault(name, [0.0, 0.0])
            each = similarities(one, two, lift, self._span)
            found[0] += float(each.sum())
            found[1] += windows
            if name == "luma" and self._tints:
                self._shades += np.histogram(each, _SHADES, (-1.0, 1.0))[0]

    def distance(self, largest: int) -> Distance:
        opacity = self._ssim("opacity") if "opacity" in self._likeness else 1.0
        return Distance(
            psnr=self._psnr("colour"),
            ssim=self._ssim("luma"),
            opacity_psnr=self._psnr("opacity"),
            opacity_ssim=opacity,
            blue_ssim=self._ssim("blue"),
            red_ssim=self._ssim("red"),
            low_ssim=self._low(),
            largest=largest,
        )

    def _low(self) -> float | None:
        """The lower end of the shade in which the hundredth part of all windows ends."""
        below = self._shades.cumsum()
        if not below[-1]:
            return None
        return float(2 * np.searchsorted(below, below[-1] / 100) / _SHADES - 1)

    def _psnr(self, name: str) -> float:
        squares, count = self._squares[name]
        return 10 * math.log10(self._span**2 * count / squares) if squares else math.inf

    def _ssim(self, name: str) -> float | None:
        total, windows = self._likeness.get(name, (0.0, 0.0))
        return total / windows if windows else None


def _largest(before: Picture, after: Picture) -> int:
    pairs = ((before[at : at + _ROWS], after[at : at + _ROWS]) for at in range(0, len(before), _ROWS))
    return max(int(np.abs(one.astype(np.int32) - two.astype(np.int32)).max()) for one, two in pairs)


def figures(found: Distance, picture: Picture) -> dict[str, Any]:
    """The distance as people read it."""
    told: dict[str, Any] = {"max_abs_error": found.largest}
    rounded = {"psnr_db": (found.psnr, 3), "ssim": (found.ssim, 6), "ssim_cb": (found.blue_ssim, 6)}
    rounded |= {"ssim_p1": (found.low_ssim, 4)}
    rounded |= {"ssim_cr": (found.red_ssim, 6)}
    if picture.shape[2] in {2, 4}:
        rounded |= {"opacity_psnr_db": (found.opacity_psnr, 3), "opacity_ssim": (found.opacity_ssim, 6)}
    for name, (value, digits) in rounded.items():
        if value is not None and math.isfinite(value):
            told[name] = round(value, digits)
    return told
