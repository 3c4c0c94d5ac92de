"""A picture of an array: what was put in, what came back, what differs, and at which wavelengths.

Of several variables it shows the one whose values differ most beside their range, and of that the frame (the last two
axes) where they do. Packed numbers are drawn as what they stand for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.containers.conventions import fills_of
from lithify.codecs.arrays.containers.description import plain
from lithify.codecs.arrays.cutting import stretches
from lithify.codecs.arrays.labelled import Labelled, LabelledFile
from lithify.codecs.arrays.wish import Index
from lithify.codecs.canvas import ACCENT, INK, PALE, WHITE, Canvas, Colour, coloured, shortened, text_height
from lithify.errors import BadArgument

_WIDTH, _HEIGHT = 1120, 800
_HEAD, _PANEL_WIDTH, _PANEL_HEIGHT = 90, 560, 350
_LEFT, _TITLE = 20, 30
_AREA_WIDTH, _AREA_HEIGHT = 400, 280
_BAR_GAP, _BAR_WIDTH = 12, 14
_AXIS, _ABOVE, _BELOW = 112, 8, 52
"""Left of a chart for the numbers of its axis, above it for half of one, below it for the other axis."""
_SHAPE_MAX = 6.0
"""A frame more elongated than this is drawn as if it were no more."""
_FRAME_MAX = 1 << 22
"""Values of a frame that are drawn."""
_DECIBELS_MAX = 160.0
_SPECTRUM_BINS = 160
_VALUES: Sequence[Colour] = ((36, 26, 84), (40, 84, 150), (34, 144, 140), (122, 194, 92), (250, 228, 60))
_ERRORS: Sequence[Colour] = ((24, 60, 140), (120, 160, 214), (248, 248, 248), (226, 146, 110), (150, 32, 24))
_TOLD_MAX = 12


@dataclass
class _Compared:
    """What is known of a variable once all of it was read, some at a time.

    frame  the place of the frame with the largest error along the axes before the last two
    """

    before: Labelled
    after: Labelled
    frame: tuple[int, ...]
    low: float = np.inf
    high: float = -np.inf
    largest: float = 0.0
    squares: float = 0.0
    finite: int = 0
    changed: int = 0

    @property
    def span(self) -> float:
        return self.high - self.low if self.high > self.low else 0.0

    @property
    def share(self) -> float:
        """The largest error beside the range of the values."""
        return self.largest / self.span if self.span else self.largest

    @property
    def size(self) -> int:
        return prod(self.before.shape)

    def add(self, along: int, at: int, one: Values, other: Values) -> None:
        """Some of its values, as they are stored; the first of them at index `at` of the axis `along`."""
        bits = f"u{one.dtype.itemsize}"
        self.changed += int(np.count_nonzero(one.view(bits) != other.view(bits)))
        before = _meant(self.before, one)
        errors = np.abs(_meant(self.after, other) - before)
        finite = before[np.isfinite(before)]
        if finite.size:
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
        self.squares += float(np.sum(np.square(errors[np.isfinite(errors)])))
        self.finite += int(np.count_nonzero(np.isfinite(errors)))
        errors[~np.isfinite(errors)] = 0.0
        if errors.size and errors.max() > self.largest:
            place = np.unravel_index(int(errors.argmax()), errors.shape)[: max(errors.ndim - 2, 0)]
            self.largest = float(errors.max())
            self.frame = tuple(int(index) + (at if axis == along else 0) for axis, index in enumerate(place))


def drawn(before: LabelledFile, after: LabelledFile, variable: str | None = None) -> bytes:
    """The picture, as PNG.

    before, after  the file that was put in, and what came back; one and the same where nothing differs
    variable       the one to be shown, by its name; None: the one that differs most, relative to its range

    Raises BadArgument for files without an array that can be drawn, or that do not hold the same ones.
    """
    with np.errstate(all="ignore"):  # of the largest numbers there are
        found = _chosen(before.variables, after.variables, variable)
        step = _step(found.before.shape[-2:])
        canvas = Canvas(_WIDTH, _HEIGHT)
        for line, text in enumerate(_told(found, step)):
            canvas.text(_LEFT, 14 + line * 24, shortened(text, _WIDTH - 2 * _LEFT))
        parts: tuple[Index, ...] = (*found.frame, *(slice(None, None, step) for _ in found.before.shape[-2:]))
        one, other = (_meant(side, side.read(parts)) for side in (found.before, found.after))
        _draw_panels(canvas, one, other)
        _draw_spectrum(canvas, one, other - one)
        return canvas.png()


def _step(sides: Sequence[int]) -> int:
    """Of which rows and columns of a frame are drawn: every one, unless it is very large."""
    return next(step for step in range(1, max(sides) + 1) if prod(-(-side // step) for side in sides) <= _FRAME_MAX)


# --- which variable, and which frame of it ----------------------------------------------------------------


def _chosen(before: Mapping[str, Labelled], after: Mapping[str, Labelled], name: str | None) -> _Compared:
    drawable = [one.name for one in before.values() if _is_drawable(one, after.get(one.name))]
    if name is not None and name not in drawable:
        raise BadArgument(f"no array {name!r:.80} can be drawn; there are: {_listed(drawable)}")
    if not drawable:
        raise BadArgument("no array of numbers was found in it that could be drawn, or both files do not have the same")
    names = [name] if name is not None else _uncoordinated(before, drawable)
    if before is after:  # nothing differs: the largest says most
        names = [max(names, key=lambda one: prod(before[one].shape))]
    return max((_compared(before[one], after[one]) for one in names), key=lambda found: (found.share, found.size))


def _compared(one: Labelled, other: Labelled) -> _Compared:
    found = _Compared(one, other, (0,) * max(len(one.shape) - 2, 0))
    for axis, at, parts in stretches(one):
        values = one.read(parts)
        found.add(axis, at, values, values if other is one else other.read(parts))
    return found


def _is_drawable(one: Labelled, other: Labelled | None) -> bool:
    same = other is not None and (one.shape, one.dtype) == (other.shape, other.dtype)
    return same and one.dtype.kind in "iuf" and len(one.shape) > 0 and prod(one.shape) > 1


def _uncoordinated(variables: Mapping[str, Labelled], names: Sequence[str]) -> list[str]:
    """Without those that say where others lie, unless there are no others."""
    return [name for name in names if not variables[name].is_coordinate] or list(names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_TOLD_MAX]) + (" ..." if len(names) > _TOLD_MAX else "") or "none"


def _meant(variable: Labelled, values: Values) -> Values:
    """What stored numbers stand for; NaN where they mean that there is no value."""
    attributes = plain(variable.attributes)
    valid = cast("Bools", np.isfinite(values))
    for fill in fills_of(attributes):
        valid &= values != fill
    factor, offset = (attributes.get(name) for name in ("scale_factor", "add_offset"))
    found = np.where(valid, values, np.nan).astype(np.float64)
    found = found * factor if isinstance(factor, int | float) else found
    return found + offset if isinstance(offset, int | float) else found


def _told(found: _Compared, step: int) -> Iterator[str]:
    """The lines above the picture."""
    one = found.before
    places = [f"{name}={at} of {side}" for name, at, side in zip(one.dimensions, found.frame, one.shape, strict=False)]
    axes = " by ".join(f"{name} ({side})" for name, side in list(zip(one.dimensions, one.shape, strict=True))[-2:])
    few = [] if step == 1 else [f"one of {step} along each"]
    long_name, units = (one.attributes.get(name) for name in ("long_name", "units"))
    called = f"{one.name}: {long_name}" if isinstance(long_name, str) else one.name
    yield called + (f" [{units}]" if isinstance(units, str) else "") + f", {one.dtype}"
    values = f"values {found.low:.6g} to {found.high:.6g}" if found.low <= found.high else "no value"
    yield ", ".join([*places, axes, *few, values])
    if not found.changed:
        yield f"all {found.size} values came back bit for bit: nothing differs"
        return
    changed = f"{found.changed} of {found.size} differ"
    yield f"largest error {found.largest:.4g}, {found.share:.3g} of the range{_psnr(found)}; {changed}"


def _psnr(found: _Compared) -> str:
    square = found.squares / max(found.finite, 1)
    if not (0 < square < np.inf and 0 < found.span < np.inf):
        return ""
    return f", PSNR {20 * np.log10(found.span) - 10 * np.log10(square):.2f} dB"


# --- panels -------------------------------------------------------------------------------------------


def _corner(number: int) -> tuple[int, int]:
    return number % 2 * _PANEL_WIDTH + _LEFT, _HEAD + number // 2 * _PANEL_HEIGHT


def _title(canvas: Canvas, number: int, text: str) -> tuple[int, int]:
    """Write the title of a panel; gives the corner of what is below it."""
    x, y = _corner(number)
    canvas.text(x, y + 6, text)
    return x, y + _TITLE


def _draw_panels(canvas: Canvas, one: Values, other: Values) -> None:
    """The first three: as pictures, or as curves where there is one axis."""
    errors, ends = other - one, _ends(one)
    largest = max(map(abs, _ends(errors)))
    title = "error: what came back less the original" if largest else "error: none"
    panels = (
        ("original", one, ends, _VALUES, INK),
        ("what came back", other, ends, _VALUES, INK),
        (title, errors, (-largest, largest), _ERRORS, ACCENT),
    )
    steps = np.arange(len(one), dtype=np.float64)
    for number, (title, values, limits, colours, colour) in enumerate(panels):
        if one.ndim == 1:
            _draw_chart(canvas, number, title, [(steps, values, colour)], limits, "step", max(len(one) - 1.0, 1.0))
        else:
            _draw_image(canvas, number, title, _pooled(values, extremes=values is errors), limits, colours)


def _ends(values: Values) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _draw_image(
    canvas: Canvas, number: int, title: str, values: Values, ends: tuple[float, float], colours: Sequence[Colour]
) -> None:
    x, y = _title(canvas, number, title)
    low, high = ends
    shares = (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)
    height, width = _size(values.shape)
    rows, columns = (np.arange(to) * of // to for to, of in zip((height, width), values.shape, strict=True))
    canvas.image(x, y, coloured(shares, colours)[rows][:, columns])
    canvas.frame(x - 1, y - 1, width + 2, height + 2)
    at = x + width + _BAR_GAP
    bar = coloured(np.linspace(1.0, 0.0, height)[:, None].repeat(_BAR_WIDTH, axis=1), colours)
    canvas.image(at, y, bar)
    canvas.frame(at - 1, y - 1, _BAR_WIDTH + 2, height + 2)
    for share, value in ((0.0, high), (0.5, (low + high) / 2), (1.0, low)):
        line = y + round(share * (height - text_height()))
        canvas.text(at + _BAR_WIDTH + 6, line, f"{value + 0.0:.4g}")


def _size(shape: Sequence[int]) -> tuple[int, int]:
    """Height and width that a frame is drawn in: as large as fits, in its own shape unless that is odd."""
    shape_of = min(max(shape[0] / shape[1], 1 / _SHAPE_MAX), _SHAPE_MAX)
    width = min(_AREA_WIDTH, _AREA_HEIGHT / shape_of)
    return max(1, round(width * shape_of)), max(1, round(width))


def _pooled(values: Values, *, extremes: bool = False) -> Values:
    """No more rows and columns than are drawn: means of what falls together, or the value that is farthest from 0."""
    for axis, most in ((0, _AREA_HEIGHT), (1, _AREA_WIDTH)):
        side = values.shape[axis]
        if side <= most:
            continue
        starts = np.arange(most) * side // most
        if extremes:
            high = np.maximum.reduceat(np.nan_to_num(values, nan=-np.inf), starts, axis=axis)
            low = np.minimum.reduceat(np.nan_to_num(values, nan=np.inf), starts, axis=axis)
            values = np.where(high >= -low, high, low)
            values[~np.isfinite(values)] = np.nan
        else:
            known = np.isfinite(values)
            counts = np.add.reduceat(known.astype(np.float64), starts, axis=axis)
            sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=axis)
            values = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return values


def _draw_chart(
    canvas: Canvas,
    number: int,
    title: str,
    curves: Sequence[tuple[Values, Values, Colour]],
    ends: tuple[float, float],
    across: str,
    right: float,
) -> None:
    """Curves over one axis.

    curves  where each point is across, what it is, and the colour
    ends    of the axis that goes up
    across  what the other axis means, which goes from 0 to `right`
    """
    x, y = _title(canvas, number, title)
    x, y = x + _AXIS, y + _ABOVE
    width, height = _PANEL_WIDTH - _AXIS - 2 * _LEFT, _AREA_HEIGHT - _ABOVE - _BELOW
    low, high = ends if ends[1] > ends[0] else (ends[0] - 1.0, ends[1] + 1.0)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        line = y + round(share * height)
        canvas.box(x, line, width, 1, PALE)
        value = high - share * (high - low)
        if share in (0.0, 0.5, 1.0):
            canvas.text(x - 6, line - text_height() // 2, f"{value + 0.0:.3g}", anchor="end")
    for share in (0.0, 0.5, 1.0):
        anchor = "end" if share == 1.0 else "middle"
        canvas.text(x + round(share * width), y + height + 8, f"{share * right:.4g}", anchor=anchor)
    canvas.text(x + width // 2, y + height + 32, across, anchor="middle")
    canvas.frame(x, y, width + 1, height + 1)
    for places, values, colour in curves:
        shares = np.clip((high - values) / (high - low), 0.0, 1.0)
        points = zip(x + places / right * width, y + shares * height, strict=True)
        for part in _known([(float(across_), float(up)) for across_, up in points]):
            canvas.line(part if len(part) > 1 else part * 2, colour, thick=2)


def _known(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Stretches of points that are there."""
    part: list[tuple[float, float]] = []
    for point in points:
        if np.isfinite(point[1]):
            part.append(point)
        elif part:
            yield part
            part = []
    if part:
        yield part


# --- the spectrum ---------------------------------------------------------------------------------------


def _draw_spectrum(canvas: Canvas, one: Values, errors: Values) -> None:
    scale = max(map(abs, _ends(one))) or 1.0
    places, power = _spectrum(one / scale)
    top = float(power.max()) if len(power) else 0.0
    curves = [(places, _decibels(power, top), INK)]
    if np.nanmax(np.abs(np.nan_to_num(errors)), initial=0.0):
        curves.append((places, _decibels(_spectrum(errors / scale)[1], top), ACCENT))
    low = min(float(curve.min()) for _, curve, _ in curves) if len(places) else -1.0
    low = max(-_DECIBELS_MAX, 20.0 * np.floor(low / 20.0))
    title = "spectrum of the error" if len(curves) > 1 else "spectrum: of the original only"
    _draw_chart(canvas, 3, title, curves, (low, 0.0), "cycles per step; power in dB", 0.5)
    x, y = _corner(3)
    at, legend = x + _PANEL_WIDTH - 2 * _LEFT - 118, (("original", INK), ("error", ACCENT))
    for line, (text, colour) in enumerate(legend[: len(curves)]):
        canvas.box(at - 22, y + _TITLE + 20 + line * 22, 14, 3, colour)
        canvas.box(at - 4, y + _TITLE + 12 + line * 22, 112, 20, WHITE)
        canvas.text(at, y + _TITLE + 14 + line * 22, text, colour=colour)


def _spectrum(values: Values) -> tuple[Values, Values]:
    """Mean power by cycles per step, whatever the direction; what is missing is taken for the mean."""
    known = np.isfinite(values)
    plain = np.where(known, values - (values[known].mean() if known.any() else 0.0), 0.0)
    for axis, side in enumerate(plain.shape):
        shape = [1] * plain.ndim
        shape[axis] = side
        plain = plain * np.hanning(side + 2)[1:-1].reshape(shape)
    power = np.square(np.abs(np.fft.fftn(plain)))
    squares = [np.square(np.fft.fftfreq(side)) for side in plain.shape]
    cycles = np.sqrt(squares[0] if plain.ndim == 1 else squares[0][:, None] + squares[1][None, :])
    bins = min(_SPECTRUM_BINS, max(2, max(plain.shape) // 2))
    number = np.minimum((cycles * 2 * bins).astype(np.int64), bins).reshape(-1)
    sums, counts = (np.bincount(number, weights, bins + 1)[:bins] for weights in (power.reshape(-1), None))
    there = counts > 0
    return (np.arange(bins) + 0.5)[there] / (2 * bins), sums[there] / counts[there]


def _decibels(power: Values, top: float) -> Values:
    found = 10 * np.log10(power / top if top else power)
    return cast("Values", np.clip(np.nan_to_num(found, nan=-_DECIBELS_MAX), -_DECIBELS_MAX, _DECIBELS_MAX))
