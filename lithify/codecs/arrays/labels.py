"""Steps along an axis by what its coordinate says of them: `time=2019-03`, `lat=50..60`.

A time means all that lies in it: `2019-03-01` is a day, `2019-03` a month. A number means the step that has it. Ranges
hold both of their ends.
"""

import re
from collections.abc import Callable

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.calendars import calendar_of, instant, span, text_of
from lithify.codecs.arrays.labelled import Labelled
from lithify.errors import BadArgument

_SINCE = re.compile(r"(\w+)\s+since\s+(.+)", re.I)
_SECONDS = {
    "second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "hr": 3600.0, "h": 3600.0,
    "day": 86400.0, "d": 86400.0, "millisecond": 1e-3, "msec": 1e-3, "ms": 1e-3,
}  # fmt: skip
_CLOSE = 1e-6
"""Of a number's size: what a label and a float of 32 bits may differ by and still be the same."""


def chosen(coordinate: Labelled | None, dimension: str, label: str) -> slice:
    """The steps that a label or a range of labels means. Raises BadArgument, with what there is."""
    if coordinate is None or not coordinate.is_coordinate or coordinate.dtype.kind not in "iuf":
        raise BadArgument(f"{dimension}={label:.100}: {dimension} has no coordinate of numbers; cut it by steps")
    values = _scaled(coordinate)
    first, _, last = label.partition("..")
    ends = (first.strip(), last.strip() or first.strip())
    units = coordinate.attributes.get("units")
    since = _SINCE.fullmatch(units.strip()) if isinstance(units, str) else None
    if since is not None:
        inside, told = _between_times(values, since, coordinate, ends)
    else:
        inside, told = _between_numbers(values, dimension, ends, is_range=bool(last)), "{:.9g}".format
    return _one_stretch(np.flatnonzero(inside), values, told, f"{dimension}={label:.100}")


def _scaled(coordinate: Labelled) -> Values:
    """Its values, as its attributes unpack them."""
    values = coordinate.read((slice(None),)).astype(np.float64)
    factor, offset = (coordinate.attributes.get(name) for name in ("scale_factor", "add_offset"))
    if isinstance(factor, np.ndarray) and factor.size == 1:
        values = values * float(factor[0])
    if isinstance(offset, np.ndarray) and offset.size == 1:
        values = values + float(offset[0])
    return values


def _between_numbers(values: Values, dimension: str, ends: tuple[str, str], *, is_range: bool) -> Bools:
    try:
        low, high = sorted(map(float, ends))
    except ValueError:
        raise BadArgument(f"{dimension}={ends[0]:.60}: {dimension} has numbers, such as {values[0]:g}") from None
    found: Bools = (values >= low - _CLOSE * abs(low)) & (values <= high + _CLOSE * abs(high))
    if not found.any() and not is_range and np.isfinite(values).any() and np.isfinite(low):
        nearest = values[np.nanargmin(np.abs(values - low))]
        raise BadArgument(f"{dimension}={ends[0]}: no step has that value; the nearest has {nearest:.9g}")
    return found


def _between_times(
    values: Values, since: "re.Match[str]", coordinate: Labelled, ends: tuple[str, str]
) -> tuple[Bools, Callable[[float], str]]:
    """Which of the values lie there, and how one of them is told."""
    name, named = coordinate.own_name, coordinate.attributes.get("calendar", "standard")
    unit = _SECONDS.get(since[1].lower(), _SECONDS.get(since[1].lower().removesuffix("s")))
    calendar = calendar_of(named)
    begin = None if calendar is None else instant(calendar, since[2])
    if unit is None or calendar is None or begin is None:
        what = f"{since[0]!r:.80}, calendar {named!r:.40}"
        raise BadArgument(f"{name} is told as {what}, which labels are not looked up in; cut it by steps")
    spans = [one for one in (span(calendar, end) for end in ends) if one is not None]
    if len(spans) < len(ends):
        raise BadArgument(f"{name}={ends[0]:.60}: a time is spelled 2019, 2019-03, 2019-03-01 or 2019-03-01T12:30:00")
    spans.sort()
    seconds = values * unit + begin
    edge = 1e-3  # a time told in days, as a float, is not to the microsecond where it means to be
    found: Bools = (seconds >= spans[0][0] - edge) & (seconds < spans[-1][1] - edge)

    def told(value: float) -> str:
        return text_of(calendar, value * unit + begin) or f"{value:.9g} {since[0]}"

    return found, told


def _one_stretch(found: Values, values: Values, told: Callable[[float], str], wanted: str) -> slice:
    if not len(found):
        ends = f"goes from {told(values[0])} to {told(values[-1])}" if len(values) else "has no steps"
        raise BadArgument(f"{wanted}: no step lies there; the coordinate {ends}")
    step = int(found[1] - found[0]) if len(found) > 1 else 1
    if not np.array_equal(found, found[0] + step * np.arange(len(found))):
        raise BadArgument(f"{wanted}: the steps that lie there do not follow each other; cut by steps")
    return slice(int(found[0]), int(found[-1]) + 1, step)
