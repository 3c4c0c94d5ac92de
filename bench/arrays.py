"""The numeric coder beside its rivals: ratios exact, within bounds, at equal PSNR, that none is broken, speed.

python -m bench arrays [--only PART]... [--effort E] [FILE...]

Without files, the arrays of ../shared/data/arrays; a `*` behind a name: packed integers, scaled to floats. Speeds are
megabytes of the array a second of processor time. Ratios of rivals count a mask in JPEG XL where they know no gaps.
JPEG XL (jxl*) is given the integers that we find behind floats, which makes it the hardest rival: beside that stands
what is won over those that are given what lies in the file.
Ten minutes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import geometric_mean

import numpy as np

from bench.array_files import Array, arrays
from bench.array_rivals import (
    GIVEN_OURS,
    VIDEO,
    Curve,
    bounded_rivals,
    bytes_at,
    bytes_within,
    curves,
    exact_rivals,
    without_gaps,
)
from bench.bars import Bar, print_bars
from bench.figures import table
from lithify.codecs.arrays.values import Bound, Floor, decode_values, encode_values, warm
from lithify.codecs.codec import Effort, effort

PARTS = ("exact", "bounded", "floor", "speed")
BOUNDS = (1e-2, 1e-3, 1e-4)
_BARS = {1e-2: 1.5, 1e-3: 1.7, 1e-4: 1.8}
_FLOORS = {50: 1.3, 60: 1.5}
_VIDEO_BAR = 2.8
OURS = "ours"
_HALF = 0.5
_SPEEDS: dict[Effort, int] = {"fast": 80, "default": 10}
"""What is wanted of an effort; `max` may take its time."""
_RUNS = 3


def main(arguments: list[str]) -> None:
    """Each part prints its tables when it is done; the bars come last."""
    parser = argparse.ArgumentParser(prog="python -m bench arrays")
    parser.add_argument("files", nargs="*", type=Path, help=".npy and NetCDF")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given again")
    parser.add_argument("--effort", type=effort, default="default")
    asked = parser.parse_args(arguments)
    found = arrays(asked.files)
    if not found:
        print("no arrays to measure with: none was named, and there is no data set")
        return
    warm()
    parts: dict[str, Callable[[Sequence[Array], Effort], list[Bar]]] = {
        "exact": _exact,
        "bounded": _bounded,
        "floor": _floors,
        "speed": _speeds,
    }
    print_bars([bar for part in asked.only or PARTS for bar in parts[part](found, asked.effort)])


# --- exact --------------------------------------------------------------------------------------------


def _exact(found: Sequence[Array], effort: Effort) -> list[Bar]:
    rivals = exact_rivals()
    rows, gains, plain_gains, speeds = [], [], [], []
    for array in found:
        print(array.name, file=sys.stderr)
        length, speed, decoded = _ours(array, None, effort)
        assert decoded.tobytes() == array.values.tobytes(), f"{array.name} came back otherwise"
        sizes = {name: way(array.values) for name, way in rivals.items()}
        best = min(sizes.values())
        gains.append(best / length)
        is_whole = array.values.dtype.kind in "iu"
        plain_gains.append(min(size for name, size in sizes.items() if is_whole or name != GIVEN_OURS) / length)
        speeds.append(speed)
        ratios = (f"{array.values.nbytes / size:.2f}" for size in sizes.values())
        rows.append(
            (array.name, *ratios, f"{array.values.nbytes / length:.2f}", f"{best / length:.2f}", *_shown(speed))
        )
    table(("exact: ratios", *rivals, OURS, "times best", "in, MB/s", "out, MB/s"), rows)
    return [
        Bar("exact: times the best rival, geometric mean", 1.3, geometric_mean(gains)),
        Bar("exact: times the best rival, least", 1.0, min(gains)),
        Bar("exact: times the best rival given what lies in the file", 1.3, geometric_mean(plain_gains)),
        *_speed_bars("exact", speeds, effort),
    ]


# --- bounded ------------------------------------------------------------------------------------------


def _bounded(found: Sequence[Array], effort: Effort) -> list[Bar]:
    """Whole numbers count where the bound leaves them no choice: ours keeps them, rivals are given them as floats."""
    bars: list[Bar] = []
    gaps = {array.name: without_gaps(_as_floats(array)) for array in found}
    for part in BOUNDS:
        rows, gains, speeds, broken = [], [], [], 0
        for array in found:
            valid = array.valid
            inside = array.values[valid].astype(np.float64)
            error = part * (float(inside.max()) - float(inside.min()))
            if array.values.dtype.kind != "f" and error >= _HALF:
                continue
            print(array.name, part, file=sys.stderr)
            length, speed, decoded = _ours(array, Bound("rel", part), effort)
            broken += int((np.abs(decoded[valid].astype(np.float64) - inside) > error).sum())
            broken += int(decoded[~valid].tobytes() != array.values[~valid].tobytes())
            filled, mask_bytes = gaps[array.name]
            sizes = {name: mask_bytes + way(filled, error) for name, way in bounded_rivals().items()}
            best = min(sizes.values())
            gains.append(best / length)
            speeds.append(speed)
            ratios = (f"{array.values.nbytes / size:.1f}" for size in sizes.values())
            rows.append(
                (array.name, *ratios, f"{array.values.nbytes / length:.1f}", f"{best / length:.2f}", *_shown(speed))
            )
        table((f"{part:g} of range: ratios", *bounded_rivals(), OURS, "times best", "in, MB/s", "out, MB/s"), rows)
        bars += [
            Bar(f"{part:g} of range: times the best rival, geometric mean", _BARS[part], geometric_mean(gains)),
            Bar(f"{part:g} of range: times the best rival, least", 1.0, min(gains)),
            Bar(f"{part:g} of range: values outside the bound", 0, broken, at_most=True),
            *_speed_bars(f"{part:g} of range", speeds, effort),
        ]
    return bars


def _as_floats(array: Array) -> Array:
    """Whole numbers as what a coder of floats is given."""
    if array.values.dtype.kind == "f":
        return array
    return Array(array.name, np.where(array.valid, array.values, np.nan).astype(np.float32))


# --- above a floor of quality -------------------------------------------------------------------------


def _floors(found: Sequence[Array], effort: Effort) -> list[Bar]:
    """At equal PSNR: rivals between two points of their own curves, ours where it is asked to be."""
    bars: list[Bar] = []
    floats = [array for array in found if array.values.dtype.kind == "f"]
    rivals = {array.name: curves(array) for array in floats}
    bars += _within_as_video(floats, rivals, effort)
    for decibels, bar in _FLOORS.items():
        rows, gains, speeds, broken = [], [], [], 0
        for array in floats:
            print(array.name, decibels, "dB", file=sys.stderr)
            length, speed, decoded = _ours(array, Floor("psnr", decibels), effort)
            broken += int(_psnr(array, decoded) < decibels)
            speeds.append(speed)
            sizes = {name: bytes_at(curve, decibels) for name, curve in rivals[array.name].items()}
            video = sizes[VIDEO]
            gains += [] if video is None else [video / length]
            ratios = ("–" if size is None else f"{array.values.nbytes / size:.1f}" for size in sizes.values())
            times = "–" if video is None else f"{video / length:.2f}"
            rows.append((array.name, *ratios, f"{array.values.nbytes / length:.1f}", times, *_shown(speed)))
        names = list(rivals[floats[0].name])
        table((f"{decibels} dB: ratios", *names, OURS, "times x265", "in, MB/s", "out, MB/s"), rows)
        bars += [
            Bar(
                f"{decibels} dB: times x265 where it gets there ({len(gains)}), geometric mean",
                bar,
                geometric_mean(gains),
            ),
            Bar(f"{decibels} dB: arrays below the floor", 0, broken, at_most=True),
            *_speed_bars(f"{decibels} dB", speeds, effort),
        ]
    return bars


def _within_as_video(floats: Sequence[Array], rivals: Mapping[str, Mapping[str, Curve]], effort: Effort) -> list[Bar]:
    """Within a bound that video happens to keep at one of its settings."""
    rows, gains = [], []
    for array in floats:
        for part in BOUNDS:
            video = bytes_within(rivals[array.name][VIDEO], part)
            if video is not None:
                length = _ours(array, Bound("rel", part), effort)[0]
                gains.append(video / length)
                sizes = (f"{array.values.nbytes / size:.1f}" for size in (video, length))
                rows.append((array.name, f"{part:g}", *sizes, f"{gains[-1]:.2f}"))
    table(("where x265 keeps a bound: ratios", "of range", VIDEO, OURS, "times x265"), rows)
    named = f"times x265 where it keeps a bound ({len(gains)}), geometric mean"
    return [Bar(named, _VIDEO_BAR, geometric_mean(gains))] if gains else []


def _psnr(array: Array, decoded: np.ndarray) -> float:
    inside, again = (values[array.valid].astype(np.float64) for values in (array.values, decoded))
    return float(20 * np.log10(np.ptp(inside)) - 10 * np.log10(np.mean(np.square(again - inside))))


# --- speed, without rivals ----------------------------------------------------------------------------


def _speeds(found: Sequence[Array], effort: Effort) -> list[Bar]:
    """Of both quick efforts, exact and bounded; of each array the best of a few runs: other work slows some."""
    bars: list[Bar] = []
    for name, bound in (("exact", None), ("0.001 of range", Bound("rel", 1e-3))):
        arrays = [array for array in found if bound is None or array.values.dtype.kind == "f"]
        rows = [[array.name] for array in arrays]
        for own in _SPEEDS:
            runs = [[_ours(array, bound, own)[1] for _ in range(_RUNS)] for array in arrays]
            best = [(max(into for into, _ in one), max(out for _, out in one)) for one in runs]
            for row, speed in zip(rows, best, strict=True):
                row.extend(_shown(speed))
            bars += _speed_bars(f"{name}, {own}", best, own)
        table((f"{name}: MB/s", *(f"{own}, {way}" for own in _SPEEDS for way in ("in", "out"))), rows)
    return bars


# --- both ---------------------------------------------------------------------------------------------


def _ours(array: Array, bound: Bound | Floor | None, effort: Effort) -> tuple[int, tuple[float, float], np.ndarray]:
    """Bytes, speed in and out, and what came back."""
    started = time.process_time()
    payload = encode_values(array.values, bound=bound, effort=effort, fills=array.fills)
    encoded = time.process_time()
    decoded = decode_values(payload, array.values.shape, array.values.dtype)
    ended = time.process_time()
    megabytes = array.values.nbytes / 1e6
    return len(payload), (megabytes / (encoded - started), megabytes / (ended - encoded)), decoded


def _shown(speed: tuple[float, float]) -> tuple[str, str]:
    return f"{speed[0]:.1f}", f"{speed[1]:.1f}"


def _speed_bars(what: str, speeds: Sequence[tuple[float, float]], effort: Effort) -> list[Bar]:
    wanted = _SPEEDS.get(effort)
    if wanted is None:
        return []
    return [
        Bar(f"{what}: MB/s {way}, geometric mean", wanted, geometric_mean(speed[index] for speed in speeds))
        for index, way in enumerate(("in", "out"))
    ]
